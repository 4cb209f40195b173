"""An outbreak as a user types it."""

import csv

import pytest

ASKED = ("fit", "cases.csv", "--target", "cases", "--time", "week", "--budget", "2 trials", "--no-store")


@pytest.fixture
def cases(tmp_path):
    """Write cases.csv: 60 weeks by number, of which eight tenths are told first and the rest a week later."""
    lines = ["week,told,cases"]
    for week in range(60):
        value = 60 + 50 * (week % 30 - 15) ** 2 // 225
        lines += [
            f"{week},{week + late},{value * share // 10}" for late, share in ((0, 8), (1, 10)) if week + late < 60
        ]
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_fit_predict_and_the_alarm(mantic, cases, tmp_path):
    words = ("--task", "forecast", "--as-of", "told", "--horizon", 3, "--capacity", 90, "--json")

    facts = mantic(*ASKED, *words).facts

    assert facts["outbreak"]["alarm"]["capacity"] == 90
    assert facts["outbreak"]["revision"]["becomes"][0] > 1.1
    assert mantic("predict", "cases.mantic", "--out", "forecast.csv").code == 0
    with (tmp_path / "forecast.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["week"] for row in rows] == ["60", "61", "62"]
    assert all(0 < float(row["over_capacity"]) < 1 for row in rows)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--as-of", "told"), "--as-of: only for --task forecast"),
        (("--task", "forecast", "--as-of", "told", "--capacity", "5%"), "no capacity of a forecast"),
        (("--task", "forecast", "--capacity", "5"), "a capacity is watched only"),
        (("--task", "forecast", "--as-of", "nowhere"), "there is no column 'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_way_out(mantic, cases, words, fault):
    done = mantic(*ASKED, *words)

    assert done.code == 2
    assert fault in done.err
