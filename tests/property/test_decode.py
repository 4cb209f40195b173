"""The quick decoder says what the long way says, or nothing."""

import json
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantic.core.errors import ManticError
from mantic.core.schema import Column, Kind, Schema
from mantic.search.blend import Blend
from mantic.search.calibrate import NONE
from mantic.search.conformal import Conformal
from mantic.search.row import row_plan
from mantic.serve.decode import decoder
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
decode = decoder(SCHEMA)

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


@given(bodies)
def test_both_ways_agree_on_rows_of_any_kind(body):
    same(body)


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

    assert decoder(schema)(json.dumps({"rows": [{'a"b': 1}]}).encode()) is None
