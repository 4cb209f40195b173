"""What a person says that a column means counts over what was found."""

import polars as pl
import pytest

from mantic.core.errors import SchemaError
from mantic.core.schema import Kind, Schema
from mantic.features.infer import infer
from mantic.features.said import with_kinds


def said(values: list[object], kind: str) -> Schema:
    frame = pl.DataFrame({"it": pl.Series(values, strict=False), "other": list(range(len(values)))})
    return with_kinds(infer(frame), frame, {"it": kind})


@pytest.mark.parametrize(
    ("values", "kind", "aligned"),
    [
        ([3, 1, 3], "category", ["3", "1", "3"]),
        ([1, 0, None], "boolean", [True, False, None]),
        (["01234", "90210", "?"], "number", [1234.0, 90210.0, None]),
        (["1.250,5", "3", "-"], "number", [1250.5, 3.0, None]),
        (["41", "7"], "text", ["41", "7"]),
        (["a", "b", "a"], "id", ["a", "b", "a"]),
    ],
)
def test_a_column_is_read_as_it_is_said_to_be(values, kind, aligned):
    schema = said(values, kind)

    frame = schema.align(pl.DataFrame({"it": pl.Series(values, strict=False), "other": range(len(values))}))

    assert schema["it"].kind == Kind(kind)
    assert frame["it"].to_list() == aligned


def test_dates_may_have_gaps_in_words():
    schema = said(["31.12.2024", "unknown", "01.02.2025"], "date")

    assert (schema["it"].low, schema["it"].sentinels) == ("2024-12-31T00:00:00", ("unknown",))


def test_values_that_are_of_another_kind_are_named_all_at_once():
    frame = pl.DataFrame({"age": ["41", "old", "7"], "day": [1, 2, 3], "plan": ["a", "b", "a"]})

    with pytest.raises(SchemaError) as caught:
        with_kinds(infer(frame), frame, {"age": "number", "day": "date", "plan": "category"})

    assert "'age' should hold numbers, but 1 of 3 values do not ('old' in row 2)" in caught.value.what
    assert "'day' should hold dates" in caught.value.what
    assert "plan" not in caught.value.what


def test_words_that_are_no_kind_and_columns_that_are_not_there_are_named_all_at_once():
    frame = pl.DataFrame({"age": [41, 7]})

    with pytest.raises(SchemaError) as caught:
        with_kinds(infer(frame), frame, {"age": "colour", "plan": "category"})

    assert "'colour' is no kind (column 'age')" in caught.value.what
    assert "there is no column 'plan'" in caught.value.what
