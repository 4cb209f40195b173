"""How often does watching cry wolf, and how soon does it find what is there?

``python bench/quality/drift.py [--weeks 10000] [--quick]``. No data set is needed: rows are drawn.

False alarms: quarters of 13 weeks in which nothing moves. A model has 20 columns (numbers that move together,
categories of few and of many levels, gaps, texts), 2,000 rows to compare with, 50 to 900 rows a week, a third of which
get an outcome. It is looked at every day. Every alert counts, also those that would be notes only; an alert that stands
is one alert.

Power: quality falls by 5 points of accuracy; the share of 500 labelled rows within which that is found. Three ways of
falling: labels are turned round by chance, the signal becomes weaker, rows become harder. And how many rows a moved
column among 20 needs.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.watch import drift, estimate, quality
from mantic.watch.evidence import alarms, moved, worse
from mantic.watch.rank import online_ranks
from mantic.watch.scores import scores

WEEKS, LOOKS, REFERENCE = 13, 7, 2_000
WORDS = np.array([f"word{place}" for place in range(3_000)])
COLUMNS = (
    *(Column(f"number {place}", Kind.NUMBER) for place in range(11)),
    *(Column(f"level {place}", Kind.CATEGORY) for place in range(7)),
    Column("yes", Kind.BOOLEAN),
    Column("text", Kind.TEXT),
)


# ---------------------------------------------------------------------------------------------------------------- rows


def table(n_rows: int, chance: np.random.Generator) -> pl.DataFrame:
    """Return rows of one and the same world."""
    common = chance.normal(size=(n_rows, 1))
    numbers = 0.6 * common + 0.8 * chance.normal(size=(n_rows, 11))
    numbers[:, 1], numbers[:, 2] = np.exp(numbers[:, 1]), np.round(2 * numbers[:, 2])
    numbers[:, 3] = np.where(chance.random(n_rows) < 0.05, np.nan, numbers[:, 3])
    numbers[:, 4] = np.where(chance.random(n_rows) < 0.4, 0.0, np.abs(numbers[:, 4]))
    columns: dict[str, object] = {f"number {place}": numbers[:, place] for place in range(11)}
    for place, n_levels in enumerate((2, 3, 5, 12, 50, 300, 2_000)):
        columns[f"level {place}"] = levels(n_rows, n_levels, chance)
    columns["yes"] = common[:, 0] + chance.normal(size=n_rows) > 0.5
    columns["text"] = [" ".join(WORDS[rank(chance.integers(3, 12), len(WORDS), chance)]) for _ in range(n_rows)]
    return pl.DataFrame(columns)


def levels(n_rows: int, n_levels: int, chance: np.random.Generator) -> Array:
    """Return levels, the first ones far commoner than the last ones."""
    return np.array([f"level {place}" for place in range(n_levels)])[rank(n_rows, n_levels, chance)]


def rank(n: int, most: int, chance: np.random.Generator) -> Array:
    """Return places from 0 to below `most`, by Zipf's law."""
    odds = 1 / np.arange(1, most + 1)
    return np.searchsorted(np.cumsum(odds / odds.sum()), chance.random(n)).clip(0, most - 1)


