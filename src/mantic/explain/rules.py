"""A few rules that imitate a model, with what they give up against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.lazy import need
from mantic.core.metric import METRICS, Metric
from mantic.core.schema import Schema
from mantic.core.table import Array
from mantic.explain.condition import Condition, candidates
from mantic.explain.subject import Label, Subject, answers, ends, named, short, weightings
from mantic.report.blocks import Cell, Grid, Group, Report, Text
from mantic.report.numbers import say
from mantic.sources.frames import to_polars

_MOST_RULES = 7
_DEPTH = 3  # conditions of a rule
LEAST_ROWS = 20  # to learn rules from
_LEAST_SHARE = 0.03  # of the rows in each rule
_ALIKE = 0.02  # of the answers' deviation: rules at the end that differ by less are one
_DECIMALS = 9  # of mean answers: more is noise, which would rank equal rows
_LEAST_GAIN = 0.003  # of the variance that a split must explain
_METRIC = {0: "r2", 2: "roc_auc"}  # by the number of classes; more: the share of right answers
_CALLED = {"r2": "of the variation", "roc_auc": "of AUC", "accuracy": "of right answers"}


@dataclass(frozen=True)
class Rule:
    """One rule; it speaks for rows that no earlier one has spoken for.

    Parameters
    ----------
    conditions : all must hold; none for the last rule, which speaks for the rest.
    answer : the class, or the value.
    shares : probability of each class; empty for a regression.
    n_rows, n_right : held-out rows that it speaks for, and how many of them turned out so (None for a regression, or
        where the truth was not kept).
    typical : mean truth of those rows; None for classes, or where it is not known.
    """

    conditions: tuple[Condition, ...]
    answer: Label
    shares: tuple[float, ...]
    n_rows: int
    n_right: int | None
    typical: float | None

    @property
    def when(self) -> str:
        """Return the conditions in words; empty for the last rule."""
        return " AND ".join(str(one) for one in self.conditions)


@dataclass(frozen=True)
class Rules:
    """A list of rules, read from the top; the first that fits answers.

    Parameters
    ----------
    rules, classes, schema : the rules, the labels of the shares, and the columns.
    metric : what `score` and `model_score` are in, on held-out rows; both None where no truth is known.
    given_up : how much worse the rules are than the model, with its 95 % interval; above 0 is worse. None likewise.
    fidelity : share of rows in which rules and model give the same class; for a regression the share of the variation
        of the model's answers that the rules follow.
    n_judged : rows that the rules had not seen and were judged by.
    sentence : the same in words.
    """

    target: str
    rules: tuple[Rule, ...]
    classes: tuple[Label, ...]
    schema: Schema
    metric: str
    score: float | None
    model_score: float | None
    given_up: tuple[float, float, float] | None
    fidelity: float
    n_judged: int
    sentence: str

    def predict(self, X: Any) -> Array:
        """Return the rules' answer to each row of a table of any library: classes or values, shape (n_rows,)."""
        rows = X if isinstance(X, list) else to_polars(X)
        at = _first_that_fits([one.conditions for one in self.rules], self.schema.align(rows))
        return np.array([one.answer for one in self.rules])[at]

    def text(self) -> str:
        """Return the rules as lines."""
        heads = ["IF", *["ELSE IF"] * (len(self.rules) - 1)]
        lines = []
        for head, one in zip(heads, self.rules, strict=True):
            start = f"{head} {one.when} THEN" if one.conditions else "ELSE" if len(self.rules) > 1 else "ALWAYS"
            lines.append(f"{start} {_answer(one)}{_support(one)}")
        return "\n".join(lines)

    def to_facts(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "target": self.target,
            "rules": [
                {
                    "when": one.when,
                    "then": one.answer,
                    "probability": {str(c): s for c, s in zip(self.classes, one.shares, strict=False)} or None,
                    "n_rows": one.n_rows,
                    "n_right": one.n_right,
                }
                for one in self.rules
            ],
            "metric": self.metric,
            "score": self.score,
            "model_score": self.model_score,
            "given_up": None if self.given_up is None else list(self.given_up),
            "fidelity": self.fidelity,
            "n_judged": self.n_judged,
            "sentence": self.sentence,
        }

    def group(self) -> Group:
        """Return the rules as a table with what they give up."""
        rows: list[tuple[Cell, ...]] = []
        for number, one in enumerate(self.rules):
            when = one.when or ("all others" if number else "all rows")
            rows.append((number + 1, when, _answer(one), _counted(one)))
        counted = "turned out so" if self.classes else "held-out rows"
        note = (
            f"Read from the top: the first rule that fits answers. Counted on {self.n_judged:,} rows not learned from."
        )
        grid = Grid(("", "if", "then", counted), tuple(rows), note=note)
        return Group("The model in a few rules", (Text(self.sentence), grid))

    def to_report(self) -> Report:
        """Return the rules as a page."""
        return Report(f"{self.target} in a few rules", (self.group(),), facts=self.to_facts())

    def __str__(self) -> str:
        """Return the rules as lines."""
        return self.text()

    def _repr_html_(self) -> str:
        """Return the page for a notebook cell."""
        return self.to_report()._repr_html_()


