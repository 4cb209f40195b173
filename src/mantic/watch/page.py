"""A look as a report: the same blocks for the terminal, a page, and Studio."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from mantic.evaluate.blocks_score import name_of
from mantic.evaluate.facts import plain
from mantic.report.blocks import Alert, Axis, Block, Cell, Chart, Grid, Group, Number, Report, Series, Text
from mantic.report.numbers import amount, say
from mantic.watch.drift import Drifted
from mantic.watch.estimate import ASSUMPTION
from mantic.watch.health import health_of
from mantic.watch.look import Watched
from mantic.watch.quality import Figure
from mantic.watch.traffic import words

if TYPE_CHECKING:
    from mantic.store.alerts import KeptAlert

_MOST_PICTURES = 12
_FIX = "look at the chart; where the change is meant, close the alert or fit again on recent rows"


def report_of(watched: Watched, alerts: "Sequence[KeptAlert]") -> Report:
    """Return what was seen: health, alerts, traffic, quality, estimate, drift; `facts` holds the same for machines."""
    health = health_of(watched, alerts)
    blocks: list[Block] = [Text(health.sentence, "verdict")]
    if alerts:
        blocks.append(Group("Open alerts", tuple(block_of(one) for one in alerts)))
    blocks += [Group("Traffic", (watched.traffic.block(),)), Group("Quality", tuple(quality_blocks(watched)))]
    blocks += [Group("Drift", tuple(drift_blocks(watched))), *_picture_groups(watched.drift)]
    since, until = (moment.strftime("%Y-%m-%d %H:%M") for moment in (watched.period.since, watched.period.until))
    version = f", version {watched.number}" if watched.number else ""
    share = f"; {watched.n_read:,} of them, drawn by chance, were looked at" if watched.n_read < watched.n_rows else ""
    subtitle = f"{amount(watched.n_rows, 'row')} from {since} to {until} UTC{version}{share}"
    return Report(f"Watch: {watched.name}", tuple(blocks), subtitle, facts_of(watched, alerts))


def block_of(alert: "KeptAlert") -> Alert:
    """Return a kept alert as a block."""
    level = alert.level if alert.level in ("stop", "warning") else "note"
    since = f"open since {alert.at[:16].replace('T', ' ')} UTC"
    return Alert(level, alert.code, alert.text, since, _FIX, alert.facts.get("column") or None)  # type: ignore[arg-type]


def quality_blocks(watched: Watched) -> list[Block]:
    """Return what outcomes say, over time and in all, and what the probabilities expect."""
    quality = watched.quality
    blocks: list[Block] = [Text(quality.sentence)]
    if quality.n_known:
        heads = ("metric", "now", "promised", "better is")
        rows = tuple(_figure_row(one) for one in quality.figures)
        blocks.append(Grid(heads, rows, note="with 95 % intervals where they are known"))
    if any(np.isfinite(slot.score.score) for slot in quality.slots):
        blocks.append(_over_time(watched))
    waits = quality.n_open / quality.n_asked if quality.n_asked else 0.0
    if quality.n_asked:
        late = " Those that come late may differ from those that come early." if quality.n_open else ""
        blocks.append(
            Number("rows without an outcome yet", quality.n_open, note=f"{say(waits, 'share')} of those asked.{late}")
        )
    blocks += [Text(quality.lean)] if quality.lean else []
    if quality.n_strange:
        blocks.append(
            Text(f"{amount(quality.n_strange, 'outcome')} could not be used: no class or number that the model knows.")
        )
    return [*blocks, *_estimate_blocks(watched)]


def drift_blocks(watched: Watched) -> list[Block]:
    """Return every column by what its shift does to the answers."""
    if not watched.drift:
        return [Text("There are no columns to look at.")]
    unit = "of a probability" if watched.is_classes else "in the target's unit"
    heads = ("column", "state", "moves an answer by", "what happened")
    words_of = {"moved": "moved", "calm": "calm", "few": "too few rows"}
    rows: list[tuple[Cell, ...]] = [
        (one.column, words_of[one.state], one.effect if np.isfinite(one.effect) else None, one.sentence)
        for one in watched.drift
    ]
    note = (
        f"How far the shift of a column by itself moves an answer ({unit}): recent rows were asked again with that "
        "column as it was in training. Small figures are chance."
    )
    return [Grid(heads, tuple(rows), note=note)]


def facts_of(watched: Watched, alerts: "Sequence[KeptAlert]") -> dict[str, Any]:
    """Return everything as plain JSON values."""
    quality, estimate = watched.quality, watched.estimate
    return dict(
        plain(
            {
                "model": watched.name,
                "number": watched.number,
                "since": watched.period.since.isoformat(),
                "until": watched.period.until.isoformat(),
                "health": asdict(health_of(watched, alerts)),
                "n_rows": watched.n_rows,
                "n_read": watched.n_read,
                "traffic": {
                    "by": watched.traffic.by,
                    "newest": watched.traffic.newest,
                    "slots": watched.traffic.slots,
                    "versions": {str(number): rows for number, rows in watched.traffic.by_version.items()},
                },
                "quality": {
                    "n_all": quality.n_all, "n_known": quality.n_known, "n_strange": quality.n_strange,
                    "n_open": quality.n_open,
                    "is_worse": quality.is_worse, "sentence": quality.sentence, "lean": quality.lean,
                    "metrics": {one.metric.name: _of_figure(one) for one in quality.figures},
                    "slots": [
                        {"at": one.at, "n_known": one.n_known, "score": one.score.score} for one in quality.slots
                    ],
                },
                "estimate": None if estimate is None else {
                    one.metric.name: {"score": one.now.score, "interval": [one.now.low, one.now.high],
                                      "held_out": one.before}
                    for one in estimate.figures
                },
                "drift": [
                    {"column": one.column, "state": one.state, "effect": one.effect, "unseen": one.unseen,
                     "missing": one.missing, "evidence": one.evidence.value, "sentence": one.sentence}
                    for one in watched.drift
                ],
                "alerts": [
                    {"id": one.id, "at": one.at, "level": one.level, "code": one.code, "text": one.text,
                     "column": one.facts.get("column") or None, "useful": one.useful or None}
                    for one in alerts
                ],
            }
        )
    )  # fmt: skip


def _figure_row(figure: Figure) -> tuple[Cell, ...]:
    better = "higher" if figure.metric.higher_is_better else "lower"
    return (name_of(figure.metric), figure.say(figure.now), figure.say(figure.promise), better)


def _of_figure(figure: Figure) -> dict[str, Any]:
    now, promise = figure.now, figure.promise
    return {
        "score": now.score, "interval": [now.low, now.high],
        "promised": promise.score, "promised_interval": [promise.low, promise.high],
    }  # fmt: skip


def _over_time(watched: Watched) -> Chart:
    quality = watched.quality
    first, slots = quality.figures[0], quality.slots
    labels = tuple(words(slot.at) for slot in slots)
    places = tuple(map(float, range(len(slots))))
    known = tuple(amount(slot.n_known, "outcome") for slot in slots)
    scores = [slot.score for slot in slots]
    series = Series(
        "known outcomes", tuple(one.score for one in scores), x=places, low=tuple(one.low for one in scores),
        high=tuple(one.high for one in scores), texts=known,
    )  # fmt: skip
    promise = Series("promised", (first.promise.score,) * len(slots), x=places, is_reference=True)
    return Chart(
        "line", name_of(first.metric), quality.sentence, (series, promise),
        x=Axis(f"{watched.period.by} (UTC) in which they became known", labels=labels), y=Axis(name_of(first.metric)),
    )  # fmt: skip


def _estimate_blocks(watched: Watched) -> list[Block]:
    estimate = watched.estimate
    if estimate is None:
        return []
    numbers = [
        Number(
            f"{one.name}, estimated", one.now.score, low=_or_none(one.now.low), high=_or_none(one.now.high),
            note=f"{say(one.before)} on the rows held out, by the same way of counting",
        )
        for one in estimate.figures
    ]  # fmt: skip
    told = " Rows became harder than those held out." if estimate.is_harder else ""
    return [Group("Estimated before outcomes are known", (Text(f"{ASSUMPTION}{told}"), *numbers))]


def _picture_groups(drift: Sequence[Drifted]) -> list[Block]:
    shown = [one for one in drift if one.state != "few"][:_MOST_PICTURES]
    return [Group(one.column, one.charts, note=about(one), fold=one.state == "calm", columns=2) for one in shown]


def about(one: Drifted) -> str:
    """Return what happened to a column, with its gaps."""
    was, now = (say(share, "share") for share in one.missing)
    gaps = f" Empty in {now} of the rows, {was} in training." if was != now else ""
    return f"{one.sentence[0].upper()}{one.sentence[1:]}.{gaps}"


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
