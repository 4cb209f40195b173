"""Moments of one column mean the same, however their time zone is written."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pytest

from mantic.core.cast_row import caster
from mantic.core.schema import Column, Kind, Schema
from mantic.features.infer import infer
from mantic.sources.frames import to_polars

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


def test_a_zone_is_written_down_and_read_again():
    schema = infer(to_polars([{"at": moment} for moment in MOMENTS]))

    assert Schema.from_json(schema.to_json()) == schema
    with pytest.raises(ValueError, match="'at'"):
        Schema.from_json(Schema((Column("at", Kind.DATE, zone="Moon/Tranquility"),)).to_json())


def test_a_schema_of_before_zones_is_read():
    text = Schema((Column("at", Kind.DATE),)).to_json().replace(', "zone": ""', "")

    assert "zone" not in text
    assert Schema.from_json(text)["at"].zone == ""
