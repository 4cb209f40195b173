"""What one value becomes is what a frame of it becomes."""

import itertools
import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from mantic.core.cast import DATE_FORMS, cast_column
from mantic.core.cast_row import OddError, caster
from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind, Schema

VALUES: list[Any] = [
    None, "", " ", "?", 0, 1, -1, 3, 2**53, 2**53 + 1, -(2**63), 2**63, 10**20, 10**400,
    True, False, 0.0, 1.0, -0.0, 3.5, 1e300, float("nan"), float("inf"),
    "1", "1,5", "1.234,5", " 7 ", "+5", ".5", "5.", "1e5", "1e400", "1_000", "0x1", "nan", "inf", "yes", " No ", "TRUE",
    "old", "ünï", "١٢", "1\x1c", "\xa01", "2024-02-29", "2023-02-29", "2024-2-9", "2024-01-01T10:00:00", "Aug-62",
    "aug-62", "Jan-31", "01.02.2003", "2/3/2004", date(2024, 2, 29), datetime(1969, 12, 31, 23, 59, 59, 1),
    datetime(2024, 1, 1, tzinfo=UTC), np.float64(2.5), np.int64(4), "9" * 60, "0000-01-01", [1, 2], {"a": 1}, b"raw",
]  # fmt: skip
PLAIN: list[Any] = [
    0, 1, 3, 2**53, 10**20, True, False, 1.0, -0.0, 3.5, 1e300, "1", "1,5", "1.234,5", "x", "yes", "2024-02-29",
    "20240229",
]  # fmt: skip
COLUMNS = [
    Column("a", Kind.NUMBER, sentinels=(" ", "?")),
    Column("a", Kind.NUMBER, form=","),
    Column("a", Kind.BOOLEAN),
    Column("a", Kind.DATE),
    Column("a", Kind.CATEGORY),
    Column("a", Kind.TEXT),
    Column("a", Kind.ID),
    *(Column("a", Kind.DATE, form=form) for form in (*DATE_FORMS, "%Y%m", " local", "%Y-%m-%dT%H:%M:%S local")),
]
DATES = [
    "2024-02-29", "2024-02-29T10:11:12", "2024-02-29 10:11:12", "2024-02-29 10:11", "2024-02-29T10:11:12.5",
    "29.02.2024", "29/02/2024", "02/29/2024", "03/04/2024 10:11:12", "29-02-2024", "29-Feb-2024", "29-feb-24",
    "01-Jan-31", "1-Jan-69", "29 February 2024", "February 29, 2024", "20240229", "Feb-24", "May-1962", "May 1962",
    "2024, May", "2024-02", "02/2024", "2024", "1969", "24", "2024-02-29T10:11:12+02:00",
    "2024-02-29 10:11:12.5Z", 20240229, 202402, 20240230, 20240229.5,
    "03/04/24", "03/04/0024", "31/12/0999", "31/12/2200", "01/01/2201", "9999-12-31", "0999-12-31", "2200-12-31",
]  # fmt: skip


def of_frame(column: Column, value: Any) -> Any:
    """Return what the frame's cast makes of a value, in the form of a row; the error's class where it makes none."""
    try:
        series = Schema((column,)).align([{"a": value}]).to_series()
    except (SchemaError, OverflowError, TypeError, pl.exceptions.PolarsError) as error:
        return type(error)
    found = series.to_physical()[0]
    return math.nan if found is None and series.dtype == pl.Float64 else found


def of_row(column: Column, value: Any) -> Any:
    try:
        return caster(column)(value)
    except OddError:
        return SchemaError
    except (OverflowError, TypeError, pl.exceptions.PolarsError) as error:
        return type(error)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.kind} {column.form}")
def test_a_value_is_cast_as_in_a_frame_or_refused_as_there(column: Column) -> None:
    for value in DATES if column.form and column.kind is Kind.DATE else VALUES + DATES:
        wanted, found = of_frame(column, value), of_row(column, value)
        if column.is_used or wanted is SchemaError:
            assert found == wanted or (found != found and wanted != wanted), value


@pytest.mark.parametrize("column", COLUMNS[:7], ids=lambda column: f"{column.kind} {column.form}")
def test_a_value_is_cast_the_same_whatever_stands_in_the_other_rows(column: Column) -> None:
    for value, other in itertools.combinations(PLAIN, 2):
        wanted = [of_frame(column, one) for one in (value, other)]
        try:
            series = Schema((column,)).align([{"a": value}, {"a": other}]).to_series().to_physical()
        except SchemaError:
            assert SchemaError in wanted, (value, other)
        else:
            assert series.to_list() == wanted, (value, other)


def test_half_a_character_is_left_to_the_frame() -> None:
    with pytest.raises(OddError):
        caster(Column("a", Kind.TEXT))("\ud800")


def test_a_category_is_written_the_same_whatever_stands_beside_it() -> None:
    column = Column("a", Kind.CATEGORY)
    values = [2.0, 1.2, None, float("nan"), 1e300, -0.0, 2.0**60]

    together = cast_column(pl.Series("a", values), column)[0].to_list()

    assert together == [cast_column(pl.Series("a", [value]), column)[0][0] for value in values]
    assert together[:4] == ["2", "1.2", None, None]


def test_whole_numbers_as_json_has_them_keep_every_digit() -> None:
    schema = Schema((Column("a", Kind.CATEGORY), Column("b", Kind.CATEGORY), Column("c", Kind.NUMBER)))
    rows = [{"a": 10**18 + 1, "b": 10**20 + 1, "c": 2}, {"a": 5, "b": 5}]

    assert schema.align(rows).rows() == [("1000000000000000001", "100000000000000000001", 2.0), ("5", "5", None)]


@pytest.mark.parametrize(
    ("form", "texts", "days"),
    [
        ("%d/%m/%Y", ["03/04/2020", "03/14/2020", "05/06/24", "2020-03-04"], ["2020-04-03", None, None, "2020-03-04"]),
        ("%d/%m/%Y", ["03/04/2020 10:00", "03.04.2020"], ["2020-04-03", "2020-04-03"]),
        ("%m/%d/%Y", ["03/04/2020", "14/03/2020", "14.03.2020"], ["2020-03-04", None, "2020-03-14"]),
        ("%Y-%m-%d", ["2020-03-04", "03/04/2020", "14/03/2020", "Mar-20"], ["2020-03-04", None, None, "2020-03-01"]),
    ],
)
def test_day_and_month_are_not_exchanged_from_value_to_value(form: str, texts: list[str], days: list[Any]) -> None:
    found, fault = cast_column(pl.Series("a", texts), Column("a", Kind.DATE, form=form))

    assert [None if moment is None else f"{moment:%Y-%m-%d}" for moment in found] == days
    assert bool(fault) == (None in days)
