"""What a shift of one column does to answers: recent rows are asked again with that column as it was in training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.watch.asked import Subject

_MOST_ROWS, _LEAST_ROWS, _CELLS = 400, 60, 12_000  # rows asked again, and in all columns together


@dataclass(frozen=True)
class Effects:
    """How far each column's shift moves the answers.

    Parameters
    ----------
    by_column : mean absolute change of an answer: of a probability (0 to 1), or in the target's unit.
    large : from where on it is worth a warning: 2 points of probability, or a tenth of how much answers differ.
    """

    by_column: dict[str, float]
    large: float


def effects(subject: Subject, now: pl.DataFrame, *, seed: int = 0) -> Effects:
    """Ask some recent rows again, once per column, with that column's values moved back to how they were in training.

    As few values are changed, and by as little, as makes the column look like training again (an optimal transport of
    one column): where nothing moved nothing changes. Other columns stay as they are, so this says what the shift of
    each column does by itself; what only several together do is not seen.

    Parameters
    ----------
    now : aligned rows asked lately; at most 400 are asked again, fewer where there are very many columns.
    """
    chance = np.random.default_rng(seed)
    before = subject.model.background_
    columns = [column for column in subject.schema.columns if column.is_used]
    n_rows = min(_MOST_ROWS, max(_LEAST_ROWS, _CELLS // max(1, len(columns))), now.height)
    rows = np.sort(chance.permutation(now.height)[:n_rows])
    some = now[rows]
    changed = [some]
    for column in columns:
        name = column.name
        for values in _replaced(before[name], now[name], rows, column=column, chance=chance):
            changed.append(some.with_columns(values.rename(name)))
    found = iter(np.split(subject.answers(pl.concat(changed)), len(changed)))
    usual = next(found)
    by_column: dict[str, float] = {}
    for column in columns:
        if column.kind is Kind.TEXT:
            by_column[column.name] = float(_apart(next(found).mean(axis=0), next(found).mean(axis=0)))
        else:
            by_column[column.name] = float(np.mean(_apart(next(found), usual)))
    return Effects(by_column, 0.02 if subject.labels else 0.1 * float(np.std(usual)))


def _apart(one: Array, other: Array) -> Array:
    """Return how far answers are apart: of probabilities half the sum over classes, so that it lies between 0 and 1."""
    apart = np.abs(one - other)
    return np.asarray(apart.sum(axis=-1) / 2 if apart.shape[-1] > 1 else apart[..., 0])


def _replaced(
    before: pl.Series, now: pl.Series, rows: Array, *, column: Column, chance: np.random.Generator
) -> Sequence[pl.Series]:
    if column.kind is Kind.TEXT:  # no text is near another: drawn anew, from training and from lately
        return [side[chance.integers(0, len(side), len(rows))] for side in (before, now)]
    if column.kind in (Kind.NUMBER, Kind.DATE):
        return [as_before_number(before, now, rows, chance)]
    return [as_before_level(before, now, rows, chance)]


def as_before_number(before: pl.Series, now: pl.Series, rows: Array, chance: np.random.Generator) -> pl.Series:
    """Return some of the recent values, each as the training value of the same rank; gaps as often as in training.

    >>> before, now = pl.Series([1.0, 2.0, 3.0, 4.0]), pl.Series([11.0, 12.0, 13.0, 14.0])
    >>> as_before_number(before, now, np.array([0, 3]), np.random.default_rng(0)).to_list()
    [1.0, 4.0]
    """
    known, recent = before.drop_nulls().sort(), now.drop_nulls().sort().to_physical().to_numpy()
    some = now[rows]
    if not len(known):
        return pl.Series([None] * len(rows), dtype=before.dtype)
    values = some.to_physical().fill_null(0).to_numpy()
    low, high = np.searchsorted(recent, values, "left"), np.searchsorted(recent, values, "right")
    rank = (low + chance.random(len(rows)) * (high - low)) / max(1, len(recent))
    place = np.minimum((rank * len(known)).astype(np.int64), len(known) - 1)
    gaps, gone = (float(one.is_null().mean()) for one in (before, now))  # type: ignore[arg-type]
    luck, is_gap = chance.random(len(rows)), some.is_null().to_numpy()
    filled = is_gap & (luck < (gone - gaps) / max(gone, 1e-12))
    emptied = ~is_gap & (luck < (gaps - gone) / max(1 - gone, 1e-12))
    place = np.where(filled, chance.integers(0, len(known), len(rows)), place)
    return known[place].set(pl.Series((is_gap & ~filled) | emptied), None)


def as_before_level(before: pl.Series, now: pl.Series, rows: Array, chance: np.random.Generator) -> pl.Series:
    """Return some of the recent levels, with those that became too frequent turned into those that became too rare.

    >>> before, now = pl.Series(["a", "b"] * 500), pl.Series(["a"] * 1000)
    >>> round((as_before_level(before, now, np.arange(1000), np.random.default_rng(0)) == "b").mean(), 1)
    0.5
    """
    shares = [_shares(one) for one in (before, now)]
    gap = {level: shares[0].get(level, 0.0) - shares[1].get(level, 0.0) for level in {**shares[0], **shares[1]}}
    rare = [level for level in gap if gap[level] > 0]
    values = now[rows].to_list()
    if not rare:
        return pl.Series(values, dtype=before.dtype)
    odds = np.array([gap[level] for level in rare])
    drawn = chance.choice(len(rare), len(rows), p=odds / odds.sum())
    luck = chance.random(len(rows))
    done = [
        rare[drawn[place]] if luck[place] < -gap[level] / shares[1][level] else level
        for place, level in enumerate(values)
    ]
    return pl.Series(done, dtype=before.dtype)


def _shares(series: pl.Series) -> dict[str | bool | None, float]:
    counts = series.alias("level").value_counts(name="n")
    return {level: n / max(1, len(series)) for level, n in counts.iter_rows()}
