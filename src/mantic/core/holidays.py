"""The public holidays of a country, and how they are reckoned with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mantic.core.table import Array


@dataclass(frozen=True)
class Holidays:
    """Which days are holidays, as plain data: what answers from it needs no library.

    Parameters
    ----------
    place : a country, or a country and a region, as "DE" or "DE-BY".
    names : of the holidays, in English where there is a translation.
    days : int64, shape (n_days,), rising: days since 1970.
    which : int64, shape (n_days,): position of each day's name.
    weekend : the days of the week that are free anyway; Monday is 0.
    offsets : which days are reckoned with: 0 is the holiday, -1 the day before, 1 the day after; weeks alike.
    prior : of how many occurrences the mean over all series has the weight, in each series' own effect.
    is_late : whether a week is named by its last day, not by its first one.
    """

    place: str
    names: tuple[str, ...]
    days: Array
    which: Array
    weekend: tuple[int, ...] = (5, 6)
    offsets: tuple[int, ...] = (0,)
    prior: float = 2.0
    is_late: bool = False

    def to_facts(self) -> dict[str, Any]:
        """Return them as plain values."""
        return {
            "place": self.place, "names": list(self.names), "days": self.days.tolist(), "which": self.which.tolist(),
            "weekend": list(self.weekend), "offsets": list(self.offsets), "prior": self.prior, "is_late": self.is_late,
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Holidays":
        """Restore what `to_facts` gave.

        Raises
        ------
        ValueError : if the facts do not fit together.
        """
        made = cls(
            str(facts["place"]), tuple(map(str, facts["names"])), _wholes(facts["days"]), _wholes(facts["which"]),
            tuple(map(int, facts["weekend"])), tuple(map(int, facts["offsets"])), float(facts["prior"]),
            bool(facts["is_late"]),
        )  # fmt: skip
        is_named = (made.which >= 0) & (made.which < len(made.names))
        if len(made.days) != len(made.which) or not is_named.all() or (np.diff(made.days) < 1).any():
            raise ValueError("these are no holidays")
        if not set(made.offsets) <= {-1, 0, 1} or not 0 < made.prior < float("inf"):
            raise ValueError("how holidays are reckoned with makes no sense")
        return made


def _wholes(values: Any) -> Array:
    return np.array([int(one) for one in values], dtype=np.int64)