@dataclass(frozen=True)
class World:
    """Calibrated answers of a model, and how the world gives its outcomes.

    Parameters
    ----------
    spread : standard deviation of the margin; it says how often the model is right.
    harder : factor on that spread for rows that are asked now.
    weaker : factor on the margin in the world's own odds.
    turned : share of the outcomes that are turned round.
    """

    spread: float
    harder: float = 1.0
    weaker: float = 1.0
    turned: float = 0.0

    def draw(self, n_rows: int, chance: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return the loss of each row, whether the answer was right, and its doubt."""
        margin = chance.normal(0, self.spread * self.harder, n_rows)
        truth = (chance.random(n_rows) < expit(self.weaker * margin)) ^ (chance.random(n_rows) < self.turned)
        said = expit(margin)
        return np.where(truth, 1 - said, said), truth == (margin > 0), 1 - np.maximum(said, 1 - said)


def accuracy(world: World) -> float:
    """Return how often answers are right, on very many rows."""
    return float(world.draw(400_000, np.random.default_rng(0))[1].mean())


def found(make: Callable[[float], World], wanted: float, low: float, high: float) -> World:
    """Return the world of an accuracy, which grows with the number that makes it."""
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if accuracy(make(middle)) < wanted else (low, middle)
    return make(middle)


# --------------------------------------------------------------------------------------------------------- false alarms


def quarter(seed: int, calm: World) -> dict[str, int]:
    """Return how many alerts of each kind a quarter brings in which nothing moves."""
    chance = np.random.default_rng(seed)
    a_week = int(chance.integers(50, 900))
    before, rows = table(REFERENCE, chance), table(WEEKS * a_week, chance)
    week = np.repeat(np.arange(WEEKS), a_week)
    views = {
        column.name: [online_ranks(*pair) for pair in scores(before[column.name], rows[column.name], column)]
        for column in COLUMNS
    }
    columns: set[str] = set()
    for look in range(1, WEEKS * LOOKS + 1):
        n, weeks = look * len(week) // (WEEKS * LOOKS), (look + LOOKS - 1) // LOOKS
        evidence = {
            name: drift.mean_of([moved(ranks[:n], week[:n], weeks) for ranks in parts]) for name, parts in views.items()
        }
        columns |= alarms(evidence, drift.LIMIT)
    held_out, losses = calm.draw(REFERENCE, chance), calm.draw(len(week) // 3, chance)
    known = np.sort(chance.integers(0, WEEKS, len(losses[0])))
    is_worse = worse(online_ranks(-held_out[0], -losses[0]), known, WEEKS).peak >= quality.LIMIT
    is_harder = worse(online_ranks(-held_out[2], -losses[2]), known, WEEKS).peak >= estimate.LIMIT
    return {"drift": len(columns), "quality": int(is_worse), "harder rows": int(is_harder)}


def false_alarms(n_weeks: int) -> Iterator[dict[str, object]]:
    """Yield alerts per quarter and model."""
    n_quarters = -(-n_weeks // WEEKS)
    calm = found(World, 0.9, 0.1, 30.0)
    kinds: dict[str, int] = {}
    for seed in range(n_quarters):
        for kind, n in quarter(seed, calm).items():
            kinds[kind] = kinds.get(kind, 0) + n
        if seed % 20 == 19:
            print(f"{seed + 1} of {n_quarters} quarters: {kinds}", file=sys.stderr, flush=True)
    total = sum(kinds.values())
    yield {
        "name": "false alerts per model and quarter", "value": round(total / n_quarters, 4), "unit": "alerts",
        "weeks": n_quarters * WEEKS, "by_kind": kinds, "looks_a_week": LOOKS, "columns": len(COLUMNS),
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- power


def power_of_quality(n_draws: int) -> Iterator[dict[str, object]]:
    """Yield how often a drop of 5 points is found within 500 labelled rows."""
    for base in (0.8, 0.9, 0.95):
        calm = found(World, base, 0.1, 30.0)
        ways = {
            "labels turned": World(calm.spread, turned=0.05 / (2 * base - 1)),
            "weaker signal": found(lambda by: World(calm.spread, weaker=by), base - 0.05, 0.01, 1.0),  # noqa: B023
            "harder rows": found(lambda by: World(calm.spread, harder=by), base - 0.05, 0.01, 1.0),  # noqa: B023
        }
        for way, world in ways.items():
            hits = [is_found(calm, world, seed, 0) for seed in range(n_draws)]
            later = [is_found(calm, world, seed, 5) for seed in range(n_draws)]
            yield {
                "name": f"accuracy from {base:.2f} to {base - 0.05:.2f} by {way}, found within 500 labelled rows",
                "value": round(float(np.mean(hits)), 3), "unit": "share", "draws": n_draws,
                "after_five_calm_weeks": round(float(np.mean(later)), 3),
            }  # fmt: skip


def is_found(calm: World, world: World, seed: int, n_calm: int) -> bool:
    """Whether the drop is found, after so many calm weeks of 100 labels each."""
    chance = np.random.default_rng(seed)
    losses = np.concatenate([calm.draw(100 * n_calm, chance)[0], world.draw(500, chance)[0]])
    week = np.concatenate([np.repeat(np.arange(n_calm), 100), np.full(500, n_calm)])
    ranks = online_ranks(-calm.draw(REFERENCE, chance)[0], -losses)
    before = worse(ranks[: 100 * n_calm], week[: 100 * n_calm], max(1, n_calm)).peak
    return before < quality.LIMIT <= worse(ranks, week, n_calm + 1).peak


SHIFTS: dict[
    str, tuple[Kind, Callable[[int, np.random.Generator], object], Callable[[int, np.random.Generator], object]]
]
SHIFTS = {
    "a mean moved by 0.25 standard deviations": (
        Kind.NUMBER, lambda n, chance: chance.normal(size=n), lambda n, chance: chance.normal(0.25, 1, n)
    ),
    "a mean moved by 0.5 standard deviations": (
        Kind.NUMBER, lambda n, chance: chance.normal(size=n), lambda n, chance: chance.normal(0.5, 1, n)
    ),
    "gaps from 5 % to 12 %": (
        Kind.NUMBER,
        lambda n, chance: np.where(chance.random(n) < 0.05, np.nan, chance.normal(size=n)),
        lambda n, chance: np.where(chance.random(n) < 0.12, np.nan, chance.normal(size=n)),
    ),
    "a level from 50 % to 40 %": (
        Kind.CATEGORY, lambda n, chance: chance.choice(list("abc"), n, p=(0.5, 0.3, 0.2)),
        lambda n, chance: chance.choice(list("abc"), n, p=(0.4, 0.4, 0.2)),
    ),
    "a new level in 6 %": (
        Kind.CATEGORY, lambda n, chance: chance.choice(list("abc"), n, p=(0.5, 0.3, 0.2)),
        lambda n, chance: chance.choice(list("abcd"), n, p=(0.47, 0.28, 0.19, 0.06)),
    ),
}  # fmt: skip


def power_of_drift(n_draws: int) -> Iterator[dict[str, object]]:
    """Yield how often one moved column of 20 is found in so many rows."""
    for what, (kind, usual, now) in SHIFTS.items():
        column, shares = Column("column", kind), {}
        for n_rows in (200, 500, 1_000):
            hits = []
            for seed in range(n_draws):
                chance = np.random.default_rng(seed)
                pairs = scores(pl.Series(usual(REFERENCE, chance)), pl.Series(now(n_rows, chance)), column)
                week = np.zeros(n_rows, dtype=int)
                evidence = drift.mean_of([moved(online_ranks(*pair), week, 1) for pair in pairs])
                hits.append(evidence.value >= drift.LIMIT * len(COLUMNS))
            shares[str(n_rows)] = round(float(np.mean(hits)), 3)
        what = f"{what}, one column of 20"
        yield {"name": what, "value": shares["500"], "unit": "share found in 500 rows", "rows": shares}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weeks", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="a few weeks and draws")
    options = parser.parse_args()
    n_draws, n_weeks = (20, 26) if options.quick else (options.draws, options.weeks)
    for part in (power_of_quality(n_draws), power_of_drift(n_draws), false_alarms(n_weeks)):
        for line in part:
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
