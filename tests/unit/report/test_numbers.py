"""Numbers for people."""

import math

import pytest

from mantic.report.numbers import brief, say, say_alike, say_range


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.8512, "", "0.851"),
        (23456, "", "23,456"),
        (1234567, "", "1.23 million"),
        (0.8512, "share", "85 %"),
        (0.00001, "p", "< 0.001"),
        (math.inf, "", "∞"),
        (10**400, "", "∞"),
        (1e300, "", "1e+300"),
    ],
)
def test_a_number_is_said_in_about_three_figures(value, unit, words):
    assert say(value, unit) == words


def test_an_interval_names_its_unit_once():
    assert say_range(0.78, 0.82, "share") == "78 to 82 %"


def test_a_column_has_one_number_of_decimals():
    assert say_alike([1.0, 2.25, math.nan]) == ["1.00", "2.25", "–"]


def test_ticks_differ_from_their_neighbours():
    assert len(set(brief([1.001, 1.002, 1.003]))) == 3
