"""The holidays of a country or region, by the library of that name."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import numpy as np

from mantic.core.calendar import Unit
from mantic.core.errors import SettingsError
from mantic.core.holidays import Holidays
from mantic.core.lazy import need
from mantic.core.panel import Panel

_LANGUAGE = "en_US"
_MOST_NEAR, _MOST_SHOWN = 5, 20
_EPOCH = date(1970, 1, 1)
_BESIDE = 31  # days before and after the steps: a holiday there may have its eve, week or month among them


def with_holidays(panel: Panel, place: str, horizon: int) -> Panel:
    """Return a panel that knows the holidays of a place, from its first step to its horizon.

    Parameters
    ----------
    place : a country by its code of two letters, or a country and a region, as "DE-BY" or "US-CA".

    Raises
    ------
    SettingsError : if there is no such place, or if steps are plain numbers; names near matches.
    MissingExtraError : if the library is not installed.
    """
    if panel.calendar.unit is Unit.STEP:
        raise SettingsError(
            f"holidays of '{place}' need dates, and the column of time holds whole numbers", where="country",
            fix="give a column of dates, or leave country out",
        )  # fmt: skip
    ends = np.array([(panel.last - panel.lengths + 1).min(), panel.last.max() + horizon])
    first, last = (_day(one) for one in panel.calendar.times(ends).to_list())
    return replace(panel, holidays=_between(place, first - _BESIDE, last + _BESIDE))


def with_later_holidays(panel: Panel, before: Holidays, horizon: int) -> Panel:
    """Return a panel that knows the same holidays up to its own horizon, reckoned with as before; raises as above."""
    found = with_holidays(panel, before.place, horizon).holidays
    assert found is not None
    kept = replace(found, offsets=before.offsets, prior=before.prior, is_late=before.is_late)
    return replace(panel, holidays=kept)


def checked_place(place: str) -> str:
    """Return a country, or a country and a region, as it is written; "de-by" is "DE-BY". Raises as above."""
    country, region = _checked(place, _library())
    return f"{country}-{region}" if region else country


def _library() -> Any:
    return need("holidays", why="the holidays of a country")


def _between(place: str, first: int, last: int) -> Holidays:
    library = _library()
    country, region = _checked(place, library)
    years = range(*((_EPOCH + timedelta(days=one)).year + more for one, more in ((first, 0), (last, 1))))
    found = library.country_holidays(country, subdiv=region or None)
    language = _LANGUAGE if _LANGUAGE in found.supported_languages else None
    found = library.country_holidays(country, subdiv=region or None, years=years, language=language)
    named = {_day(one): name.partition(" (")[0] for one, name in sorted(found.items())}  # without "(observed)"
    days = np.array([one for one in named if first <= one <= last], dtype=np.int64)
    names = tuple(dict.fromkeys(named[int(one)] for one in days))
    which = np.array([names.index(named[int(one)]) for one in days], dtype=np.int64)
    return Holidays(str(place).strip().upper(), names, days, which, tuple(sorted(found.weekend)))


def _checked(place: str, library: Any) -> tuple[str, str]:
    """Return country and region as the library writes them.

    Raises
    ------
    SettingsError : if there are none such.
    """
    country, _, region = (part.strip().upper() for part in str(place).partition("-"))
    known = library.list_supported_countries()
    if country not in known:
        near = _near(country, library)
        said = f"near it are {', '.join(near)}; " if near else ""
        raise SettingsError(
            f"'{place}' is no country whose holidays are known", where="country",
            fix=f"{said}give two letters, as DE or US, and a region after a dash, as DE-BY",
        )  # fmt: skip
    regions = {one.upper(): one for one in known[country]}
    if region and region not in regions:
        near = get_close_matches(region, regions, n=_MOST_NEAR, cutoff=0.5) or list(regions)[:_MOST_SHOWN]
        shown = f"known are {', '.join(regions[one] for one in near)}" if near else f"'{country}' has no regions"
        raise SettingsError(f"'{region}' is no region of '{country}'", where="country", fix=shown)
    return country, regions.get(region, "")


def _near(word: str, library: Any) -> list[str]:
    """Return codes of countries whose code or English name is like a word, each with its name."""
    names = {name.upper(): f"{code} ({name})" for name, code, *_ in library.registry.COUNTRIES.values()}
    codes = {code: f"{code} ({name})" for name, code, *_ in library.registry.COUNTRIES.values()}
    found = [shown for name, shown in names.items() if name.startswith(word) or name.endswith(word)]
    for several in (names, codes):
        found += [several[one] for one in get_close_matches(word, several, n=_MOST_NEAR, cutoff=0.6)]
    return list(dict.fromkeys(found))[:_MOST_NEAR]


def _day(moment: date | datetime) -> int:
    """Return the days since 1970."""
    return (moment.date() if isinstance(moment, datetime) else moment).toordinal() - _EPOCH.toordinal()
