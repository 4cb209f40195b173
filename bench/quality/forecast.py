"""How good are forecasts, and do their intervals hold?

``python bench/quality/forecast.py [--part validation] [--budget 60s] [--keep FILE] [SET ...]``. A series' official test
rows are read here and nowhere else, and only with ``--part test``: what is chosen is chosen with ``--part validation``,
which cuts the last steps of TRAIN off and forecasts those. Data and rules are those of the README beside the sets:
sMAPE and MASE
are averaged over series first, OWA is the mean of their ratios to Naive2, MSIS and coverage are those of 95 %
intervals, and car parts are judged by the scaled pinball loss at 0.5, 0.75, 0.9 and 0.95: in units of the mean
absolute change from month to month, over series without a gap that sold in three months or more of the past.
`forecast_anchors.py` holds that scale to published figures. `coverage80` and `coverage95` are means over series;
`pooled80` and `pooled95` over all values.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from run import machine

import mantic
from mantic.core.season import season_of

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "forecast"
LEVELS = (50, 80, 90, 95)
_TINY = 1e-12
_LEAST_SOLD = 3  # months with sales that a rare series needs


@dataclass(frozen=True)
class Set:
    """A set of series.

    Parameters
    ----------
    file, part : where it lies; of M3, which frequency.
    horizon : steps to forecast.
    season : of the official MASE and Naive2.
    cycles : what the forecaster is told of the season; None where dates tell it.
    is_rare : whether demand is mostly 0: then quantiles are what counts, in units of the change from step to step.
    """

    file: str
    horizon: int
    season: int
    cycles: tuple[int, ...] | None
    part: str = ""
    is_rare: bool = False


SETS = {
    "m4_weekly": Set("m4_weekly_dev", 13, 1, (52,)),
    "m4_hourly": Set("m4_hourly_dev", 48, 24, (24, 168)),
    "m3_yearly": Set("m3_dev", 6, 1, (1,), "yearly"),
    "m3_quarterly": Set("m3_dev", 8, 4, (4,), "quarterly"),
    "m3_monthly": Set("m3_dev", 18, 12, (12,), "monthly"),
    "m3_other": Set("m3_dev", 8, 1, (1,), "other"),
    "hospital": Set("hospital_dev", 12, 12, None),
    "carparts": Set("carparts_dev", 12, 12, None, is_rare=True),
}


@dataclass(frozen=True)
class Task:
    """Rows to learn from, and what came after, by series."""

    learn: pl.DataFrame
    time: str
    truth: dict[str, np.ndarray]
    past: dict[str, np.ndarray]


def task_of(name: str, *, part: str, data: Path = DATA) -> Task:
    """Return what is learned from and what is asked; of the test rows nothing is seen in "validation"."""
    one = SETS[name]
    frame = pl.read_parquet(data / f"{one.file}.parquet")
    if one.part:
        frame = frame.filter(pl.col("freq") == one.part)
    when = "t" if "t" in frame.columns else "ds"
    frame = frame.sort("unique_id", when)
    if "split" in frame.columns:
        is_test = pl.col("split") == "test"
    else:
        is_test = pl.int_range(pl.len()).over("unique_id") >= pl.len().over("unique_id") - one.horizon
    train, test = frame.filter(~is_test), frame.filter(is_test)
    if part == "validation":
        is_late = pl.int_range(pl.len()).over("unique_id") >= pl.len().over("unique_id") - one.horizon
        train, test = train.filter(~is_late), train.filter(is_late)
    learn = train.select("unique_id", when, "y")
    return Task(learn, when, _by_series(test, when), _by_series(learn, when))


def _by_series(frame: pl.DataFrame, when: str) -> dict[str, np.ndarray]:
    rows = frame.sort("unique_id", when).group_by("unique_id", maintain_order=True).agg("y")
    return {key: np.array(values, dtype=float) for key, values in rows.iter_rows()}


def naive2(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return the official benchmark: the last value, without and with the season where a test finds one."""
    seen = values[~np.isnan(values)]
    found = season_of(seen[None], season if len(seen) >= 3 * season else 1)
    return found.into(np.full((1, horizon), found.out_of(seen[None])[0, -1]))[0]


def scores(name: str, task: Task, answers: pl.DataFrame) -> dict[str, Any]:
    """Return the official figures of a table with series, mean, median and quantiles."""
    one, rows = SETS[name], []
    for key, found in _answers(answers, task):
        truth, past = task.truth[key], task.past[key]
        is_known = ~np.isnan(truth)
        seen = past[~np.isnan(past)]
        scale = _scale(seen, 1 if one.is_rare else one.season)
        if not is_known.any() or scale <= 0:
            continue
        if one.is_rare and (not is_known.all() or len(seen) < len(past) or (seen > 0).sum() < _LEAST_SOLD):
            continue
        reference = naive2(past, one.season, len(truth))
        rows.append(_row(truth[is_known], {k: v[is_known] for k, v in found.items()}, reference[is_known], scale))
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    n_values = np.array([row["n_values"] for row in rows])
    for level in ("80", "95"):  # of all values together
        inside = np.array([row[f"coverage{level}"] for row in rows])
        means[f"pooled{level}"] = float((inside * n_values).sum() / n_values.sum())
    owa = (means["smape"] / means["smape_naive2"] + means["mase"] / means["mase_naive2"]) / 2
    return {"owa": owa, **means, "n_series": len(rows)}


