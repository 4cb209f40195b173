"""How many rows can be acted on: read, checked, and turned into a share of the rows."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from mantic.core.errors import SettingsError

_DAYS: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
_FORM = re.compile(r"(?P<number>[^%/]*?)\s*(?P<per_cent>%)?\s*(?:/\s*(?P<period>\w+))?")
_EXAMPLE = "write --capacity 5% (of the rows), 200 (rows of a batch) or 100/day"


@dataclass(frozen=True)
class Capacity:
    """How many rows can be acted on, bound to the rows of one model.

    Parameters
    ----------
    text : as it was written.
    share : of all rows, above 0, at most 1.
    period : "day", "week" or "month"; "batch" for a number of rows; "" for a share.
    n_rows : rows that come in one period; 0 for a share.
    column : the dates by which rows per day were counted; empty for the others.
    """

    text: str
    share: float
    period: Literal["day", "week", "month", "batch", ""] = ""
    n_rows: float = 0.0
    column: str = ""


@dataclass(frozen=True)
class Wanted:
    """A capacity as it was written: a share (0 to 1) or a number of rows in a period."""

    text: str
    amount: float
    period: Literal["day", "week", "month", "batch", ""]

    def bind(self, *, n_batch: int, pace: Mapping[str, float]) -> Capacity:
        """Return the capacity as a share of the rows.

        Parameters
        ----------
        n_batch : rows of a batch: those that were held out.
        pace : rows per day by column of dates.

        Raises
        ------
        SettingsError : if it is no limit at all, or if it is not known how many rows a day brings.
        """
        if not self.period:
            return Capacity(self.text, self.amount)
        column = ""
        if self.period == "batch":
            n_rows = float(n_batch)
        else:
            column = self._column(pace)
            n_rows = pace[column] * _DAYS[self.period]
        share = self.amount / n_rows
        if share > 1:
            what = f"a {self.period} of about {n_rows:,.0f} rows"
            _refuse(
                f"a capacity of {self.amount:,.0f} is more than {what}, so it limits nothing", self.text,
                fix="give a smaller one, or leave it out",
            )  # fmt: skip
        return Capacity(self.text, share, self.period, n_rows, column)

    def _column(self, pace: Mapping[str, float]) -> str:
        if len(pace) == 1:
            return next(iter(pace))
        if pace:
            what = f"it is not clear by which dates the rows of a {self.period} are counted: {', '.join(pace)}"
            _refuse(what, self.text, fix="fit with --time and the name of one, or give a share, as in 5%")
        _refuse(
            f"it is not known how many rows a {self.period} brings: there is no column of dates", self.text,
            fix="give a share of the rows, as in 5%, or fit with a column of dates (--time)",
        )  # fmt: skip


def read_capacity(given: Any) -> Wanted:
    """Read a capacity: "5%" or 0.05 of the rows, 200 rows of a batch, "100/day" (week, month).

    Raises
    ------
    SettingsError : if it is none of these, is not above 0, or is above 100 %.

    >>> read_capacity("5%").amount, read_capacity("100/day").period, read_capacity(200).period
    (0.05, 'day', 'batch')
    """
    text = str(given).strip()
    found = _FORM.fullmatch(text)
    number = math.nan
    if found is not None and not isinstance(given, bool):
        try:
            number = float(found["number"].replace("_", ""))
        except ValueError:
            number = math.nan
    if found is None or not math.isfinite(number):
        _refuse(f"'{text}' is no capacity", text, fix=_EXAMPLE)
    period = (found["period"] or "").lower()
    if period and (period not in _DAYS or found["per_cent"]):
        _refuse(f"a capacity cannot be per '{found['period']}'", text, fix=f"known are: {', '.join(_DAYS)}; {_EXAMPLE}")
    if number <= 0:
        _refuse("with this capacity nothing can be acted on", text, fix=f"give one above 0: {_EXAMPLE}")
    if found["per_cent"] and number > 100:
        _refuse("a capacity above 100 % limits nothing", text, fix="give a smaller one, or leave it out")
    if found["per_cent"]:
        return Wanted(text, number / 100, "")
    if period:
        return Wanted(text, number, period)  # type: ignore[arg-type]  # one of the keys above
    return Wanted(text, number, "") if number < 1 else Wanted(text, number, "batch")


def _refuse(what: str, text: str, *, fix: str) -> NoReturn:
    raise SettingsError(what, where=f"--capacity {text}".strip(), fix=fix)
