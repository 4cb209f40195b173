"""What was known when: vintages, and the nowcast that is learned from them."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError
from mantic.features.series.assemble import Roles
from mantic.features.series.revision import learned, nowcast
from mantic.features.series.vintages import known, latest

ROLES = Roles("week", "cases", ("town",), (), "told")
FIRST = date(2023, 1, 7)


def rows_of(told: list[tuple[str, int, int, float]]) -> pl.DataFrame:
    """Return rows from (town, week, week of telling, value)."""
    weeks = {at: FIRST + timedelta(weeks=at) for at in range(200)}
    columns = {
        "town": [one[0] for one in told], "week": [weeks[one[1]] for one in told],
        "told": [weeks[one[2]] for one in told], "cases": [one[3] for one in told],
    }  # fmt: skip
    return pl.DataFrame(columns)


def late(n_weeks: int, n_towns: int, shares: tuple[float, ...], *, seed: int = 0) -> pl.DataFrame:
    """Return waves of which only a share is told at first; the rest comes in the weeks after."""
    chance = np.random.default_rng(seed)
    told = []
    for town in range(n_towns):
        final = 500 * (1.2 + np.sin(np.arange(n_weeks) / 6 + town / 3))
        for week in range(n_weeks):
            for age, share in enumerate(shares):
                if week + age < n_weeks:
                    value = round(final[week] * share * np.exp(0.02 * chance.normal()))
                    told.append((f"T{town}", week, week + age, float(value)))
    return rows_of(told)


def test_a_day_knows_what_was_told_until_then_and_the_latest_of_it():
    frame = rows_of([("A", 0, 0, 5.0), ("A", 0, 1, 8.0), ("A", 1, 1, 4.0), ("A", 0, 2, 9.0), ("A", 2, 2, 3.0)])

    vintages = known(frame, ROLES, freq="W", seasons=None).vintages

    np.testing.assert_array_equal(vintages.at(0, 1), [[5.0]])
    np.testing.assert_array_equal(vintages.at(1, 1), [[8.0, 4.0]])
    np.testing.assert_array_equal(vintages.at(2, 1), [[9.0, 4.0, 3.0]])


def test_the_order_of_rows_does_not_matter():
    frame = late(20, 3, (0.6, 1.0))

    found = [
        known(one, ROLES, freq="W", seasons=None).vintages
        for one in (frame, frame.sample(fraction=1, shuffle=True, seed=3))
    ]

    for day in range(20):
        np.testing.assert_array_equal(found[0].at(day, 3), found[1].at(day, 3))


def test_of_rows_for_one_moment_the_one_that_was_told_last_stays():
    frame = rows_of([("A", 0, 3, 9.0), ("A", 0, 1, 8.0), ("B", 0, 0, 1.0)])

    assert sorted(latest(frame, ROLES)["cases"].to_list()) == [1.0, 9.0]


def test_of_rows_that_became_known_on_the_same_day_the_last_one_counts_everywhere():
    frame = rows_of([("A", 0, 0, 47.0), ("A", 1, 1, 30.0), ("A", 0, 0, 50.0)])

    held = known(frame, ROLES, freq="W", seasons=None)

    assert held.panel.truth.tolist() == [50.0, 30.0]
    np.testing.assert_array_equal(held.vintages.at(1, 1), [[50.0, 30.0]])


@pytest.mark.parametrize("series", [("town",), ()])
def test_several_moments_in_one_step_are_refused(series):
    days = pl.date_range(date(2024, 1, 1), date(2024, 1, 28), eager=True)
    frame = pl.DataFrame({"town": "A", "week": days, "told": days, "cases": 10.0})

    with pytest.raises(SchemaError, match="steps have rows of several moments, as 2024-01-01 and 2024-01-02"):
        known(frame, replace(ROLES, series=series), freq="W", seasons=None)


def test_series_with_the_same_moments_are_refused_only_if_nothing_tells_them_apart():
    frame = rows_of([("A", 0, 0, 10.0), ("B", 0, 0, 20.0), ("A", 1, 1, 10.0), ("B", 1, 1, 20.0)])

    assert known(frame, ROLES, freq="W", seasons=None).panel.truth.tolist() == [10, 10, 20, 20]


def test_a_series_that_reports_late_ends_with_the_others():
    frame = rows_of([("A", 0, 2, 5.0), ("A", 1, 2, 6.0), ("B", 0, 2, 5.0), ("B", 1, 2, 6.0), ("B", 2, 2, 7.0)])

    panel = known(frame, ROLES, freq="W", seasons=None).panel

    assert panel.lengths.tolist() == [3, 3]
    assert np.isnan(panel.truth[2])
    assert np.isfinite(panel.values).all()


def test_the_nowcast_finds_what_is_still_to_come_and_halves_the_error_at_least():
    frame = late(40, 8, (0.6, 0.85, 1.0))
    held = known(frame, ROLES, freq="W", seasons=None)
    final = held.vintages.at(39, 8)
    day = 34

    revision = learned(held.vintages, day, 8)
    corrected, _ = nowcast(held.vintages, day, 8)

    assert np.exp(revision.shared[0]) == pytest.approx(1 / 0.6, rel=0.05)
    assert np.exp(revision.shared[1]) == pytest.approx(1 / 0.85, rel=0.05)
    told = held.vintages.at(day, 8)
    before, after = (np.abs(one[:, -2:] - final[:, day - 1 : day + 1]).mean() for one in (told, corrected))
    assert after < before / 2


def test_nothing_is_corrected_where_nothing_is_revised():
    held = known(late(30, 4, (1.0,)), ROLES, freq="W", seasons=None)

    corrected, revision = nowcast(held.vintages, 29, 4)

    np.testing.assert_allclose(revision.ratio, 0.0, atol=1e-12)
    np.testing.assert_array_equal(corrected, held.vintages.at(29, 4))


def test_what_is_told_later_changes_no_earlier_day():
    frame = late(30, 4, (0.6, 0.85, 1.0))
    held = known(frame, ROLES, freq="W", seasons=None).vintages
    day = 20
    spoiled = known(
        frame.with_columns(
            pl.when(pl.col("told") > FIRST + timedelta(weeks=day)).then(9e6).otherwise(pl.col("cases")).alias("cases")
        ),
        ROLES, freq="W", seasons=None,
    ).vintages  # fmt: skip

    before, after = nowcast(held, day, 4)[0], nowcast(spoiled, day, 4)[0]

    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: rows.drop("told"), "told"),
        (lambda rows: rows.with_columns(pl.lit("x").alias("told")), "told"),
        (lambda rows: rows.with_columns(pl.lit(-1.0).alias("cases")), "below 0"),
        (lambda rows: rows.with_columns(pl.lit(None, pl.Date).alias("told")), "told"),
    ],
)
def test_a_table_that_does_not_say_what_was_known_when_is_refused(change, fault):
    with pytest.raises(SchemaError, match=fault):
        known(change(late(10, 1, (1.0,))), ROLES, freq="W", seasons=None)
