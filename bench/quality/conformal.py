"""Do 90 % intervals and sets hold 90 %, and are they narrow?

``python bench/quality/conformal.py [--splits 20] [TABLE ...]``. Of each table's TRAIN rows some learn (at most 2,500)
and others judge (at most 4,000), again and again by chance. One boosting learner with fixed parameters is fitted,
calibrated and fitted again by mantic's own steps. MAPIE's CV+ (LAC for classes) gets the same rows, the same encoding,
and the same learner with the same parameters, in an environment of its own. hotel_rates is learned on TRAIN and judged
on TEST, which comes after it. An earlier rule (weights that fade) was seen to hold .548 there and was given up; the
one that took its place was chosen on parts of TRAIN.

A set of classes is never empty: the likeliest class is always in it. So sets hold at least as much as the likeliest
class is right, which is above 92 % on some tables; `exact` is what they hold before the likeliest is added.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sets import CLEAN, DATA, SETS, Set, parts
from tabular import HERE, ROOT, System, python_of

import mantic
from mantic.core.budget import Budget, Deadline
from mantic.core.executor import Here
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.blend import Blend
from mantic.search.plan import Request, Search
from mantic.search.record import Record
from mantic.search.refit import assemble, recipe, refit, with_judged
from mantic.search.trial import Candidate, Material
from mantic.tasks.base import Estimator
from mantic.tasks.door import Given
from mantic.tasks.parts import divide

LEVEL, LOW, HIGH, IN_TIME = 0.9, 0.88, 0.92, "hotel_rates"
PARAMS = {
    "rounds": 60, "stopping": "none", "learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20,
    "feature_fraction": 0.8, "lambda_l2": 1.0,
}  # fmt: skip
_MOST_LEARN, _MOST_JUDGE = 2_500, 4_000
_MAPIE = System("peer_mapie.py", "mapie.txt")


def splits(name: str, n_splits: int) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
    """Yield a seed, the rows that learn and the rows that judge; all from TRAIN."""
    train, _ = parts(name)
    n_learn = min(_MOST_LEARN, round(0.75 * train.height))
    for seed in range(n_splits):
        order = np.random.default_rng(seed).permutation(train.height)
        yield seed, train[np.sort(order[:n_learn])], train[np.sort(order[n_learn : n_learn + _MOST_JUDGE])]


def estimator(about: Set) -> Estimator:
    """Return what would fit the recipe."""
    kind = mantic.Regressor if about.task == "regress" else mantic.Classifier
    params = {f"boosting.{key}": value for key, value in PARAMS.items()}
    return kind(budget="1 trial", learners=["boosting"], params=params)


def given_of(about: Set, learn: pl.DataFrame) -> Given:
    """Return the rows as a fit takes them."""
    return estimator(about)._given(learn, about.target, roles=(None, None), run=Run())


def judged_of(given: Given, about: Set, judge: pl.DataFrame) -> tuple[pl.DataFrame, Array]:
    """Return features and truth (codes or values) of the rows that judge, without classes that were not learned."""
    if given.target.is_classes:
        names = [str(label) for label in given.classes.tolist()]
        judge = judge.filter(judge[about.target].cast(pl.String).is_in(names))
        truth = np.array([names.index(value) for value in judge[about.target].cast(pl.String)])
    else:
        truth = judge[about.target].cast(pl.Float64).to_numpy()
    return given.schema.align(judge.drop(about.target)), truth


def model_of(given: Given, about: Set, *, seed: int) -> Blend:
    """Fit the recipe as a search does that has this one candidate."""
    run = Run(seed=seed)
    divided = divide(given, seed=seed, run=run).parts
    divided = divided[-1:] if divided[-1].folds else divided  # nested: only the kept model is judged here
    request = Request(
        Material(given.schema, given.frame, given.target, divided), estimator(about)._wishes().metric, Budget(),
        Deadline(), seed=seed,
    )  # fmt: skip
    search = Search(request, Here(), run)
    search.repeat(Record((Candidate("boosting", PARAMS, 0),), (0.0,), (False,), False, (), ()))
    recipes = [own for part in request.searched if (own := recipe(search, part)) is not None]
    fits = refit(search, recipes, Deadline())
    model = assemble(recipes[-1], len(divided) - 1, fits)
    assert model is not None
    if not len(rows := divided[0].held_out):
        return model
    judge = assemble(recipes[0], 0, fits)
    assert judge is not None
    return with_judged(model, recipes[0], (rows, judge.predict(given.frame[rows])), given.target)


def ours(name: str, n_splits: int) -> dict[str, float]:
    """Return coverage and width (or size) of mantic's intervals (or sets), means over the splits."""
    about, found = SETS[name], list[dict[str, float]]()
    for seed, learn, judge in splits(name, n_splits):
        given = given_of(about, learn)
        model = model_of(given, about, seed=seed)
        frame, truth = judged_of(given, about, judge)
        guess = model.predict(frame)
        found.append(of_sets(model, guess, truth) if model.n_classes else of_intervals(model, guess, truth))
    return {key: round(float(np.mean([one[key] for one in found])), 4) for key in found[0]}


