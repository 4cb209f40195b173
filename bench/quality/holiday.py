"""What a country's holidays, and columns that are known beforehand, bring to a forecast.

``python bench/quality/holiday.py [--budget "5 trials"] [--methods A,B] [--keep FILE] [SET ...]``. Sets are made here
with holiday effects that are known, apart from `victoria`: hourly load of Victoria, of which the last week (its test
rows) is cut off before anything else. Weeks that begin at `STARTS` are forecast from what came before each. Errors are
mean absolute ones as a share of the mean (WAPE, in per cent), on holidays with the day (or week) before and after, and
on all other steps. `known` is the temperature, as it came.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import holidays
import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from run import machine

import mantic
from mantic.search.series import foretell
from mantic.search.series.backtest import Menu

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "forecast"
N_TEST = 168  # the last hours of Victoria: nobody looks at them here
STARTS = tuple(datetime(2014, month, day) for month, day in ((1, 24), (4, 17), (5, 12), (6, 6), (7, 14), (9, 15)))


@dataclass(frozen=True)
class Case:
    """Rows to learn from, what came after, and how it is asked."""

    learn: pl.DataFrame
    later: pl.DataFrame
    horizon: int
    country: str
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def _days(place: str, first: date, last: date) -> dict[date, str]:
    country, _, region = place.partition("-")
    years = range(first.year, last.year + 2)
    return dict(holidays.country_holidays(country, subdiv=region or None, years=years))


def _shops(place: str = "DE-BY", *, effect: float = 1.0) -> Iterator[Case]:
    """Give eight shops that are closed on holidays and sell half as much more on the day before."""
    dates = [date(2020, 1, 1) + timedelta(days=one) for one in range(4 * 365)]
    own = _days(place, dates[0], dates[-1])
    factor = np.ones(len(dates))
    for number, day in enumerate(dates):
        factor[number] = 0.1 if day in own else 1.5 if day + timedelta(days=1) in own else 1.0
    factor = 1 + effect * (factor - 1)
    weekend = np.array([day.weekday() >= 5 for day in dates])
    frames = []
    for shop in range(8):
        chance = np.random.default_rng([7, shop])
        level = (20 + 12 * weekend) * (1 + shop) * np.exp(0.02 * np.cumsum(chance.normal(size=len(dates))) / 4)
        frames.append(pl.DataFrame({"time": dates, "shop": f"{shop}", "value": chance.poisson(level * factor)}))
    yield from _cut(
        pl.concat(frames), [date(2023, 4, 1), date(2023, 11, 27)], horizon=35, country=place, series=("shop",)
    )


def _traffic(place: str = "FR") -> Iterator[Case]:
    """Give hours of a counter whose holidays look like Sundays."""
    hours = [datetime(2022, 1, 1) + timedelta(hours=one) for one in range(24 * 730)]
    own, chance = _days(place, hours[0].date(), hours[-1].date()), np.random.default_rng(3)
    hour = np.array([one.hour for one in hours])
    free = np.array([one.weekday() >= 5 or one.date() in own for one in hours])
    shape = np.where(free, 3 + 2 * np.sin((hour - 9) / 24 * 2 * np.pi), 5 + 4 * np.sin((hour - 7) / 24 * 2 * np.pi))
    value = 100 * shape * np.exp(0.05 * chance.normal(size=len(hours)))
    yield from _cut(
        pl.DataFrame({"time": hours, "value": value}),
        [datetime(2023, 4, 29), datetime(2023, 7, 12)],
        horizon=240,
        country=place,
    )


def _calls(place: str = "US") -> Iterator[Case]:
    """Give calls from Monday to Friday: none on holidays, twice as many on the day after."""
    dates = [one for one in (date(2019, 1, 1) + timedelta(days=n) for n in range(1825)) if one.weekday() < 5]
    own, chance = _days(place, dates[0], dates[-1]), np.random.default_rng(5)
    is_own = np.array([one in own for one in dates])
    after = np.r_[False, is_own[:-1]] & ~is_own
    weekday = np.array([one.weekday() for one in dates])
    value = chance.poisson((200 - 20 * weekday) * np.where(is_own, 0.05, np.where(after, 1.6, 1.0)))
    yield from _cut(
        pl.DataFrame({"time": dates, "value": value}),
        [date(2023, 5, 15), date(2023, 11, 13)],
        horizon=30,
        country=place,
    )


def _parcels(place: str = "DE", *, named_by: int = 0) -> Iterator[Case]:
    """Give weeks of four depots that lose a fifth for every weekday that is a holiday."""
    weeks = [date(2018, 1, 1) + timedelta(weeks=one) for one in range(310)]
    own = _days(place, weeks[0], weeks[-1])
    lost = np.array([sum(week + timedelta(days=one) in own for one in range(5)) for week in weeks])
    frames = []
    for depot in range(4):
        chance = np.random.default_rng([11, depot])
        season = 1 + 0.2 * np.sin(2 * np.pi * np.arange(len(weeks)) / 52.18)
        value = 1000 * (1 + depot) * season * (1 - lost / 5) * np.exp(0.03 * chance.normal(size=len(weeks)))
        shown = [week + timedelta(days=named_by) for week in weeks]
        frames.append(pl.DataFrame({"time": shown, "depot": f"{depot}", "value": value}))
    starts = [date(2023, 3, 27) + timedelta(days=named_by), date(2023, 9, 25) + timedelta(days=named_by)]
    yield from _cut(pl.concat(frames), starts, horizon=14, country=place, series=("depot",))


def _orders(place: str = "DE-BY") -> Iterator[Case]:
    """Give months of five firms that follow the working days."""
    months = [date(2012 + one // 12, 1 + one % 12, 1) for one in range(144)]
    own = np.array(sorted(_days(place, months[0], months[-1])), dtype="datetime64[D]")
    first = np.array(months, dtype="datetime64[M]")
    worked = np.busday_count(first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"), holidays=own)
    frames = []
    for firm in range(5):
        chance = np.random.default_rng([13, firm])
        season = 1 + 0.1 * np.sin(2 * np.pi * np.arange(144) / 12 + firm)
        value = 50 * (1 + firm) * season * worked / 21 * np.exp(0.02 * chance.normal(size=144))
        frames.append(pl.DataFrame({"time": months, "firm": f"{firm}", "value": value}))
    yield from _cut(
        pl.concat(frames), [date(2022, 1, 1), date(2023, 1, 1)], horizon=12, country=place, series=("firm",)
    )


def _victoria(*, known: tuple[str, ...] = ()) -> Iterator[Case]:
    rows = pl.read_parquet(DATA / "vic_electricity_hourly_dev.parquet").sort("ds")[:-N_TEST]
    rows = rows.rename({"ds": "time", "demand": "value"}).select("time", "value", *known)
    for one in _cut(rows, STARTS, horizon=168, country="AU-VIC"):
        yield Case(one.learn, one.later, one.horizon, one.country, known=known)


def _cut(
    rows: pl.DataFrame, starts: Any, *, horizon: int, country: str, series: tuple[str, ...] = ()
) -> Iterator[Case]:
    for start in starts:
        later = rows.filter(pl.col("time") >= start).filter(
            pl.int_range(pl.len()).over(list(series) or pl.lit(1)) < horizon
        )
        yield Case(rows.filter(pl.col("time") < start), later, horizon, country, series)


SETS: dict[str, Callable[[], Iterator[Case]]] = {
    "shops": _shops,
    "shops_without_effect": lambda: _shops(effect=0.0),
    "traffic": _traffic,
    "calls": _calls,
    "parcels_by_monday": _parcels,
    "parcels_by_sunday": lambda: _parcels(named_by=6),
    "orders": _orders,
    "victoria": _victoria,
    "victoria_known": lambda: _victoria(known=("temperature",)),
}


def measure(name: str, *, budget: str) -> dict[str, Any]:
    """Return the errors of a set, without and with the country."""
    found: dict[str, Any] = {}
    started = time.process_time()
    for way in ("without", "with"):
        missed = np.zeros((2, 2))  # on holidays and beside, elsewhere; errors, truths
        used = []
        for case in SETS[name]():
            model = mantic.Forecaster(case.horizon, budget=budget, country=case.country if way == "with" else None)
            model.fit(case.learn, time="time", target="value", series=case.series, known=case.known)
            rows = case.later.select("time", *case.series, *case.known)
            away = np.abs(model.predict(rows)["mean"].to_numpy() - case.later["value"].to_numpy())
            near = _is_near(case)
            for place, one in enumerate((near, ~near)):
                missed[place] += away[one].sum(), case.later["value"].to_numpy()[one].sum()
            used.append(model.report_.facts.get("holidays", {}).get("is_used"))
            model_weights = {key: round(value, 2) for key, value in model.report_.facts["weights"].items()}
        wape = 100 * missed[:, 0] / np.maximum(1e-9, missed[:, 1])
        found[way] = {
            "near_holidays": round(wape[0], 3), "elsewhere": round(wape[1], 3),
            "all": round(100 * missed[:, 0].sum() / missed[:, 1].sum(), 3), "weights_of_last": model_weights,
        }  # fmt: skip
        found["n_used"] = sum(map(bool, used))
    return found | {"cpu_seconds": round(time.process_time() - started, 1), "load": round(os.getloadavg()[0], 2)}


def _is_near(case: Case) -> np.ndarray:
    """Return which of the later rows lie on a holiday or the day before or after; in weeks and months, hold one."""
    dates = case.later["time"].cast(pl.Date).to_list()
    own = _days(case.country, min(dates), max(dates) + timedelta(days=31))
    step = max(1, int(case.later["time"].cast(pl.Date).unique().sort().diff().drop_nulls().median().days))
    reach = range(-1, 2) if step == 1 else range(-6, 7)
    return np.array([any(day + timedelta(days=one) in own for one in reach) for day in dates])


def main() -> None:
    """Print a figure for each set that was named, or for all, as JSON lines."""
    options = argparse.ArgumentParser()
    options.add_argument("sets", nargs="*", metavar="SET")
    options.add_argument("--budget", default="5 trials")
    options.add_argument("--methods", type=lambda text: text.split(","), help="beside the naive family (all)")
    options.add_argument("--keep", type=Path, help="write the figures to this file of results")
    options.add_argument("--quick", action="store_true", help="one small set, to see that it works")
    asked = options.parse_args()
    foretell.Menu = partial(Menu, names=asked.methods)
    figures = []
    for name in asked.sets or (["orders"] if asked.quick else SETS):
        found = measure(name, budget="1 trial" if asked.quick else asked.budget)
        figure = {"name": f"holidays, {name}", "value": found["with"]["all"], "unit": "WAPE, per cent"}
        figures.append(figure | found)
        print(json.dumps(figures[-1]), flush=True)
    if asked.keep is not None:
        about = {"name": asked.keep.stem, "machine": machine(), "figures": figures}
        asked.keep.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
