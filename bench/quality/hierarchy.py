"""Do forecasts of sums add up, and are they as good as the usual ways to make them do so?

``python bench/quality/hierarchy.py [--part validation] [--budget 60s] [--keep FILE]``. Australian tourism: 304 series
of eight states, 76 regions and four purposes, 425 with all sums. The official test rows, the last eight quarters, are
read only with ``--part test``; ``validation`` cuts eight more off and forecasts those, ``--back 8`` as many before.

The same forecasts of all nodes are made to add up by hierarchicalforecast too: bottom-up, top-down by three kinds of
proportions, and MinT with the shrunk covariance of the same errors of the past; ols and wls_struct are variants of it.
The score is RMSSE, in units of the mean squared change over four quarters, averaged over the nodes of each of six
levels, then over levels. Coherence is the largest difference between what a node is and what its series add up to.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from forecast import DATA, _keep, _short

import mantic
from mantic.core.lazy import quietly
from mantic.features.series.hierarchy import Hierarchy
from mantic.search.series.coherent import level_loss
from mantic.search.series.foretell import Told
from mantic.tasks import series_walk

HORIZON, SEASON = 8, 4
COLUMNS = ("State", "Region", "Purpose")
TREE = (("State",), ("State", "Region"), COLUMNS)  # what top-down can go down: it has to be a tree


def parts(*, part: str, back: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows to learn from, and the eight quarters after them."""
    frame = pl.read_parquet(DATA / "australia_tourism_dev.parquet")
    frame = frame.select(*COLUMNS, pl.col("ds").cast(pl.Date), pl.col("y").cast(pl.Float64)).sort(*COLUMNS, "ds")
    days = frame["ds"].unique().sort()
    end = len(days) - HORIZON - (0 if part == "test" else HORIZON + back)
    first, last = days[end], days[end + HORIZON - 1]
    return frame.filter(pl.col("ds") < first), frame.filter(pl.col("ds").is_between(first, last))


def fitted(learn: pl.DataFrame, *, budget: str, seed: int) -> tuple[mantic.Forecaster, Told]:
    """Return the forecaster, and the forecasts of all nodes, past and future, as they were before they added up."""
    seen: list[Told] = []
    add_up = series_walk.added_up

    def listened(told: Told, *rest: Any) -> Told:
        seen.append(told)
        return add_up(told, *rest)

    series_walk.added_up = listened
    try:
        model = mantic.Forecaster(HORIZON, budget=budget, seed=seed, levels=(80, 95), hierarchy="all")
        model.fit(learn, time="ds", target="y", series=COLUMNS)
    finally:
        series_walk.added_up = add_up
    return model, seen[0]


def others(hierarchy: Hierarchy, told: Told, past: np.ndarray) -> dict[str, np.ndarray]:
    """Return all nodes as hierarchicalforecast makes them add up, shape (n_nodes, horizon) each.

    Parameters
    ----------
    past : what was observed of all nodes, shape (n_nodes, n_steps).
    """
    with quietly():
        from hierarchicalforecast.methods import BottomUp, MinTrace, TopDown

        sums, base = hierarchy.matrix.toarray(), told.forecast
        errors = [np.moveaxis(one, 1, 0).reshape(len(sums), -1) for one in (told.found.truth, told.past)]
        tags = {name: np.unique(own) for name, own in zip(hierarchy.levels, hierarchy.owner, strict=True)}
        found = {"bottom-up": BottomUp().fit_predict(sums, base)["mean"]}
        chain = ["total", *(" / ".join(one) for one in TREE)]  # the others are no part of a tree
        rows = np.concatenate([tags[name] for name in chain])
        where = {name: np.searchsorted(rows, tags[name]) for name in chain}
        for kind in ("average_proportions", "proportion_averages", "forecast_proportions"):
            told_past = {} if kind.startswith("forecast") else {"y_insample": past[rows]}
            down = TopDown(kind).fit_predict(sums[rows], base[rows], tags=where, **told_past)["mean"]
            found[f"top-down, {kind}"] = hierarchy.sums(down[-hierarchy.n_bottom :])
        for kind in ("mint_shrink", "ols", "wls_struct"):
            found[f"MinT, {kind}"] = MinTrace(kind).fit_predict(sums, base, *errors)["mean"]
    return found


