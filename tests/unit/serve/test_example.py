"""An example of a row holds what a request can hold."""

import math

import pytest

from mantic.core.schema import Column, Kind
from mantic.serve.example import example_of

LARGEST = 1.7976931348623157e308


@pytest.mark.parametrize(
    ("low", "high", "middle"),
    [(-LARGEST, LARGEST, 0), (LARGEST, LARGEST, LARGEST), (0, 0, 0), (1, 4, 2), (0.5, 1.0, 0.75), (5e-324, 5e-324, 0)],
)
def test_the_middle_of_what_was_seen_is_a_number(low, high, middle):
    found = example_of(Column("amount", Kind.NUMBER, low=low, high=high))

    assert math.isfinite(found)
    assert found == middle
