"""The one family of errors: what happened, where, and how to fix it."""

from typing import Any


class ManticError(Exception):
    """A mistake that the user can mend; a bug in mantic is never one of these.

    Parameters
    ----------
    what : one sentence on what is wrong; all faults of one input together.
    where : the file, row, column or setting.
    fix : what to do next, as an instruction.

    >>> error = ManticError("the file is empty", where="sales.csv", fix="export it again")
    >>> print(error)
    the file is empty
      where: sales.csv
      fix:   export it again
    """

    status = 400  # what a server answers

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """Return up to three lines: what, where, fix."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep all three fields when the error crosses a process."""
        return _rebuild, (type(self), self.what, self.where, self.fix)


def _rebuild(kind: type[ManticError], what: str, where: str, fix: str) -> ManticError:
    return kind(what, where=where, fix=fix)


class SchemaError(ManticError, ValueError):
    """A table does not fit what is asked of it."""

    status = 422


class SourceError(ManticError, OSError):
    """Data cannot be read from where it was said to be."""

    status = 422


class SettingsError(ManticError, ValueError):
    """An option or setting is unknown, missing or out of range."""


class MissingExtraError(ManticError, ImportError):
    """An optional package is needed and not installed."""

    status = 501


class BudgetError(ManticError, TimeoutError):
    """The time allowed cannot hold what is asked."""

    status = 503


class ArtifactError(ManticError, OSError):
    """A saved model is damaged, hostile, or no model at all."""

    status = 422


class StoreError(ManticError, OSError):
    """What should be kept cannot be kept, or what is kept cannot be found."""

    status = 503


class AbsentError(StoreError):
    """What is asked for is not among what is kept."""

    status = 404


class FlowError(ManticError, RuntimeError):
    """An automation step failed."""

    status = 500
