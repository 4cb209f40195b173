"""A schema comes back from its text as it was, or not at all."""

import json

import pytest

from mantic.core.schema import Column, Kind, Schema

SCHEMA = Schema(
    (
        Column("age", Kind.NUMBER, 0.1, low=18, high=90.5, unit="years", sentinels=("?",)),
        Column("since", Kind.DATE, low="2020-01-01T00:00:00", high="2024-01-01T00:00:00", form="%d/%m/%Y"),
        Column("plan", Kind.CATEGORY, levels=("a", "b"), n_levels=2),
        Column("note", Kind.TEXT),
    )
)


def test_a_schema_comes_back_from_its_text():
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [
        (0, "low", [18]), (0, "high", "90"), (1, "low", 20.5), (2, "levels", [1, None]), (2, "n_levels", "2"),
        (3, "name", 7), (0, "sentinels", [{}]), (0, "share_missing", None), (1, "form", 3), (0, "kind", "colour"),
        (0, "high", 10**400), (0, "low", -(10**400)), (0, "low", float("-inf")), (0, "high", float("nan")),
        (0, "share_missing", 10**400), (2, "n_levels", 10**400),
    ],
)  # fmt: skip
def test_what_no_column_has_is_refused(place, field, value):
    facts = json.loads(SCHEMA.to_json())
    facts[place][field] = value

    with pytest.raises((ValueError, TypeError)):
        Schema.from_json(json.dumps(facts))
