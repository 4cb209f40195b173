"""How good are forecasts of an outbreak from what was known on the day, and do their intervals hold?

``python bench/quality/outbreak.py [--season 2022-23|2023-24|2024-25] [--budget 60s] [--every N] [--keep FILE]``.
For each date of the hub's ensemble a Forecaster is fitted on the vintages of before that date and nothing else, and its
23 quantiles are scored on final values by the weighted interval score, as a share of FluSight-baseline's on the same
dates, places and horizons; the ensemble's share is of the same. Final values are read here and nowhere else.

Voices that are asked the same twice, as two dates ask what was known on a third, answer once (`--alone` asks anew, and
is what times are measured with); the figures are the same.

2022-23 lies before the first vintage: it is cut out of that one, has no revisions and no hub, and is held against the
member "flat". It is the season on which things are chosen.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from run import machine

import mantic
from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.features.series.assemble import Roles
from mantic.features.series.revision import Revision, learned
from mantic.features.series.vintages import Known, Vintages, filled, known
from mantic.learners.outbreak import flat
from mantic.search.series import outbreak_search
from mantic.search.series.outbreak_mix import MEMBERS, blend
from mantic.search.series.outbreak_search import foresee, then

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "forecast"
HORIZON, WEEK = 4, timedelta(days=7)
SEASONS = {
    "2022-23": (date(2022, 10, 22), date(2023, 5, 13)),
    "2023-24": (date(2023, 8, 1), date(2024, 8, 1)),
    "2024-25": (date(2024, 8, 1), date(2025, 8, 1)),
}
ROLES = Roles("date", "value", ("location",), (), "as_of")


@dataclass(frozen=True)
class Hub:
    """The data of the hub: what was known when, what became of it, and forecasts of others in long form."""

    vintages: pl.DataFrame
    truth: pl.DataFrame
    others: pl.DataFrame

    @classmethod
    def read(cls, data: Path) -> "Hub":
        """Return the three tables, with dates as dates."""
        names = ("vintages", "truth", "reference")
        vintages, truth, others = (pl.read_parquet(data / f"flusight_{name}_dev.parquet") for name in names)
        vintages = vintages.with_columns(pl.col("date", "as_of").cast(pl.Date), pl.col("value").cast(pl.Float64))
        others = others.with_columns(
            pl.col("reference_date").cast(pl.Date), pl.col("h").cast(pl.Int64), pl.col("q").cast(pl.Float64).round(4),
            pl.col("value").cast(pl.Float64),
        )  # fmt: skip
        return cls(vintages, truth.with_columns(pl.col("date").cast(pl.Date)), others)

    def dates(self, season: str) -> list[date]:
        """Return the reference dates of a season whose data of a week before are there."""
        first, last = SEASONS[season]
        if season == "2022-23":
            return [first + WEEK * place for place in range((last - first).days // 7 + 1)]
        own = self.others.filter(
            (pl.col("model") == "FluSight-ensemble") & pl.col("reference_date").is_between(first, last)
        )
        days = set(self.vintages["as_of"].to_list())
        return [one for one in own["reference_date"].unique().sort().to_list() if one - WEEK in days]

    def known(self, day: date) -> pl.DataFrame:
        """Return what was known a week before a reference date; of the time before the first vintage, that one cut."""
        first = min(self.vintages["as_of"].to_list())
        until = day - WEEK
        if until < first:
            rows = self.vintages.filter((pl.col("as_of") == first) & (pl.col("date") <= until))
            return rows.with_columns(pl.lit(until).alias("as_of"))
        return self.vintages.filter(pl.col("as_of") <= until)


def _as_told(vintages: Vintages, day: int, n_series: int) -> tuple[np.ndarray, Revision]:
    """Stand for the nowcast, and correct nothing."""
    return filled(vintages.at(day, n_series)), learned(vintages, day, n_series)


def remembering() -> None:
    """Let each voice answer the same question once: what one date asks of the past, the next one asks too."""
    for name, member in MEMBERS.items():
        MEMBERS[name] = replace(member, foresee=_remembered(member.foresee))


def _remembered(foresee: Callable[[Curves, Run], np.ndarray]) -> Callable[[Curves, Run], np.ndarray]:
    held: dict[bytes, np.ndarray] = {}

    def answer(curves: Curves, run: Run) -> np.ndarray:
        key = hashlib.sha256(b"".join(one.tobytes() for one in (curves.values, curves.phase, curves.offset))).digest()
        if key not in held:
            held[key] = foresee(curves, run)
        return held[key]

    return answer


def forecast(rows: pl.DataFrame, *, budget: str) -> pl.DataFrame:
    """Return the 23 quantiles in long form: location, date, q, value."""
    levels = sorted({round(100 * (1 - 2 * float(tail)), 4) for tail in LEVELS if tail < 0.5})
    model = mantic.Forecaster(HORIZON, budget=budget, levels=levels)
    model.fit(rows, time="date", target="value", series="location", as_of="as_of")
    table = model.predict()
    names = [name for name in table.columns if name.startswith("q0.")]
    long = table.rename({"median": "q0.5"}).unpivot(["q0.5", *names], index=["location", "date"], variable_name="q")
    return long.with_columns(pl.col("q").str.slice(1).cast(pl.Float64).round(4))


def baseline(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the quantiles of the member "flat" alone, where there is no hub."""
    held = known(rows, ROLES, freq=None, seasons=None)
    curves = then(held, int(held.panel.last.max()) - held.first, HORIZON)
    return _long(held, flat.foresee(curves, Run(seed=0)))


