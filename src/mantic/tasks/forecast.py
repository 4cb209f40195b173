"""Forecast series."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from numbers import Integral
from pathlib import Path
from time import monotonic as time_now
from typing import Any, Self

from mantic.core.budget import Budget, Deadline
from mantic.core.errors import SettingsError
from mantic.core.run import Run, check_seed
from mantic.core.schema import Column, Schema
from mantic.features.series.assemble import Roles, as_written
from mantic.features.series.hierarchy import EVERY
from mantic.report.blocks import Report
from mantic.search.series.foretold import Foretold
from mantic.sources.frames import to_polars
from mantic.tasks import series_answer
from mantic.tasks.series_asked import Asked, plain_parameters
from mantic.tasks.series_roles import check_roles
from mantic.tasks.sklearn_rules import Parameters
from mantic.tasks.task import Task

_MOST_HORIZON = 10_000
_MOST_LEVEL = 99  # per cent: what lies farther out, errors of the past do not tell


@dataclass(eq=False, repr=False)
class Forecaster(Parameters):
    """Forecast one series or very many, with intervals that hold, within a time budget.

    Parameters
    ----------
    horizon : how many steps ahead.
    budget : wall clock for everything, "60s" or "5m"; or "3 trials" for the naive family and three methods more, which
        repeats to the byte.
    seed : every random choice comes from it.
    levels : of the intervals, in per cent, up to 99.
    freq : "h", "D", "W", "M", "Q", "Y", "B", "15min" ...; the commonest gap over all series when absent.
    season : length of the cycle in steps, or of several; what is usual for the frequency when absent.
    capacity : with `as_of`: answers and report say how likely more than this is in each step, as of beds.
    hierarchy : columns over which sums are formed, as ["state", "region"], or "all" that tell series apart: sums are
        forecast too, and all levels add up.
    country : whose public holidays are reckoned with where that was better on the past, with a region if wanted: "DE",
        "DE-BY", "US-CA".
    pretrained : a folder with a Chronos-Bolt or Chronos-2 model, which becomes one method among others, or
        "hf://owner/name" to fetch it from the hub; none when absent. What a loaded file names is never fetched by
        `fit`, until you set it yourself.

    Fitted attributes: `roles_` (which columns are what), `told_` (a `Foretold`: series, weights, forecast, errors),
    `schema_` (of the rows that may be asked), `target_`, `report_`, `run_`, `version_`.

    >>> from datetime import date
    >>> import polars as pl
    >>> days = pl.date_range(date(2024, 1, 1), date(2024, 3, 31), eager=True)
    >>> sold = [20 + 5 * (day.weekday() >= 5) for day in days]
    >>> model = Forecaster(horizon=7, budget="2s").fit(
    ...     pl.DataFrame({"day": days, "sold": sold}), time="day", target="sold"
    ... )
    >>> model.predict()["mean"].round().to_list()
    [20.0, 20.0, 20.0, 20.0, 20.0, 25.0, 25.0]
    """

    task = Task("forecast", metric="mase", sklearn_kind="forecaster")
    horizon: int = 28
    _: KW_ONLY
    budget: str | float = "60s"
    seed: int = 0
    levels: Sequence[float] = (50, 80, 95)
    freq: str | None = None
    season: int | Sequence[int] | None = None
    capacity: float | None = None
    hierarchy: str | Sequence[str] | None = None
    country: str | None = None
    pretrained: str | Path | None = None

    roles_: Roles = field(init=False)
    told_: Foretold = field(init=False)
    schema_: Schema = field(init=False)
    target_: Column = field(init=False)
    report_: Report = field(init=False)
    run_: Run = field(init=False)
    version_: str = field(init=False)
    _library: str = field(init=False)

    def fit(  # noqa: PLR0913  # one argument per role of a column, see decision 32
        self,
        frame: Any,
        *,
        time: str,
        target: str,
        series: str | Sequence[str] = (),
        known: str | Sequence[str] = (),
        as_of: str | None = None,
        run: Run | None = None,
    ) -> Self:
        """Learn how each series goes on, and how far that may be wrong.

        Parameters
        ----------
        frame : one row per series and moment, in any order; a table of any library.
        time : name of a column of dates, moments or whole numbers.
        target : name of the column of numbers that is forecast.
        series : names of the columns that tell series apart; one series when absent.
        known : names of columns of numbers that are known beforehand, as a price; `predict` can be told their future.
        as_of : name of the column that says on which day a value was known, where values are revised, as those of an
            outbreak are: then a series and moment may have a row for each day on which its value changed.
        run : seed, threads, deadline and listeners; made from the parameters when absent.

        Raises
        ------
        SchemaError : if columns are missing or hold something else; names all faults.
        SettingsError : if horizon, budget, levels, frequency or season make no sense.
        """
        from mantic.tasks.series_outbreak import walk_outbreak
        from mantic.tasks.series_walk import walk

        started = time_now()
        budget = self._checked()
        if run is None:
            run = Run(seed=self.seed, deadline=Deadline.after(budget.seconds))
        sums = [name for name in _several(self.hierarchy or ()) if name != EVERY]
        apart = dict.fromkeys((*sums, *_several(series)))  # a column of sums tells series apart too
        roles = Roles(time, target, tuple(apart), _several(known), as_of or "")
        asked = self._asked(budget)
        check_roles(roles, asked)
        one = walk_outbreak if roles.as_of else walk
        table = to_polars(frame)
        roles = as_written(table, roles)
        walked = one(table, roles, asked, run, started=started)
        self.roles_, self.told_, self.report_ = roles, walked.told, walked.report
        self.schema_, self.target_ = walked.schema, walked.target
        self.version_, self._library = "unsaved", series_answer.library_of(frame)
        self.run_ = _kept(run)
        return self

    def predict(self, future: Any = None) -> Any:
        """Return what is to come: series, time, mean, median, and the ends of the intervals as quantiles.

        Parameters
        ----------
        future : rows that name series and moments, with the columns that are known beforehand if there are any; all
            steps of all series when absent.

        Returns
        -------
        One row per row of `future`, in order, or series after series; as a table of the library that came in. If rows
        name series that are not known, a column `basis` more: "its own past", or "similar series", which is wide.

        Raises
        ------
        SchemaError : names rows whose moment lies outside of the horizon.
        """
        self._check_fitted()
        if future is None:
            found = series_answer.all_answers(self.told_, self.roles_, self.levels)
            return series_answer.like(found, self._library)
        rows = to_polars(future)
        found = series_answer.answers_for(self.told_, self.roles_, self.levels, rows)
        return series_answer.like(found, series_answer.library_of(future))

    def sample(self, n: int = 100, future: Any = None, *, seed: int | None = None) -> Any:
        """Return whole futures, drawn by chance: what a sum over days, or a highest day, may come to.

        At each step they have the quantiles of the forecast; from step to step they go together as errors of the past
        did. Where there is a hierarchy, each future adds up by itself.

        Parameters
        ----------
        n : how many futures.
        future : as in `predict`: rows whose series and moments are meant, with what is known beforehand.
        seed : the forecaster's own when absent.

        Returns
        -------
        Series, time, path (0 to n - 1) and value: path after path of each row, as a table of the library that came in.
        """
        self._check_fitted()
        if n < 1:
            raise SettingsError(f"n is {n!r}, and should be 1 or more", where="sample", fix="as in sample(100)")
        chosen = self.seed if seed is None else seed
        rows = None if future is None else to_polars(future)
        library = self._library if future is None else series_answer.library_of(future)
        return series_answer.like(series_answer.futures(self.told_, self.roles_, rows, n=n, seed=chosen), library)

    def evaluate(self, rows: Any, *, run: Run | None = None) -> Report:
        """Say how the forecasts did, from rows that came later: errors against seasonal naive, and coverage.

        Parameters
        ----------
        rows : as in `fit`; what lies outside of the horizon and series that are not known are left out, and counted.

        Raises
        ------
        SchemaError : if columns are missing or hold something else, or no row has a truth.
        """
        from mantic.tasks.series_walk import evaluated

        self._check_fitted()
        return evaluated(self.told_, self.roles_, to_polars(rows), levels=self.levels, run=run or Run(seed=self.seed))

    def update(self, rows: Any, *, run: Run | None = None) -> Self:
        """Take in what came since, and forecast from there; weights and methods stay, nothing is searched.

        Parameters
        ----------
        rows : as in `fit`, new ones only. Series that were not there go on as similar ones do, with wide intervals,
            and become their own as points arrive; where there is a hierarchy they are left out, and counted.

        Raises
        ------
        SchemaError : if columns are missing or hold something else; names all faults.
        ArtifactError : if a pretrained model has weight, and is no longer where `pretrained` says, or is another one;
            `set_params(pretrained=None)` goes on without it, and says so.
        """
        from mantic.tasks.series_walk import row_schema, updated

        self._check_fitted()
        run = run or Run(seed=self.seed, deadline=Deadline.after(self._checked().seconds))
        if self.roles_.as_of:
            from mantic.tasks.series_outbreak import grown

            walked = grown(self.told_, self.roles_, to_polars(rows), asked=self._asked(self._checked()), run=run)
            self.told_, self.report_ = walked.told, walked.report
        else:
            self.told_ = updated(self.told_, self.roles_, to_polars(rows), run, pretrained=str(self.pretrained or ""))
        self.schema_ = row_schema(self.told_, self.roles_)
        self.version_, self.run_ = "unsaved", _kept(run)
        return self

    def save(self, path: str | Path) -> Path:
        """Write the fitted model to one `.mantic` file, atomically; `mantic.load` restores it. Returns the path."""
        from mantic.tasks import series_saved

        self._check_fitted()
        return series_saved.save(self, path)

    def explain(self, rows: Any = None, *, run: Run | None = None) -> Any:
        """Say what each method foresaw and how much it counts, for rows that name series and moments."""
        from mantic.tasks.series_reasons import explain

        self._check_fitted()
        return explain(self.told_, self.roles_, self.predict() if rows is None else rows)

    def serve(self, *, name: str = "model", host: str = "127.0.0.1", port: int = 8000) -> None:
        """Answer forecasts over HTTP until stopped; see `mantic serve`."""
        from mantic.serve.run import serve

        self._check_fitted()
        serve({name: self}, host=host, port=port)

    def asgi(self, *, name: str = "model") -> Any:
        """Return an ASGI application that answers as `mantic serve` does."""
        from mantic.serve.app import make_asgi

        self._check_fitted()
        return make_asgi({name: self})

    def _asked(self, budget: Budget) -> Asked:
        sums = _several(self.hierarchy or ())
        return Asked(
            int(self.horizon), tuple(map(float, self.levels)), self.freq, self.season, budget.trials, sums,
            self.country or "", plain_parameters(self.get_params()),
        )  # fmt: skip

    def _checked(self) -> Budget:
        """Return the budget, or name every parameter that makes no sense."""
        check_seed(self.seed)
        faults = []
        horizon: Any = self.horizon  # the user's, of whatever type
        if not isinstance(horizon, Integral) or not 1 <= int(horizon) <= _MOST_HORIZON:
            faults.append(f"horizon is {self.horizon!r}, and should be a whole number from 1 to {_MOST_HORIZON:,}")
        if not _are_levels(self.levels):
            faults.append(f"levels are {self.levels!r}, and should be numbers above 0, up to {_MOST_LEVEL}")
        if self.capacity is not None and not 0 <= self.capacity < float("inf"):
            faults.append(f"capacity is {self.capacity!r}, and should be a number of 0 or more")
        source: Any = self.pretrained  # the user's, of whatever type
        if not isinstance(source, str | Path | None) or source == "":
            faults.append(f"pretrained is {self.pretrained!r}, and should be a folder or hf://owner/name")
        if faults:
            raise SettingsError("; ".join(faults), where="Forecaster", fix="as in Forecaster(horizon=28, levels=[80])")
        return Budget.parse(self.budget)

    def _check_fitted(self) -> None:
        if not hasattr(self, "told_"):
            from mantic.tasks.unfitted import NotFittedError

            raise NotFittedError(
                f"this {type(self).__name__} instance is not fitted yet", where="model",
                fix="call fit(frame, time=..., target=...) first",
            )  # fmt: skip


def _are_levels(levels: Any) -> bool:
    try:
        return bool(len(levels)) and all(0 < level <= _MOST_LEVEL for level in levels)
    except TypeError:
        return False


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _kept(run: Run) -> Run:
    """Return a run without those who listened."""
    return replace(run, listeners=[], journal=None, _scratch=None)
