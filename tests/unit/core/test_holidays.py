"""Holidays as plain data."""

import numpy as np
import pytest

from mantic.core.holidays import Holidays

HELD = Holidays("DE-BY", ("New Year's Day", "Epiphany"), np.array([0, 5]), np.array([0, 1]), (5, 6), (-1, 0), 20.0)


def test_what_was_written_is_read_again():
    again = Holidays.from_facts(HELD.to_facts())

    assert again.to_facts() == HELD.to_facts()
    assert again.days.dtype == np.int64


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": [5, 0]},
        {"which": [0, 2]},
        {"which": [0]},
        {"offsets": [-9]},
        {"prior": 0},
    ],
)
def test_facts_that_do_not_fit_together_are_refused(wrong):
    with pytest.raises(ValueError, match=r"no holidays|no sense"):
        Holidays.from_facts(HELD.to_facts() | wrong)
