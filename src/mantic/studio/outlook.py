"""What to expect of a question before it is asked: columns that may know the answer, and how long a fit takes here."""

import os
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from mantic.core.budget import Budget, Deadline
from mantic.core.errors import ManticError
from mantic.core.executor import Held
from mantic.core.learner import LEARNERS
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.schema import Kind
from mantic.core.table import Target
from mantic.features.infer import infer
from mantic.features.leaks.leak import Leak, find_leaks
from mantic.features.leaks.sample import MOST_ROWS, Place
from mantic.features.said import with_kinds
from mantic.report.numbers import amount
from mantic.search.portfolio import portfolio
from mantic.search.trial import Candidate, Material, Part, TrialJob, forget, run_trial
from mantic.studio.draft import Draft, Question
from mantic.studio.draft_folder import TABLE
from mantic.studio.question import task_of, truth_of
from mantic.studio.question_forecast import FORECAST
from mantic.studio.words import clock
from mantic.tasks.door import filled

_SECONDS = 6.0  # for leaks, and as many for the fit
_PROBED = "boosting"  # the learner that is timed: most of a search goes into it
_SHARE = 0.7  # of a budget that is left for the search, after reading, a first model, and for judging and the report
_START = 2.0  # seconds to start
_LEAST_ROWS = 50
_lock = threading.Lock()  # one at a time: they take whole cores


@dataclass(frozen=True)
class Outlook:
    """What a look at some rows has shown.

    Parameters
    ----------
    leaks : columns that predict the target too well to be true.
    fit_seconds : of one fit of boosted trees on all rows, reckoned from `n_probed` of them; None if it did not end.
    n_first : how many candidates a search begins with.
    """

    leaks: tuple[Leak, ...] = ()
    fit_seconds: float | None = None
    n_probed: int = 0
    n_first: int = 0

    def expect(self, budget: str) -> str:
        """Return what a budget is good for, in a sentence; by what one fit took here."""
        seconds = Budget.parse(budget).seconds
        if self.fit_seconds is None or seconds is None:
            return ""
        workers = max(1, os.cpu_count() or 1)
        n_fits = int(max(0.0, seconds - _START) * _SHARE * workers / max(self.fit_seconds, 0.02))
        once = f"{self.fit_seconds:.2g} s" if self.fit_seconds < 60 else clock(self.fit_seconds)
        measured = f"One fit takes about {once} here, measured on {amount(self.n_probed, 'row')}"
        # Candidates take one to five fits each, and most learners longer than this one. Held against fits of 30 s: room
        # for 200 became 26 candidates, room for 2 became one.
        room = f"there is room for at most {amount(n_fits, 'such fit')}"
        if n_fits < 2 * self.n_first:
            good_for = f"{room}: a first model, hardly compared with others"
        elif n_fits < 10 * self.n_first:
            good_for = f"{room}: the usual learners, most of them tried once"
        else:
            good_for = (
                f"there is room for at most some {_round(n_fits):,} such fits: all usual learners and variants of the "
                "best; the search ends by itself when nothing gets better"
            )
        return f"{measured}; {good_for}."


def outlook_of(folder: Path, draft: Draft) -> Outlook:
    """Return what a look at the rows of a draft shows; remembered for the same question."""
    asked = draft.question
    if not asked.target or asked.task == FORECAST:
        return Outlook()
    bare = Question(asked.target, asked.task, group=asked.group, drop=asked.drop)
    with _lock:
        return _outlook(folder, (folder / TABLE).stat().st_mtime_ns, replace(draft, question=bare).to_json())


@lru_cache(maxsize=32)
def _outlook(folder: Path, _: int, words: str) -> Outlook:
    draft = Draft.from_json(words)
    try:
        return _looked(pl.scan_ipc(folder / TABLE), draft)
    except ManticError:  # the page says why this cannot be asked
        return Outlook()


def _looked(table: pl.LazyFrame, draft: Draft) -> Outlook:
    asked = draft.question
    target = table.select(pl.col(asked.target)).collect().to_series()
    task = task_of(target, asked.task, draft.kinds.get(asked.target, ""))
    rows = np.flatnonzero(filled(target).to_numpy())
    picked = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_ROWS])
    out = {asked.target, asked.group, *asked.drop}
    names = [name for name in table.collect_schema().names() if name not in out]
    frame = table.select(pl.col(names).gather(picked)).collect()
    truth, labels = truth_of(target.gather(picked), task)
    given = Target(truth, n_classes=len(labels))
    schema = with_kinds(infer(frame), frame, {name: kind for name, kind in draft.kinds.items() if name in names})
    aligned = schema.align(frame)
    metric = METRICS.get("log_loss" if task == "classify" else "rmse")
    run = Run(deadline=Deadline.after(_SECONDS))
    leaks = find_leaks(aligned, given, schema, place=Place(picked), score=metric, run=run)
    has_text = any(column.kind is Kind.TEXT for column in schema.columns)
    n_first = len(portfolio(given, None, {}, has_text=has_text))
    seconds = _fit_seconds(Material(schema, aligned, given, ()), n_rows=len(rows))
    return Outlook(leaks, seconds, len(picked), n_first)


def _fit_seconds(material: Material, *, n_rows: int) -> float | None:
    """Return what one fit of boosted trees takes on all rows; None if it is not done on these in a short time."""
    if not LEARNERS.get(_PROBED).needs or material.frame.height < _LEAST_ROWS:
        return None
    chance = np.random.default_rng(0).permutation(material.frame.height)
    cut = len(chance) // 5
    fold = np.sort(chance[cut:]), np.sort(chance[:cut])
    whole = replace(material, parts=(Part(*fold, (fold,)),))
    result = run_trial(TrialJob(Candidate(_PROBED, {}, 0), 0, (0,), 0, _SECONDS, Held(whole)))
    forget()
    if result.is_cut or result.hurried:
        return None
    return (result.fit_seconds + result.guess_seconds) * max(1.0, n_rows / len(chance))


def _round(number: int) -> int:
    """Return a number to one figure: nobody knows it better.

    >>> _round(347)
    300
    """
    return round(number, 1 - len(str(number)))
