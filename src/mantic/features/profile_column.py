"""Problems of single columns: what was found, why it matters, what to do."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.features.profile_view import View, listed, percent
from mantic.features.wording import NO_VALUE_WORDS, other_date_form
from mantic.report.blocks import Alert
from mantic.report.numbers import amount

_MUCH_MISSING, _NEARLY_ALL_MISSING = 0.3, 0.95
_MANY_LEVELS = 100
_STRONG_SKEW = 3.0
_FAR = 5.0  # interquartile ranges from the quartile
_ID_KEEPS_AWAY = "a model that learns it by heart knows nothing about new rows"
_NINES = re.compile(r"-9{1,6}|9{2,6}|-1")
_WRITTEN_NUMBER = r"^\s*[+-]?[$€£]?\s?\d{1,3}(,\d{3})*(\.\d+)?\s?[%$€£]?\s*$|^\s*[$€£]?\s?\d+(\.\d+)?\s?[%$€£]?\s*$"

_TAKEN_FOR = {Kind.CATEGORY: "categories", Kind.ID: "names of rows", Kind.TEXT: "texts"}


def column_problems(view: View) -> Iterator[Alert]:
    """Yield the problems of each column in turn."""
    for column in view.schema.columns:
        for check in _CHECKS:
            yield from check(view, column)


def _named(view: View, column: Column) -> Iterator[Alert]:
    name = column.name
    if name != name.strip() or not name.strip() or "\n" in name:
        yield Alert(
            "warning",
            "header",
            f"the name {name!r} has spaces at its ends or none that can be read",
            "it looks like another name and is hard to type, so joins and requests fail",
            "rename it",
            name,
        )


def _constant(view: View, column: Column) -> Iterator[Alert]:
    if column.kind is not Kind.CONSTANT:
        return
    what = "is empty" if column.n_levels == 0 else f"always holds {column.levels[0]!r}"
    yield Alert("note", "constant", f"'{column.name}' {what}", "it cannot tell rows apart", "leave it out", column.name)


def _identifier(view: View, column: Column) -> Iterator[Alert]:
    if column.kind is Kind.ID and column.name != view.target:
        yield Alert(
            "note",
            "identifier",
            f"'{column.name}' has a different value in every row: it names rows",
            _ID_KEEPS_AWAY,
            "keep it for joins; models leave it out by themselves",
            column.name,
        )


def _missing(view: View, column: Column) -> Iterator[Alert]:
    share = column.share_missing
    if column.kind is Kind.CONSTANT or share < _MUCH_MISSING or column.name == view.target:
        return
    yield Alert(
        "warning" if share >= _NEARLY_ALL_MISSING else "note",
        "missing",
        f"'{column.name}' is missing in {percent(share)} of the rows",
        "what is known of few rows helps little, and why it is missing may be a hidden rule",
        "find out why it is missing; if that happens only after the outcome, leave the column out",
        column.name,
    )


def _sentinels(view: View, column: Column) -> Iterator[Alert]:
    if column.sentinels:
        n_rows = int(view.frame[column.name].is_in(list(column.sentinels)).sum())
        yield Alert(
            "warning",
            "sentinels",
            f"'{column.name}' holds {listed(list(column.sentinels))} in {n_rows:,} of {view.n_rows:,} rows, "
            f"among {'dates' if column.kind is Kind.DATE else 'numbers'}",
            "these are no values; they are taken as missing here",
            "leave such cells empty where the table is made",
            column.name,
        )
    elif column.kind in (Kind.CATEGORY, Kind.BOOLEAN):
        words = [level for level in column.levels if level.strip().lower() in NO_VALUE_WORDS]
        if words:
            yield Alert(
                "note",
                "sentinels",
                f"'{column.name}' has {listed(words)} as a category",
                "it may mean 'not known', or be an honest answer: only empty cells are taken as missing",
                "leave such cells empty if they mean 'not known'",
                column.name,
            )


def _extreme(view: View, column: Column) -> Iterator[Alert]:
    """Find one extreme value that repeats far away from all others (-999), or at which all is cut off."""
    if column.kind is not Kind.NUMBER or column.n_levels < 10:
        return
    values = view.sample[column.name].drop_nulls()
    values = values.filter(values.is_finite())
    distinct = values.unique().sort().to_numpy()
    if len(distinct) < 10:
        return
    ends = ((distinct[0], distinct[1], distinct[1:]), (distinct[-1], distinct[-2], distinct[:-1]))
    for extreme, following, others in ends:
        share = float((values == extreme).mean() or 0)
        is_far = abs(extreme - following) > 0.5 * float(others[-1] - others[0])
        if is_far and share * len(values) >= max(3, 0.0005 * len(values)) and _NINES.fullmatch(_digits(extreme)):
            yield Alert(
                "warning",
                "sentinels",
                f"'{column.name}' is {_digits(extreme)} in {percent(share)} of its rows, far from all other values",
                "such numbers often mean 'not known' or 'more than can be written', and pull every average",
                "if it is no true value, leave those cells empty",
                column.name,
            )
            return
    top = float((values == distinct[-1]).mean() or 0)
    if len(distinct) > 100 and 0.01 < top < 0.5 and top > 5 / len(distinct):
        yield Alert(
            "note",
            "capped",
            f"'{column.name}' stops at {distinct[-1]:,g}, which {percent(top)} of the rows share",
            "if values were cut off there, the true ones are not known and the column says less at that end",
            "get the uncut values, or keep in mind that predictions end there too",
            column.name,
        )


def _digits(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"


def _written(view: View, column: Column) -> Iterator[Alert]:
    """Find numbers that are kept as texts, and dates that can be read in two ways."""
    series = view.frame[column.name]
    if series.dtype != pl.String:
        return
    if column.kind is Kind.NUMBER:
        form = " with decimal commas" if column.form == "," else ""
        yield Alert(
            "note",
            "number_as_text",
            f"'{column.name}' holds numbers written as texts{form}",
            "they are read as numbers here; other programs may take them for categories",
            "mend the texts among them, or store the column as a number",
            column.name,
        )
    elif column.kind in _TAKEN_FOR:
        texts = pl.Series(column.levels[:200], dtype=pl.String) if column.levels else _texts(view, column).head(200)
        if texts.str.contains(_WRITTEN_NUMBER).all() and texts.str.contains(r"[$€£%,]").any():
            yield Alert(
                "warning",
                "number_as_text",
                f"'{column.name}' holds numbers with signs, such as {texts[0]!r}",
                f"they are taken for {_TAKEN_FOR[column.kind]}, so their size is lost",
                "take the signs out before reading",
                column.name,
            )
    elif column.kind is Kind.DATE and (other := other_date_form(_texts(view, column), column.form)):
        yield Alert(
            "warning",
            "ambiguous_date",
            f"'{column.name}' could be read as {column.form} and as {other}",
            "the day is taken to come first; if that is wrong, months and days are exchanged",
            "write dates as 2024-12-31",
            column.name,
        )


def _texts(view: View, column: Column) -> pl.Series:
    texts = view.frame[column.name].head(1_000).drop_nulls()
    return texts.filter(~texts.is_in(["", *column.sentinels]))


def _levels(view: View, column: Column) -> Iterator[Alert]:
    if column.kind is not Kind.CATEGORY:
        return
    if column.n_levels > _MANY_LEVELS and column.name != view.target:
        yield Alert(
            "note",
            "many_levels",
            f"'{column.name}' has {column.n_levels:,} different values",
            "most of them are rare, so little can be learned about each",
            "group rare ones if there is a natural grouping",
            column.name,
        )
    folded: dict[str, list[str]] = {}
    for level in column.levels:
        folded.setdefault(" ".join(level.lower().split()), []).append(level)
    alike = [same for same in folded.values() if len(same) > 1]
    if alike:
        shown = "; ".join(" = ".join(repr(text) for text in same[:3]) for same in alike[:3])
        yield Alert(
            "warning",
            "look_alikes",
            f"'{column.name}' writes {len(alike)} of its values in several ways, differing in case or spaces: {shown}",
            "one thing counts as two",
            "write each value in one way",
            column.name,
        )


def _shape(view: View, column: Column) -> Iterator[Alert]:
    if column.kind is not Kind.NUMBER or column.n_levels < 10:
        return
    raw = view.frame[column.name]
    if raw.dtype.is_float() and (n_infinite := int(raw.is_infinite().sum())):
        yield Alert(
            "warning",
            "infinite",
            f"'{column.name}' is infinite in {amount(n_infinite, 'row')}",
            "most algorithms cannot compute with it",
            "find the division by zero behind it; leave such cells empty",
            column.name,
        )
    values = view.sample[column.name].drop_nulls().to_numpy()
    values = values[np.isfinite(values)]
    if len(values) < 30:
        return
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    far = (values < low - _FAR * (high - low)) | (values > high + _FAR * (high - low))
    skew = _skew(values)
    if high > low and 0 < far.mean() <= 0.05 and abs(skew) > _STRONG_SKEW:
        extreme = values[far][np.argmax(np.abs(values[far] - middle))]
        yield Alert(
            "note",
            "outliers",
            f"'{column.name}' has {percent(float(far.mean()))} of its values far from the others (up "
            f"to {extreme:,.4g}; "
            f"the middle is {middle:,.4g})",
            "a few extreme rows can rule averages and linear models",
            "check them for errors; if they are true, trees and a logarithm cope well",
            column.name,
        )


def _skew(values: Array) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = values.std()
        return float(np.mean(((values - values.mean()) / spread) ** 3)) if np.isfinite(spread) and spread > 0 else 0.0


_CHECKS: tuple[Callable[[View, Column], Iterator[Alert]], ...] = (
    _named,
    _constant,
    _identifier,
    _missing,
    _sentinels,
    _extreme,
    _written,
    _levels,
    _shape,
)