def of_intervals(model: Blend, guess: Array, truth: Array) -> dict[str, float]:
    """Return how often intervals hold the truth, and how wide they are."""
    ends = model.conformal.interval(guess, level=LEVEL)
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return {"coverage": inside.mean(), "width": (ends[:, 1] - ends[:, 0]).mean()}


def of_sets(model: Blend, guess: Array, truth: Array) -> dict[str, float]:
    """Return how often sets hold the truth, how large they are, and what holds before the likeliest class is added."""
    inside, rows = model.conformal.sets(guess, level=LEVEL), np.arange(len(truth))
    exact = inside & (1 - guess <= model.conformal.reach(LEVEL))
    return {
        "coverage": inside[rows, truth].mean(), "width": inside.sum(axis=1).mean(),
        "exact": exact[rows, truth].mean(), "exact_width": exact.sum(axis=1).mean(),
        "accuracy": (guess.argmax(axis=1) == truth).mean(),
    }  # fmt: skip


def theirs(name: str, n_splits: int) -> dict[str, float]:
    """Return what MAPIE answers on the same splits."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "figures.json"
        command = [python_of(_MAPIE), str(HERE / "peers" / _MAPIE.program), name, str(n_splits), str(out)]
        path = os.pathsep.join([str(ROOT / "src"), str(HERE)])  # mantic's encoder and learner are the model there too
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL)
        return dict(json.loads(out.read_text()))


def ratio(mine: dict[str, float], peer: dict[str, float]) -> float:
    """Return width by width, or size by size: of sets that may be empty, as MAPIE's may."""
    return round(mine.get("exact_width", mine["width"]) / peer["width"], 4)


def in_time() -> dict[str, float]:
    """Return coverage and width on rows that come after all that were learned from."""
    about, (train, test) = SETS[IN_TIME], parts(IN_TIME)
    model = estimator(about).fit(train, about.target, time=about.time)
    ends, truth = model.predict_interval(test.drop(about.target), level=LEVEL), test[about.target].to_numpy()
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return {"coverage": round(float(inside.mean()), 4), "width": round(float((ends[:, 1] - ends[:, 0]).mean()), 2)}


def main() -> None:
    """Print each table to stderr, then the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two tables, two splits")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"the development tables are not here: {DATA}")
    n_splits = 2 if options.quick else options.splits
    names = options.tables or (["german_credit", "california_housing"] if options.quick else list(CLEAN))
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        if name == IN_TIME:
            found[name] = in_time()
        else:
            with ThreadPoolExecutor(1) as beside:  # nothing here is timed
                answer = beside.submit(theirs, name, n_splits)
                mine, peer = ours(name, n_splits), answer.result()
            found[name] = mine | {"ratio": ratio(mine, peer), "mapie": peer}
        print(json.dumps({"table": name, **found[name]}), file=sys.stderr, flush=True)
    for line in figures(found, n_splits):
        print(json.dumps(line), flush=True)


def figures(found: dict[str, dict[str, Any]], n_splits: int) -> Iterator[dict[str, Any]]:
    """Yield what was promised: coverage by chance, coverage in time, and width against MAPIE."""
    by_chance = {name: one for name, one in found.items() if name != IN_TIME}
    if by_chance:
        about = {"unit": f"of {len(by_chance)} tables", "splits": n_splits, "tables": by_chance}
        kept = sum(LOW <= one["coverage"] <= HIGH for one in by_chance.values())
        yield {"name": f"90 % intervals and sets that hold {LOW} to {HIGH} of rows", "value": kept, **about}
        if exact := [one["exact"] for one in by_chance.values() if one.get("accuracy", 0) > HIGH]:
            kept = sum(LOW <= one <= HIGH for one in exact)
            why = f"of {len(exact)} tables where the likeliest class is right more often than {HIGH}"
            yield {"name": f"sets that hold {LOW} to {HIGH} when they may be empty", "value": kept, "unit": why}
        for what, task in (
            ("width of intervals against MAPIE CV+", "regress"),
            ("size of sets that may be empty, against MAPIE (LAC)", "classify"),
        ):
            ratios = {name: one["ratio"] for name, one in by_chance.items() if SETS[name].task == task}
            if ratios:
                value = round(float(np.exp(np.mean(np.log([*ratios.values()])))), 4)
                yield {"name": what, "value": value, "unit": "x, geometric mean", "tables": ratios}
    if IN_TIME in found:
        yield {"name": f"90 % intervals on {IN_TIME}, later rows", "value": found[IN_TIME]["coverage"], "unit": ""}


if __name__ == "__main__":
    main()
