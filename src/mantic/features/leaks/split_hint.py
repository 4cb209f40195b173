"""Splits that would be more honest: by time where the past tells less of the future, by group where things repeat."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np
import polars as pl

from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import Halves, evened, numbers_of, usual_of
from mantic.features.leaks.sample import Place
from mantic.features.leaks.together import Together
from mantic.report.numbers import say

_LEAST_ROWS = 500
_LEARN, _JUDGE = 3_000, 2_000  # rows at most
_LATE_SHARE = 0.2
_GAP, _SURE = 0.05, 4.0  # of the target explained, and in standard errors
_MOST_DATES = 2
_LEAST_LEVELS = 30
_MOST_ROWS_PER_LEVEL = 20
_REPEATED = 0.3  # of the rows stand beside another row of the same thing
_WITHIN = 0.1  # of the target's spread is found within one thing


def hint(
    frame: pl.DataFrame, target: Target, schema: Schema, *, place: Place, leaking: AbstractSet[str], run: Run
) -> None:
    """Warn where rows should be parted by time or by group and are not.

    Parameters
    ----------
    frame, target : rows for learning, aligned.
    place : with a moment, or groups, the user has decided; nothing is said of these.
    leaking : names of columns to leave out.
    """
    if len(target) < _LEAST_ROWS or len(np.unique(target.values)) < 2:
        return
    kept = Schema(tuple(replace(one, kind=Kind.ID) if one.name in leaking else one for one in schema.columns))
    if place.groups is None:
        _hint_group(frame, target, kept, run)
    if place.moment is None:
        dates = [at for at, one in enumerate(kept.columns) if one.kind is Kind.DATE and one.share_missing < 0.05]
        for at in dates[:_MOST_DATES]:
            if not run.deadline.passed and _hint_time(frame, target, kept, at=at, run=run):
                break


def _hint_group(frame: pl.DataFrame, target: Target, schema: Schema, run: Run) -> None:
    even = evened(target)
    for at, column in enumerate(schema.columns):
        share = _share_within(frame.to_series(at), column, even)
        if share is not None and share <= _WITHIN:
            run.warn(
                "try_group",
                f"'{column.name}' names things that repeat, and the rows of one thing hold nearly the same answer: "
                f"rows of it on both sides of the split flatter the score. For new things: --group '{column.name}'",
                column=column.name,
            )
            return


def _share_within(series: pl.Series, column: Column, target: Target) -> float | None:
    """Return how much of the target's spread lies within the levels that repeat; None if it is no name of things."""
    n_rows = len(series)
    if column.kind is not Kind.CATEGORY or column.n_levels < _LEAST_LEVELS:
        return None
    codes = series.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    counts = np.bincount(codes)
    counts[0] = 0  # missing names nothing
    repeated = counts[codes] > 1
    if repeated.mean() < _REPEATED or n_rows > _MOST_ROWS_PER_LEVEL * np.count_nonzero(counts):
        return None
    values = np.eye(target.n_classes)[target.values.astype(np.int64)] if target.is_classes else target.values[:, None]
    held, mine = values[repeated], codes[repeated]
    sizes = np.maximum(1, np.bincount(mine))
    means = np.stack([np.bincount(mine, weights=one) / sizes for one in held.T], axis=1)
    freedom = np.count_nonzero(np.bincount(mine)) / len(mine)  # what a mean per thing takes up by chance
    within = float(((held - means[mine]) ** 2).sum()) / max(1e-9, 1 - freedom)
    whole = float(((held - held.mean(axis=0)) ** 2).sum())
    return within / whole if whole else None


def _hint_time(frame: pl.DataFrame, target: Target, schema: Schema, *, at: int, run: Run) -> bool:
    """Compare what the past tells of the latest rows with what rows of all times tell of them."""
    moment = numbers_of(frame.to_series(at))
    known = np.flatnonzero(np.isfinite(moment))
    cut = np.quantile(moment[known], 1 - _LATE_SHARE)
    late, past = known[moment[known] >= cut], known[moment[known] < cut]
    if min(len(late) // 2, len(past)) < _LEAST_ROWS // 5 or len(np.unique(moment[known])) < 10:
        return False
    chance = np.random.default_rng(run.seed)
    late, past = chance.permutation(late), chance.permutation(past)
    judge, beside = late[: len(late) // 2][:_JUDGE], late[len(late) // 2 :]
    n_learn = min(_LEARN, len(past))
    mixed = chance.permutation(np.concatenate([past, beside]))[:n_learn]
    even = evened(target)
    losses = []
    for learn in (past[:n_learn], mixed):
        rows = np.concatenate([learn, judge])
        halves = Halves(np.arange(len(learn)), np.arange(len(learn), len(rows)))
        together = Together.of(frame[rows], even.rows(rows), schema, halves=halves, run=run)
        used = [place for place, column in enumerate(schema.columns) if column.is_used]
        losses.append(_loss(even.rows(judge), together.ask(used).guess))
        if run.deadline.passed:
            return False
    more = losses[0] - losses[1]
    whole = _loss(even.rows(judge), np.broadcast_to(usual_of(even.rows(judge)), _shape(even, len(judge)))).mean()
    error = float(more.std() / np.sqrt(len(more)))
    gap = float(more.mean() / whole) if whole else 0.0
    if gap < _GAP or more.mean() < _SURE * error:
        return False
    name = schema.columns[at].name
    run.warn(
        "try_time",
        f"the past tells less of the latest rows than a random split suggests ({say(gap, 'share')} less of it is "
        f"explained). Where the model will be asked about the future, fit with --time '{name}'",
        column=name,
    )
    return True


def _shape(target: Target, n_rows: int) -> tuple[int, ...]:
    return (n_rows, target.n_classes) if target.is_classes else (n_rows,)


def _loss(target: Target, guess: Array) -> Array:
    """Return how wrong each row is: the squared error, or minus the logarithm of the true class's probability."""
    if not target.is_classes:
        return np.asarray((target.values - guess) ** 2)
    codes = target.values.astype(np.int64)
    return np.asarray(-np.log(np.clip(guess[np.arange(len(codes)), codes], 1e-6, 1)))
