"""What a report says of holidays: which were reckoned with, what they do, and whether it helped."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from mantic.evaluate.facts import plain
from mantic.report.blocks import Block, Grid, Group
from mantic.report.numbers import say
from mantic.search.series.holiday_judge import OneHoliday, Reckoned

_EPOCH = date(1970, 1, 1)
_MOST_ROWS = 30


def holiday_text(found: Reckoned) -> str:
    """Return in a sentence whether holidays are reckoned with, and what came of it."""
    compared = ""
    if np.isfinite(found.before):
        without, with_them = (say(one, "share") for one in (found.before, found.after))
        compared = (
            f"on {found.n_judged:,} dates of the past {with_them} of the usual would have been missed with them, and "
            f"{without} without"
        )
    if not found.is_used:
        more = f" ({compared})" if compared else ""
        return f"holidays of {found.place} are not reckoned with: {found.sentence}{more}"
    how = f", {found.sentence}" if found.sentence else ""
    return f"holidays of {found.place} are reckoned with{how}: {compared}"


def holiday_blocks(found: Reckoned) -> Sequence[Block]:
    """Return a table of the holidays; nothing where none has a name."""
    if not found.each:
        return ()
    rows = tuple(_row(one) for one in found.each[:_MOST_ROWS])
    columns = ("holiday", "seen", "effect", "missed without", "missed with", "in the forecast")
    note = (
        "The effect is against the same day of ordinary weeks around it. What is missed is a share of the usual, on "
        "later dates than the effect was learned from; empty where there were none."
    )
    return (Group(f"Holidays of {found.place}", (Grid(columns, rows, note=note),), fold=not found.is_used),)


def holiday_facts(found: Reckoned) -> dict[str, Any]:
    """Return the same as plain values, under the name `holidays`."""
    each = [
        {
            "name": one.name, "n_seen": one.n_seen, "effect": one.effect, "missed_without": one.before,
            "missed_with": one.after, "ahead": [_day(day) for day in one.ahead],
        }
        for one in found.each
    ]  # fmt: skip
    facts = {
        "country": found.place, "is_used": found.is_used, "text": holiday_text(found), "n_judged": found.n_judged,
        "missed_without": found.before, "missed_with": found.after, "each": each,
    }  # fmt: skip
    return {"holidays": plain(facts)}


def _row(one: OneHoliday) -> tuple[Any, ...]:
    shares = (say(value, "share") if np.isfinite(value) else "" for value in (one.effect, one.before, one.after))
    return (one.name, one.n_seen, *shares, ", ".join(_day(day) for day in one.ahead[:3]))


def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
