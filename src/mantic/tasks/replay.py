"""Repeat what a timed search did, without its clock, and say whether the same came out."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.core.budget import Budget
from mantic.core.errors import SettingsError
from mantic.core.run import Run
from mantic.search.record import Record

if TYPE_CHECKING:
    from mantic.tasks.base import Estimator

_SAME = 1e-9  # of a score, relatively: another machine adds up in another order


@dataclass(frozen=True)
class Repeated:
    """A score of a search, and what the repetition gave (None if it failed there)."""

    learner: str
    number: int
    before: float
    now: float | None
    was_cut: bool

    @property
    def is_same(self) -> bool:
        """Return whether both are the same."""
        return self.now is not None and abs(self.now - self.before) <= _SAME * max(1.0, abs(self.before))


@dataclass(frozen=True)
class Replay:
    """A search done again.

    Parameters
    ----------
    model : the estimator that came out.
    trials : every score, before and now.
    largest_difference : between the answers of both models, over all rows (probabilities, or the target's unit).
    """

    model: "Estimator"
    trials: tuple[Repeated, ...]
    largest_difference: float

    @property
    def is_same(self) -> bool:
        """Return whether every score and every answer is the same."""
        return all(one.is_same for one in self.trials) and self.largest_difference == 0.0

    def sentence(self) -> str:
        """Return what came out, in words."""
        n_same = sum(one.is_same for one in self.trials)
        answers = (
            "every answer is the same"
            if self.largest_difference == 0.0
            else f"answers differ by up to {self.largest_difference:.3g}"
        )
        cut = [one for one in self.trials if one.was_cut and not one.is_same]
        why = f"; {len(cut)} of the others had been stopped by the clock" if cut else ""
        return f"{n_same} of {len(self.trials)} scores are the same{why}; {answers}"


def replay(model: "Estimator", X: Any, y: Any = None, *, run: Run | None = None) -> Replay:
    """Repeat the search that a model came from, on the table that it was fitted on.

    Every candidate is tried again with the same chance and without a limit, and the same members are blended. What the
    clock had cut short cannot be repeated exactly; the result says so.

    Parameters
    ----------
    X, y : as they were given to `fit`; y may be left out when X holds the target column under its own name.
    run : threads, deadline and listeners.

    Raises
    ------
    SettingsError : if the model has no record of a search: its budget was too short for one, or it is older than that.
    """
    model._check_fitted()
    record = model.record_
    if record is None:
        raise SettingsError(
            "this model has no record of a search", where="replay",
            fix="fit again, with a larger budget: it ended with quick models, or an older version kept no record",
        )  # fmt: skip
    again = type(model)(**model.get_params(deep=False))
    wishes = replace(again._wishes(), budget=Budget(), again=record)
    again._fit(X, model.target_.name if y is None else y, wishes, roles=model.roles_, kinds=model.kinds_, run=run)
    answers = [_answers(one, X) for one in (model, again)]
    return Replay(again, _trials(record, again.record_), float(np.abs(answers[0] - answers[1]).max(initial=0.0)))


def _answers(model: "Estimator", X: Any) -> Any:
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def _trials(before: Record, now: Record | None) -> tuple[Repeated, ...]:
    found = {} if now is None else dict(zip((one.number for one in now.candidates), now.scores, strict=True))
    return tuple(
        Repeated(one.learner, one.number, score, found.get(one.number), is_cut)
        for one, score, is_cut in zip(before.candidates, before.scores, before.is_cut, strict=True)
    )
