"""A finished forecast: what a fitted Forecaster holds, answers from, and keeps in its file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from mantic.core.arrow_lengths import check_file
from mantic.core.calendar import Calendar
from mantic.core.holidays import Holidays
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.features.series.hierarchy import node_name
from mantic.search.series.coherent import Coherent
from mantic.search.series.combine import Mixture
from mantic.search.series.holiday import ordinary
from mantic.search.series.outbreak import Outbreak
from mantic.search.series.paths import GRID, Together, alone, at_levels, walking
from mantic.search.series.rare import Rare
from mantic.search.series.spread import Spread

_PART, _IDS, _LEARNED = "forecast", "series.arrow", "learned"
_COHERENT = "coherent "
_RARE = ("levels", "values", "means")
_PANEL = ("values", "truth", "bounds", "last", "known")


@dataclass(frozen=True)
class Foretold:
    """The next steps of every series, and all that is needed to go on from there.

    Parameters
    ----------
    panel, ids : the series, and which they are.
    mixture, spread : how methods become one forecast, and how far the truth may lie from it.
    forecast : what is expected, float64, shape (n_series, horizon).
    voices : what each method of the mixture said, shape (n_methods, n_series, horizon); NaN where it said nothing.
    rare : what may come of series that are mostly 0, where that is better known than by a width; else None.
    learned : by name, the methods of the mixture that can answer again when more is known of the future.
    outbreak : quantiles, and all that was ever told, where values are revised; then it stands for `spread`.
    together : how errors go together from step to step; as those of a walk when None.
    coherent : how forecasts of sums and of what they are made of add up; None where there are no sums.
    young : which series came after the model was fitted, shape (n_series,).
    pretrained : SHA-256 of the pretrained model that is one of the methods; empty where none is.
    """

    panel: Panel
    ids: pl.DataFrame
    mixture: Mixture
    spread: Spread
    forecast: Array
    voices: Array
    rare: Rare | None = None
    learned: Mapping[str, Method] = field(default_factory=dict)
    outbreak: Outbreak | None = None
    together: Together | None = None
    coherent: Coherent | None = None
    young: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))
    pretrained: str = ""

    def __post_init__(self) -> None:
        """Take all series for old ones where nobody said which came later."""
        if len(self.young) != len(self.forecast):
            object.__setattr__(self, "young", np.zeros(len(self.forecast), dtype=bool))

    @property
    def horizon(self) -> int:
        """Return how many steps are foretold."""
        return int(self.forecast.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Return a text for each series."""
        if self.coherent is not None:
            return tuple(node_name(one) for one in self.ids.rows())
        return tuple(" / ".join(one) for one in self.ids.rows()) if self.ids.width else ("",)

    def quantiles(self, levels: Array) -> Array:
        """Return quantiles, shape (n_series, horizon, n_levels), rising with the level.

        Where no value was ever below 0, none is; counts are whole numbers.
        """
        if self.coherent is not None:
            return in_bounds(self.panel, self.coherent.quantiles(levels))
        return in_bounds(self.panel, self.marginals(levels))

    def marginals(self, levels: Array) -> Array:
        """Return quantiles as errors give them, before anything adds up; shape as of `quantiles`."""
        if self.outbreak is not None:
            return self.outbreak.at(levels)
        forecast = self.forecast if self.coherent is None else self.coherent.base
        return with_rare(self.spread.quantiles(forecast, levels), self.rare, levels)

    def paths(self, n: int, places: Array, *, seed: int) -> Array:
        """Return whole futures of some series, shape (n, n_places, horizon), with the quantiles of the forecast.

        Steps of a future go together as errors of the past did. Where there are sums, each future adds up, and all
        series are drawn for it; else only these.
        """
        together = walking(self.horizon) if self.together is None else self.together
        if self.coherent is not None:
            return self.coherent.paths(together, self.marginals(GRID), self.panel, n=n, seed=seed)[:, places]
        own = self.marginals(GRID)[places] if self.outbreak is not None else self.some(places).marginals(GRID)
        return in_bounds(self.panel, at_levels(alone(together, n, places.tolist(), seed=seed), GRID, own))

    def steps(self) -> Array:
        """Return the calendar's steps that are foretold, shape (n_series, horizon)."""
        return np.asarray(self.panel.last[:, None] + np.arange(1, self.horizon + 1))

    def places(self, ids: pl.DataFrame) -> Array:
        """Return the position of the series of each row, -1 where there is none such."""
        if not self.ids.width:
            return np.zeros(ids.height, dtype=np.int64)
        known = self.ids.with_columns(pl.int_range(pl.len()).alias("place of the series"))
        found = ids.join(known, on=self.ids.columns, how="left", maintain_order="left", nulls_equal=True)
        return found["place of the series"].fill_null(-1).to_numpy().astype(np.int64)

    def some(self, places: Array) -> "Foretold":
        """Return the forecast of these series, in this order."""
        rare = None if self.rare is None else self.rare.rows(places)
        return replace(
            self, panel=self.panel.rows(places), ids=self.ids[places], rare=rare, young=self.young[places],
            mixture=replace(self.mixture, weights=self.mixture.weights[places]),
            spread=self.spread.rows(places),
            forecast=self.forecast[places], voices=self.voices[:, places],
        )  # fmt: skip

    def knowing(self, future: Array) -> "Foretold":
        """Return the forecast with what is known of the steps to come.

        Parameters
        ----------
        future : float64, shape (n_series, horizon, n_known).
        """
        plain, run = ordinary(self.panel, self.horizon), Run()
        panel = replace(plain.panel, future=future)
        voices = self.voices.copy()
        for name, method in self.learned.items():
            voice = voices[self.mixture.names.index(name)]  # where it had nothing to say, it still has not
            voice[:] = np.where(np.isfinite(voice), method.forecast(panel, self.horizon, run) * plain.factor, np.nan)
        if panel.is_floored:
            voices = np.maximum(voices, 0.0)
        forecast = self.mixture.mix(voices)
        forecast = with_means(np.where(np.isfinite(forecast), forecast, self.forecast), self.rare)
        return replace(self, voices=voices, forecast=forecast)

    def save(self, folder: Path) -> None:
        """Write arrays, plain facts, the ids of the series, and what methods have learned."""
        for name, method in self.learned.items():
            (folder / _LEARNED / name).mkdir(parents=True)
            method.save(folder / _LEARNED / name)
        panel = self.panel
        facts = {
            "calendar": panel.calendar.to_facts(), "seasons": list(panel.seasons), "is_count": panel.is_count,
            "is_floored": panel.is_floored, "is_sold_only": panel.is_sold_only, "quiet": list(panel.quiet),
            "names": list(self.mixture.names), "is_median": self.mixture.is_median, "level": self.mixture.level,
            "losses": self.mixture.losses, "n_errors": self.spread.n_errors,
            "learned": sorted(self.learned), "pretrained": self.pretrained,
            "rare": None if self.rare is None else self.rare.to_facts(),
            "outbreak": None if self.outbreak is None else self.outbreak.to_facts(),
            "together": None if self.together is None else self.together.to_facts(),
            "coherent": None if self.coherent is None else self.coherent.to_facts(),
            "holidays": None if panel.holidays is None else panel.holidays.to_facts(),
        }  # fmt: skip
        arrays = {name: getattr(panel, name) for name in _PANEL} | {
            "weights": self.mixture.weights, "width": self.spread.width, "growth": self.spread.growth,
            "cycle": self.spread.cycle,
            "levels": self.spread.levels, "errors": self.spread.errors, "forecast": self.forecast,
            "voices": self.voices, "reach": self.spread.reach,
            "young": self.young.astype(np.int64),
        }  # fmt: skip
        if self.together is not None and self.together.root is not None:
            arrays["together"] = self.together.root
        if self.coherent is not None:
            arrays |= {f"{_COHERENT}{name}": array for name, array in self.coherent.to_arrays().items()}
        if self.rare is not None:
            arrays |= {f"rare {name}": getattr(self.rare, name) for name in _RARE}
        if self.outbreak is not None:
            arrays |= {f"outbreak {name}": one for name, one in self.outbreak.to_arrays().items()}
        write_parts(folder, _PART, facts, arrays)
        self.ids.write_ipc(folder / _IDS, compression="zstd")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote.

        Raises
        ------
        ArtifactError : if a part cannot be read. ValueError : if the parts do not fit together.
        """
        facts, arrays = read_parts(folder, _PART)
        content = (folder / _IDS).read_bytes()
        check_file(content)
        ids = pl.read_ipc(content)
        panel = Panel(
            arrays["values"], arrays["truth"], arrays["bounds"], arrays["last"],
            Calendar.from_facts(facts["calendar"]), tuple(int(one) for one in facts["seasons"]), arrays["known"],
            is_count=bool(facts["is_count"]), is_floored=bool(facts["is_floored"]),
            is_sold_only=bool(facts.get("is_sold_only")),  # earlier files do not say
            quiet=tuple(int(one) for one in facts.get("quiet", ())),
            holidays=None if facts.get("holidays") is None else Holidays.from_facts(facts["holidays"]),
        )  # fmt: skip
        mixture = Mixture(
            tuple(map(str, facts["names"])), arrays["weights"], bool(facts["is_median"]), str(facts["level"]),
            {str(name): float(loss) for name, loss in facts["losses"].items()},
        )  # fmt: skip
        spread = Spread(
            arrays["width"], arrays["growth"], arrays["cycle"], arrays["levels"], arrays["errors"],
            int(facts["n_errors"]), arrays["reach"],
        )  # fmt: skip
        learned = {name: METHODS.get(name).load(folder / _LEARNED / name) for name in map(str, facts["learned"])}
        about, rare = facts["rare"], None
        if about is not None:
            rare = Rare.from_facts(about, *(arrays[f"rare {name}"] for name in _RARE))
        outbreak = None
        if facts.get("outbreak") is not None:  # files of before outbreaks do not say
            own = {name.removeprefix("outbreak "): one for name, one in arrays.items() if name.startswith("outbreak ")}
            outbreak = Outbreak.from_facts(facts["outbreak"], own)
        together = None
        if facts.get("together") is not None:
            horizon = int(arrays["forecast"].shape[1])
            together = Together.from_facts(facts["together"], arrays.get("together"), horizon)
        own = {name.removeprefix(_COHERENT): one for name, one in arrays.items() if name.startswith(_COHERENT)}
        coherent = None if facts.get("coherent") is None else Coherent.from_parts(facts["coherent"], own)
        made = cls(
            panel, ids, mixture, spread, arrays["forecast"], arrays["voices"], rare, learned, outbreak,
            together, coherent, arrays["young"] > 0, str(facts.get("pretrained", "")),
        )  # fmt: skip
        made._check()
        return made

    def _check(self) -> None:
        panel, n_series, horizon = self.panel, len(self.ids) if self.ids.width else 1, self.horizon
        shapes = {
            "bounds": (panel.bounds, (n_series + 1,)), "last": (panel.last, (n_series,)),
            "truth": (panel.truth, panel.values.shape), "forecast": (self.forecast, (n_series, horizon)),
            "voices": (self.voices, (len(self.mixture.names), n_series, horizon)),
            "weights": (self.mixture.weights, (n_series, len(self.mixture.names))),
            "width": (self.spread.width, (n_series,)), "growth": (self.spread.growth, (horizon,)),
            "errors": (self.spread.errors, self.spread.levels.shape),
            "reach": (self.spread.reach, self.spread.levels.shape),
        }  # fmt: skip
        wrong = [
            name for name, (array, shape) in shapes.items() if array.shape != shape or array.dtype.kind not in "fi"
        ]
        rising = np.diff(panel.bounds)
        if len(panel.quiet) not in (0, 3):
            raise ValueError("what a whole step is like is not known")
        if self.spread.cycle.ndim != 2 or len(self.spread.cycle) != n_series or not self.spread.cycle.shape[1]:
            raise ValueError("how errors go round the cycle is not known for each series")
        if self.rare is not None and self.rare.values.shape != (n_series, len(self.rare.levels)):
            raise ValueError("what may come of rare series is not known for each of them")
        if self.outbreak is not None and self.outbreak.quantiles.shape[:2] != (n_series, horizon):
            raise ValueError("the quantiles of the outbreak are not those of each series and step")
        if self.coherent is not None and self.coherent.values.shape[:2] != (n_series, horizon):
            raise ValueError("the levels of the hierarchy belong to another forecast")
        if wrong or panel.values.ndim != 1 or panel.bounds[0] != 0 or panel.bounds[-1] != len(panel.values):
            raise ValueError(f"the arrays of the forecast have other shapes than they should: {', '.join(wrong)}")
        if (rising < 1).any() or panel.bounds.dtype.kind != "i" or panel.last.dtype.kind != "i":
            raise ValueError("the series of the forecast do not follow each other")
        if not np.isfinite(self.forecast).all() or not np.isfinite(panel.values).all():
            raise ValueError("the forecast holds what is no number")


def with_rare(quantiles: Array, rare: Rare | None, levels: Array) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels), with those of rare series in their place."""
    if rare is None or not rare.has_quantiles:
        return quantiles
    own = rare.quantiles(levels)[:, None]
    return np.where(np.isnan(own), quantiles, own)


def with_means(forecast: Array, rare: Rare | None) -> Array:
    """Return forecasts, shape (n_series, horizon), with the means of rare series in their place."""
    if rare is None or not rare.has_means:
        return forecast
    return np.where(np.isnan(rare.means)[:, None], forecast, rare.means[:, None])


def in_bounds(panel: Panel, quantiles: Array) -> Array:
    """Return quantiles that are not below 0 where no value was, and whole where all values were counts."""
    found = np.maximum(quantiles, 0.0) if panel.is_floored else quantiles
    return np.round(found) if panel.is_count else found


def of_used(names: tuple[str, ...], mixture: Mixture, voices: Array) -> tuple[Mixture, Array]:
    """Return mixture and voices without the methods that have no weight in any series."""
    used = np.flatnonzero(mixture.weights.max(axis=0) > 0)
    kept = replace(mixture, names=tuple(names[place] for place in used), weights=mixture.weights[:, used])
    return kept, voices[used]
