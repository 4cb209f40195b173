"""A country's holidays as a user asks for them."""

from datetime import date, timedelta

import pytest

ASKED = ("fit", "sales.csv", "--target", "sold", "--time", "day", "--budget", "1 trial", "--no-store")


@pytest.fixture
def rows(tmp_path):
    """Write sales.csv: three years of days, closed on six holidays of Germany that never move."""
    closed = {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}
    days = [date(2021, 1, 2) + timedelta(days=one) for one in range(1070)]  # to 2023-12-07
    sold = [0 if (day.month, day.day) in closed else 50 + number * 7 % 11 for number, day in enumerate(days)]
    lines = ["day,sold", *(f"{day},{one}" for day, one in zip(days, sold, strict=True))]
    (tmp_path / "sales.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_country_is_an_option_of_a_forecast(mantic, rows):
    facts = mantic(*ASKED, "--task", "forecast", "--country", "DE", "--json").facts

    assert facts["holidays"]["is_used"]
    assert "2023-12-25" in facts["holidays"]["each"][0]["ahead"] + facts["holidays"]["each"][1]["ahead"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--country", "DE"), "--country: only for --task forecast"),
        (("--task", "forecast", "--country", "Germany"), "DE (Germany)"),
        (("--task", "forecast", "--country", "DE-BYE"), "BY"),
    ],
)
def test_what_makes_no_sense_is_said(mantic, rows, words, fault):
    done = mantic(*ASKED, *words)

    assert done.code == 2
    assert fault in done.err
