"""Columns of moments: what the clock on the wall shows, and in which time zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

import polars as pl

from mantic.core.schema import is_zone

_OFFSETS = "Etc/"  # names of zones that are nothing but an offset
_WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%.6f%:z"


def moments_of(name: str, values: Sequence[Any]) -> pl.Series:
    """Return dates and datetimes, with None and NaT for gaps, as a column.

    Moments of one time zone keep it. Others with offsets become texts with their offsets, which say both the moment and
    what the clock on the wall showed. Where some have no zone the clock counts.

    >>> from datetime import timedelta, timezone
    >>> moments_of("at", [datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))]).to_list()
    ['2024-07-01T12:00:00+02:00']
    """
    known = [None if value is None or value != value else _plain(value) for value in values]
    if not any(isinstance(value, datetime) for value in known):
        return pl.Series(name, known, dtype=pl.Date)
    wall = [None if value is None else _wall(value) for value in known]
    zones = {getattr(value, "tzinfo", None) for value in known if value is not None}
    if None in zones:
        return pl.Series(name, wall, dtype=pl.Datetime("us"))
    names = {zone_name(zone) for zone in zones if zone is not None}
    if len(names) > 1 or "" in names:
        return pl.Series(name, [None if value is None else value.isoformat() for value in known], dtype=pl.String)
    try:
        instants = [None if value is None else _wall(value.astimezone(UTC)) for value in known]
    except OverflowError:  # "for ever", in a zone where that is another year
        return pl.Series(name, wall, dtype=pl.Datetime("us"))
    return in_zone(pl.Series(name, instants, dtype=pl.Datetime("us")), names.pop())


def in_zone(instants: pl.Series, zone: str) -> pl.Series:
    """Return moments of UTC in a time zone."""
    return instants.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def without_offset_zone(moments: pl.Series) -> pl.Series:
    """Return a column whose zone is nothing but an offset as texts with that offset; others as they are."""
    zone = getattr(moments.dtype, "time_zone", None) or ""
    return moments.dt.strftime(_WITH_OFFSET) if zone.startswith(_OFFSETS) and zone != "Etc/UTC" else moments


def zone_name(zone: tzinfo) -> str:
    """Return the name of a time zone; empty where it has none, as offsets have.

    >>> from datetime import timedelta, timezone
    >>> zone_name(UTC), zone_name(timezone(timedelta(hours=2)))
    ('UTC', '')
    """
    found = getattr(zone, "key", None) or getattr(zone, "zone", None)  # of zoneinfo, of pytz
    name = "UTC" if zone is UTC else str(found or "")
    return name if name and not name.startswith(_OFFSETS) and is_zone(name) else ""


def by_the_clock(moments: pl.Series, zone: str = "") -> pl.Series:
    """Return moments without a zone, as the clock on the wall of a zone shows them, or where none is told their own."""
    if zone and getattr(moments.dtype, "time_zone", None):
        moments = moments.dt.convert_time_zone(zone)
    return moments.dt.replace_time_zone(None)


def _plain(value: Any) -> Any:
    return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value


def _wall(value: date) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())
