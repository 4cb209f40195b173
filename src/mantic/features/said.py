"""What a person says that a column means, over what was found in it."""

from collections.abc import Mapping

import polars as pl

from mantic.core.cast import cast_column
from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind, Schema
from mantic.features.infer import bare, leveled, ranged, see
from mantic.features.wording import NO_VALUE_WORDS, find_date_form, find_number_form

SAYABLE = tuple(kind for kind in Kind if kind != Kind.CONSTANT)  # whether all values are one is no matter of opinion


def check_kinds(kinds: Mapping[str, str], names: list[str], *, where: str = "kinds") -> dict[str, Kind]:
    """Return the kind of each column.

    Raises
    ------
    SchemaError : names every column that is not there, and every word that is no kind.

    >>> check_kinds({"plan": "category"}, ["plan", "age"])
    {'plan': <Kind.CATEGORY: 'category'>}
    """
    known = {kind.value: kind for kind in SAYABLE}
    faults = [f"there is no column '{name}' to predict from" for name in kinds if name not in names]
    faults += [f"'{word}' is no kind (column '{name}')" for name, word in kinds.items() if word not in known]
    if faults:
        fix = f"kinds are: {', '.join(known)}; columns are: {', '.join(names[:30])}"
        raise SchemaError("; ".join(faults), where=where, fix=fix)
    return {name: known[word] for name, word in kinds.items()}


def with_kinds(schema: Schema, frame: pl.DataFrame, kinds: Mapping[str, str]) -> Schema:
    """Return the schema with the kinds that were said.

    Words for "no value" in a column of numbers or dates count as missing, as they do where the kind was found.

    Raises
    ------
    SchemaError : names every column whose values are not of the kind that was said, with an example.

    >>> frame = pl.DataFrame({"code": [1, 2, 1]})
    >>> with_kinds(Schema((Column("code", Kind.NUMBER),)), frame, {"code": "category"})["code"].levels
    ('1', '2')
    """
    chosen = check_kinds(kinds, frame.columns)
    said = {name: column_of(frame[name], kind) for name, kind in chosen.items()}
    faults = [fault for name, column in said.items() if (fault := cast_column(frame[name], column)[1])]
    if faults:
        raise SchemaError(
            "; ".join(faults), where="kinds", fix="mend these values, or say another kind (category takes anything)"
        )
    return Schema(tuple(said.get(column.name, column) for column in schema.columns))


def column_of(series: pl.Series, kind: Kind) -> Column:
    """Return what was seen in a column that is of this kind; values that are not show when it is cast.

    >>> column_of(pl.Series("age", ["41", "?"]), Kind.NUMBER).sentinels
    ('?',)
    """
    seen = see(series)
    if kind in (Kind.CATEGORY, Kind.BOOLEAN):
        return leveled(seen, kind)
    if kind in (Kind.NUMBER, Kind.DATE):
        return ranged(seen, _formed(series, seen.filled, kind))
    return bare(seen, kind)


def _formed(series: pl.Series, filled: pl.Series, kind: Kind) -> Column:
    """Return how texts become numbers or dates."""
    if series.dtype != pl.String:
        return Column(series.name, kind)
    counts = filled.alias("value").value_counts(name="n").sort(["n", "value"], descending=[True, False])
    found = (find_number_form if kind is Kind.NUMBER else find_date_form)(counts)
    if found is not None:
        return Column(series.name, kind, form=found.form, sentinels=found.sentinels)
    is_word = counts["value"].str.strip_chars().str.to_lowercase().is_in(list(NO_VALUE_WORDS))
    words = tuple(counts["value"].filter(is_word))
    columns = [Column(series.name, kind, form=form, sentinels=words) for form in ("", ",")]
    return (
        max(columns, key=lambda column: cast_column(filled, column)[0].count()) if kind is Kind.NUMBER else columns[0]
    )