def rules_of(subject: Subject, *, seed: int = 0) -> Rules:
    """Learn at most seven rules that imitate the model, and say what they give up.

    A small tree on the user's own columns, with round thresholds, follows the model's answers to some background rows;
    its leaves become an ordered list, from which conditions that earlier rules imply are left out. Rows that the list
    has not seen judge it: against the truth beside the model's held-out answers, and against the model itself.

    Raises
    ------
    SchemaError : if fewer than 20 background rows are known.

    Source: Craven and Shavlik (1996), Extracting Tree-Structured Representations of Trained Networks.
    """
    if subject.background.height < LEAST_ROWS:
        raise SchemaError(
            f"{subject.background.height} rows are too few to learn rules from", where="rules", fix="fit on more rows"
        )
    learned, judged = _divided(subject, seed)
    frame = subject.background[learned]
    wished = answers(subject.model, frame)
    lists, means = _ordered(subject.model.schema, frame, wished, seed=seed)
    return _judged(subject, judged, lists, means=means, seed=seed)


def _divided(subject: Subject, seed: int) -> tuple[Array, Array]:
    """Return rows to learn from and rows to judge by: where possible those that a model had not seen."""
    n_rows = subject.background.height
    order = np.random.default_rng(seed).permutation(n_rows)
    if len(subject.held_out) != n_rows:
        return order[: n_rows // 2], order[n_rows // 2 :]
    unseen = np.asarray(np.isfinite(subject.held_out.reshape(n_rows, -1)).all(axis=1))[order]
    judged, learned = order[unseen], order[~unseen]
    if len(judged) < LEAST_ROWS // 2:
        return order[: n_rows // 2], order[n_rows // 2 :]
    n_moved = max(0, (len(judged) - len(learned)) // 2)  # where all rows judged, half of them must teach
    return np.concatenate([learned, judged[:n_moved]]), judged[n_moved:]


def _ordered(
    schema: Schema, frame: pl.DataFrame, wished: Array, *, seed: int
) -> tuple[list[tuple[Condition, ...]], Array]:
    """Return lists of conditions from the top to the rest, and the mean answer of the rows of each."""
    strength = wished[:, int(wished.std(axis=0).argmax())]
    known = list(candidates(schema, frame, strength))
    if not known:
        return [()], wished.mean(axis=0, keepdims=True)
    flags = np.stack([one.holds(frame) for one in known], axis=1)
    tree = need("sklearn.tree", why="rules").DecisionTreeRegressor(
        max_leaf_nodes=_MOST_RULES,
        max_depth=_DEPTH,
        min_samples_leaf=max(3, int(_LEAST_SHARE * len(flags))),
        min_impurity_decrease=_LEAST_GAIN * float(wished.var(axis=0).mean()),
        random_state=seed,
    )
    tree.fit(flags.astype(np.float32), wished)
    lists = _sorted([_merged(path) for path in _paths(tree.tree_, known)], frame, wished)
    means = _means(lists, frame, wished)
    alike = _ALIKE * float(wished.std(axis=0).max())
    while len(lists) > 1 and float(np.abs(means[-2] - means[-1]).max()) <= alike:
        lists = [*lists[:-2], ()]
        means = _means(lists, frame, wished)
    return lists, means


def _sorted(leaves: list[tuple[Condition, ...]], frame: pl.DataFrame, wished: Array) -> list[tuple[Condition, ...]]:
    """Return leaves as a list from the top: always the one that explains most of what is open; the last is the rest."""
    found: list[tuple[Condition, ...]] = []
    is_open = np.ones(frame.height, dtype=bool)
    while len(leaves) > 1:
        best = max(leaves, key=lambda leaf: _pull(_all_hold(leaf, frame) & is_open, wished, is_open))
        found.append(_needed(best, frame, is_open))
        is_open = is_open & ~_all_hold(found[-1], frame)
        leaves = [leaf for leaf in leaves if leaf is not best]
    return [*found, ()]


def _means(lists: Sequence[Sequence[Condition]], frame: pl.DataFrame, wished: Array) -> Array:
    """Return the mean answer of the rows that each rule speaks for; that of all rows where there is none."""
    at = _first_that_fits(lists, frame)
    parts = [wished[at == number] for number in range(len(lists))]
    return np.stack([(part if len(part) else wished).mean(axis=0).round(_DECIMALS) for part in parts])


def _paths(tree: Any, known: Sequence[Condition]) -> list[tuple[Condition, ...]]:
    found = []
    waiting: list[tuple[int, tuple[Condition, ...]]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            found.append(path)
            continue
        condition = known[tree.feature[node]]
        waiting.append((int(tree.children_left[node]), (*path, condition.opposite())))
        waiting.append((int(tree.children_right[node]), (*path, condition)))
    return found


def _merged(path: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Leave out thresholds that a stricter one of the same column implies."""
    kept = []
    for one in path:
        rivals = [other.value for other in path if (other.column, other.test) == (one.column, one.test)]
        if one.test not in ("<", "≥") or one.value == (min if one.test == "<" else max)(rivals):  # type: ignore[type-var]
            kept.append(one)
    return tuple(dict.fromkeys(kept))


def _needed(leaf: tuple[Condition, ...], frame: pl.DataFrame, is_open: Array) -> tuple[Condition, ...]:
    """Leave out conditions without which the rule speaks for the same of the rows that are still open."""
    covered = _all_hold(leaf, frame) & is_open
    for one in leaf:
        fewer = tuple(other for other in leaf if other != one)
        if ((_all_hold(fewer, frame) & is_open) == covered).all():
            leaf = fewer
    return leaf


def _pull(covered: Array, wished: Array, is_open: Array) -> float:
    """Return how much a rule that covers these rows explains of what is still open."""
    if not covered.any():
        return -1.0
    gap = wished[covered].mean(axis=0) - wished[is_open].mean(axis=0)
    return float(covered.sum() * (gap**2).sum())


def _all_hold(conditions: Sequence[Condition], frame: pl.DataFrame) -> Array:
    found = np.ones(frame.height, dtype=bool)
    for one in conditions:
        found &= one.holds(frame)
    return found


def _first_that_fits(lists: Sequence[Sequence[Condition]], frame: pl.DataFrame) -> Array:
    """Return the number of the rule that speaks for each row."""
    fits = np.stack([_all_hold(one, frame) for one in lists])
    return np.asarray(fits.argmax(axis=0))


def _judged(subject: Subject, judged: Array, lists: list[tuple[Condition, ...]], *, means: Array, seed: int) -> Rules:
    frame = subject.background[judged]
    at = _first_that_fits(lists, frame)
    guess = means[at] if subject.classes else means[at, 0]
    own = subject.model.predict(frame)
    if len(subject.held_out) == subject.background.height:
        seen = subject.held_out[judged]
        own = seen if np.isfinite(seen).all() else own
    truth = subject.truth[judged] if len(subject.truth) == subject.background.height else None
    metric = METRICS.get(_METRIC.get(len(subject.classes), "accuracy"))
    score, model_score, given_up = _given_up(metric, truth, guess, own=own, seed=seed)
    fidelity = float((guess.argmax(axis=1) == own.argmax(axis=1)).mean()) if subject.classes else _followed(own, guess)
    rules = tuple(
        _rule(
            subject,
            conditions,
            mean,
            truth=None if truth is None else truth[at == number],
            n_rows=int((at == number).sum()),
        )
        for number, (conditions, mean) in enumerate(zip(lists, means, strict=True))
    )
    told = _sentence(subject, len(rules), fidelity, metric=metric, given_up=given_up)
    return Rules(
        subject.target, rules, subject.classes, subject.model.schema, metric.name, score, model_score, given_up,
        fidelity, len(judged), told,
    )  # fmt: skip


def _given_up(
    metric: Metric, truth: Array | None, guess: Array, *, own: Array, seed: int
) -> tuple[float | None, float | None, tuple[float, float, float] | None]:
    """Return the scores of rules and model, and how much the rules give up, with its interval."""
    if truth is None:
        return None, None, None
    score, model_score = metric(truth, guess), metric(truth, own)
    draws = np.array(
        [metric.loss(truth, guess, w) - metric.loss(truth, own, w) for w in weightings(len(truth), seed=seed)]
    )
    if not np.isfinite(draws).all():
        return None, None, None
    low, high = ends(draws[1:])
    return score, model_score, (float(draws[0]), min(float(low), float(draws[0])), max(float(high), float(draws[0])))


def _followed(own: Array, guess: Array) -> float:
    spread = float(((own - own.mean()) ** 2).sum())
    return 1.0 - float(((own - guess) ** 2).sum()) / spread if spread > 0 else 1.0


def _rule(
    subject: Subject, conditions: tuple[Condition, ...], mean: Array, *, truth: Array | None, n_rows: int
) -> Rule:
    if subject.classes:
        code = int(mean.argmax())
        n_right = None if truth is None else int((truth == code).sum())
        return Rule(conditions, subject.classes[code], tuple(mean.tolist()), n_rows, n_right, None)
    typical = float(truth.mean()) if truth is not None and len(truth) else None
    return Rule(conditions, float(mean[0]), (), n_rows, None, typical)


def _answer(rule: Rule) -> str:
    return short(rule.answer) if isinstance(rule.answer, float) and not rule.shares else named(rule.answer)


def _counted(rule: Rule) -> str:
    if rule.n_right is not None:
        return f"{rule.n_right:,} of {rule.n_rows:,}"
    return f"{rule.n_rows:,}" if rule.typical is None else f"{rule.n_rows:,}, {short(rule.typical)} on average"


def _support(rule: Rule) -> str:
    if rule.typical is not None:
        return f" ({rule.n_rows:,} rows, {short(rule.typical)} on average)"
    return f" ({_counted(rule)}{'' if rule.n_right is not None else ' rows'})"


def _sentence(
    subject: Subject, n_rules: int, fidelity: float, *, metric: Metric, given_up: tuple[float, float, float] | None
) -> str:
    share = say(max(0.0, fidelity), "share")
    many, answer, follow, give = (
        ("One rule", "answers", "follows", "it gives")
        if n_rules == 1
        else (f"{n_rules} rules", "answer", "follow", "they give")
    )
    told = f"{many} {answer} as the model does in {share} of rows"
    if not subject.classes:
        told = f"{many} {follow} {share} of the variation of the model's answers"
    if given_up is None:
        return f"{told}; what {give} up is not known."
    points, low, high = (short(100 * one) for one in given_up)
    return f"{told}; against the truth {give} up {points} points {_CALLED[metric.name]} ({low} to {high})."
