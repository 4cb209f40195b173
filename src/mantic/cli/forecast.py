"""What `mantic fit --task forecast` asks for beside the rest."""

from argparse import ArgumentTypeError, Namespace
from typing import Any

from mantic.cli.words import Parser
from mantic.core.budget import Pace
from mantic.core.errors import SettingsError
from mantic.core.run import Run

FORECAST = "forecast"
TASKS = ("classify", "regress", FORECAST)
_HORIZON = 28
_SAVE_SECONDS = 3e-6  # of the processor, to write a row of a very large table with its forecast
_OF_TABLES = ("metric", "positive", "learner", "set", "group", "cost", "latency", "resume")
_OF_SERIES = ("series", "known", "horizon", "freq", "season", "levels", "as_of", "hierarchy", "country", "pretrained")


def add_forecast(options: Parser) -> None:
    """Add --series, --known, --horizon, --freq, --season, --country, --hierarchy and --levels."""
    options.add_argument("--series", type=_names, metavar="A,B", help="forecast: columns that tell series apart")
    options.add_argument("--known", type=_names, metavar="A,B", help="forecast: numbers that are known beforehand")
    options.add_argument("--horizon", type=int, metavar="STEPS", help=f"forecast: how far ahead ({_HORIZON})")
    options.add_argument("--freq", metavar="NAME", help="forecast: h, D, W, M, Q, Y, B, 15min ... (the commonest gap)")
    options.add_argument(
        "--season", type=_wholes, metavar="STEPS", help="forecast: length of the cycle, or several (by the frequency)"
    )
    options.add_argument(
        "--country", metavar="CODE", help="forecast: whose holidays count, if that is better: DE, DE-BY, US-CA ..."
    )
    options.add_argument(
        "--as-of",
        metavar="COLUMN",
        help="forecast: on which day a value was known, of outbreaks; --capacity is then a value to watch",
    )
    options.add_argument(
        "--hierarchy", type=_names, nargs="?", const=["all"], metavar="A,B",
        help="forecast: also sums over these columns, and all levels add up (all of --series)",
    )  # fmt: skip
    options.add_argument(
        "--pretrained", metavar="FOLDER",
        help="forecast: a Chronos-Bolt or Chronos-2 model as one method more; hf://owner/name fetches it from the hub",
    )  # fmt: skip
    options.add_argument("--levels", type=_numbers, metavar="50,80,95", help="forecast: intervals, in per cent")


def check_forecast(options: Namespace) -> None:
    """Refuse options of the other kind of task before the work begins.

    Raises
    ------
    SettingsError : names all of them.
    """
    strange = _OF_TABLES if options.task == FORECAST else _OF_SERIES
    given = [f"--{name.replace('_', '-')}" for name in strange if getattr(options, name) not in (None, [], False)]
    if given:
        which = "not for a forecast" if options.task == FORECAST else "only for --task forecast"
        raise SettingsError(f"{', '.join(given)}: {which}", where="mantic fit", fix="leave it out")
    if options.task == FORECAST and not options.time:
        raise SettingsError("a forecast needs --time", where="mantic fit", fix="add --time COLUMN")
    if options.task == FORECAST and options.capacity is not None:
        _amount(options.capacity)


def check_of_table(model: Any, what: str) -> None:
    """Refuse a forecast where only a model of a table will do.

    Parameters
    ----------
    what : what was asked for, as it was typed.
    """
    if model.task.name == FORECAST:
        fix = "'mantic explain MODEL ROWS' says what each method foresaw"
        raise SettingsError(f"{what} is not for a forecast", where="mantic", fix=fix)


def fitted_forecast(options: Namespace, budget: str, work: Run) -> Any:
    """Read the data and return the fitted Forecaster."""
    from mantic.sources.read import read
    from mantic.tasks.choose import without
    from mantic.tasks.forecast import Forecaster

    frame = read(options.data, run=work)
    dropped = [name for names in options.drop for name in names.split(",") if name]
    frame = without(frame, dropped, target=options.target)
    asked = {
        name: getattr(options, name) for name in ("freq", "season", "levels", "hierarchy", "country", "pretrained")
    }
    if options.capacity is not None:
        asked["capacity"] = _amount(options.capacity)
    given = {name: value for name, value in asked.items() if value is not None}
    to_save = _SAVE_SECONDS * frame.height * Pace(since=options.started).slowdown()
    work = work.until(work.deadline.earlier(min(to_save, work.deadline.left() / 3)))
    model = Forecaster(
        _HORIZON if options.horizon is None else options.horizon, budget=budget, seed=options.seed, **given
    )
    series, known = options.series or (), options.known or ()
    return model.fit(
        frame, time=options.time, target=options.target, series=series, known=known, as_of=options.as_of, run=work
    )


def _amount(text: str) -> float:
    """Return a capacity of an outbreak, which is a plain number.

    Raises
    ------
    SettingsError : if it is none.
    """
    try:
        return float(text)
    except ValueError as error:
        fix = "write a number in the target's own unit, as in --capacity 500"
        raise SettingsError(f"'{text}' is no capacity of a forecast", where="--capacity", fix=fix) from error


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _wholes(text: str) -> list[int]:
    return [int(part) for part in _parts(text, "whole numbers") if _is(int, part, text)]


def _numbers(text: str) -> list[float]:
    return [float(part) for part in _parts(text, "numbers") if _is(float, part, text)]


def _parts(text: str, what: str) -> list[str]:
    found = _names(text)
    if not found:
        raise ArgumentTypeError(f"'{text}' holds no {what}")
    return found


def _is(kind: type, part: str, text: str) -> bool:
    try:
        kind(part)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no list of numbers") from error
    return True
