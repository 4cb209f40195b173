"""Which columns a model depends on in all, with intervals."""

from collections.abc import Sequence
from time import monotonic

import numpy as np
import polars as pl

from mantic.core.metric import Metric
from mantic.core.model import Importance, Model
from mantic.core.run import Run
from mantic.core.table import Array

_MOST_ROWS = 5_000
_LEAST_ROWS = 200  # with fewer, an importance is mostly noise
_REPEATS = 3
_GROUPS = 10  # of rows, each left out once for the interval
_T = 2.262  # Student's t, 9 degrees of freedom, 95 %


def importance(model: Model, frame: pl.DataFrame, truth: Array, *, metric: Metric, run: Run) -> tuple[Importance, ...]:
    """Measure how much worse the metric gets when a column is shuffled; most important first.

    At most 5,000 rows are used, fewer when `run.deadline` is near. When not even 200 rows can be afforded, the mean
    size of the contributions takes its place; where the model cannot say these, columns not reached are absent.

    Parameters
    ----------
    frame, truth : aligned rows that the model has not seen, and their target as the metric takes it.

    Returns
    -------
    One Importance per used column: the loss added, in the metric's unit (log-odds for contributions), with a 95 %
    interval by a grouped jackknife. NaN where the metric is undefined.

    Source: Breiman (2001), Random Forests; Fisher, Rudin, Dominici (2019), All Models are Wrong.
    """
    names = [column.name for column in model.schema.columns if column.is_used]
    if not names or frame.height < 2:
        return ()
    random = np.random.default_rng(run.seed)
    rows = random.permutation(frame.height)[: min(_MOST_ROWS, frame.height)]
    began = monotonic()
    model.predict(frame[rows[:_LEAST_ROWS]])
    per_row = (monotonic() - began) / min(_LEAST_ROWS, len(rows))
    affordable = run.deadline.left() / max(per_row * (len(names) + 1), 1e-9)
    if affordable < min(_LEAST_ROWS, len(rows)):
        contributions = model.contributions(frame[rows[:_LEAST_ROWS]])
        if contributions is not None:
            return mean_contributions(contributions, [column.name for column in model.schema.columns])
    rows = rows[: int(min(len(rows), max(_LEAST_ROWS, 0.8 * affordable)))]
    losses = _Losses(metric, truth[rows])
    return _shuffled(model, frame[rows], losses, names=names, run=run)


def mean_contributions(contributions: Array, names: Sequence[str]) -> tuple[Importance, ...]:
    """Return the mean size of contributions with a 95 % interval over rows; most important first.

    Parameters
    ----------
    contributions : shape (n_rows, n_columns + 1, n_outputs), base last.
    names : of the columns, in order; columns that never contribute are left out.

    >>> mean_contributions(np.array([[[1.0], [0.5]], [[-1.0], [0.5]]]), ["age"])
    (Importance(column='age', mean=1.0, low=1.0, high=1.0),)
    """
    sizes = np.abs(contributions[:, :-1]).mean(axis=2)
    reach = 1.96 * sizes.std(axis=0) / np.sqrt(max(1, len(sizes)))
    found = [
        Importance(name, float(mean), float(max(0.0, mean - half)), float(mean + half))
        for name, mean, half in zip(names, sizes.mean(axis=0), reach, strict=True)
        if mean > 0
    ]
    return tuple(sorted(found, key=lambda one: -one.mean))


class _Losses:
    """The loss of an answer on all rows and without each of ten groups of them; shape (11,)."""

    def __init__(self, metric: Metric, truth: Array) -> None:
        self.metric = metric
        self.truth = truth
        group = np.arange(len(truth)) % min(_GROUPS, len(truth))
        self.weights = [None, *((group != number).astype(float) for number in range(int(group.max()) + 1))]

    def __call__(self, guess: Array) -> Array:
        """Return the losses of a guess."""
        return np.array([self.metric.loss(self.truth, guess, weight) for weight in self.weights])


def _shuffled(
    model: Model, frame: pl.DataFrame, losses: _Losses, *, names: Sequence[str], run: Run
) -> tuple[Importance, ...]:
    random = np.random.default_rng(run.seed)
    usual = losses(model.predict(frame))
    added: dict[str, list[Array]] = {}
    slowest = 0.0
    for name in [name for _ in range(_REPEATS) for name in names]:
        began = monotonic()
        if run.deadline.left() < 1.5 * slowest:
            break
        mixed = frame.with_columns(frame[name].gather(random.permutation(frame.height)))
        added.setdefault(name, []).append(losses(model.predict(mixed)) - usual)
        slowest = max(slowest, monotonic() - began)
    found = [_summed(name, np.mean(values, axis=0)) for name, values in added.items()]
    return tuple(sorted(found, key=lambda one: -one.mean if np.isfinite(one.mean) else np.inf))


def _summed(name: str, values: Array) -> Importance:
    """Turn the loss added (all rows first, then without each group) into an importance with its interval."""
    mean, without = float(values[0]), values[1:]
    n_groups = len(without)
    reach = _T * float(np.sqrt((n_groups - 1) / n_groups * np.sum((without - without.mean()) ** 2)))
    return Importance(name, mean, mean - reach, mean + reach)
