"""A job: a table that was sent, the answers that are made from it, and how far they are."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from mantic.core.errors import ManticError

WAITING, RUNNING, DONE, FAILED = STATES = ("waiting", "running", "done", "failed")
ANSWERS: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"} | {
    "ndjson": "application/x-ndjson"
}
"""The forms in which answers can be had, and what they are called in Content-Type."""

_ID = re.compile(r"[0-9a-f]{32}")
_MOST_WARNINGS = 100


class JobError(ManticError, RuntimeError):
    """A job ended before all rows were answered."""

    status = 500


@dataclass(frozen=True)
class Wish:
    """How answers are wanted.

    Parameters
    ----------
    format : one of `ANSWERS`.
    is_for_spreadsheet : whether texts that a spreadsheet would take for formulas are marked as texts.
    """

    format: str
    is_for_spreadsheet: bool


@dataclass(frozen=True)
class JobLimits:
    """What the jobs of a server may take.

    Parameters
    ----------
    max_bytes, max_rows : of the table of one job.
    running : at once.
    waiting : until one of those ends; who comes then is told to come again.
    seconds : that one may run; so many of each core, too.
    memory_bytes : that one may take, where the system can hold it to that.
    days : until what has ended is removed.
    """

    max_bytes: int = 2_000_000_000
    max_rows: int = 100_000_000
    running: int = 1
    waiting: int = 10
    seconds: int = 3_600
    memory_bytes: int = 4_000_000_000
    days: int = 7


@dataclass(frozen=True)
class Job:
    """A job as its file has it.

    Parameters
    ----------
    owner : id of the key that made it; empty where nobody is asked for one.
    table : name of the file with the rows.
    format, is_for_spreadsheet : as in `Wish`.
    created, ended : seconds since 1970.
    n_rows, share : that are answered.
    problem : why it failed, in the fields of RFC 9457.
    """

    id: str
    owner: str
    model: str
    version: str
    table: str
    format: str
    is_for_spreadsheet: bool
    created: float
    state: str = WAITING
    n_rows: int = 0
    share: float = 0.0
    ended: float | None = None
    warnings: tuple[str, ...] = ()
    problem: Mapping[str, Any] | None = None

    @property
    def answers(self) -> str:
        """Return the name of the file with the answers."""
        return f"answers.{self.format}"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in (DONE, FAILED)

    def warned(self, text: str) -> tuple[str, ...]:
        """Return the warnings with one more, as long as they are not too many."""
        return (*self.warnings, text)[:_MOST_WARNINGS]

    def to_facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Restore what `to_facts` gave; what a later version has put beside it is not looked at."""
        known = {one.name: facts[one.name] for one in fields(cls) if one.name in facts}
        return cls(**{**known, "warnings": tuple(facts["warnings"])})

    def about(self, *, root: str = "") -> dict[str, Any]:
        """Return what a caller is told.

        Parameters
        ----------
        root : what stands before the addresses of the server.
        """
        told: dict[str, Any] = {
            "id": self.id, "state": self.state, "model": self.model, "version": self.version, "rows": self.n_rows,
            "share": round(self.share, 4), "format": self.format, "created": _moment(self.created),
            "ended": None if self.ended is None else _moment(self.ended), "warnings": list(self.warnings),
        }  # fmt: skip
        if self.state == DONE:
            told["answers"] = f"{root}/v1/jobs/{self.id}/answers"
        return told if self.problem is None else told | {"problem": dict(self.problem)}


def is_id(text: str) -> bool:
    """Whether a text can be the id of a job.

    >>> is_id("0" * 32), is_id("../x"), is_id("0" * 32 + chr(10))
    (True, False, False)
    """
    return _ID.fullmatch(text) is not None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
