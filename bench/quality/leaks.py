"""Which leaks are found? `python bench/quality/leaks.py [--seeds 3] [--quick] [TABLE ...]`.

On the learning rows of the 13 development tables (TRAIN only): the leaking columns of `loans_leak`, false alarms on the
other tables as they are, and leaks of eight kinds planted in each of them under names that give nothing away. A planted
leak counts as found when one of its columns is named.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from sets import DATA, LEAKS, SETS, parts

from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.table import Array, Target
from mantic.features.infer import infer
from mantic.features.leaks.leak import Leak, find_leaks
from mantic.features.leaks.sample import Place

_LEARNING_SHARE = 0.8  # of TRAIN: a fit locks the rest away before it looks


def load(name: str) -> tuple[pl.DataFrame, Target]:
    """Return the features of TRAIN as they come, and the target as numbers."""
    about = SETS[name]
    train, _ = parts(name)
    answers = train[about.target]
    if about.metric == "rmse":
        return train.drop(about.target), Target(answers.cast(pl.Float64).to_numpy())
    labels, codes = np.unique(answers.cast(pl.String).to_numpy().astype(str), return_inverse=True)
    return train.drop(about.target), Target(codes, len(labels))


def seek(name: str, frame: pl.DataFrame, target: Target, *, seed: int) -> tuple[tuple[Leak, ...], float]:
    """Look for leaks as a fit would; return them and the processor seconds."""
    n_rows = len(target)
    rows = np.sort(np.random.default_rng(seed).permutation(n_rows)[: round(_LEARNING_SHARE * n_rows)])
    schema = infer(frame)
    aligned = schema.align(frame)[rows]
    metric = METRICS.get(SETS[name].metric)
    began = time.process_time()
    leaks = find_leaks(aligned, target.rows(rows), schema, place=Place(rows), score=metric, run=Run(seed=seed))
    return leaks, time.process_time() - began


# ------------------------------------------------------------------------------------------------------- planted leaks

Planted = dict[str, Array | list[datetime]]
Plant = Callable[[Target, np.random.Generator], Planted | None]


def noisy_copy(target: Target, chance: np.random.Generator) -> Planted:
    """Return the target with noise of a fifth of its spread; one label of twenty is wrong."""
    if not target.is_classes:
        return {"extra": target.values + 0.2 * target.values.std() * chance.normal(size=len(target))}
    wrong = chance.integers(target.n_classes, size=len(target))
    return {"extra": _labels(np.where(chance.random(len(target)) < 0.05, wrong, target.values))}


def rounded(target: Target, chance: np.random.Generator) -> Planted | None:
    """Return the target in steps of half its spread; several classes merged to half as many."""
    if target.n_classes == 2:
        return None
    if target.is_classes:
        return {"extra": _labels(target.values // 2)}
    step = float(f"{target.values.std() / 2:.1g}")
    return {"extra": np.round(target.values / step) * step}


def row_before(target: Target, chance: np.random.Generator) -> Planted:
    """Return the target of the row before."""
    moved = np.roll(target.values, 1)
    return {"extra": _labels(moved) if target.is_classes else moved}


def filled_only_when(target: Target, chance: np.random.Generator) -> Planted:
    """Return noise that is there for one class only, or for the highest quarter."""
    values = chance.normal(size=len(target))
    last = target.values == target.n_classes - 1 if target.is_classes else _ranks(target, chance) >= 0.75
    return {"extra": np.where(last, values, np.nan)}


def sorted_number(target: Target, chance: np.random.Generator) -> Planted:
    """Return row numbers of a file that was sorted by the target."""
    return {"extra": np.round(_ranks(target, chance) * (len(target) - 1)).astype(np.int64)}


def sorted_account(target: Target, chance: np.random.Generator) -> Planted:
    """Return account numbers with gaps, given in the order of the target."""
    return {"extra": 40_000 + np.round(7 * _ranks(target, chance) * len(target) + chance.integers(7, size=len(target)))}


def later_date(target: Target, chance: np.random.Generator) -> Planted:
    """Return two dates; how far the second lies behind the first depends on the target, give or take a tenth."""
    first = chance.integers(2000, size=len(target))
    gap = 10 + 300 * (_ranks(target, chance) + 0.1 * chance.random(len(target)))
    begin = datetime(2020, 1, 1)
    return {
        "date_a": [begin + timedelta(days=int(day)) for day in first],
        "date_b": [begin + timedelta(days=int(day)) for day in first + gap],
    }


def joint(target: Target, chance: np.random.Generator) -> Planted:
    """Return two numbers whose ratio is the target, and of which neither tells much."""
    base = np.exp(chance.normal(size=len(target)))
    return {"part_a": base, "part_b": base * (0.5 + _ranks(target, chance))}


KINDS: dict[str, Plant] = {
    one.__name__: one
    for one in (
        noisy_copy, rounded, row_before, filled_only_when, sorted_number, sorted_account, later_date, joint,
    )
}  # fmt: skip


def _labels(codes: Array) -> Array:
    return np.array([f"level {int(code)}" for code in codes])


def _ranks(target: Target, chance: np.random.Generator) -> Array:
    order = np.lexsort((chance.random(len(target)), target.values))
    ranks = np.empty(len(target))
    ranks[order] = np.arange(len(target)) / (len(target) - 1)
    return ranks


# ------------------------------------------------------------------------------------------------------------ figures


def false_alarms(name: str, *, seed: int) -> dict[str, object]:
    """Count the columns that are named in a clean table."""
    leaks, seconds = seek(name, *load(name), seed=seed)
    return {
        "name": f"false alarms on {name}", "value": len(leaks), "unit": "columns", "table": name, "seed": seed,
        "columns": [one.column for one in leaks], "cpu_seconds": round(seconds, 2),
    }  # fmt: skip


def loans(*, seed: int) -> dict[str, object]:
    """Count the leaking columns of loans_leak that are named."""
    leaks, seconds = seek("loans_leak", *load("loans_leak"), seed=seed)
    named = {one.column: one.confidence for one in leaks}
    return {
        "name": "leaks named in loans_leak", "value": sum(column in named for column in LEAKS),
        "unit": f"of {len(LEAKS)}", "seed": seed, "missed": [column for column in LEAKS if column not in named],
        "others": [column for column in named if column not in LEAKS], "named": named, "cpu_seconds": round(seconds, 2),
    }  # fmt: skip


def planted(name: str, *, seed: int) -> Iterator[dict[str, object]]:
    """Plant each kind in one table and look whether it is named."""
    frame, target = load(name)
    for kind, plant in KINDS.items():
        columns = plant(target, np.random.default_rng([seed, len(kind)]))
        if columns is None:
            continue
        leaks, seconds = seek(name, frame.with_columns(**{key: pl.Series(one) for key, one in columns.items()}),
                              target, seed=seed)  # fmt: skip
        own = [one for one in leaks if one.column in columns]
        yield {
            "name": f"{kind} in {name}", "value": int(bool(own)), "unit": "found", "table": name, "kind": kind,
            "seed": seed, "confidence": own[0].confidence if own else None,
            "bystanders": [one.column for one in leaks if one.column not in columns], "cpu_seconds": round(seconds, 2),
        }  # fmt: skip


def main() -> int:
    """Print a line for each search, then the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one small table, to see that it works")
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"the development tables are not here: {DATA}", file=sys.stderr)
        return 0
    clean = options.tables or (["german_credit"] if options.quick else [name for name in SETS if name != "loans_leak"])
    hits: dict[str, list[int]] = {}
    alarms, bystanders = 0, 0
    for seed in range(1 if options.quick else options.seeds):
        for row in [loans(seed=seed), *(false_alarms(name, seed=seed) for name in clean)]:
            alarms += row["value"] if "table" in row else 0
            print(json.dumps(row), flush=True)
        for name in clean:
            for row in planted(name, seed=seed):
                hits.setdefault(str(row["kind"]), []).append(int(str(row["value"])))
                bystanders += len(row["bystanders"])
                print(json.dumps(row), flush=True)
    for kind, found in hits.items():
        rate = {"name": f"found of {kind}", "value": round(float(np.mean(found)), 3), "unit": "share", "n": len(found)}
        print(json.dumps(rate), flush=True)
    print(json.dumps({"name": "false alarms over the clean tables", "value": alarms, "unit": "columns"}), flush=True)
    print(json.dumps({"name": "bystanders named beside planted leaks", "value": bystanders, "unit": "columns"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