def measure(*, part: str, back: int, budget: str, seed: int) -> dict[str, Any]:
    """Fit, make it add up in all ways, and score."""
    learn, later = parts(part=part, back=back)
    started = time.monotonic()
    model, told = fitted(learn, budget=budget, seed=seed)
    answers = model.predict()
    seconds = time.monotonic() - started
    coherent = model.told_.coherent
    assert coherent is not None
    hierarchy, panel = coherent.hierarchy, model.told_.panel
    truth = hierarchy.sums(later["y"].to_numpy().reshape(-1, HORIZON))
    longest = panel.recent(int(panel.lengths.max()))
    past = np.nan_to_num(longest)
    change = panel.recent(longest.shape[1])
    unit = np.sqrt(np.nanmean((change[:, SEASON:] - change[:, :-SEASON]) ** 2, axis=1))
    own = answers["mean"].to_numpy().reshape(-1, HORIZON)
    ways = {"mantic": own, "not added up": told.forecast, **others(hierarchy, told, past)}
    rmsse = {name: level_loss(hierarchy, truth, one, unit) for name, one in ways.items()}
    apart = float(np.abs(own - hierarchy.sums(own[-hierarchy.n_bottom :])).max())
    futures = np.moveaxis(model.sample(50, seed=seed)["value"].to_numpy().reshape(-1, HORIZON, 50), -1, 0)
    apart = max(apart, float(np.abs(futures - hierarchy.sums(futures[:, -hierarchy.n_bottom :])).max()))
    best = min(value for name, value in rmsse.items() if name.startswith(("bottom-up", "top-down", "MinT, mint")))
    return {
        "value": rmsse["mantic"], "best of bottom-up, top-down, MinT": best, "gain": 1 - rmsse["mantic"] / best,
        "coherence error": apart, "way": coherent.name, "on the past": dict(coherent.losses), "rmsse": rmsse,
        "coverage": _coverage(hierarchy, truth, answers), "seconds": seconds,
    }  # fmt: skip


def _coverage(hierarchy: Hierarchy, truth: np.ndarray, answers: pl.DataFrame) -> dict[str, list[float]]:
    """Return the share of truths inside of the intervals at each level."""
    found = {}
    for name, low, high in (("80", "q0.1", "q0.9"), ("95", "q0.025", "q0.975")):
        ends = (answers[one].to_numpy().reshape(-1, HORIZON) for one in (low, high))
        is_in = (truth >= next(ends)) & (truth <= next(ends))
        found[name] = [float(is_in[np.unique(own)].mean()) for own in hierarchy.owner]
    return found


def main() -> None:
    """Print the figures as a JSON line."""
    options = argparse.ArgumentParser()
    options.add_argument("--part", choices=("validation", "test"), default="validation")
    options.add_argument("--back", type=int, default=0, help="quarters before the validation part")
    options.add_argument("--budget", default="60s")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="add the figures to this file of results")
    options.add_argument("--quick", action="store_true", help="a small budget, to see that it works")
    asked = options.parse_args()
    budget = "5s" if asked.quick else asked.budget
    found = measure(part=asked.part, back=asked.back, budget=budget, seed=asked.seed)
    back = f" {asked.back} earlier" if asked.back else ""
    figure = {"name": f"sums that add up, tourism, {asked.part}{back}, {budget}", "unit": "mean RMSSE over levels"}
    figure |= {key: _rounded(value) for key, value in found.items()}
    print(json.dumps(figure), flush=True)
    if asked.keep is not None:
        _keep(asked.keep, [figure])


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else _short(value)


if __name__ == "__main__":
    main()
