"""Boosted trees on lags of all series together, by LightGBM."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need_alone
from mantic.core.method import METHODS, About
from mantic.core.panel import Panel, blocks
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.series._lags import Asked, Lags
from mantic.learners.table._lightgbm_text import check_text

_LEAST_ROWS = 300
_N_ORIGINS, _N_OF_FEW = 400, 25_000  # of a series, the latest ones; of all together where there are few series
_WIDTH = 10  # numbers that a question counts as, for blocks of series that are answered at once
_FILE = "trees.txt"
_PARAMS = {
    "objective": "l1", "min_data_in_leaf": 30, "feature_fraction": 0.7,
    "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 1.0, "verbosity": -1, "max_bin": 127,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip


def origins_of(panel: Panel, horizon: int) -> int:
    """Return from how many origins there is something to learn, over all series; what they end with was observed."""
    if not len(panel):
        return 0
    n_origins = np.clip(panel.lengths - horizon - Lags(panel).least, 0, _most_origins(panel))
    n_seen = np.concatenate([[0], np.cumsum(np.isfinite(panel.truth))])
    end = np.maximum(panel.bounds[1:] - horizon, panel.bounds[:-1])
    return int((n_seen[end] - n_seen[end - n_origins]).sum())


def _most_origins(panel: Panel) -> int:
    """Return from how many origins of a series something is learned: of few series, from years back."""
    return max(_N_ORIGINS, _N_OF_FEW // max(1, len(panel)))


def seconds_of(panel: Panel, horizon: int, *, rounds: int, most_rows: int) -> float:
    """Return the seconds of one lesson on a common core: trees of 31 leaves from as many questions as there are."""
    n_rows = min(most_rows, origins_of(panel, horizon) * horizon)
    return 0.2 + n_rows * (5e-6 + 1e-7 * rounds) + 1.5e-3 * rounds


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray((panel.lengths >= Lags(panel).least) & (origins_of(panel, horizon) >= _LEAST_ROWS))


@dataclass(frozen=True)
class Boosting:
    """One model for all series and steps: it says how far a step lies from what was a cycle ago.

    Everything is in a series' own units, so that large and small series teach each other.

    Parameters
    ----------
    rounds, leaves, rate, most_rows : how many trees, how large, how fast, and from how many questions they learn.
    trees : what was learned; None before.
    """

    about: About
    rounds: int = 300
    leaves: int = 31
    rate: float = 0.05
    most_rows: int = 120_000
    trees: Any = None

    def learn(self, panel: Panel, horizon: int, run: Run) -> Self:
        """Learn from many origins of every series, sampled by chance; the latest ones where there are very many."""
        lightgbm = need_alone("lightgbm", why="the boosting method")
        lags = Lags(panel)
        asked = _questions(panel, horizon, self.most_rows, np.random.default_rng([run.seed, 0x1A65]))
        seen = lags.see(asked)
        target = np.clip((lags.truth(asked) - seen.base) / seen.unit, -50, 50)
        rows = lightgbm.Dataset(seen.numbers, label=target, free_raw_data=True)
        params = _PARAMS | {
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "seed": run.seed,
            "num_threads": run.threads,
        }

        def stop(env: Any) -> None:
            if run.deadline.passed:
                raise lightgbm.callback.EarlyStopException(env.iteration, [])

        trees = lightgbm.train(params, rows, num_boost_round=self.rounds, callbacks=[stop])
        return replace(self, trees=trees)

    def forecast(self, panel: Panel, horizon: int, run: Run) -> Array:
        """Return all steps of all series at once, shape (n_series, horizon)."""
        lags, found = Lags(panel), np.empty((len(panel), horizon))
        for rows in blocks(np.arange(len(panel)), _WIDTH * horizon):
            series = np.repeat(rows, horizon)
            asked = Asked(series, panel.lengths[series], np.tile(np.arange(1, horizon + 1), len(rows)))
            seen = lags.see(asked)
            answer = np.asarray(self.trees.predict(seen.numbers, num_threads=run.threads))
            found[rows] = (seen.base + seen.unit * answer).reshape(len(rows), horizon)
        return found

    def save(self, folder: Path) -> None:
        """Write the trees as text."""
        self.trees.save_model(folder / _FILE)

    def load(self, folder: Path) -> Self:
        """Return the method with the trees that were written.

        Raises
        ------
        ValueError, KeyError : if the text is none that `save` wrote.
        """
        text = (folder / _FILE).read_text("utf-8")
        check_text(text)
        lightgbm = need_alone("lightgbm", why="the boosting method")
        return replace(self, trees=lightgbm.Booster(model_str=text))


def _questions(panel: Panel, horizon: int, most_rows: int, chance: np.random.Generator) -> Asked:
    """Return questions whose answers are known: origins by chance, steps by chance.

    Origins end with an observation, as series do: what fills a hole was told by what came after it.
    """
    n_origins = np.clip(panel.lengths - Lags(panel).least, 0, _most_origins(panel))
    series = np.repeat(np.arange(len(panel)), n_origins)
    back = np.arange(len(series)) - np.repeat(np.cumsum(n_origins) - n_origins, n_origins) + 1
    n_known = panel.lengths[series] - back
    is_seen = np.isfinite(panel.truth)
    ends = is_seen[panel.bounds[:-1][series] + n_known - 1]
    series, back, n_known = series[ends], back[ends], n_known[ends]
    n_each = int(np.clip(most_rows // max(1, len(series)), 1, horizon))
    step = np.stack([chance.integers(1, horizon + 1, len(series)) for _ in range(n_each)])
    series, n_known, back = (np.tile(one, n_each) for one in (series, n_known, back))
    step = np.minimum(step.ravel(), back)
    came = is_seen[panel.bounds[:-1][series] + n_known + step - 1]
    if came.any():
        series, n_known, step = series[came], n_known[came], step[came]
    if len(series) > most_rows:
        kept = chance.choice(len(series), most_rows, replace=False)
        series, n_known, step = series[kept], n_known[kept], step[kept]
    return Asked(series, n_known, step)


METHODS.add(
    "boosting",
    Boosting(
        About(
            "boosting", _suits, ("lightgbm",), "many related series, several cycles, what is known beforehand",
            "5 to 20 s in all, whatever the number of series", is_pooled=True,
            guess=partial(seconds_of, rounds=300, most_rows=120_000),
        )
    ),
)  # fmt: skip
