"""Pictures of a classification: calibration, confusion, and how far down a ranking one has to look."""

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.calibration import calibration_error, confidence, reliability
from mantic.evaluate.findings import Findings
from mantic.evaluate.verdict import of_100
from mantic.report.blocks import Axis, Block, Chart, Grid, Series
from mantic.report.numbers import amount, say

_MOST_CLASSES = 12
_MOST_LISTED = 30
_POINTS = 100  # of a curve
_RARE = 0.1


def calibration(findings: Findings) -> Chart:
    """Return stated against happened, in ten bins of equal mass with 95 % intervals."""
    bins = reliability(*confidence(findings.truth, findings.guess))
    error = calibration_error(findings.truth, findings.guess)
    of = f"'{findings.classes[1]}'" if findings.is_binary else "the likeliest class"
    quality = "well" if error <= 0.03 else "fairly well" if error <= 0.08 else "badly"
    happened = Series(
        "model",
        tuple(one.happened for one in bins),
        x=tuple(one.stated for one in bins),
        low=tuple(one.low for one in bins),
        high=tuple(one.high for one in bins),
        texts=tuple(amount(one.n_rows, "row") for one in bins),
    )
    return Chart(
        "line",
        "Can the probabilities be believed?",
        f"Stated probabilities of {of} fit {quality}: they are off by {say(error, 'share')} on average (ECE).",
        (happened, Series("perfect", (0.0, 1.0), x=(0.0, 1.0), is_reference=True)),
        x=Axis(f"stated probability of {of}", "share"),
        y=Axis("share in which it happened", "share"),
    )


def confusion(findings: Findings) -> Chart:
    """Return what was called what, out of 100 rows of each true class; the twelve commonest classes."""
    order = np.argsort(-np.bincount(findings.truth, minlength=len(findings.classes)), kind="stable")[:_MOST_CLASSES]
    order = np.sort(order)
    called = findings.guess.argmax(axis=1)
    counts = np.array([[np.sum((findings.truth == a) & (called == b)) for b in order] for a in order], dtype=float)
    totals = np.array([max(1, np.sum(findings.truth == a)) for a in order], dtype=float)
    names = tuple(findings.classes[code] for code in order)
    n_classes = len(findings.classes)
    only = f" The {len(order)} commonest of {n_classes} classes." if len(order) < n_classes else ""
    return Chart(
        "heat",
        "What is taken for what",
        _worst_confusion(counts, names) + only,
        x=Axis("called", labels=names),
        y=Axis("of 100 rows that are truly", labels=names),
        matrix=tuple(tuple(round(float(one)) for one in row) for row in 100 * counts / totals[:, None]),
    )


def ranking(findings: Findings) -> list[Block]:
    """Return the ROC curve of two classes (precision and recall when one is rare) and the gain curve."""
    case = 0 if 0 < float(np.mean(findings.truth == 0)) < _RARE else 1
    is_case = findings.truth == case
    if is_case.all() or not is_case.any():
        return []
    order = np.argsort(-findings.guess[:, case], kind="stable")
    ends = np.flatnonzero(np.append(np.diff(findings.guess[order, case]) != 0, True))
    found = np.cumsum(is_case[order])[ends]
    looked = ends + 1.0
    name = f"'{findings.classes[case]}'"
    curve = _precision if is_case.mean() < _RARE else _roc
    return [curve(found, looked, name), _gain(found, looked, name)]


def by_class(findings: Findings) -> Grid:
    """Return for each class how often it is found and how often it is right when called; commonest first."""
    called = findings.guess.argmax(axis=1)
    counts = np.bincount(findings.truth, minlength=len(findings.classes))
    rows = []
    for code in np.argsort(-counts, kind="stable")[:_MOST_LISTED]:
        hit = float(np.sum((called == code) & (findings.truth == code)))
        n_called = int(np.sum(called == code))
        found = hit / counts[code] if counts[code] else None
        right = hit / n_called if n_called else None
        rows.append((findings.classes[code], int(counts[code]), n_called, say(found, "share"), say(right, "share")))
    return Grid(("class", "true rows", "called rows", "found", "right when called"), tuple(rows))


def _worst_confusion(counts: Array, names: tuple[str, ...]) -> str:
    wrong = counts * (1 - np.eye(len(names)))
    if wrong.sum() == 0:
        return "No row is taken for another class."
    true, called = np.unravel_index(int(wrong.argmax()), wrong.shape)
    share = of_100(wrong[true, called] / max(1.0, counts[true].sum()))
    return f"The commonest mistake: '{names[true]}' is called '{names[called]}' ({share} of 100 of them)."


def _roc(found: Array, looked: Array, name: str) -> Chart:
    hits, alarms = found / found[-1], (looked - found) / (looked[-1] - found[-1])
    line = _thinned("model", np.append(0, alarms), np.append(0, hits))
    at = np.interp(0.1, alarms, hits)
    return Chart(
        "line",
        f"Found against false alarms for {name}",
        f"At a false alarm for 10 of 100 others it finds {of_100(float(at))} of 100 {name} rows (ROC curve).",
        (line, Series("by chance", (0.0, 1.0), x=(0.0, 1.0), is_reference=True)),
        x=Axis("false alarms among the others", "share"),
        y=Axis(f"{name} rows that are found", "share"),
    )


def _precision(found: Array, looked: Array, name: str) -> Chart:
    share = float(found[-1] / looked[-1])
    recall, right = found / found[-1], found / looked
    at = right[int(np.argmax(recall >= 0.5))]
    return Chart(
        "line",
        f"Found against right alarms for {name}",
        f"To find half of the {name} rows, {of_100(float(at))} of 100 alarms are right (precision and recall).",
        (_thinned("model", recall, right), Series("by chance", (share, share), x=(0.0, 1.0), is_reference=True)),
        x=Axis(f"{name} rows that are found", "share"),
        y=Axis("alarms that are right", "share"),
    )


def _gain(found: Array, looked: Array, name: str) -> Chart:
    part, hits = np.append(0, looked / looked[-1]), np.append(0, found / found[-1])
    at = float(np.interp(0.1, part, hits))
    return Chart(
        "line",
        "How far down to look",
        f"The tenth of the rows that is ranked highest holds {of_100(at)} of 100 {name} rows.",
        (_thinned("model", part, hits), Series("by chance", (0.0, 1.0), x=(0.0, 1.0), is_reference=True)),
        x=Axis("rows looked at, highest first", "share"),
        y=Axis(f"{name} rows among them", "share"),
    )


def _thinned(name: str, x: Array, y: Array) -> Series:
    """Return a curve of at most 100 points, both ends kept."""
    at = np.unique(np.linspace(0, len(x) - 1, _POINTS).round().astype(np.int64))
    return Series(name, tuple(float(one) for one in y[at]), x=tuple(float(one) for one in x[at]))
