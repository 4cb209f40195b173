"""Fewer members, until one row is answered within the time that the user allows."""

import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from mantic.search.blend import Blend
from mantic.search.plan import Search
from mantic.search.refit import Fits, Recipe, assemble, recipe
from mantic.search.row import row_plan

_ROWS = 200
_LEAST_ROWS = 5
_SECONDS = 0.05  # for measuring one model


def row_seconds(model: Blend, frame: pl.DataFrame, *, seed: int) -> float:
    """Return how long the model takes to answer for one row: the median over up to 200 rows of an aligned frame.

    Measured in this thread, from a dictionary to the answer, after a first row that does not count.
    """
    chance = np.random.default_rng(seed)
    places = chance.choice(frame.height, min(_ROWS, frame.height), replace=False)
    rows: list[dict[str, Any]] = frame[places].to_dicts()
    plan = row_plan(model)
    plan.predict(rows[0])
    taken: list[float] = []
    for row in rows:
        started = time.perf_counter()
        plan.predict(row)
        taken.append(time.perf_counter() - started)
        if sum(taken) > _SECONDS and len(taken) >= _LEAST_ROWS:
            break
    return statistics.median(taken)


def slim(search: Search, own: Recipe, fits: Fits, *, seconds: float) -> Recipe:
    """Return the recipe with as many of its members as answer for one row within `seconds`; one at least.

    Members that alone take longer go first, then always the one that brings the least weight for its time. Weights and
    corrections are chosen anew among the rest, by the same out-of-fold predictions as before.
    """
    frame, seed = search.request.material.frame, search.request.seed
    while len(own.chosen) > 1:
        model = assemble(own, own.part, fits)
        if model is None or row_seconds(model, frame, seed=seed) <= seconds:
            return own
        alone = [replace(model, parts=(part,)) for part in model.parts]
        costs = [row_seconds(one, frame, seed=seed) for one in alone]
        names = [one.candidate.number for one in own.chosen]
        fast = [place for place, cost in enumerate(costs) if cost <= seconds]
        if not fast:
            kept = {names[int(np.argmin(costs))]}
        elif len(fast) < len(names):
            kept = {names[place] for place in fast}
        else:
            worth = [part.weight / cost for part, cost in zip(model.parts, costs, strict=True)]
            kept = set(names) - {names[int(np.argmin(worth))]}
        own = recipe(search, own.part, only=frozenset(kept)) or own
    return own
