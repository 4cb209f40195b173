"""A question about what is to come: which column, in which order, for which series, and how far ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from mantic.core.errors import SchemaError
from mantic.studio.draft import Question
from mantic.studio.draft_folder import TABLE
from mantic.studio.words import amount

FORECAST = "forecast"
HORIZON = "28"
_JUDGED = "judged by how much less it misses than repeating the last season"
_FEW = 20  # moments of a series


def meaning_of_forecast(folder: Path, question: Question) -> tuple[str, tuple[str, ...]]:
    """Return what is asked in a sentence, and what one should know before.

    Raises
    ------
    SchemaError : why it cannot be asked.
    """
    if not question.time:
        raise SchemaError("nothing says when each row was", fix="choose the column of the dates, below")
    made = (folder / TABLE).stat().st_mtime_ns
    n_rows, n_series, n_moments = _seen(folder, made, question.target, question.time, question.series)
    if n_moments < n_rows:
        fix = "choose the columns that tell series apart (a store, an item), below"
        what = f"{amount(n_rows - n_moments, 'row names', 'rows name')} a moment that its series has had already"
        if not question.series:
            raise SchemaError(what, fix=fix)
    horizon = amount(int(question.horizon or HORIZON), "step")
    by = f", for each of {n_series:,} series by {' and '.join(question.series)}" if question.series else ""
    remarks = []
    if n_moments < n_rows:
        remarks.append(f"{what}: of these the counts are added up, and of other numbers the mean is taken.")
    if n_moments / max(1, n_series) < _FEW:
        remarks.append(
            f"A series has {n_moments / max(1, n_series):.0f} moments on average: that is few to learn from."
        )
    return f"Forecast {question.target}, {horizon} ahead in the order of {question.time}{by}; {_JUDGED}.", tuple(
        remarks
    )


@lru_cache(maxsize=64)
def _seen(folder: Path, _: int, target: str, time: str, series: tuple[str, ...]) -> tuple[int, int, int]:
    """Return how many rows have a value, how many series there are, and how many moments all series have together."""
    from mantic.features.series.assemble import as_times

    table = pl.scan_ipc(folder / TABLE).select(pl.col({*series, time, target})).collect()
    if table[target].cast(pl.Float64, strict=False).null_count() > table[target].null_count():
        raise SchemaError("it holds texts that are no numbers", fix="choose a column of numbers")
    moments, fault = as_times(table[time])
    if fault:
        raise SchemaError(fault, fix="choose another column for the time")
    rows = pl.DataFrame([moments.alias("the moment"), *(table[name] for name in series)]).filter(moments.is_not_null())
    n_series = rows.select([*series]).n_unique() if series else 1
    return rows.height, n_series, rows.n_unique()


def words_of_forecast(asked: Question) -> list[str]:
    """Return what stands behind `mantic fit` for a forecast, beside target, budget and columns that are left out."""
    words = ["--task", FORECAST, "--time", asked.time]
    if asked.series:
        words += ["--series", ",".join(asked.series)]
    return [*words, "--horizon", asked.horizon or HORIZON]


def is_forecast(words: Sequence[str]) -> bool:
    """Return whether words of a command line ask for a forecast.

    >>> is_forecast(("fit", "a.csv", "--task", "forecast")), is_forecast(("fit", "a.csv", "--target", "forecast"))
    (True, False)
    """
    return "--task" in words and words[words.index("--task") + 1] == FORECAST


def suited(question: Question, columns: Sequence[Mapping[str, Any]]) -> Question:
    """Return a question that has just become a forecast with the columns that its time and series seem to be."""
    dates = [one["name"] for one in columns if one["kind"] == "date" and one["name"] != question.target]
    return replace(question, time=question.time or next(iter(dates), ""), metric="", positive="", cost="", capacity="")