def _long(held: Known, found: np.ndarray) -> pl.DataFrame:
    places = np.indices(found.shape)
    dates = held.panel.calendar.times(held.panel.last[0] + 1 + np.arange(HORIZON))
    return pl.DataFrame(
        {
            "location": held.ids["location"].gather(places[0].ravel()), "date": dates.gather(places[1].ravel()),
            "q": np.round(LEVELS, 4)[places[2].ravel()], "value": found.ravel(),
        }
    )  # fmt: skip


def scored(long: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return the interval score of each place and date, on the values and on log(1 + value), and whether they held."""
    joined = long.join(truth.rename({"value": "came"}), on=["location", "date"])
    away, logs = pl.col("came") - pl.col("value"), pl.col("came").log1p() - pl.col("value").log1p()
    q = pl.col("q")

    def held(tail: float) -> pl.Expr:
        low = pl.col("value").filter((q - tail).abs() < 1e-6).first()
        high = pl.col("value").filter((q - (1 - tail)).abs() < 1e-6).first()
        came = pl.col("came").first()
        return (came >= low) & (came <= high)

    return joined.group_by("location", "date").agg(
        (2 * pl.max_horizontal(q * away, (q - 1) * away)).mean().alias("wis"),
        (2 * pl.max_horizontal(q * logs, (q - 1) * logs)).mean().alias("log"),
        held(0.025).alias("in95"), held(0.25).alias("in50"), pl.len().alias("n_levels"),
    ).filter(pl.col("n_levels") == len(LEVELS))  # fmt: skip


def of_model(hub: Hub, model: str, day: date) -> pl.DataFrame:
    """Return another's quantiles for a reference date in long form."""
    own = hub.others.filter((pl.col("model") == model) & (pl.col("reference_date") == day))
    ahead = own.with_columns((pl.col("reference_date") + pl.duration(weeks=pl.col("h"))).cast(pl.Date).alias("date"))
    return ahead.select("location", "date", "q", "value")


def voices(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the quantiles of each voice alone, and of the blend without each voice, from what was known."""
    held = known(rows, ROLES, freq=None, seasons=None)
    found = foresee(held, HORIZON, Run(seed=0))
    curves, names = found.curves, np.array(found.names)
    values = np.concatenate([curves.values, np.full((len(curves), HORIZON), np.nan)], axis=1)
    truth = np.stack([values[:, one + 1 : one + 1 + HORIZON] for one in found.origins])
    age = (curves.n_steps - 1 - found.origins).astype(float)
    parts = {f"{name} alone": found.voices[place] for place, name in enumerate(names)}
    for name in names[[not MEMBERS[one].is_spare for one in names]]:
        kept = names != name
        spare = np.array([MEMBERS[one].is_spare for one in names[kept]])
        own = blend(found.voices_past[kept], truth, offset=curves.offset, age=age, is_spare=spare)
        parts[f"without {name}"] = own.mix(found.voices[kept], curves.offset)
    parts["not widened"] = replace(found.blend, factor=1.0).mix(found.voices, curves.offset)
    return {name: _long(held, np.sort(one, axis=-1)) for name, one in parts.items()}


def summary(parts: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Return shares of the baseline's score on what all have forecast, and how often intervals held."""
    key = ["reference", "location", "date"]
    common = parts["baseline"].select(key)
    for own in parts.values():
        common = common.join(own.select(key), on=key, how="semi")
    parts = {name: own.join(common, on=key, how="semi").sort(key) for name, own in parts.items()}
    states = {name: own.filter(pl.col("location") != "US") for name, own in parts.items()}
    found: dict[str, Any] = {"n_scored": common.height}
    for name, own in parts.items():
        found[name] = {
            "relative_wis": own["wis"].sum() / parts["baseline"]["wis"].sum(),
            "states_only": states[name]["wis"].sum() / states["baseline"]["wis"].sum(),
            "on_log_scale": own["log"].sum() / parts["baseline"]["log"].sum(),
            "coverage95": own["in95"].mean(), "coverage50": own["in50"].mean(),
        }  # fmt: skip
    return found


def measure(hub: Hub, season: str, *, budget: str, every: int, is_split: bool) -> dict[str, Any]:
    """Forecast each date of a season by what was known, and score."""
    parts: dict[str, list[pl.DataFrame]] = {}
    seconds, cpu = [], []
    for day in hub.dates(season)[::every]:
        rows, begun = hub.known(day), (time.monotonic(), time.process_time())
        own = forecast(rows, budget=budget)
        seconds.append(time.monotonic() - begun[0])
        cpu.append(time.process_time() - begun[1])
        said = {"mantic": own}
        if season == "2022-23":
            said["baseline"] = baseline(rows)
        else:
            said |= {
                "baseline": of_model(hub, "FluSight-baseline", day),
                "ensemble": of_model(hub, "FluSight-ensemble", day),
            }
        if is_split:
            said |= voices(rows)
        for name, long in said.items():
            one = scored(long, hub.truth).with_columns(pl.lit(day).alias("reference"))
            parts.setdefault(name, []).append(one)
        print(f"{day} {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
    found = summary({name: pl.concat(some) for name, some in parts.items()})
    times = {"seconds_mean": float(np.mean(seconds)), "seconds_most": max(seconds), "cpu_mean": float(np.mean(cpu))}
    return {**found, "n_dates": len(seconds), **times}


def main() -> None:
    """Print a figure for each season, as JSON lines."""
    options = argparse.ArgumentParser()
    options.add_argument("--season", action="append", choices=list(SEASONS))
    options.add_argument("--budget", default="60s")
    options.add_argument("--every", type=int, default=1, help="only each n-th date")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--keep", type=Path, help="add the figures to this file of results")
    options.add_argument("--quick", action="store_true", help="three dates with little time, to see that it works")
    options.add_argument("--alone", action="store_true", help="each date asks all voices anew, as a user does")
    options.add_argument("--voices", action="store_true", help="score each voice alone, and the blend without each")
    options.add_argument("--as-told", action="store_true", help="take the latest values as told, without the nowcast")
    asked = options.parse_args()
    if asked.as_told:
        outbreak_search.nowcast = _as_told
    if not asked.alone:
        remembering()
    hub, figures = Hub.read(asked.data), []
    budget, every = ("5s", 15) if asked.quick else (asked.budget, asked.every)
    for season in asked.season or ["2023-24", "2024-25"]:
        found = measure(hub, season, budget=budget, every=every, is_split=asked.voices)
        name = f"outbreak, FluSight {season}, {budget}" + (f", each {every}th date" if every > 1 else "")
        name += ", as told" if asked.as_told else ""
        value = round(found["mantic"]["relative_wis"], 4)
        figures.append({"name": name, "value": value, "unit": "relative WIS", **_short(found)})
        print(json.dumps(figures[-1]), flush=True)
    if asked.keep is not None:
        _keep(asked.keep, figures)


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _keep(file: Path, figures: Sequence[dict[str, Any]]) -> None:
    """Add figures to a file of results; those of the same name are replaced."""
    before = json.loads(file.read_text("utf-8"))["figures"] if file.exists() else []
    fresh = {one["name"] for one in figures}
    kept = [one for one in before if one["name"] not in fresh] + list(figures)
    about = {"name": file.stem, "machine": machine(), "figures": kept}
    file.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
