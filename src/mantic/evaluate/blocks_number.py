"""Pictures of a regression: predicted against true, the errors, and where they are large."""

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.findings import Findings
from mantic.report.blocks import Axis, Chart, Series
from mantic.report.numbers import say

_POINTS = 800
_BINS = 40
_PARTS = 8


def predicted_and_true(findings: Findings) -> Chart:
    """Return one point per held-out row, at most 800 of them, with the diagonal."""
    at = _sample(findings.n_test)
    truth, guess = findings.truth[at], findings.guess[at]
    ends = float(min(truth.min(), guess.min())), float(max(truth.max(), guess.max()))
    within = float(np.mean(np.abs(findings.guess - findings.truth) <= 0.1 * np.abs(findings.truth)))
    return Chart(
        "points",
        "Predicted and true",
        f"{say(within, 'share')} of the predictions are within a tenth of the true value; on the line they are exact.",
        (
            Series("held-out rows", _floats(truth), x=_floats(guess)),
            Series("exact", ends, x=ends, is_reference=True),
        ),
        x=Axis(f"predicted {findings.target}"),
        y=Axis(f"true {findings.target}"),
    )


def errors(findings: Findings) -> Chart:
    """Return the errors as a histogram; the outermost hundredth at each end is drawn at the edge."""
    off = findings.guess - findings.truth
    low, high = (float(end) for end in np.quantile(off, [0.01, 0.99]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(off, low, high), bins=min(_BINS, max(5, len(off) // 5)), range=(low, high))
    bias = float(np.mean(off))
    spread = float(np.std(off)) / max(1.0, np.sqrt(len(off)))
    lean = "neither too high nor too low on average"
    if abs(bias) > 2 * spread:
        lean = f"{say(abs(float(f'{bias:.3g}')))} too {'high' if bias > 0 else 'low'} on average"
    return Chart(
        "histogram",
        "How far off",
        f"Predictions are {lean}; half of them are off by less than {say(float(f'{np.median(np.abs(off)):.3g}'))}.",
        (Series("held-out rows", _floats(counts), x=_floats(edges)),),
        x=Axis(f"predicted less true {findings.target}"),
        y=Axis("rows"),
    )


def errors_by_size(findings: Findings) -> Chart:
    """Return boxes of the error for eight parts of the predicted size: is it equally sure everywhere?"""
    guess, off = findings.guess, findings.guess - findings.truth
    n_parts = max(1, min(_PARTS, findings.n_test // 20))
    edges = np.unique(np.quantile(guess, np.linspace(0, 1, n_parts + 1)[1:-1]))
    place = np.searchsorted(edges, guess, side="left")
    groups = [(guess[place == one], off[place == one]) for one in np.unique(place)]
    typical = [float(np.median(np.abs(one))) for _, one in groups]
    return Chart(
        "box",
        "How far off, by predicted size",
        _evenness(typical),
        tuple(Series(say(float(f"{np.median(sizes):.3g}")), _box(one)) for sizes, one in groups),
        x=Axis(f"predicted {findings.target} (middle of each part)"),
        y=Axis("predicted less true"),
    )


def _evenness(typical: list[float]) -> str:
    smallest, largest = min(typical), max(typical)
    if smallest <= 0 or largest / smallest < 1.5:
        return "Errors are about equally large for small and large predictions."
    where = "largest" if typical[-1] >= largest * 0.99 else "smallest" if typical[0] >= largest * 0.99 else "middle"
    times = f"{largest / smallest:.1f} times as large in one part of the range as in another"
    return f"Errors are {times}; worst for the {where} predictions."


def _box(values: Array) -> tuple[float, ...]:
    return _floats(np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))


def _sample(n_rows: int) -> Array:
    if n_rows <= _POINTS:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, _POINTS, replace=False))


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(one) for one in values)
