"""Answers whose outcome is known, as a metric takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.core.metric import METRICS, Metric
from mantic.core.table import Array
from mantic.watch.asked import Subject, guess_of

if TYPE_CHECKING:
    from mantic.store.outcomes import Judged


@dataclass(frozen=True)
class Known:
    """Answers and what was true.

    Parameters
    ----------
    truth : class codes by the subject's labels, or values; shape (n,).
    guess : probabilities (n, n_classes), or values (n,).
    moments : when each became known, as the store keeps it.
    n_strange : outcomes that are no class and no number, or whose answer was not kept; they are left out.
    """

    truth: Array
    guess: Array
    moments: tuple[str, ...]
    n_strange: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.truth)

    def rows(self, places: Sequence[int]) -> "Known":
        """Return some of them."""
        index = np.asarray(places, dtype=np.int64)
        return Known(self.truth[index], self.guess[index], tuple(self.moments[one] for one in places), 0)

    def losses(self) -> Array:
        """Return for each row how wrong the answer was: what it left for the other classes, or the absolute error."""
        if self.guess.ndim == 1:
            return np.asarray(np.abs(self.guess - self.truth))
        return np.asarray(1 - self.guess[np.arange(len(self.truth)), self.truth])


def known_of(subject: Subject, rows: "Sequence[Judged]") -> Known:
    """Return judged predictions as arrays, in their order."""
    labels = subject.labels
    code = coder(labels)
    truth = [code(one.truth) for one in rows]
    guess = guess_of(labels, [one.prediction.answer for one in rows])
    whole = np.atleast_1d(np.isfinite(guess.reshape(len(rows), max(1, len(labels)))).all(axis=1))
    kept = [place for place, one in enumerate(truth) if one is not None and whole[place]]
    return Known(
        np.array([truth[place] for place in kept], dtype=np.int64 if labels else float),
        guess[np.asarray(kept, dtype=np.int64)],
        tuple(rows[place].at for place in kept),
        len(rows) - len(kept),
    )


def promised(subject: Subject) -> Known:
    """Return answers on rows that were held out when the model was fitted, with what was true."""
    unseen = subject.model.unseen_
    if subject.labels and unseen is not None:
        truth, guess = unseen.held_out.truth.astype(np.int64), unseen.held_out.guess.astype(float)
        if subject.labels[0] != str(subject.model.classes_[0]):
            truth, guess = 1 - truth, guess[:, ::-1]
        return Known(truth, guess, ("",) * len(truth), 0)
    kept = subject.model.background_answers_
    if subject.labels or kept.is_empty() or "guess 0" not in kept.columns:
        n_classes = len(subject.labels)
        return Known(np.empty(0), np.empty((0, n_classes) if n_classes else 0), (), 0)
    judged = kept.filter(kept["guess 0"].is_not_nan() & kept["guess 0"].is_not_null())
    truth = judged["truth"].cast(float).to_numpy()
    return Known(truth, judged["guess 0"].cast(float).to_numpy(), ("",) * len(truth), 0)


def metrics_for(subject: Subject) -> list[Metric]:
    """Return the metric that the model was chosen by, then those that people ask for."""
    first = str(subject.facts.get("metric", ""))
    usual = ("accuracy", "roc_auc") if len(subject.labels) == 2 else ("accuracy",) if subject.labels else ("mae", "r2")
    return [METRICS.get(name) for name in dict.fromkeys([first, *usual]) if name in METRICS.names()]


def coder(labels: Sequence[str]) -> Any:
    """Return what gives an outcome its class code, or its value where there are no labels; None for what is neither."""
    if not labels:
        return value_of
    known: dict[Any, int] = {label: code for code, label in enumerate(labels)}
    for label in labels:  # 1 and 1.0 are one class, and so are true and "True"
        try:
            known.setdefault(float(label), known[label])
        except ValueError:
            continue

    def code(truth: Any) -> int | None:
        if isinstance(truth, int | float) and not isinstance(truth, bool):
            return known.get(str(truth), known.get(float(truth)))
        return known.get(str(truth))

    return code


def value_of(truth: Any) -> float | None:
    """Return an outcome as a number; None for what is none."""
    try:
        number = float(truth)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
