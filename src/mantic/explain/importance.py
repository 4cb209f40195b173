"""Which columns a model depends on in all, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
import polars as pl

from mantic.core.metric import Metric
from mantic.core.model import Importance, Model
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.explain.mixture import Mixture, Pool, answers_of

_MOST_ROWS = 5_000
_LEAST_ROWS = 200  # with fewer, an importance is mostly noise
_LEAST_REPEATS, _MOST_REPEATS = 3, 10
_SHUFFLED = 20_000  # rows of one column: with few rows, each shuffle is a matter of luck, so there are more of them
_GROUPS = 10  # of rows, each left out once for the interval
_T = 2.262  # Student's t, 9 degrees of freedom, 95 %


@dataclass(frozen=True)
class Judged:
    """A model, aligned rows that it has not seen, and their target as the metric takes it."""

    model: Model
    frame: pl.DataFrame
    truth: Array

    def part(self, places: Array) -> "Judged":
        """Return fewer rows."""
        return Judged(self.model, self.frame[places], self.truth[places])


def importance(judged: Sequence[Judged], *, metric: Metric, run: Run) -> tuple[Importance, ...]:
    """Measure how much worse the metric gets when a column is shuffled; most important first.

    Where there are several judges, all their rows count: an importance then tells less of one model's luck in learning,
    and of one part's rows. With few rows a column is shuffled up to ten times. Still a column that knows nothing can
    stand above one that helps a little; its interval then holds 0.

    At most 5,000 rows are used, fewer when `run.deadline` is near. When not even 200 rows can be afforded, the mean
    size of the contributions takes its place; where the model cannot say these, columns not reached are absent.

    Parameters
    ----------
    judged : models of one recipe with the rows that each has not seen, as folds give them; often only one. All rows
        count alike.

    Returns
    -------
    One Importance per used column: the loss added, in the metric's unit (log-odds for contributions), with a 95 %
    interval by a grouped jackknife, each group from the rows of one model. NaN where the metric is undefined.

    Source: Breiman (2001), Random Forests; Fisher, Rudin, Dominici (2019), All Models are Wrong.
    """
    schema = judged[0].model.schema
    names = [column.name for column in schema.columns if column.is_used]
    n_rows = sum(one.frame.height for one in judged)
    if not names or n_rows < 2:
        return ()
    random = np.random.default_rng(run.seed)
    judged = [one.part(random.permutation(one.frame.height)) for one in judged]
    first = judged[0].part(np.arange(min(_LEAST_ROWS, judged[0].frame.height)))
    affordable = run.deadline.left() / max(_seconds(first) * (len(names) + 1), 1e-9)
    if affordable < min(_LEAST_ROWS, n_rows):
        contributions = first.model.contributions(first.frame)
        if contributions is not None:
            return mean_contributions(contributions, [column.name for column in schema.columns])
    share = min(1.0, min(_MOST_ROWS, max(_LEAST_ROWS, 0.8 * affordable)) / n_rows)
    judged = [one.part(np.arange(int(np.ceil(share * one.frame.height)))) for one in judged]
    return _shuffled([one for one in judged if one.frame.height], metric, names=names, run=run)


def _seconds(judged: Judged) -> float:
    """Return what an answer costs per row."""
    began = monotonic()
    judged.model.predict(judged.frame)
    return (monotonic() - began) / max(1, judged.frame.height)


def mean_contributions(contributions: Array, names: Sequence[str]) -> tuple[Importance, ...]:
    """Return the mean size of contributions with a 95 % interval over rows; most important first.

    Parameters
    ----------
    contributions : shape (n_rows, n_columns + 1, n_outputs), base last.
    names : of the columns, in order; columns that never contribute are left out.

    >>> mean_contributions(np.array([[[1.0], [0.5]], [[-1.0], [0.5]]]), ["age"])
    (Importance(column='age', mean=1.0, low=1.0, high=1.0, is_loss=False),)
    """
    sizes = np.abs(contributions[:, :-1]).mean(axis=2)
    reach = 1.96 * sizes.std(axis=0) / np.sqrt(max(1, len(sizes)))
    found = [
        Importance(name, float(mean), float(max(0.0, mean - half)), float(mean + half), is_loss=False)
        for name, mean, half in zip(names, sizes.mean(axis=0), reach, strict=True)
        if mean > 0
    ]
    return tuple(sorted(found, key=lambda one: -one.mean))


class _Losses:
    """The loss of all answers, and without each of ten groups of rows that one model judged; shape (11,)."""

    def __init__(self, metric: Metric, judged: Sequence[Judged]) -> None:
        self.metric = metric
        self.truth = np.concatenate([one.truth for one in judged])
        group = np.arange(len(self.truth)) * min(_GROUPS, len(self.truth)) // len(self.truth)
        self.weights = [None, *((group != number).astype(float) for number in range(int(group.max()) + 1))]

    def __call__(self, guess: Array) -> Array:
        """Return the losses of a guess."""
        return np.array([self.metric.loss(self.truth, guess, weight) for weight in self.weights])


def _shuffled(judged: Sequence[Judged], metric: Metric, *, names: Sequence[str], run: Run) -> tuple[Importance, ...]:
    random = np.random.default_rng(run.seed)
    losses = _Losses(metric, judged)
    usual = losses(np.concatenate([one.model.predict(one.frame) for one in judged]))
    pools = [Pool(one.frame) for one in judged]
    n_repeats = int(np.clip(_SHUFFLED // len(losses.truth), _LEAST_REPEATS, _MOST_REPEATS))
    n_together = max(1, _SHUFFLED // len(losses.truth))
    batches = [names[at : at + n_together] for at in range(0, len(names), n_together)]
    added: dict[str, list[Array]] = {}
    slowest = 0.0
    for together in batches * n_repeats:
        began = monotonic()
        if run.deadline.left() < 1.5 * slowest:
            break
        asked = [_mixed(pool, together, random) for pool in pools]
        said = [answers_of(one.model, rows) for one, rows in zip(judged, asked, strict=True)]
        by_column = zip(*(np.split(guess, len(together)) for guess in said), strict=True)
        for name, parts in zip(together, by_column, strict=True):
            added.setdefault(name, []).append(losses(np.concatenate(parts)) - usual)
        slowest = max(slowest, monotonic() - began)
    found = [_summed(name, np.mean(values, axis=0)) for name, values in added.items()]
    # The order of lower ends and of means in standard errors were tried: over three tables with planted noise neither
    # kept it down better. What is left on few rows comes from boosting alone, which makes much of a noise column.
    return tuple(sorted(found, key=lambda one: -one.mean if np.isfinite(one.mean) else np.inf))


def _mixed(pool: Pool, names: Sequence[str], random: np.random.Generator) -> Mixture:
    """Return the rows with the first column shuffled, then with the second, and so on."""
    n_rows, columns = pool.frame.height, pool.frame.columns
    from_own = np.ones((len(names), n_rows, len(columns)), dtype=bool)
    from_own[np.arange(len(names)), :, [columns.index(name) for name in names]] = False
    other = np.concatenate([random.permutation(n_rows) for _ in names])
    return Mixture(pool, np.tile(np.arange(n_rows), len(names)), other, from_own.reshape(-1, len(columns)))


def _summed(name: str, values: Array) -> Importance:
    """Turn the loss added (all rows first, then without each group) into an importance with its interval."""
    mean, without = float(values[0]), values[1:]
    n_groups = len(without)
    reach = _T * float(np.sqrt((n_groups - 1) / n_groups * np.sum((without - without.mean()) ** 2)))
    return Importance(name, mean, mean - reach, mean + reach)
