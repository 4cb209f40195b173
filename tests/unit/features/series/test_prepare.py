"""Every repair is made, counted and told; what was observed stays."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError, SettingsError
from mantic.features.series.assemble import Roles, as_times, as_written
from mantic.features.series.finding import Finding
from mantic.features.series.holed import Holed
from mantic.features.series.prepare import prepare
from mantic.features.series.sold import sold_to_the_end

ROLES = Roles("day", "sold", ("store",))
DAYS = pl.date_range(date(2024, 1, 1), date(2024, 4, 29), eager=True)  # 120 days


def sales(store: str = "A", *, level: float = 20.5) -> pl.DataFrame:
    chance = np.random.default_rng(0)
    values = level + 5 * (DAYS.dt.weekday() > 5).to_numpy() + chance.normal(0, 1, len(DAYS))
    return pl.DataFrame({"store": store, "day": DAYS, "sold": values})


def codes(prepared) -> set[str]:
    return {one.code for one in prepared.findings} - {"demand"}


def told(prepared, code: str):
    return next(one for one in prepared.findings if one.code == code)


def test_clean_rows_in_any_order_are_taken_as_they_are():
    frame = pl.concat([sales("B"), sales("A")]).sample(fraction=1, shuffle=True, seed=1)

    prepared = prepare(frame, ROLES)

    assert codes(prepared) == set()
    assert prepared.ids["store"].to_list() == ["A", "B"]
    assert prepared.panel.calendar.name == "D"
    assert prepared.panel.seasons == (7, 365)
    np.testing.assert_array_equal(prepared.panel.one(0), sales()["sold"].to_numpy())


def test_the_frequency_is_that_of_all_series_though_one_is_irregular():
    odd = sales("Z")[[0, 5, 9]]

    prepared = prepare(pl.concat([sales("A"), sales("B"), odd]), ROLES)

    assert prepared.panel.calendar.name == "D"
    assert prepared.panel.lengths.tolist() == [120, 120, 10]


def test_rows_of_every_four_weeks_stay_apart_though_series_begin_on_different_days():
    weeks = [pl.date_range(first, date(2028, 1, 1), "28d", eager=True)[:40] for first in (DAYS[0], DAYS[7])]
    frame = pl.concat(pl.DataFrame({"store": f"{at}", "day": own, "sold": 100}) for at, own in enumerate(weeks))

    prepared = prepare(frame, ROLES)

    assert prepared.panel.calendar.name == "4W"
    assert prepared.panel.truth.tolist() == [100.0] * 80


def test_rows_that_are_missing_are_unknown_and_filled_with_the_season():
    frame = sales().filter(pl.col("day") != date(2024, 3, 2))  # a Saturday

    prepared = prepare(frame, ROLES)

    place = 61
    assert told(prepared, "missing_rows").n_rows == 1
    assert np.isnan(prepared.panel.truth[place])
    assert prepared.panel.values[place] == pytest.approx(25.5, abs=1.5)


def test_values_that_are_missing_are_told_apart_from_rows_that_are_missing():
    frame = sales().with_columns(sold=pl.when(pl.col("day") == date(2024, 3, 2)).then(None).otherwise("sold"))

    assert codes(prepare(frame, ROLES)) == {"missing_values"}


def test_rows_that_are_written_only_on_sales_mean_zero_elsewhere():
    frame = sales().with_columns(sold=pl.lit(2)).gather_every(3)
    frame = pl.concat([frame, sales().with_columns(sold=pl.lit(1))[[1, 2]]])

    prepared = prepare(frame, ROLES, freq="D")

    assert codes(prepared) == {"sold_only"}
    assert (prepared.panel.truth == 0).sum() == told(prepared, "sold_only").n_rows > 70


def test_counts_on_one_day_are_added_up_and_equal_rows_count_once():
    frame = sales().with_columns(sold=pl.lit(10))
    more = frame[[5]].with_columns(sold=pl.lit(4))

    prepared = prepare(pl.concat([frame, frame[[7]], more]), ROLES)

    assert told(prepared, "duplicates").n_rows == 2
    assert prepared.panel.truth[[5, 7]].tolist() == [14, 10]


def test_of_measurements_on_one_day_the_last_counts():
    more = sales()[[5]].with_columns(sold=pl.lit(1.25))

    prepared = prepare(pl.concat([sales(), more]), ROLES)

    assert prepared.panel.truth[5] == 1.25


def test_stamps_with_a_clock_are_counted_for_their_day_when_the_frequency_says_so():
    frame = sales().with_columns(day=pl.col("day").cast(pl.Datetime("us")) + timedelta(hours=7))

    prepared = prepare(
        frame.with_columns(pl.col("day") + pl.int_range(pl.len()) % 3 * timedelta(minutes=1)), ROLES, freq="D"
    )

    assert prepared.panel.lengths.tolist() == [120]
    assert "off_grid" in codes(prepared)


def counted(first: date, last: date, every: str = "1d") -> pl.DataFrame:
    """Return rows of one thing each."""
    days = pl.datetime_range(first, last, every, eager=True)
    return pl.DataFrame({"store": "A", "day": days, "sold": pl.repeat(1, len(days), eager=True)})


@pytest.mark.parametrize(
    ("freq", "steps", "sums"),
    [
        ("M", [date(2023, 2, 1), date(2023, 11, 1)], [28, 31, 30, 31, 30, 31, 31, 30, 31, 30]),
        ("Q", [date(2023, 4, 1), date(2023, 7, 1)], [91, 92]),
        ("W", [date(2023, 1, 16), date(2023, 12, 11)], [7] * 48),
    ],
)
def test_a_coarser_step_begins_with_the_calendar_and_what_is_only_a_part_of_one_is_left_out(freq, steps, sums):
    prepared = prepare(counted(date(2023, 1, 11), date(2023, 12, 20)), ROLES, freq=freq)

    panel, found = prepared.panel, told(prepared, "part_of_a_step")
    assert panel.calendar.times(np.array([panel.last[0] - len(sums) + 1, panel.last[0]])).to_list() == steps
    assert panel.truth.tolist() == sums
    assert found.n_rows == 344 - sum(sums)
    assert "rows begin on 2023-01-11 and end on 2023-12-20, in the midst of a step" in found.what


def test_a_series_that_has_only_a_part_of_a_step_is_left_out_and_it_is_said():
    new = counted(date(2023, 12, 8), date(2023, 12, 12)).with_columns(store=pl.lit("new"))

    prepared = prepare(pl.concat([counted(date(2023, 1, 1), date(2023, 12, 12)), new]), ROLES, freq="M")

    assert prepared.names == ("A",)
    assert "left out, with 1 series that have no other rows" in told(prepared, "part_of_a_step").what


def test_a_day_that_is_not_over_is_left_out():
    prepared = prepare(counted(datetime(2024, 1, 1), datetime(2024, 1, 9, 13), "1h"), ROLES, freq="D")

    assert prepared.panel.truth.tolist() == [24] * 8


@pytest.mark.parametrize(
    ("first", "last"), [(date(2024, 3, 1), date(2025, 2, 28)), (date(2024, 3, 2), date(2025, 2, 27))]
)
def test_whole_steps_stay_though_a_day_is_missing_at_their_end(first, last):
    prepared = prepare(counted(first, last), ROLES, freq="M")

    assert "part_of_a_step" not in codes(prepared)
    assert prepared.panel.lengths.tolist() == [12]


def test_weeks_without_sundays_are_whole():
    frame = counted(date(2024, 1, 1), date(2024, 3, 30)).filter(pl.col("day").dt.weekday() < 7)

    assert prepare(frame, ROLES, freq="W").panel.truth.tolist() == [6] * 13


def test_series_that_come_on_other_days_keep_their_weeks():
    frame = pl.concat(sales(store).gather_every(7, at).with_columns(sold=pl.lit(9)) for at, store in enumerate("ABC"))

    prepared = prepare(frame, ROLES, freq="W")

    assert "part_of_a_step" not in codes(prepared)
    assert (prepared.panel.truth == 9).all()


def test_zeros_before_a_launch_are_left_out():
    frame = sales().with_columns(sold=pl.when(pl.int_range(pl.len()) < 30).then(0.0).otherwise("sold"))

    prepared = prepare(frame, ROLES)

    assert told(prepared, "leading_zeros").n_rows == 30
    assert prepared.panel.lengths.tolist() == [90]


def test_a_series_that_ends_in_zeros_looks_discontinued():
    frame = sales().with_columns(sold=pl.when(pl.int_range(pl.len()) >= 90).then(0.0).otherwise("sold"))

    prepared = prepare(pl.concat([frame, sales("B")]), ROLES)

    assert told(prepared, "discontinued").examples == ("A",)


def test_a_series_that_moves_to_another_level_is_named():
    frame = sales().with_columns(sold=pl.col("sold") + pl.when(pl.int_range(pl.len()) >= 60).then(80).otherwise(0))

    assert "level_shift" in codes(prepare(frame, ROLES))


def test_a_slow_rise_is_no_shift():
    frame = sales().with_columns(sold=pl.col("sold") + pl.int_range(pl.len()))

    assert "level_shift" not in codes(prepare(frame, ROLES))


def test_a_single_wild_value_is_tamed_in_the_copy_alone():
    frame = sales().with_columns(sold=pl.when(pl.int_range(pl.len()) == 50).then(900.0).otherwise("sold"))

    prepared = prepare(frame, ROLES)

    assert told(prepared, "outliers").n_rows == 1
    assert prepared.panel.truth[50] == 900
    assert prepared.panel.values[50] < 40


def test_a_peak_that_comes_every_season_is_no_outlier():
    frame = sales().with_columns(sold=pl.when(pl.col("day").dt.weekday() == 3).then(900.0).otherwise("sold"))

    assert "outliers" not in codes(prepare(frame, ROLES))


def test_series_that_end_before_the_others_are_named():
    prepared = prepare(pl.concat([sales("A").head(100), sales("B")]), ROLES)

    assert told(prepared, "ends_early").examples == ("A",)


def test_plain_numbers_show_their_cycle_and_that_it_is_a_guess():
    frame = sales().with_columns(day=pl.int_range(pl.len()))

    prepared = prepare(frame, ROLES)

    assert prepared.panel.seasons == (7,)
    assert "season_guessed" in codes(prepared)


def test_a_season_that_was_said_is_taken():
    prepared = prepare(sales().with_columns(day=pl.int_range(pl.len())), ROLES, season=[14, 7])

    assert prepared.panel.seasons == (7, 14)
    assert "season_guessed" not in codes(prepared)


@pytest.mark.parametrize(
    ("demand", "values"),
    [
        ("smooth", [20, 21, 19] * 20),
        ("erratic", [1, 40, 3] * 20),
        ("intermittent", [0, 0, 5] * 20),
        ("lumpy", [0, 1, 0, 40] * 15),
    ],
)
def test_demand_has_its_class(demand, values):
    frame = pl.DataFrame({"store": "A", "day": DAYS[:60], "sold": values})

    assert f"{demand} in 1 series" in told(prepare(frame, ROLES), "demand").what


def test_texts_are_read_as_dates_and_numbers():
    frame = sales().with_columns(pl.col("day").dt.strftime("%d.%m.%Y"), pl.col("sold").cast(pl.String))

    prepared = prepare(frame, ROLES)

    assert prepared.panel.calendar.name == "D"
    assert prepared.panel.lengths.tolist() == [120]


@pytest.mark.parametrize("kind", [pl.Int64, pl.Int32, pl.Float64, pl.String])
@pytest.mark.parametrize(("form", "name"), [("%Y%m%d", "D"), ("%Y%m", "M")])
def test_whole_numbers_that_are_all_dates_are_dates_and_it_is_said(kind, form, name):
    first = DAYS if name == "D" else pl.date_range(date(2015, 1, 1), date(2024, 12, 1), "1mo", eager=True)
    frame = sales().with_columns(day=first.dt.strftime(form).cast(pl.Int64).cast(kind))

    prepared = prepare(frame, as_written(frame, ROLES))

    assert prepared.panel.calendar.name == name
    assert prepared.panel.calendar.times(prepared.panel.last).to_list() == [first[-1]]
    assert prepared.panel.lengths.tolist() == [120]
    assert f"'day' were taken for dates, written like {frame['day'][0]}" in told(prepared, "dates_as_numbers").what


@pytest.mark.parametrize(
    "numbers", [[20240131], [20240131] * 2, [20240131, 20240132], [202412, 202413], [1, 2, 3], [2023, 2024], [None]]
)
def test_whole_numbers_that_are_not_all_dates_or_a_single_one_are_plain_steps(numbers):
    frame = pl.DataFrame({"day": pl.Series(numbers, dtype=pl.Int64)})

    roles = as_written(frame, ROLES)

    assert roles == ROLES
    assert as_times(frame["day"], roles.time_written)[0].to_list() == numbers


def test_whole_numbers_of_a_model_of_plain_steps_stay_plain_steps_though_they_could_be_dates():
    assert as_times(pl.Series([20240130, 20240131]))[0].to_list() == [20240130, 20240131]


def test_one_series_needs_no_column_that_names_it():
    prepared = prepare(sales().drop("store"), Roles("day", "sold"))

    assert len(prepared.panel) == 1
    assert prepared.ids.width == 0


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_very_few_rows_are_a_series(n_rows):
    assert prepare(sales().head(n_rows), ROLES).panel.lengths.tolist() == [n_rows]


def test_all_faults_of_columns_are_named_together():
    with pytest.raises(SchemaError) as caught:
        prepare(sales().rename({"day": "when"}), Roles("day", "sold", ("shop",)))

    assert "'day'" in caught.value.what
    assert "'shop'" in caught.value.what


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (sales().head(0), "no rows"),
        (sales().with_columns(sold=pl.lit("many")), "no numbers"),
        (sales().with_columns(day=pl.lit("soon")), "neither dates"),
        (sales().with_columns(sold=pl.lit(None, pl.Float64)), "no row has both"),
        (sales().with_columns(day=pl.lit(None, pl.Date)), "no row has both"),
    ],
)
def test_what_cannot_be_forecast_is_a_clear_error(frame, what):
    with pytest.raises(SchemaError, match=what):
        prepare(frame, ROLES)


def test_a_frequency_that_is_far_too_fine_is_refused():
    frame = pl.DataFrame({"day": [datetime(2000, 1, 1), datetime(2024, 1, 1)], "sold": [1.0, 2.0]})

    with pytest.raises(SchemaError, match="finer than the data"):
        prepare(frame, Roles("day", "sold"), freq="s")


def test_a_season_below_one_is_refused():
    with pytest.raises(SettingsError, match="is no season"):
        prepare(sales(), ROLES, season=0)


def test_a_long_series_is_taken_and_one_that_is_mostly_empty_names_its_frequency(monkeypatch):
    monkeypatch.setattr("mantic.features.series.assemble._MOST_STEPS", 100)
    frame = sales()

    assert prepare(frame, ROLES).panel.lengths.tolist() == [120]
    with pytest.raises(SchemaError, match="finer than the data"):
        prepare(frame, ROLES, freq="h")


def test_a_frequency_that_is_too_fine_for_many_series_together_is_refused():
    chance = np.random.default_rng(0)
    start = chance.integers(0, 150_000, (1_000, 10))  # bursts of ten seconds, over some hours
    second = (start[..., None] + np.arange(10)).reshape(1_000, -1)
    second[:, 0], second[:, -1] = 0, 150_010
    day = pl.Series(second.ravel() * 1_000_000).cast(pl.Datetime("us"))
    frame = pl.DataFrame({"day": day, "store": np.repeat(np.arange(1_000), 100), "sold": chance.random(100_000)})

    with pytest.raises(SchemaError, match=r"1,000 series would have 150,011,000 steps .* finer than the data"):
        prepare(frame, ROLES)
    assert prepare(frame, ROLES, freq="h").panel.lengths.tolist() == [42] * 1_000


def test_many_series_are_taken_though_they_are_sold_seldom(monkeypatch):
    monkeypatch.setattr("mantic.features.series.assemble._MOST_TOGETHER", 100)
    frame = pl.concat(sales(store).gather_every(17).with_columns(sold=pl.lit(2)) for store in "ABCDE")

    assert prepare(frame, ROLES, freq="D").panel.lengths.tolist() == [120] * 5
    with pytest.raises(SchemaError, match="finer than the data"):
        prepare(frame, ROLES, freq="h")


def test_zeros_after_the_last_sale_of_a_series_must_not_fill_the_memory(monkeypatch):
    holed = Holed(
        np.array([1.0, 0.0, 2.0, 1.0, 1.0]), np.array([0, 3, 5]), np.array([10, 100]), np.zeros((5, 1)),
        pl.DataFrame({"s": ["a", "b"]}), ("a", "b"), is_sold_only=True,
    )  # fmt: skip
    findings: list[Finding] = []

    longer = sold_to_the_end(holed, findings)
    monkeypatch.setattr("mantic.features.series.assemble._MOST_TOGETHER", 90)
    as_it_was = sold_to_the_end(holed, findings)

    assert longer.values.tolist() == [1.0, 0.0, 2.0, *[0.0] * 90, 1.0, 1.0]
    assert (longer.bounds.tolist(), longer.last.tolist()) == ([0, 93, 95], [100, 100])
    assert as_it_was is holed
    assert [one.code for one in findings] == ["sold_to_the_end", "sold_to_last_row"]
