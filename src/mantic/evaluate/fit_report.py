"""Findings become a Report: the verdict first, then figures, pictures and the story."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from mantic.core.executor import Failure, attempt
from mantic.core.run import Run
from mantic.evaluate import blocks_class, blocks_leak, blocks_number, blocks_score, blocks_story
from mantic.evaluate.facts import plain
from mantic.evaluate.findings import Findings
from mantic.evaluate.scoreboard import Scoreboard
from mantic.evaluate.verdict import Verdict, judge
from mantic.report.blocks import Alert, Block, Group, Report, Text

_HASTE = 1.0  # with fewer seconds left, a fifth of the draws must do
_LEAST = 0.15  # with fewer seconds left, what is optional is left out


@dataclass(frozen=True)
class _Part:
    """An optional part: where it stands on the page, its heading, and what makes it. Parts are listed by importance."""

    place: int
    title: str
    make: Callable[[], Iterable[Block]]
    columns: int = 1
    fold: bool = False


def fit_report(findings: Findings, run: Run) -> Report:
    """Say everything about a fresh model, within what is left of the run's time.

    Optional parts are made by importance and left out when `run.deadline` is near; a note says which.

    Parameters
    ----------
    run : its seed draws the intervals; its deadline bounds the work.

    Returns
    -------
    A report whose `facts` hold task, target, metric, score, interval, baseline, linear, metrics, classes, positive,
    learners, n_rows, n_test, split, seconds, latency_ms, long_way, warnings, leaks, drift, importance, conformal and
    verdict as plain JSON values.
    """
    return _build(findings, run, title=f"Model of {findings.target}")


def evaluate_report(findings: Findings, run: Run) -> Report:
    """Say how a saved model does on new labelled rows; as `fit_report`, with what is not known left out."""
    return _build(findings, run, title=f"Evaluation of {findings.target}")


def _build(findings: Findings, run: Run, *, title: str) -> Report:
    most = 1000 if run.deadline.left() > _HASTE else 200
    board = Scoreboard.of(findings, seed=run.seed, most=most)
    verdict = judge(findings, board)
    blocks: list[Block] = [Text(verdict.sentence, "verdict"), blocks_score.tiles(board)]
    found = blocks_story.alerts(findings, verdict)
    if found:
        blocks.append(Group("Mind this", tuple(found)))
    made, left_out = _made(_parts(findings, board), run)
    blocks += made
    if left_out:
        what = f"Left out for want of time: {', '.join(left_out)}."
        blocks.append(Alert("note", "left_out", what, fix="Allow more time."))
    blocks += [*blocks_story.again(findings), *blocks_story.data(findings)]
    subtitle = f"{findings.n_test:,} held-out rows. {findings.split}".strip()
    return Report(title, tuple(blocks), subtitle, facts_of(board, verdict))


def _parts(findings: Findings, board: Scoreboard) -> list[_Part]:
    """Return the optional parts, the most important first."""
    pictures = _class_pictures if findings.is_classes else _number_pictures
    return [
        _Part(2, "How it answers", lambda: pictures(findings), columns=2),
        _Part(3, "Class by class", lambda: [blocks_class.by_class(findings)] if findings.is_classes else []),
        _Part(4, "What drives it", lambda: blocks_story.drivers(findings)),
        _Part(5, "What moved", lambda: blocks_leak.drift(findings)),
        _Part(5, "The model in a few rules", lambda: findings.rules),
        _Part(9, "What was tried", lambda: blocks_story.tried(findings), fold=True),
        _Part(6, "What it promises", lambda: blocks_story.promise(findings)),
        _Part(7, "Where it fails", lambda: blocks_story.slices(findings)),
        _Part(8, "The worst failures", lambda: blocks_story.failures(findings), fold=True),
        _Part(1, "All scores", lambda: [blocks_score.scores(board)]),
    ]


def _made(parts: list[_Part], run: Run) -> tuple[list[Block], list[str]]:
    """Make parts until time runs out; return them in the order of the page, and the names of the others.

    A part that fails is left out with a warning.
    """
    made: list[tuple[int, Block]] = []
    left_out = []
    for part in parts:
        if run.deadline.left() < _LEAST:
            left_out.append(part.title.lower())
            continue
        blocks = attempt(lambda one: tuple(one.make()), part)
        if isinstance(blocks, Failure):  # it must not cost the model
            run.warn("part_failed", f"'{part.title}' is not in the report: {blocks.reason}")
        elif blocks:
            made.append((part.place, Group(part.title, blocks, fold=part.fold, columns=part.columns)))
    return [block for _, block in sorted(made, key=lambda one: one[0])], left_out


def _class_pictures(findings: Findings) -> list[Block]:
    blocks: list[Block] = [blocks_class.calibration(findings), blocks_class.confusion(findings)]
    if findings.is_binary:
        blocks += blocks_class.ranking(findings)
    return blocks


def _number_pictures(findings: Findings) -> list[Block]:
    return [
        blocks_number.predicted_and_true(findings),
        blocks_number.errors(findings),
        blocks_number.errors_by_size(findings),
    ]


def facts_of(board: Scoreboard, verdict: Verdict) -> dict[str, Any]:
    """Return everything that is known as plain JSON values; what is not finite is None."""
    findings = board.findings
    interval = board.interval(findings.metric)
    linear = None if findings.linear_guess is None else {"score": board.score(findings.metric, "linear")}
    facts = {
        "task": findings.task,
        "target": findings.target,
        "metric": findings.metric.name,
        "higher_is_better": findings.metric.higher_is_better,
        "score": interval.score,
        "interval": [interval.low, interval.high],
        "baseline": {"name": findings.baseline_name, "score": board.score(findings.metric, "baseline")},
        "linear": linear,
        "metrics": blocks_score.values(board),
        "classes": findings.classes,
        "positive": findings.classes[1] if findings.is_binary else None,
        "learners": [
            {"learner": one.learner, "params": dict(one.params), "score": one.score, "seconds": one.seconds,
             "weight": one.weight, "note": one.note}
            for one in findings.trials
        ],
        "n_rows": findings.n_rows or findings.n_test,
        "n_test": findings.n_test,
        "split": findings.split,
        "earlier": findings.earlier,
        "seconds": findings.seconds,
        "latency_ms": findings.latency_ms,
        "long_way": findings.long_way,
        "warnings": [{"code": one.code, "column": one.column, "text": one.text} for one in findings.warnings],
        "leaks": [asdict(one) for one in findings.leaks],
        "drift": None if findings.drift is None else findings.drift.facts(),
        "importance": [asdict(one) for one in findings.importance],
        "conformal": None if findings.conformal is None else asdict(findings.conformal),
        "verdict": {"sentence": verdict.sentence, "level": verdict.level, **verdict.facts},
    }  # fmt: skip
    return dict(plain(facts))
