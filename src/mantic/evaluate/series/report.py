"""The report of a forecast: how good it was on the past, whether its intervals hold, and what it looks like."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mantic.evaluate.facts import plain
from mantic.evaluate.series.findings import SeriesFindings
from mantic.evaluate.series.levels import by_level, level_facts, level_table
from mantic.evaluate.series.picture import Seen, picture
from mantic.evaluate.series.score import Coverage, Judged, Score, by_series, by_step, coverage, scores
from mantic.report.blocks import Alert, Axis, Block, Chart, Grid, Group, Number, Report, Series, Text
from mantic.report.numbers import amount, say, say_range

_FEW = 40  # errors below which an interval is a guess
_LITTLE = 0.02  # share by which a forecast must beat seasonal naive to be called better
_WORDS = {
    "mase": "mean absolute error, in units of the usual change over a season",
    "smape": "mean relative error, per cent",
    "owa": "mean of both, as a share of seasonal naive's",
    "rmsse": "root of the mean squared error, in units of the usual change",
    "wis": "interval score, in units of the usual change",
}


def forecast_report(found: SeriesFindings) -> Report:
    """Say everything about a fresh forecast.

    Returns
    -------
    A report whose `facts` hold task, target, metric, score, interval, baseline, metrics, coverage, learners, weights,
    level, repairs, n_rows, n_series, horizon, frequency, seasons, seconds, warnings and verdict as plain JSON values.
    """
    return _built(found, f"Forecast of {found.target}", is_fit=True)


def evaluation_report(found: SeriesFindings) -> Report:
    """Say how forecasts did once the truth came; as `forecast_report`, without the search."""
    return _built(found, f"Evaluation of the forecast of {found.target}", is_fit=False)


def _built(found: SeriesFindings, title: str, *, is_fit: bool) -> Report:
    held = [] if found.judged is None else coverage(found.judged, n_draws=found.n_draws)
    known = {} if found.judged is None else scores(found.judged, n_draws=found.n_draws)
    levels = [] if found.coherent is None or found.judged is None else by_level(found.coherent, found.judged)
    verdict = _verdict(found, known)
    blocks: list[Block] = [Text(verdict["sentence"], "verdict")]
    if known:
        blocks.append(Group("The score", tuple(_tiles(known, held))))
    if alerts := _alerts(found):
        blocks.append(Group("Mind this", tuple(alerts)))
    blocks += found.more[0]
    if found.judged is not None:
        blocks.append(Group("All scores", (_score_table(known, found),)))
        blocks.append(Group("Whether intervals hold", (_coverage_table(held, found),)))
        if levels and found.coherent is not None:
            blocks.append(Group("Level by level", (level_table(levels, found.coherent),)))
        blocks.append(Group("Step by step", (_steps(found.judged),)))
        blocks.append(Group("The middle and the worst series", tuple(_pictures(found, found.judged)), columns=2))
    elif len(found.names):
        blocks.append(Group("What it looks like", (_picture(found, 0, "The first series"),)))
    if is_fit:
        blocks.append(Group("What the forecast is made of", (_made_of(found), _tried(found)), fold=False))
    blocks.append(Group("The data", (_data(found),), fold=True))
    panel = found.panel
    subtitle = (
        f"{len(panel):,} series, {amount(found.forecast.shape[1], 'step')} ahead; frequency {panel.calendar.name}, "
        f"seasons of {', '.join(map(str, panel.seasons)) or 'no'} steps"
    )
    facts = _facts(found, known, held, verdict)
    if found.coherent is not None:
        facts["hierarchy"] = plain(level_facts(levels, found.coherent))
    return Report(title, tuple(blocks), subtitle, facts)


def _verdict(found: SeriesFindings, known: Mapping[str, Score]) -> dict[str, Any]:
    if not known or not np.isfinite(known["mase"].value):
        sentence = "The series are too short to be judged on their own past: hold this forecast lightly."
        return {"sentence": sentence, "level": "weak"}
    owa, mase = known["owa"], known["mase"]
    gain = 1 - owa.value
    judged = found.judged
    assert judged is not None
    n_origins = judged.truth.shape[0]
    past = f"on {n_origins} stretch{'es' if n_origins > 1 else ''} of the past"
    if owa.value >= 1 - _LITTLE or (np.isfinite(owa.high) and owa.high >= 1):
        level = "weak" if owa.value <= 1 + _LITTLE else "useless"
        start = (
            "No better than repeating the last season"
            if level == "weak"
            else "Worse than repeating the last season: do not use"
        )
    else:
        level, start = "good", f"{say(gain, 'share')} less error than repeating the last season"
    size = f"a forecast misses by {say(mase.value)} of the usual change over a season"
    return {"sentence": f"{start} {past}; {size}.", "level": level}


def _tiles(known: Mapping[str, Score], held: Sequence[Coverage]) -> list[Block]:
    found: list[Block] = []
    for name, label in (("owa", "Error against seasonal naive"), ("mase", "Scaled error (MASE)")):
        one = known[name]
        low, high = (one.low, one.high) if np.isfinite(one.low) else (None, None)
        note = "1 is repeating the last season" if name == "owa" else f"seasonal naive {say(one.reference)}"
        found.append(Number(label, one.value, low=low, high=high, note=note))
    if held:
        widest = held[-1]
        note = f"promised {say(widest.level, 'share')}"
        found.append(Number("Truth inside the widest interval", widest.share, "share", note=note))
    return found


def _alerts(found: SeriesFindings) -> list[Alert]:
    alerts = []
    if found.n_calibrated < _FEW:
        what = f"The intervals come from {found.n_calibrated} errors only."
        alerts.append(Alert("warning", "few_errors", what, "They are a guess.", "Give a longer past."))
    for one in found.repairs:
        if one["code"] not in ("demand",):
            shown = f" For instance {', '.join(one['examples'])}." if one["examples"] else ""
            alerts.append(
                Alert("note", str(one["code"]), f"{str(one['text'])[:1].upper()}{str(one['text'])[1:]}.{shown}")
            )
    for one in found.warnings:
        alerts.append(Alert("warning", str(one["code"]), str(one["text"])))
    return alerts


def _score_table(known: Mapping[str, Score], found: SeriesFindings) -> Grid:
    rows = tuple(
        (
            name.upper() if name != "smape" else "sMAPE",
            one.value,
            _range(one.low, one.high),
            one.reference,
            _WORDS[name],
        )
        for name, one in known.items()
    )
    note = "Averaged over series; the range is where it would lie for other series of the same kind."
    if len(found.looked) < len(found.panel):
        note += f" Of {len(found.panel):,} series {len(found.looked):,} were judged, which lie evenly among them."
    return Grid(("score", "this forecast", "range", "seasonal naive", "what it is"), rows, note=note)


def _coverage_table(held: Sequence[Coverage], found: SeriesFindings) -> Grid:
    rows = tuple(
        (say(one.level, "share"), say(one.share, "share"), _range(one.low, one.high, "share"), one.width)
        for one in held
    )
    note = f"From {found.n_calibrated:,} errors. The width is in units of the usual change over a season."
    return Grid(("promised", "truth inside", "range", "width"), rows, note=note)


def _steps(judged: Judged) -> Chart:
    own, naive = by_step(judged)
    steps = tuple(float(step) for step in range(1, len(own) + 1))
    sentence = f"The scaled error goes from {say(own[0])} at the first step to {say(own[-1])} at the last."
    lines = (
        Series("forecast", tuple(own.tolist()), steps),
        Series("seasonal naive", tuple(naive.tolist()), steps, is_reference=True),
    )
    return Chart("line", "Error by step", sentence, lines, Axis("steps ahead"), Axis("scaled error"))


def _pictures(found: SeriesFindings, judged: Judged) -> list[Block]:
    errors = by_series(judged)
    order = np.argsort(np.where(np.isnan(errors), np.inf, errors), kind="stable")
    order = order[: int(np.isfinite(errors).sum())]
    if not len(order):
        return []
    chosen = [(int(order[len(order) // 2]), "The middle series")]
    if len(order) > 1:
        chosen.append((int(order[-1]), "The worst series"))
    return [_picture(found, at, title) for at, title in chosen]


def _picture(found: SeriesFindings, at: int, title: str) -> Chart:
    """Return the end of a series, the forecast with its widest interval, and what was said at the latest origin.

    Parameters
    ----------
    at : which of the series that are looked at.
    """
    said = None
    if (
        found.judged is not None
        and found.judged.truth.shape[0]
        and found.judged.guess.shape[2] == len(found.forecast[0])
    ):
        said = found.judged.guess[0, at] if np.isfinite(found.judged.guess[0, at]).any() else None
    place = int(found.looked[at])
    name = found.names[place] or found.target
    band, level = found.quantiles[at][:, [0, -1]], float(found.levels[-1] - found.levels[0])
    seen = Seen(found.panel, place, found.forecast[at], band, level, said)
    return picture(seen, title=f"{title}: {name}", name=name, target=found.target)


def _made_of(found: SeriesFindings) -> Grid:
    ordered = sorted(found.voices.items(), key=lambda one: -one[1])
    rows = tuple((name, round(weight, 3)) for name, weight in ordered if weight > 0)
    losses = "; ".join(f"{name} {say(loss)}" for name, loss in found.losses.items())
    note = f"Weights by {found.level}. Loss on the past by how particular weights were: {losses}." if losses else ""
    return Grid(("method", "weight"), rows, note=note, bars=("weight",))


def _tried(found: SeriesFindings) -> Grid:
    rows = tuple(
        (one["name"], one["loss"], one["foretold"], one["spent"], one["outcome"], one["reason"]) for one in found.ledger
    )
    columns = ("method", "loss on the past", "seconds foretold", "seconds spent", "outcome", "why")
    return Grid(
        columns, rows, title="What was tried", note="A loss of 1 is seasonal naive; seconds are of processor time."
    )


def _data(found: SeriesFindings) -> Grid:
    panel = found.panel
    lengths = panel.lengths
    rows: list[tuple[str, str]] = [
        ("rows", f"{found.n_rows:,}"),
        ("series", f"{len(panel):,}"),
        ("steps of a series", say_range(int(lengths.min()), int(lengths.max()))),
        ("frequency", panel.calendar.name),
        ("seasons", ", ".join(map(str, panel.seasons)) or "none"),
    ]
    rows += [(str(one["code"]), str(one["text"])) for one in found.repairs if one["code"] == "demand"]
    rows += [(key, str(value)) for key, value in found.asked.items() if value not in (None, (), [])]
    return Grid(("what", "value"), tuple(rows))


def _range(low: float, high: float, unit: str = "") -> str:
    return say_range(low, high, unit) if np.isfinite(low) else "–"


def _facts(
    found: SeriesFindings, known: Mapping[str, Score], held: Sequence[Coverage], verdict: Mapping[str, Any]
) -> dict[str, Any]:
    mase = known.get("mase", Score(*[float("nan")] * 4))
    facts = {
        "task": "forecast", "target": found.target, "metric": "mase", "higher_is_better": False,
        "score": mase.value, "interval": [mase.low, mase.high],
        "baseline": {"name": "seasonal naive", "score": mase.reference},
        "metrics": {name: one.value for name, one in known.items()},
        "coverage": [
            {"level": one.level, "share": one.share, "interval": [one.low, one.high], "width": one.width}
            for one in held
        ],
        "learners": [dict(one) for one in found.ledger],
        "weights": dict(found.voices), "level": found.level, "repairs": [dict(one) for one in found.repairs],
        "n_rows": found.n_rows, "n_series": len(found.panel), "horizon": int(found.forecast.shape[1]),
        "n_test": 0 if found.judged is None else found.judged.n_truths,
        "frequency": found.panel.calendar.name, "seasons": list(found.panel.seasons), "seconds": found.seconds,
        "warnings": [dict(one) for one in found.warnings], "verdict": dict(verdict),
        **found.more[1],
    }  # fmt: skip
    return dict(plain(facts))
