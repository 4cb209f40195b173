import pytest

from mantic.core.errors import SettingsError
from mantic.evaluate.capacity import read_capacity


@pytest.mark.parametrize(
    ("given", "share", "period"),
    [
        ("5%", 0.05, ""),
        ("2.5 %", 0.025, ""),
        (0.05, 0.05, ""),
        ("100 %", 1.0, ""),
        (200, 0.2, "batch"),
        ("1_000", 1.0, "batch"),
        ("5/day", 0.25, "day"),
        ("14 / week", 0.1, "week"),
    ],
)
def test_a_capacity_is_a_share_of_the_rows_in_the_end(given, share, period):
    found = read_capacity(given).bind(n_batch=1000, pace={"joined": 20.0})

    assert found.share == pytest.approx(share)
    assert found.period == period


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("0", "nothing can be acted on"),
        ("0%", "nothing can be acted on"),
        ("-5/day", "nothing can be acted on"),
        ("101%", "above 100 %"),
        ("many", "no capacity"),
        ("nan", "no capacity"),
        ("", "no capacity"),
        (True, "no capacity"),
        ("5/fortnight", "per 'fortnight'"),
        ("5%/day", "per 'day'"),
    ],
)
def test_what_is_no_capacity_is_refused(given, fault):
    with pytest.raises(SettingsError, match=fault) as caught:
        read_capacity(given)

    assert caught.value.where.startswith("--capacity")
    assert caught.value.fix


def test_a_day_needs_dates_and_just_one_column_of_them():
    wanted = read_capacity("100/day")

    with pytest.raises(SettingsError, match="no column of dates"):
        wanted.bind(n_batch=10, pace={})
    with pytest.raises(SettingsError, match=r"not clear by which dates.*born, joined"):
        wanted.bind(n_batch=10, pace={"born": 1.0, "joined": 2.0})


@pytest.mark.parametrize("given", ["30/day", 2000])
def test_a_capacity_beyond_the_rows_that_there_are_is_refused(given):
    with pytest.raises(SettingsError, match="limits nothing"):
        read_capacity(given).bind(n_batch=1000, pace={"joined": 20.0})
