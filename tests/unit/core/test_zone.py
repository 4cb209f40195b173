"""Moments of one column mean the same, however their time zone is written."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import mantic
from mantic.core.cast import cast_column
from mantic.core.cast_row import caster
from mantic.core.errors import SourceError
from mantic.core.schema import Column, Kind, Schema
from mantic.features.infer import infer
from mantic.features.series.assemble import Written, as_times
from mantic.sources.frames import to_polars
from mantic.tasks.door import moments, plain

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = [dt.datetime(2024, 1, 31, 23, 30, tzinfo=BERLIN), dt.datetime(2024, 7, 1, 0, 30, tzinfo=BERLIN)]
WALL = [moment.replace(tzinfo=None) for moment in MOMENTS]
ELSEWHERE = {
    "another zone": [moment.astimezone(ZoneInfo("Asia/Tokyo")) for moment in MOMENTS],
    "UTC": [moment.astimezone(dt.UTC) for moment in MOMENTS],
    "offsets": [dt.datetime.fromisoformat(moment.isoformat()) for moment in MOMENTS],
    "texts with offsets": [moment.isoformat() for moment in MOMENTS],
    "texts in UTC": [moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in MOMENTS],
    "the clock on the wall": WALL,
    "texts without an offset": [moment.isoformat(" ") for moment in WALL],
}


SEEN = {
    "pandas": pd.DataFrame({"at": pd.DatetimeIndex(MOMENTS)}),
    "polars": pl.DataFrame({"at": pl.Series(MOMENTS, dtype=pl.Datetime("us", "Europe/Berlin"))}),
    "rows": [{"at": moment} for moment in MOMENTS],
}


@pytest.mark.parametrize("seen", SEEN)
def test_the_clock_on_the_wall_of_the_zone_that_was_seen_counts(seen):
    data = SEEN[seen]
    frame = to_polars(data)
    schema = infer(frame)

    assert schema["at"].zone == "Europe/Berlin"
    assert schema.align(frame)["at"].to_list() == WALL


@pytest.mark.parametrize("written", ELSEWHERE)
def test_moments_that_are_written_otherwise_are_the_same_moments(written):
    schema = infer(to_polars(pd.DataFrame({"at": pd.DatetimeIndex(MOMENTS)})))
    values = ELSEWHERE[written]

    for at, value in enumerate(values):  # one by one, as they come to a server
        assert schema.align(to_polars([{"at": value}]))["at"].to_list() == WALL[at : at + 1]
        assert schema.align([{"at": value}])["at"].to_list() == WALL[at : at + 1]
        stored = caster(schema["at"])(value)
        assert dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=stored) == WALL[at]


def test_texts_with_offsets_are_utc_and_so_is_what_comes_with_a_zone_later():
    schema = infer(to_polars([{"at": moment.isoformat()} for moment in MOMENTS]))
    utc = [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in MOMENTS]

    assert schema["at"].zone == "UTC"
    for written in ("another zone", "UTC", "texts with offsets", "texts in UTC"):
        for at, value in enumerate(ELSEWHERE[written]):
            assert schema.align(to_polars([{"at": value}]))["at"].to_list() == utc[at : at + 1], written


def test_a_column_of_which_no_zone_is_known_keeps_the_clock_that_comes():
    schema = infer(to_polars([{"at": moment} for moment in WALL]))

    assert schema["at"].zone == ""
    assert schema.align(to_polars([{"at": moment} for moment in MOMENTS]))["at"].to_list() == WALL


OFFSETS = {
    "east": ["2024-01-31T23:30:00+01:00", "2024-07-01T00:30:00+01:00"],
    "half hours": ["2024-01-31T23:30:00+05:30", "2024-07-01T00:30:00+05:30"],
    "summer and winter": ["2024-01-31T23:30:00+01:00", "2024-07-01T00:30:00+02:00"],
    "a fraction of a second": ["2024-01-31T23:30:00.250000+01:00", "2024-07-01T00:30:00+01:00"],
}


def held(texts: list[str]) -> dict[str, Any]:
    """Return moments in every way in which they may come."""
    moments = [dt.datetime.fromisoformat(text) for text in texts]
    ways = {
        "texts": texts,
        "datetimes": moments,
        "pandas objects": pd.Series(moments, dtype=object),
        "one more is missing": [*moments, None],
    }
    if len({moment.utcoffset() for moment in moments}) == 1:
        ways["pandas"] = pd.Series(pd.DatetimeIndex(moments))
        ways["Arrow"] = pa.array([moment.astimezone(dt.UTC) for moment in moments], pa.timestamp("us", texts[0][-6:]))
    return ways


@pytest.mark.parametrize("written", OFFSETS)
def test_moments_with_nothing_but_an_offset_are_what_texts_with_it_are(written):
    texts = OFFSETS[written]
    utc = [dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None) for text in texts]
    wall = [dt.datetime.fromisoformat(text).replace(tzinfo=None) for text in texts]

    for way, values in held(texts).items():
        table = pa.table({"at": values}) if way == "Arrow" else pd.DataFrame({"at": values})
        frame = to_polars({"at": values} if isinstance(values, list) else table)
        schema = infer(frame)
        assert schema["at"].zone == "UTC", way
        assert schema.align(frame)["at"].to_list()[:2] == utc, way
        assert as_times(frame["at"])[0].to_list()[:2] == wall, way  # a forecast goes by days and hours on the spot
    for at, moment in enumerate(map(dt.datetime.fromisoformat, texts)):
        stored = caster(schema["at"])(moment)
        assert dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=stored) == utc[at]


def test_several_moments_of_several_zones_are_each_converted():
    column = Column("at", Kind.DATE, zone="UTC")
    several = [MOMENTS[0], MOMENTS[1].astimezone(ZoneInfo("Asia/Tokyo")), None]
    rows = [{"at": moment} for moment in several]

    found = Schema((column,)).align(rows)["at"].to_list()

    assert found == [*(moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in MOMENTS), None]


def test_a_date_among_moments_is_kept_and_so_is_for_ever():
    aware = dt.datetime(2024, 7, 1, 0, 30, tzinfo=BERLIN)
    for_ever = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))

    dates = to_polars([{"at": dt.date(2024, 7, 1)}, {"at": aware}, {"at": pd.NaT}])["at"]
    late = to_polars([{"at": for_ever}, {"at": dt.datetime(2024, 1, 1, tzinfo=ZoneInfo("America/New_York"))}])["at"]

    assert dates.to_list() == [dt.datetime(2024, 7, 1), dt.datetime(2024, 7, 1, 0, 30), None]
    assert late.to_list() == [for_ever.replace(tzinfo=None), dt.datetime(2024, 1, 1)]


class Odd(dt.tzinfo):
    """A zone as Python's own documentation writes one: it knows no offset of no moment."""

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        assert when is not None
        return dt.timedelta(hours=2 if 4 <= when.month <= 9 else 1)

    def dst(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)


