"""A sentence per row: what was predicted and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mantic.report.numbers import say

Value = str | float | int | bool | datetime | date | None

_SHOWN = 3  # reasons on each side
_FAINT = 0.05  # reasons of less than this share of the strongest are not worth a word
_LONGEST = 40  # characters of a text


@dataclass(frozen=True)
class Reason:
    """What one column added to one answer.

    Parameters
    ----------
    column, value : the user's column and what stands in it (None is missing).
    contribution : signed, in the unit of the margin.
    """

    column: str
    value: Value
    contribution: float


def sentence(told: str, reasons: Sequence[Reason], *, sign: float = 1.0) -> str:
    """Say why, the strongest reasons first, those against it at the end.

    Parameters
    ----------
    told : the answer, for instance "yes (83 %)".
    sign : -1 when a positive contribution speaks against this answer.

    >>> sentence("yes (83 %)", [Reason("months", 2.0, 0.8), Reason("age", None, -0.3)])
    'Predicted yes (83 %). Mostly because months is 2 (+0.8); against it: age is missing (-0.3).'
    >>> sentence("no (90 %)", [])
    'Predicted no (90 %). No column moves it away from the usual answer.'
    """
    strongest = max((abs(one.contribution) for one in reasons), default=0.0)
    ordered = sorted(reasons, key=lambda one: -abs(one.contribution))
    clear = [one for one in ordered if abs(one.contribution) > _FAINT * strongest]
    pro = [_clause(one) for one in clear if sign * one.contribution > 0][:_SHOWN]
    con = [_clause(one) for one in clear if sign * one.contribution < 0][:_SHOWN]
    if not pro and not con:
        return f"Predicted {told}. No column moves it away from the usual answer."
    if not pro:
        return f"Predicted {told}. Nothing speaks for it more than usual; against it: {_joined(con)}."
    against = f"; against it: {_joined(con)}" if con else ""
    return f"Predicted {told}. Mostly because {_joined(pro)}{against}."


def value_in_words(value: Value) -> str:
    """Write a value as a clause says it: texts in quotes, dates without an empty clock.

    >>> value_in_words("a"), value_in_words(None), value_in_words(True), value_in_words(datetime(2024, 5, 1))
    ("'a'", 'missing', 'yes', '2024-05-01')
    """
    if value is None or (isinstance(value, float) and value != value):
        return "missing"
    if isinstance(value, (datetime, date)):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
        return f"'{text}'"
    return say(value)


def plain_value(value: Any) -> Any:
    """Return a value as JSON holds it: dates in ISO form, what is not finite as None."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def signed(contribution: float) -> str:
    """Write a contribution with its sign.

    >>> signed(1.234), signed(-34000.0)
    ('+1.2', '-34,000')
    """
    size = abs(contribution)
    return f"{'+' if contribution >= 0 else '-'}{say(float(f'{size:.3g}')) if size >= 100 else f'{size:.2g}'}"


def _clause(reason: Reason) -> str:
    return f"{reason.column} is {value_in_words(reason.value)} ({signed(reason.contribution)})"


def _joined(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
