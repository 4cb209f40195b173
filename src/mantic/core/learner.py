"""The contract of a learner, the ranges of its parameters, and the decorator that makes a file one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

from mantic.core.errors import SettingsError
from mantic.core.lazy import absent
from mantic.core.registry import Registry
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole numbers when both ends are.

    Parameters
    ----------
    most : the largest that a user may ask for, beyond `high` too.

    >>> Range(1, 100, default=10).holds(5)
    True
    """

    low: float
    high: float
    default: float
    log: bool = False
    most: float = float("inf")

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.default))

    def holds(self, value: object) -> bool:
        """Whether a value may be used (the ends only guide a search: a user may go beyond them, up to `most`)."""
        wanted = int if self.is_whole else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool) and not value > self.most


@dataclass(frozen=True)
class Choice:
    """One of a few values; the first is the default.

    >>> Choice(("rbf", "linear")).default
    'rbf'
    """

    values: tuple[Any, ...]

    @property
    def default(self) -> Any:
        """Return the first value."""
        return self.values[0]

    def holds(self, value: object) -> bool:
        """Whether a value is one of them."""
        return value in self.values


Space = Mapping[str, Range | Choice]
Params = dict[str, Any]


@runtime_checkable
class Learner(Protocol):
    """One algorithm that a search may try. The class attributes are set by `@learner`."""

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    layout: ClassVar[Layout]
    needs: ClassVar[tuple[str, ...]]
    good_for: ClassVar[str]
    costs: ClassVar[str]

    def space(self) -> Space:
        """Return the parameters with their ranges and defaults."""
        ...

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Learn; `params` may be partial, what is absent takes the default of `space()`.

        Uses `run.seed` for chance, `run.threads` threads, and stops early with what it has when `run.deadline` passes
        if the algorithm goes in steps.
        """
        ...

    def predict(self, table: Table) -> Array:
        """Return probabilities, shape (n_rows, n_classes), or values, shape (n_rows,); float64."""
        ...

    def save(self, folder: Path) -> None:
        """Write files from which `load` restores the learner; data only, no pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote, running no code from the files."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A learner that can say exactly what each encoded column contributed."""

    def contributions(self, table: Table) -> Array:
        """Return shape (n_rows, n_encoded + 1, n_outputs); the last is the base.

        n_encoded counts the columns of `table.matrix()`. n_outputs is 1 for a regression (unit of the target) and for
        two classes (log-odds of class 1), else n_classes (log-probability up to a constant per row). Their sum over
        the second axis is that margin, to 1e-6.
        """
        ...


RowAnswer = Callable[[EncodedRow], Array]
"""From one encoded row to probabilities, shape (n_classes,), or the value, shape (1,); float64."""


@runtime_checkable
class AnswersRows(Protocol):
    """A learner with a form that answers for one row in a small part of the time that `predict` takes."""

    def for_rows(self) -> RowAnswer:
        """Return that form; what it answers equals `predict` to 1e-6 (of the target's unit, where that is larger)."""
        ...


LEARNERS: Registry[type[Learner]] = Registry("learner", package="mantic.learners.table", entry_points="mantic.learners")


def is_installed(learner: type[Learner]) -> bool:
    """Whether all packages that a learner needs are installed; imports none of them."""
    return not absent(learner.needs)


L = TypeVar("L")


def learner(
    name: str, *, tasks: tuple[str, ...], layout: Layout, needs: tuple[str, ...] = (), good_for: str, costs: str
) -> Callable[[type[L]], type[L]]:
    """Make a class a learner that `--learner NAME` finds.

    Parameters
    ----------
    name : what users write; inside mantic also the file's name.
    tasks : "classify", "regress" or both.
    layout : the shape in which it wants its columns.
    needs : packages that must be installed.
    good_for, costs : one short sentence each, shown by `mantic learners`.
    """

    def mark(cls: type[L]) -> type[L]:
        about = {"name": name, "tasks": tasks, "layout": layout, "needs": needs, "good_for": good_for, "costs": costs}
        for key, value in about.items():
            setattr(cls, key, value)
        missing = [
            part for part in ("space", "fit", "predict", "save", "load") if not callable(getattr(cls, part, None))
        ]
        if missing:
            raise SettingsError(
                f"the learner '{name}' has no {', '.join(missing)}",
                where=f"class {cls.__name__}",
                fix="see 'Add a learner in one file' in CONTRIBUTING.md",
            )
        LEARNERS.add(name, cls)  # type: ignore[arg-type]  # its methods were checked above
        return cls

    return mark


def complete(name: str, space: Space, params: Params) -> Params:
    """Return `params` filled with the defaults of `space`.

    Raises
    ------
    SettingsError : names every unknown parameter and every value of the wrong kind, and lists what is known.

    >>> complete("svm", {"C": Range(0.01, 100.0, default=1.0)}, {"C": 10})
    {'C': 10}
    """
    faults = [f"'{name}.{key}' is unknown" for key in params if key not in space]
    faults += [
        f"'{name}.{key}' cannot be {value!r}"
        for key, value in params.items()
        if key in space and not space[key].holds(value)
    ]
    if faults:
        known = ", ".join(f"{name}.{key} (now {one.default!r}{_limit(one)})" for key, one in space.items()) or "none"
        raise SettingsError("; ".join(faults), where=f"parameters of the learner '{name}'", fix=f"known are: {known}")
    return {key: params.get(key, one.default) for key, one in space.items()}


def _limit(one: Range | Choice) -> str:
    return f", at most {one.most:g}" if isinstance(one, Range) and one.most < float("inf") else ""
