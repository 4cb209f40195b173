"""The quick decoder says what the long way says, or nothing."""

import json
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mantic.core.errors import ManticError
from mantic.core.schema import Column, Kind, Schema
from mantic.search.blend import Blend
from mantic.search.calibrate import NONE
from mantic.search.conformal import Conformal
from mantic.search.row import row_plan
from mantic.serve.decode import PlainReader
from mantic.serve.question import Limits, Question, read_question

SCHEMA = Schema(
    (
        Column("age", Kind.NUMBER),
        Column("price", Kind.NUMBER, form=",", sentinels=("?",)),
        Column("plan", Kind.CATEGORY, levels=("basic", "3", "true"), n_levels=3),
        Column("since", Kind.DATE, form="%Y-%m-%d"),
        Column("is_member", Kind.BOOLEAN, levels=("True", "False"), n_levels=2),
        Column("größe ", Kind.TEXT),
        Column("customer", Kind.ID),
    )
)
PLAN = row_plan(Blend(SCHEMA, 2, (), NONE, Conformal(), np.zeros(1)))
LIMITS = Limits(max_rows=12)
READER = PlainReader(SCHEMA)
decode = READER.few

texts = ["", "basic", "3", "3.0", " 41 ", "1.234,5", "1e400", "NaN", "?", "true", "No", "2023-05-01", "01.05.2023", '"']
words = st.sampled_from([*texts, "\\", "ä", "\ud800", "x" * 50])
numbers = st.one_of(
    st.sampled_from([0, -0.0, 1, 1.0, 3, 2**53, 2**53 + 1, 2**64, 10**29, 10**299, 10**301, 10**400, 1e308, -1e301]),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
)
plain = st.one_of(st.none(), st.booleans(), numbers, words, st.text(max_size=8))
nested = st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain, max_size=2)
values = st.one_of(plain, plain, plain, nested)
strange = st.dictionaries(st.one_of(st.text(string.printable, max_size=6), st.just("\ud800")), values, max_size=2)


fitting: dict[str, st.SearchStrategy[Any]] = {
    "age": st.one_of(st.none(), st.integers(), st.floats(-1e6, 1e6), st.sampled_from(["41", ""])),
    "price": st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from(["1.234,5", "?", "7"])),
    "plan": st.sampled_from(["basic", "3", "gold", "", 3, 3.0, 2**60, True, None]),
    "since": st.sampled_from(["2023-05-01", "01.05.2023", "", None]),
    "is_member": st.sampled_from([True, False, "yes", " No ", 1, 0.0, -0.0, None]),
    "größe ": st.one_of(st.none(), st.text(max_size=8)),
}


def row_of(value: Any) -> Any:
    """Return rows that fit, or all but one value of which do, and rows with less or more than there should be."""
    fits = st.fixed_dictionaries(fitting, optional={"customer": plain})
    nearly = st.builds(lambda row, name, one: row | {name: one}, fits, st.sampled_from(SCHEMA.names), value)
    some = st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA.names, value))
    return st.one_of(fits, fits, nearly, nearly, some, st.builds(lambda one, other: one | other, fits, strange))


rows_of_any_kind = st.one_of(
    st.lists(row_of(plain), min_size=1, max_size=3),
    st.lists(row_of(values), max_size=10),
)
bodies = st.builds(
    lambda rows, ascii: json.dumps({"rows": rows}, ensure_ascii=ascii).encode("utf-8", "surrogatepass"),
    rows_of_any_kind,
    st.sampled_from([False, False, True]),
)


def long_way(body: bytes) -> Question | ManticError:
    try:
        return read_question(body, SCHEMA, LIMITS, plan=PLAN)
    except ManticError as error:
        return error


def same(body: bytes) -> bool:
    """Check that the two agree; return whether the quick one dared."""
    quick = decode(body)
    if quick is None:
        return False
    found = long_way(body)
    assert isinstance(found, Question), (body, found)
    assert list(quick.warnings) == list(found.warnings)
    if found.frame is None:
        assert repr(quick.values) == repr(found.values)  # not a number is itself here
    else:
        for values, row in zip(quick.values, found.frame.drop("customer").iter_rows(), strict=True):
            assert PLAN.frame(values).drop("customer").row(0) == row
    return True


