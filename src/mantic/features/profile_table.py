"""Problems of the table as a whole: copies, contradictions, columns that belong together, order and groups."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import polars as pl

from mantic.core.schema import Kind
from mantic.core.table import Array
from mantic.features.profile_view import View, listed, percent
from mantic.report.blocks import Alert
from mantic.report.numbers import amount

_SAME = 0.9995  # correlation from which two columns are taken for one
MOST_CORRELATED = 25
_COPIES = ("is an exact copy of another", "are exact copies of others")  # one, several


def table_problems(view: View) -> Iterator[Alert]:
    """Yield the problems that no single column shows."""
    for check in (_size, _names, _duplicates, _conflicts, _missing_together, _same, _time_order, _groups):
        yield from check(view)


def _size(view: View) -> Iterator[Alert]:
    if view.n_rows == 0 or not len(view.schema):
        yield Alert(
            "stop",
            "empty",
            "the table has no rows" if len(view.schema) else "the table has no columns",
            "there is nothing to learn from",
            "export it again",
        )
    elif view.n_rows < 100:
        yield Alert(
            "warning",
            "few_rows",
            "there is only 1 row" if view.n_rows == 1 else f"there are only {view.n_rows:,} rows",
            "what is found here may be chance; scores will have wide intervals",
            "gather more rows",
        )
    elif len(view.schema) > view.n_rows:
        yield Alert(
            "warning",
            "wide",
            f"there are more columns ({len(view.schema):,}) than rows ({view.n_rows:,})",
            "some columns will agree with any target by chance",
            "leave out what cannot matter, or gather rows",
        )


def _names(view: View) -> Iterator[Alert]:
    folded: dict[str, list[str]] = {}
    for name in view.schema.names:
        folded.setdefault(name.strip().lower(), []).append(name)
    alike = [same for same in folded.values() if len(same) > 1]
    if alike:
        yield Alert(
            "warning",
            "header",
            f"names that differ in case or spaces only: {listed([' = '.join(s) for s in alike])}",
            "they are easily mistaken for each other",
            "rename one of each",
        )


def _duplicates(view: View) -> Iterator[Alert]:
    if view.n_rows < 2 or not len(view.schema):
        return
    n_copies = view.n_rows - view.table.hash_rows().n_unique()
    if n_copies:
        share = n_copies / view.n_rows
        yield Alert(
            "warning" if share > 0.001 else "note",
            "duplicates",
            f"{amount(n_copies, 'row')} ({percent(share)}) {_COPIES[n_copies > 1]}",
            "a copy that is learned from and judged on makes a model look better than it is; copies also count double",
            "remove them if they are errors; copies are never parted between learning and judging here",
        )


def _conflicts(view: View) -> Iterator[Alert]:
    features = [column.name for column in view.schema.columns if column.is_used and column.name != view.target]
    if view.target is None or not features or view.n_rows < 2:
        return
    if view.by_name[view.target].kind in (Kind.ID, Kind.CONSTANT, Kind.TEXT):
        return
    rows = pl.DataFrame({"key": view.table.select(features).hash_rows(), "answer": view.table[view.target]})
    by_key = rows.drop_nulls().group_by("key").agg(pl.len().alias("n"), pl.col("answer").n_unique().alias("answers"))
    n_rows = int(by_key.filter(pl.col("answers") > 1)["n"].sum())
    if n_rows:
        share = n_rows / view.n_rows
        yield Alert(
            "warning" if share > 0.01 else "note",
            "conflicts",
            f"{n_rows:,} rows ({percent(share)}) are equal to another row in every column, but not in '{view.target}'",
            "no model can be right on all of them: this bounds what can be reached",
            "look for a column that would tell them apart, or for wrong labels",
            view.target,
        )


def _missing_together(view: View) -> Iterator[Alert]:
    masks: dict[bytes, list[str]] = {}
    for column in view.schema.columns:
        if 0.005 < column.share_missing < 1:
            mask = np.packbits(view.table[column.name].is_null().to_numpy())
            masks.setdefault(blake2b(mask.tobytes(), digest_size=16).digest(), []).append(column.name)
    for names in masks.values():
        if len(names) > 1:
            share = view.by_name[names[0]].share_missing
            yield Alert(
                "note",
                "missing_together",
                f"{listed(names)} are missing in the same rows ({percent(share)})",
                "they come from one source, or mean 'does not apply'",
                "treat them as one fact; ask why these rows lack it",
                names[0],
            )


def _same(view: View) -> Iterator[Alert]:
    seen: dict[bytes, str] = {}
    for column in view.schema.columns:
        if column.kind is Kind.CONSTANT:
            continue
        values = view.sample[column.name].hash(seed=0).to_numpy()
        key = blake2b(values.tobytes() + column.kind.encode(), digest_size=16).digest()
        first = seen.setdefault(key, column.name)
        if first != column.name and view.table[first].equals(view.table[column.name], null_equal=True):
            yield _twin(first, column.name, "hold the same values in every row")
    names, matrix = correlation(view)
    for one, other in np.argwhere(np.triu(np.abs(matrix) >= _SAME, k=1)):
        if not view.table[names[one]].equals(view.table[names[other]], null_equal=True):
            yield _twin(names[one], names[other], f"move together (correlation {matrix[one, other]:.4f})")


def _twin(one: str, other: str, how: str) -> Alert:
    return Alert(
        "note",
        "same",
        f"'{one}' and '{other}' {how}",
        "the second tells nothing new, and splits what the first explains",
        "keep one of them; if one is the target, ask how the other came to be",
        other,
    )


def correlation(view: View) -> tuple[list[str], Array]:
    """Return the names of at most 25 columns of numbers, and Pearson's correlations on the sample, shape (n, n)."""
    columns = [column for column in view.of_kind(Kind.NUMBER) if column.n_levels > 1]
    columns = sorted(columns, key=lambda column: (column.name != view.target, column.share_missing))[:MOST_CORRELATED]
    names = [name for name in view.schema.names if name in {column.name for column in columns}]
    if not names or view.sample.height < 3:
        return [], np.zeros((0, 0))
    values = view.sample.select(names).to_numpy().astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    with np.errstate(all="ignore"):
        known = ~np.isnan(values)
        centre = np.where(known, values, 0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
        centred = np.where(known, values - centre, 0.0)
        centred /= np.maximum(np.abs(centred).max(axis=0), 1e-300)
        scale = np.sqrt((centred**2).sum(axis=0))
        matrix = (centred.T @ centred) / np.outer(scale, scale)
    return names, np.clip(np.nan_to_num(matrix), -1, 1)


def _time_order(view: View) -> Iterator[Alert]:
    for column in view.of_kind(Kind.DATE):
        if column.n_levels < 5 or column.name == view.target or view.n_rows < 20:
            continue
        filled = view.table[column.name].drop_nulls()
        order = (
            "the rows are in its order"
            if filled.is_sorted() or filled.is_sorted(descending=True)
            else "it could order the rows"
        )
        yield Alert(
            "note",
            "time_order",
            f"'{column.name}' goes from {str(column.low)[:10]} to {str(column.high)[:10]}; {order}",
            "if tomorrow's rows are to be predicted, a model must be judged on later rows than it learned from",
            f"fit with --time {column.name}",
            column.name,
        )


def _groups(view: View) -> Iterator[Alert]:
    for column in view.of_kind(Kind.CATEGORY):
        if column.name == view.target or view.n_rows < 50:
            continue
        n_filled = view.n_rows * (1 - column.share_missing)
        looks_like_key = column.n_levels > max(20, 0.02 * n_filled) and column.n_levels < 0.9 * n_filled
        if looks_like_key and not any(" " in level.strip() for level in column.levels[:50]):
            yield Alert(
                "note",
                "groups",
                f"'{column.name}' has {column.n_levels:,} values that repeat: it may name who or what a row is about",
                "rows about one thing are alike; if some are learned from and others judged on, scores are too good",
                f"if new rows are about new ones, fit with --group {column.name}",
                column.name,
            )