def _scale(seen: np.ndarray, season: int) -> float:
    return float(np.abs(seen[season:] - seen[:-season]).mean()) if len(seen) > season else 0.0


def _answers(answers: pl.DataFrame, task: Task) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    columns = [column for column in answers.columns if column not in ("unique_id", task.time)]
    for (key,), rows in answers.group_by("unique_id", maintain_order=True):
        yield str(key), {column: rows[column].to_numpy() for column in columns}


def _row(truth: np.ndarray, found: dict[str, np.ndarray], reference: np.ndarray, scale: float) -> dict[str, float]:
    guess, low, high = found["mean"], found["q0.025"], found["q0.975"]
    outside = 2 / 0.05 * (np.maximum(low - truth, 0) + np.maximum(truth - high, 0))
    quantiles = {0.5: found["median"], 0.75: found["q0.75"], 0.9: found["q0.9"], 0.95: found["q0.95"]}
    pinball = [np.maximum(p * (truth - q), (p - 1) * (truth - q)).mean() for p, q in quantiles.items()]
    return {
        "smape": _smape(truth, guess), "smape_naive2": _smape(truth, reference),
        "mase": float(np.abs(truth - guess).mean()) / scale,
        "mase_naive2": float(np.abs(truth - reference).mean()) / scale,
        "rmsse": float(np.sqrt(((truth - guess) ** 2).mean())) / scale,
        "msis": float((high - low + outside).mean()) / scale,
        "coverage95": float(((truth >= low) & (truth <= high)).mean()),
        "coverage80": float(((truth >= found["q0.1"]) & (truth <= found["q0.9"])).mean()),
        "pinball": float(np.mean(pinball)) / scale, "n_values": len(truth),
    }  # fmt: skip


def _smape(truth: np.ndarray, guess: np.ndarray) -> float:
    return float((200 * np.abs(truth - guess) / np.maximum(_TINY, np.abs(truth) + np.abs(guess))).mean())


def measure(name: str, *, part: str, budget: str, data: Path = DATA, seed: int = 0) -> dict[str, Any]:
    """Fit within the budget, forecast, and score."""
    one, task = SETS[name], task_of(name, part=part, data=data)
    started = time.monotonic()
    model = mantic.Forecaster(one.horizon, budget=budget, seed=seed, levels=LEVELS, season=one.cycles)
    model.fit(task.learn, time=task.time, target="y", series="unique_id")
    answers = model.predict()
    seconds = time.monotonic() - started
    facts = model.report_.facts
    return {
        **scores(name, task, answers), "seconds": round(seconds, 2), "load": round(os.getloadavg()[0], 2),
        "level": facts["level"], "weights": {k: round(v, 3) for k, v in facts["weights"].items()},
        "promised_owa": facts["metrics"].get("owa"),
    }  # fmt: skip


def main() -> None:
    """Print a figure for each set that was named, or for all, as JSON lines."""
    options = argparse.ArgumentParser()
    options.add_argument("sets", nargs="*", metavar="SET")
    options.add_argument("--part", choices=("validation", "test"), default="validation")
    options.add_argument("--budget", default="60s")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--keep", type=Path, help="add the figures to this file of results")
    options.add_argument("--quick", action="store_true", help="one small set, to see that it works")
    asked = options.parse_args()
    figures, budget = [], "5s" if asked.quick else asked.budget
    for name in asked.sets or (["m3_other"] if asked.quick else SETS):
        found = measure(name, part=asked.part, budget=budget, data=asked.data)
        main_one = "pinball" if SETS[name].is_rare else "owa"
        unit = "scaled pinball loss" if SETS[name].is_rare else "OWA"
        figure = {"name": f"forecast, {name}, {asked.part}, {budget}", "value": round(found[main_one], 4), "unit": unit}
        figures.append(figure | {key: _short(value) for key, value in found.items()})
        print(json.dumps(figures[-1]), flush=True)
    if asked.keep is not None:
        _keep(asked.keep, figures)


def _short(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _keep(file: Path, figures: list[dict[str, Any]]) -> None:
    """Add figures to a file of results; those of the same name are replaced."""
    before = json.loads(file.read_text("utf-8"))["figures"] if file.exists() else []
    fresh = {one["name"] for one in figures}
    kept = [one for one in before if one["name"] not in fresh] + figures
    about = {"name": file.stem, "machine": machine(), "figures": kept}
    file.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