def same_frame(body: bytes) -> bool:
    """Check that the way of many rows and the long way agree; return whether the quick one dared."""
    quick = READER.many(body, max_rows=LIMITS.max_rows)
    if quick is None:
        return False
    found = long_way(body)
    assert isinstance(found, Question), (body, found)
    assert found.frame is not None
    assert_frame_equal(quick.frame, found.frame)
    assert list(quick.warnings) == list(found.warnings)
    return True


@given(bodies)
def test_both_ways_agree_on_rows_of_any_kind(body):
    same(body)


wholes = st.one_of(st.integers(), st.sampled_from([0, 1, 3, 2**53, 2**53 + 1, 2**64, 20_230_501]))
fractions = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([-0.0, 1.0, 3.0, 2.0**53, 1e17, 20_230_501.0]))
mixed = st.one_of(wholes, fractions)
of_one_kind: dict[str, list[st.SearchStrategy[Any]]] = {
    "age": [wholes, fractions, mixed, st.booleans(), st.sampled_from(["41", "", " 7 "])],
    "price": [wholes, fractions, mixed, st.sampled_from(["1.234,5", "?", "7"])],
    "plan": [st.sampled_from(["basic", "3", "gold", ""]), st.booleans(), st.integers(-9, 9), mixed],
    "since": [st.sampled_from(["2023-05-01", "01.05.2023", ""]), st.just("2023-05-01")],
    "is_member": [st.booleans(), st.sampled_from(["yes", " No "])],
    "größe ": [st.text(st.characters(exclude_characters='"', exclude_categories=["C"]), max_size=4), mixed],
    "customer": [st.booleans(), wholes, fractions, st.sampled_from(["c 1", ""])],
}


@st.composite
def many_rows(draw: Any) -> list[dict[str, Any]]:
    """Return rows of which each column holds values of one kind; in one of three draws a column holds anything."""
    n_rows = draw(st.integers(8, 13))
    wild = draw(st.one_of(st.none(), st.none(), st.sampled_from(SCHEMA.names)))
    columns = {}
    for name, kinds in of_one_kind.items():
        value = (
            draw(st.sampled_from([plain, wholes, fractions, words])) if name == wild else draw(st.sampled_from(kinds))
        )
        some = draw(st.sampled_from([value, value, st.one_of(st.none(), value)]))
        columns[name] = draw(st.lists(some, min_size=n_rows, max_size=n_rows))
    if draw(st.booleans()):
        del columns["customer"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


many_bodies = st.builds(
    lambda rows, ascii: json.dumps({"rows": rows}, ensure_ascii=ascii).encode("utf-8", "surrogatepass"),
    many_rows(),
    st.sampled_from([False, False, True]),
)


@given(many_bodies)
def test_both_ways_agree_on_many_rows_of_any_kind(body):
    same_frame(body)


@given(bodies, many_bodies)
def test_of_two_quick_ways_one_at_most_is_for_a_body(few, many):
    for body in (few, many):
        assert decode(body) is None or READER.many(body, max_rows=LIMITS.max_rows) is None


@given(many_bodies, st.integers(0, 2_000), st.binary(max_size=3))
def test_both_ways_agree_on_damaged_bodies_of_many_rows(body, place, junk):
    place = min(place, len(body))

    same_frame(body[:place] + junk + body[place + len(junk) :])


@given(bodies, st.integers(0, 400), st.binary(max_size=3))
def test_both_ways_agree_on_damaged_bodies(body, place, junk):
    place = min(place, len(body))

    same(body[:place] + junk + body[place + len(junk) :])


ROW = '"age": 41, "price": "1,5", "plan": "basic", "since": "2023-05-01", "is_member": true, "größe ": "a b"'
PLAIN = "{" + ROW + "}"


def body_of(*rows: str) -> bytes:
    return ('{"rows": [' + ", ".join(rows) + "]}").encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    "rows",
    [
        [PLAIN],
        ["{" + ROW + ', "customer": "c 1"}'],
        ["{" + ROW + ', "customer": "c 1"}', "{" + ROW + ', "customer": null}', PLAIN],
        [PLAIN, PLAIN.replace("41", "41.5")],
        [PLAIN.replace("41", '"41"')],
        [PLAIN.replace("41", "123456789012345678901234567890")],
        [PLAIN.replace('"basic"', "3")],
        [PLAIN.replace('"basic"', '"gold"')],
        [PLAIN.replace('"basic"', "null")],
    ],
)
def test_plain_rows_take_the_quick_way(rows):
    assert same(body_of(*rows))


