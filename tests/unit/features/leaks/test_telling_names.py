"""Names that sound recorded after the answer, in four languages."""

import pytest

from mantic.features.leaks.telling_names import telling


@pytest.mark.parametrize(
    "name",
    [
        "paid_total",
        "TotalRefunds",
        "loan-outcome",
        "Kündigung am",
        "fecha_cierre",
        "montant payé",
        "résultat",
        "is_Cancelled",
    ],
)
def test_a_name_that_sounds_recorded_later_is_told(name):
    assert telling(name)


@pytest.mark.parametrize(
    "name",
    ["gender", "afternoon", "previous_cancellations", "last_payment", "spend", "age", "大きさ", "", "rebalanced"],
)
def test_an_ordinary_name_is_not(name):
    assert telling(name) == ""
