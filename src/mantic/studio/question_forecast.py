"""A question about what is to come: which column, in which order, for which series, and how far ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.report.numbers import amount
from mantic.studio.draft import Question
from mantic.studio.draft_folder import TABLE

FORECAST = "forecast"
HORIZON = "28"
_JUDGED = "judged by how much less it misses than repeating the last season"
_FEW = 20  # moments of a series
MOST_AHEAD, _DIGITS = 10_000, 9  # steps


def meaning_of_forecast(folder: Path, question: Question) -> tuple[str, tuple[str, ...]]:
    """Return what is asked in a sentence, and what one should know before.

    Raises
    ------
    SchemaError : why it cannot be asked.
    """
    if not question.time:
        raise SchemaError("nothing says when each row was", fix="choose the column of the dates, below")
    _check_together(question)
    n_ahead = n_steps(question.horizon or HORIZON)
    if n_ahead is None:
        raise SchemaError(f"'{question.horizon[:20]}' is no number of steps", fix="write another one, below")
    made = (folder / TABLE).stat().st_mtime_ns
    n_series, n_moments, n_repeated = _seen(
        folder, made, question.target, question.time, series=question.series, as_of=question.as_of
    )
    remarks = _repeated(question, n_repeated)
    a_series = n_moments / max(1, n_series)
    if a_series < _FEW:
        remarks.append(f"A series has {a_series:.0f} moments on average: that is few to learn from.")
    parts = [f"Forecast {question.target}, {amount(n_ahead, 'step')} ahead in the order of {question.time}"]
    if question.series:
        parts.append(f"for each of {n_series:,} series by {_listed(question.series)}")
    if question.hierarchy:
        parts.append(f"and for their sums over {_listed(question.hierarchy)}")
    if question.known:
        parts.append(f"with {_listed(question.known)} known beforehand")
    if question.as_of:
        parts.append(f"from what was known by {question.as_of}")
    if question.country:
        parts.append(f"reckoning with the holidays of {question.country} if that is better")
    return f"{', '.join(parts)}; {_JUDGED}.", tuple(remarks)


def n_steps(text: str) -> int | None:
    """Return how many steps ahead a text says; None if that is no number, or too many.

    >>> n_steps("028"), n_steps("0"), n_steps("9" * 5_000)
    (28, None, None)
    """
    found = int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
    return found if 1 <= found <= MOST_AHEAD else None


def _repeated(question: Question, n_repeated: int) -> list[str]:
    """Return what is done with rows of a moment that its series has had already; without series they are refused."""
    if not n_repeated:
        return []
    what = f"{amount(n_repeated, 'row names', 'rows name')} a moment that its series has had already"
    if not question.series:
        raise SchemaError(what, fix="choose the columns that tell series apart (a store, an item), below")
    if question.as_of:
        return [f"{what} on the same day."]
    return [f"{what}: of these the counts are added up, and of other numbers the mean is taken."]


def _check_together(question: Question) -> None:
    """Refuse choices that exclude each other.

    Raises
    ------
    SchemaError : says which, and what to leave out.
    """
    if question.hierarchy and question.known:
        what = f"nothing says what {_listed(question.known)} is of a sum"
        raise SchemaError(what, fix="leave out the sums, or what is known beforehand")
    if question.as_of and question.hierarchy:
        raise SchemaError("sums are not formed where values are revised", fix="leave out the one or the other")
    if question.as_of and question.known:
        what = "columns that are known beforehand are not used where values are revised"
        raise SchemaError(what, fix="leave out the one or the other")
    if question.as_of and question.country:
        what = "holidays are not reckoned with where values are revised"
        raise SchemaError(what, fix="leave out the one or the other")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)


@lru_cache(maxsize=64)
def _seen(folder: Path, _: int, target: str, time: str, *, series: tuple[str, ...], as_of: str) -> tuple[int, int, int]:
    """Return how many series there are, how many moments all of them have together, and how many rows repeat one."""
    from mantic.features.series.assemble import as_times

    told = [as_of] if as_of else []
    table = pl.scan_ipc(folder / TABLE).select(pl.col({*series, time, target, *told})).collect()
    if table[target].cast(pl.Float64, strict=False).null_count() > table[target].null_count():
        raise SchemaError("it holds texts that are no numbers", fix="choose a column of numbers")
    moments, fault = as_times(table[time])
    if fault:
        raise SchemaError(fault, fix="choose another column for the time")
    columns = [moments.alias("the moment"), *(table[name] for name in (*series, *told))]
    rows = pl.DataFrame(columns).filter(moments.is_not_null())
    n_series = rows.select([*series]).n_unique() if series else 1
    return n_series, rows.select(["the moment", *series]).n_unique(), rows.height - rows.n_unique()


def options_of_forecast(asked: Question) -> list[tuple[str, str]]:
    """Return the options of `mantic fit` for a forecast, each with its value.

    >>> options_of_forecast(Question("sold", time="day", series=("store", "item"), hierarchy=("store",)))[1:]
    [('time', 'day'), ('series', 'store,item'), ('horizon', '28'), ('hierarchy', 'store')]
    """
    values = {
        "task": FORECAST, "time": asked.time, "series": ",".join(asked.series), "horizon": asked.horizon or HORIZON,
        "hierarchy": ",".join(asked.hierarchy), "known": ",".join(asked.known), "as-of": asked.as_of,
        "country": asked.country, "capacity": asked.capacity if asked.as_of else "",
    }  # fmt: skip
    return [(name, value) for name, value in values.items() if value]


def is_forecast(words: Sequence[str]) -> bool:
    """Return whether words of a command line ask for a forecast.

    >>> is_forecast(("fit", "a.csv", "--task", "forecast")), is_forecast(("fit", "a.csv", "--target", "forecast"))
    (True, False)
    """
    return "--task" in words and words[words.index("--task") + 1] == FORECAST


def suited(question: Question, columns: Sequence[Mapping[str, Any]]) -> Question:
    """Return a question that has just become a forecast with the columns that its time and series seem to be."""
    dates = [one["name"] for one in columns if one["kind"] == "date" and one["name"] != question.target]
    time = question.time or next(iter(dates), "")
    return replace(question, time=time, metric="", positive="", group="", cost="", capacity="", unit="")


def can_be_listed(name: str) -> bool:
    """Return whether a column can stand in a list of the command line, which parts it at commas.

    >>> can_be_listed("store"), can_be_listed("a,b"), can_be_listed(" store")
    (True, False, False)
    """
    return "," not in name and name == name.strip()
