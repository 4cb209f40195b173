"""What a column means is found from what stands in it."""

import datetime as dt

import polars as pl
import pytest

from mantic.core.run import Run
from mantic.core.schema import Kind, Schema
from mantic.features.infer import infer, infer_column
from mantic.sources.read import read

DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2.5, None], Kind.NUMBER),
        ([0, 1, 1, 0], Kind.NUMBER),
        ([number / 7 for number in range(100)], Kind.NUMBER),
        (list(range(1, 101)), Kind.ID),
        (list(range(1950, 2020)), Kind.NUMBER),
        (["1", "2.5", "3"], Kind.NUMBER),
        (["00123", "90210", "00123"], Kind.CATEGORY),
        (["yes", "no", None, "yes"], Kind.BOOLEAN),
        (["Y", "n", "N"], Kind.BOOLEAN),
        ([True, False], Kind.BOOLEAN),
        (["a", "b", "a"], Kind.CATEGORY),
        ([f"K{number}" for number in range(50)], Kind.ID),
        ([f"the {number}th thing went wrong" for number in range(50)], Kind.TEXT),
        ([f"img/{number % 3}.png" for number in range(9)], Kind.IMAGE),
        (DAYS, Kind.DATE),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], Kind.DATE),
        (["Aug-62", "Mar-41"], Kind.DATE),
        (["Aug-62", "1989, January", "1993"], Kind.DATE),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00"], Kind.DATE),
        (["31.12.2024", "01.01.2025"], Kind.DATE),
        (["12/31/2024", "01/01/2025"], Kind.DATE),
        (["x", "x"], Kind.CONSTANT),
        ([None, None], Kind.CONSTANT),
        (["x", None], Kind.CATEGORY),
        (["Bank transfer (automatic)", "Mailed check by post", "Card on the web"] * 40, Kind.CATEGORY),
    ],
)
def test_a_column_means_what_its_values_say(values, kind):
    series = pl.Series("column", values, strict=False)

    column = infer_column(series)

    assert column.kind is kind
    assert Schema((column,)).align(series.to_frame()).height == len(values)


def test_a_key_that_repeats_is_a_category_and_a_unique_one_an_identifier():
    assert infer_column(pl.Series("customer_id", [7, 3, 7, 9])).kind is Kind.CATEGORY
    assert infer_column(pl.Series("customer_id", [7, 3, 8, 9])).kind is Kind.ID


@pytest.mark.parametrize("word", [" ", "?", "NA", "nan", "-inf"])
def test_words_among_numbers_become_sentinels_and_count_as_missing(word):
    series = pl.Series("total", ["1", "2.5", word, "3"])

    column = infer_column(series)

    assert (column.kind, column.sentinels, column.share_missing) == (Kind.NUMBER, (word,), 0.25)
    assert Schema((column,)).align(series.to_frame())["total"].to_list() == [1.0, 2.5, None, 3.0]


def test_a_single_slip_in_a_long_column_of_numbers_is_a_sentinel():
    column = infer_column(pl.Series("age", [str(number % 90) for number in range(500)] + ["old"]))

    assert (column.kind, column.sentinels) == (Kind.NUMBER, ("old",))


def test_decimal_commas_are_read_and_thousands_are_not_mistaken_for_them():
    sure = pl.Series("price", ["1,5", "1.234,25", "7"])

    assert Schema((infer_column(sure),)).align(sure.to_frame())["price"].to_list() == [1.5, 1234.25, 7.0]
    assert infer_column(pl.Series("price", ["1,234", "5,678"])).kind is Kind.CATEGORY


def test_short_years_lie_in_the_past():
    series = pl.Series("first", ["Aug-62", "Mar-12"])

    aligned = infer(series.to_frame()).align(series.to_frame())

    assert aligned["first"].dt.year().to_list() == [1962, 2012]


def test_levels_stand_commonest_first():
    assert infer_column(pl.Series("plan", ["b", "a", "b", "c"])).levels == ("b", "a", "c")


KINDS = {
    "telco_churn": {"TotalCharges": Kind.NUMBER, "customerID": Kind.ID, "Churn": Kind.BOOLEAN, "tenure": Kind.NUMBER},
    "comics_alignment": {"first_appear": Kind.DATE, "name": Kind.TEXT, "align": Kind.CATEGORY},
    "hotel_rates": {"arrival_date": Kind.DATE, "country": Kind.CATEGORY},
    "tate_artworks": {"id": Kind.ID, "title": Kind.TEXT, "medium": Kind.TEXT, "artist": Kind.CATEGORY},
    "loans_leak": {"issue_month": Kind.DATE, "grade": Kind.CATEGORY},
    "fine_foods": {"review": Kind.TEXT},
    "ames_housing": {"PID": Kind.ID, "Order": Kind.ID, "Central.Air": Kind.BOOLEAN},
}


def test_the_development_tables_are_understood_and_align_without_a_fault(shared_data):
    for path in sorted(shared_data("tabular").glob("*.csv.gz")):
        with Run() as run:
            frame = read(path, run=run)
        schema = infer(frame)

        assert schema.align(frame).shape == frame.shape
        wanted = KINDS.get(path.name.partition(".")[0], {})
        assert {name: schema[name].kind for name in wanted} == wanted
