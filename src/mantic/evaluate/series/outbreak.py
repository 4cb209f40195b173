"""What a report says of an outbreak: how values are revised, and how likely each step passes the capacity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array
from mantic.report.blocks import Alert, Axis, Block, Chart, Grid, Group, Series
from mantic.report.numbers import say

_MOST_SHOWN = 60  # series in the table of alarms
_LIKELY = 0.5


@dataclass(frozen=True)
class OutbreakFindings:
    """What is known of an outbreak when its report is written.

    Parameters
    ----------
    age_ratio, age_doubt, age_pairs : what values of each age become, as a share of what was told; how far that differs;
        from how many pairs; shape (n_ages,).
    told, foreseen : the latest values as they were told, and as they are likely to end, shape (n_series,).
    n_days : on how many days something was told.
    by_nowcast : mean relative error of the latest value on days of the past, as told and as foreseen then; NaN unknown.
    factor : by how much intervals were widened.
    names, times : texts of series and of steps to come.
    capacity, above : what is watched, and the probability of more, shape (n_series, horizon); None where nothing is.
    """

    age_ratio: Array
    age_doubt: Array
    age_pairs: Array
    told: Array
    foreseen: Array
    n_days: int
    by_nowcast: tuple[float, float]
    factor: float
    names: Sequence[str]
    times: Sequence[str]
    capacity: float | None
    above: Array | None


def outbreak_blocks(found: OutbreakFindings) -> list[Block]:
    """Return the parts of the report: revisions, and alarms if there is a capacity."""
    blocks: list[Block] = []
    if found.capacity is not None and found.above is not None:
        blocks.append(_alarm(found, found.capacity, found.above))
    blocks.append(Group("How values are revised", tuple(_revised(found))))
    return blocks


def outbreak_facts(found: OutbreakFindings) -> dict[str, object]:
    """Return the same as plain values."""
    facts: dict[str, object] = {
        "revision": {
            "becomes": found.age_ratio.tolist(), "doubt": found.age_doubt.tolist(), "n_pairs": found.age_pairs.tolist(),
            "n_days": found.n_days, "correction": _correction(found),
            "error_told": found.by_nowcast[0], "error_nowcast": found.by_nowcast[1],
        },
        "widened": found.factor,
    }  # fmt: skip
    if found.above is not None:
        facts["alarm"] = {
            "capacity": found.capacity, "series": list(found.names), "times": list(found.times),
            "probability": found.above.tolist(),
        }  # fmt: skip
    return {"outbreak": facts}


def _correction(found: OutbreakFindings) -> float:
    total = float(found.told.sum())
    return float(found.foreseen.sum()) / total - 1 if total > 0 else 0.0


def _revised(found: OutbreakFindings) -> list[Block]:
    rows = tuple(
        (age, say(ratio - 1, "share"), say(doubt, "share"), f"{int(pairs):,}")
        for age, (ratio, doubt, pairs) in enumerate(
            zip(found.age_ratio, found.age_doubt, found.age_pairs, strict=True)
        )
    )  # fmt: skip
    told, foreseen = found.by_nowcast
    note = (
        f"From values told on {found.n_days:,} days. The latest values are moved by {say(_correction(found), 'share')} "
        f"in all before anything is forecast from them. Intervals were widened by {found.factor:.2f}."
    )
    if np.isfinite(told):
        note += (
            f" On days of the past the latest value missed what it became by {say(told, 'share')} as told, and by "
            f"{say(foreseen, 'share')} as foreseen then."
        )
    columns = ("age in steps", "still grows by", "give or take", "pairs")
    blocks: list[Block] = [Grid(columns, rows, title="What becomes of a value", note=note)]
    if not found.age_pairs.any():
        text = "Nothing was told twice: how values are revised is not known, and they are taken as told."
        blocks.insert(0, Alert("warning", "no_revisions", text))
    return blocks


def _alarm(found: OutbreakFindings, capacity: float, above: Array) -> Group:
    order = np.argsort(-above.max(axis=1), kind="stable")[:_MOST_SHOWN]
    rows = tuple((found.names[one] or "all", *(say(float(p), "share") for p in above[one])) for one in order)
    n_likely = int((above.max(axis=1) >= _LIKELY).sum())
    note = (
        f"Probability of more than {say(capacity)} in each step; {n_likely:,} of {len(above):,} series are more likely "
        "than not to pass it. 0.5 % and 99.5 % stand for everything beyond 1 % and 99 %."
    )
    if len(order) < len(above):
        note += f" The {len(order)} likeliest are shown."
    grid = Grid(("series", *found.times), rows, title="Alarm", note=note)
    doubtful = int(np.argmin(np.abs(above.max(axis=1) - _LIKELY)))
    own = above[doubtful]
    steps = tuple(float(step) for step in range(1, above.shape[1] + 1))
    name = found.names[doubtful] or "The series"
    low, high = (say(float(one), "share") for one in (own.min(), own.max()))
    sentence = f"{name} passes {say(capacity)} with a probability of {low} to {high}."
    chart = Chart(
        "line", "The most in doubt", sentence,
        (Series("probability", tuple(own.tolist()), steps, texts=tuple(found.times)),), Axis("steps ahead"),
        Axis("probability"),
    )  # fmt: skip
    return Group("Alarm", (grid, chart))