def test_a_zone_of_ones_own_gives_each_moment_its_offset():
    frame = to_polars([{"at": moment.replace(tzinfo=Odd())} for moment in WALL])

    assert frame["at"].to_list() == ["2024-01-31T23:30:00+01:00", "2024-07-01T00:30:00+02:00"]


def test_gaps_and_mixtures_of_one_row_are_read_or_refused_with_a_sentence():
    schema = Schema((Column("at", Kind.DATE, zone="Europe/Berlin"),))

    assert schema.align([{"at": pd.NaT}])["at"].to_list() == [None]
    assert caster(schema["at"])(pd.NaT) is None
    assert schema.align([{"at": MOMENTS[0]}, {"at": WALL[1]}])["at"].to_list() == WALL


@pytest.mark.parametrize(
    "text", ["2024-03-29 23:00:00.000000+00:00", "2024-03-29 23:00+00:00", "2024-03-29T23:00:00Z "]
)
def test_a_text_with_an_offset_is_converted_however_it_is_written(text):
    found, fault = as_times(pl.Series("at", [text, "2024-03-31T00:00:00"]), Written("", "Europe/Berlin"))

    assert not fault
    assert found.to_list() == [dt.date(2024, 3, 30), dt.date(2024, 3, 31)]


def test_the_hour_that_comes_twice_is_in_order():
    first = dt.datetime(2024, 10, 27, 2, 50, tzinfo=BERLIN)
    second = dt.datetime(2024, 10, 27, 2, 10, tzinfo=BERLIN, fold=1)
    series = to_polars([{"at": first}, {"at": second}])["at"]

    assert np.diff(moments(series, Column("at", Kind.DATE)))[0] > 0


def test_a_day_as_a_name_says_no_offset():
    series = to_polars([{"at": moment} for moment in MOMENTS])["at"]

    assert [text[:19] for text in plain(series)] == [str(moment) for moment in WALL]
    assert cast_column(series, Column("at", Kind.CATEGORY))[0].to_list() == plain(series).tolist()


@pytest.mark.parametrize(
    ("zones", "wanted"),
    [
        (("America/New_York", "America/New_York"), "America/New_York"),
        (("America/New_York", "Europe/Berlin"), "UTC"),
        (("America/New_York", None), None),
    ],
)
def test_parts_of_a_folder_join_what_they_tell(tmp_path, zones, wanted):
    wall = pl.Series("at", WALL, dtype=pl.Datetime("us"))
    for number, (zone, unit) in enumerate(zip(zones, ("ns", "us"), strict=True)):
        one = wall.cast(pl.Datetime(unit))
        pl.DataFrame([one.dt.replace_time_zone(zone) if zone else one]).write_parquet(tmp_path / f"{number}.parquet")

    found = mantic.read(tmp_path)["at"]

    assert found.dtype == pl.Datetime("us", wanted)
    if wanted == "UTC":
        assert found[2].replace(tzinfo=None) == MOMENTS[0].astimezone(dt.UTC).replace(tzinfo=None)
    else:
        assert found.dt.replace_time_zone(None).to_list() == [*WALL, *WALL]


def test_a_column_without_a_name_stays_so_in_a_folder(tmp_path):
    for number in range(2):
        pl.DataFrame({"": [1, 2], "a": ["x", "y"]}).write_parquet(tmp_path / f"{number}.parquet")

    assert mantic.read(tmp_path).columns == ["", "a"]


def test_a_file_with_a_zone_that_has_no_name_says_so(tmp_path):
    table = pa.table({"at": pa.array(WALL, pa.timestamp("us", "+05:30"))})
    parquet.write_table(table, tmp_path / "one.parquet")

    with pytest.raises(SourceError, match="time zone without a name"):
        mantic.read(tmp_path / "one.parquet")


def test_a_zone_is_written_down_and_read_again():
    schema = infer(to_polars([{"at": moment} for moment in MOMENTS]))

    assert Schema.from_json(schema.to_json()) == schema
    with pytest.raises(ValueError, match="'at'"):
        Schema.from_json(Schema((Column("at", Kind.DATE, zone="Moon/Tranquility"),)).to_json())


def test_a_schema_of_before_zones_is_read():
    text = Schema((Column("at", Kind.DATE),)).to_json().replace(', "zone": ""', "")

    assert "zone" not in text
    assert Schema.from_json(text)["at"].zone == ""