@pytest.mark.parametrize(
    "row",
    [
        PLAIN,
        "{" + ROW + ', "customer": "c 1"}',
        "{" + ROW + ', "customer": 3}',
        PLAIN.replace("41", "41.5"),
        PLAIN.replace("41", '"41"'),
        PLAIN.replace("41", "1234567890123456789"),
        PLAIN.replace('"basic"', '"gold"'),
        PLAIN.replace('"basic"', "null"),
        PLAIN.replace("a b", "{}"),
    ],
)
@pytest.mark.parametrize("n_rows", [9, 12])
def test_many_plain_rows_take_the_quick_way(row, n_rows):
    assert same_frame(body_of(*[row] * n_rows))


@pytest.mark.parametrize(
    "row",
    [
        "{" + ROW + ', "age": 42}',
        "{" + ROW + ', "shoe": 42}',
        PLAIN.replace("41", "NaN"),
        PLAIN.replace("41", "[41]"),
        PLAIN.replace("41", '"old"'),
        PLAIN.replace("a b", "\\u0022"),
        PLAIN.replace("true", "1"),
        PLAIN.replace('"2023-05-01"', "20230501"),
        PLAIN.replace('"a b"', str(2**53 + 1)),
        "{" + ROW + f', "customer": {2**53 + 1}' + "}",
        "{}",
        "7",
    ],
)
def test_many_rows_that_are_not_plain_take_the_long_way(row):
    assert READER.many(body_of(*[row] * 10), max_rows=LIMITS.max_rows) is None
    assert READER.many(body_of(*[PLAIN] * 9, row), max_rows=LIMITS.max_rows) is None


def test_more_rows_than_are_allowed_take_the_long_way():
    assert READER.many(body_of(*[PLAIN] * 13), max_rows=LIMITS.max_rows) is None


def test_a_column_that_only_some_rows_have_takes_the_long_way():
    less = PLAIN.replace('"age": 41, ', "")

    assert READER.many(body_of(*[PLAIN] * 9, less), max_rows=LIMITS.max_rows) is None


@pytest.mark.parametrize(
    "rows",
    [
        ["{" + ROW + ', "age": 42}'],
        ["{" + ROW + ', "shoe": 42}'],
        ["{" + ROW + ', "shoe": [1]}'],
        [PLAIN.replace("41", "NaN")],
        [PLAIN.replace("41", "[41]")],
        [PLAIN.replace("41", "1" * 400)],
        [PLAIN.replace("a b", "\\ud800")],
        [PLAIN.replace("a b", "\ud800")],
        [PLAIN.replace("a b", "\\u0022")],
        [PLAIN.replace("41", '"old"')],
        [PLAIN, PLAIN.replace('"basic"', "3")],
        ["{}"],
        ["7"],
        [PLAIN] * 9,
    ],
)
def test_what_is_not_plain_takes_the_long_way(rows):
    assert decode(body_of(*rows)) is None


NO_QUESTIONS = [b"", b"[]", b'{"rows": []}', b'{"rows": [], "rows": [{}]}', b"\xff", b"\xef\xbb\xbf{}"]


@pytest.mark.parametrize("body", NO_QUESTIONS)
def test_what_is_no_question_takes_the_long_way(body):
    assert decode(body) is None


def test_a_name_that_needs_an_escape_takes_the_long_way():
    schema = Schema((Column('a"b', Kind.NUMBER),))

    reader = PlainReader(schema)

    assert reader.few(json.dumps({"rows": [{'a"b': 1}]}).encode()) is None
    assert reader.many(json.dumps({"rows": [{'a"b': 1}] * 20}).encode(), max_rows=20) is None
