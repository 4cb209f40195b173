"""What decisions cost, in the user's own unit: read, checked, and bound to the classes of a model."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np

from mantic.core.errors import SettingsError
from mantic.core.table import Array

NAMES = ("tp", "fp", "tn", "fn")
_EXAMPLE = "write --cost fp=1,fn=10 (a cost is what you lose; a negative one is a gain), or name a CSV file"
GAIN = "gain:"
_MOST_BYTES = 1_000_000  # of a matrix file


@dataclass(frozen=True)
class Costs:
    """What each decision costs, by what is true, for the classes of one model.

    Parameters
    ----------
    matrix : n_classes rows (what is true) of n_classes costs (what is decided), in `unit`; a negative cost is a gain.
    classes : names of the classes, in the order of the matrix.
    positive : of two classes, the code of the one that is acted on.
    unit : of all figures, "EUR" for instance; empty when there is none.
    kind : how people speak of it: "cost", "gain" (some cost is negative, or it was written so), or "found" (no costs
        were given: each row of the positive class that is acted on counts 1).
    text : how it was written.

    Source: Elkan (2001), The Foundations of Cost-Sensitive Learning.

    >>> costs = read_costs("fp=1,fn=10").bind(("no", "yes"), positive=1)
    >>> costs.matrix, round(costs.threshold, 3)
    (((0.0, 1.0), (10.0, 0.0)), 0.091)
    """

    matrix: tuple[tuple[float, ...], ...]
    classes: tuple[str, ...]
    positive: int = 1
    unit: str = ""
    kind: Literal["cost", "gain", "found"] = "cost"
    text: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether there are just two classes, so that a threshold decides."""
        return len(self.classes) == 2

    @property
    def edges(self) -> tuple[float, float]:
        """Return what acting on a positive row saves (fn - tp), and what acting on a negative one loses (fp - tn)."""
        act, leave = self.positive, 1 - self.positive
        return self.matrix[act][leave] - self.matrix[act][act], self.matrix[leave][act] - self.matrix[leave][leave]

    @property
    def threshold(self) -> float:
        """Return the probability from which acting pays if probabilities are right: Elkan's equation 2; 0 to 1."""
        saved, lost = self.edges
        return min(1.0, max(0.0, lost / (lost + saved)))

    def array(self) -> Array:
        """Return the matrix as an array, shape (n_classes, n_classes)."""
        return np.asarray(self.matrix, dtype=np.float64)

    def scaled(self, cells: Sequence[tuple[int, int]], factor: float) -> "Costs":
        """Return the same costs with some cells (truth, decision) multiplied."""
        rows = [list(row) for row in self.matrix]
        for true, decided in cells:
            rows[true][decided] *= factor
        matrix = tuple(tuple(row) for row in rows)
        return Costs(matrix, self.classes, self.positive, self.unit, self.kind, self.text)


@dataclass(frozen=True)
class Asked:
    """Costs as they were written, before it is known for which classes.

    Parameters
    ----------
    text : how they were written.
    named : tp, fp, tn, fn for two classes; empty when a matrix was given.
    table : what is true -> what is decided -> cost; empty when names were given.
    is_gain : whether they were written as gains (the figures here are costs all the same).
    """

    text: str
    named: Mapping[str, float]
    table: Mapping[str, Mapping[str, float]]
    is_gain: bool = False

    def bind(self, classes: Sequence[str], *, positive: int = 1, unit: str = "") -> Costs:
        """Return the costs for these classes.

        Parameters
        ----------
        positive : of two classes, the code of the one that tp and fn are about.

        Raises
        ------
        SettingsError : if classes are unknown or missing, if there are not two of them for tp, fp, tn, fn, or if
            nothing is to be decided by such costs.
        """
        if self.table:
            matrix = _square(self.table, classes, where=f"--cost {self.text}")
        elif len(classes) == 2:
            cell = {"tp": (positive,) * 2, "tn": (1 - positive,) * 2}
            cell |= {"fp": (1 - positive, positive), "fn": (positive, 1 - positive)}
            filled = np.zeros((2, 2))
            for name, value in self.named.items():
                filled[cell[name]] = value
            matrix = tuple(tuple(float(one) for one in row) for row in filled)
        else:
            _refuse(
                f"{', '.join(self.named)} are costs of two classes, and here are {len(classes)}",
                where=f"--cost {self.text}",
                fix="give a CSV file: a header with the class names, and a row for each true class",
            )  # fmt: skip
        is_gain = self.is_gain or any(cost < 0 for row in matrix for cost in row)
        costs = Costs(matrix, tuple(classes), positive, unit, "gain" if is_gain else "cost", self.text)
        _check_sense(costs)
        return costs


def finds(classes: Sequence[str], *, positive: int) -> Costs:
    """Return what stands for costs when none are given: each positive row that is acted on counts one.

    >>> finds(("no", "yes"), positive=1).matrix
    ((0.0, 0.0), (0.0, -1.0))
    """
    matrix = tuple(
        tuple(-1.0 if true == decided == positive else 0.0 for decided in range(len(classes)))
        for true in range(len(classes))
    )
    return Costs(matrix, tuple(classes), positive, f"rows of '{classes[positive]}'", "found")


def read_costs(given: Any) -> Asked:
    """Read costs in any of the forms in which they are written.

    Parameters
    ----------
    given : "fp=1,fn=10" (those not named are 0), a path of a CSV file, {"fp": 1, "fn": 10}, or {true class: {decided
        class: cost}}. A text may begin with "gain:"; its figures are then what is won, not what is lost.

    Raises
    ------
    SettingsError : names every fault at once.

    >>> read_costs("gain:tp=50,fp=-2").named
    {'tp': -50.0, 'fp': 2.0}
    """
    if isinstance(given, Mapping):
        return _of_mapping(given)
    text = str(given).strip()
    is_gain = text.lower().startswith(GAIN)
    body = text[len(GAIN) :].strip() if is_gain else text
    if not body:
        _refuse("no costs are given", where=f"--cost {text}".strip(), fix=_EXAMPLE)
    sign = -1.0 if is_gain else 1.0
    if "=" in body:
        pairs = [pair.partition("=") for pair in body.split(",") if pair.strip()]
        named = _named(
            [(name.strip(), value.strip() if mark else None) for name, mark, value in pairs], where=f"--cost {text}"
        )
        return Asked(text, {name: sign * value for name, value in named.items()}, {}, is_gain)
    table = _read_matrix(Path(body))
    return Asked(text, {}, {true: {to: sign * one for to, one in row.items()} for true, row in table.items()}, is_gain)


def _of_mapping(given: Mapping[Any, Any]) -> Asked:
    text = str(dict(given))
    if not given:
        _refuse("no costs are given", where="cost", fix=_EXAMPLE)
    if not all(isinstance(row, Mapping) for row in given.values()):
        return Asked(text, _named([(str(name), value) for name, value in given.items()], where=text), {})
    faults: list[str] = []
    table = {
        str(true): {str(to): _number(value, f"{true} decided as {to}", faults) for to, value in row.items()}
        for true, row in given.items()
    }
    if faults:
        _refuse("; ".join(faults), where=text, fix="give a number for each pair of classes")
    return Asked(text, {}, table)


def _named(pairs: Sequence[tuple[str, Any]], *, where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    faults: list[str] = []
    for name, value in pairs:
        key = name.lower()
        if key not in NAMES:
            faults.append(f"there is no cost '{name}'")
        elif key in found:
            faults.append(f"{key} is given twice")
        elif value is None:
            faults.append(f"{key} has no value")
        else:
            found[key] = _number(value, key, faults)
    if faults:
        known = "tp, fp (false alarm), tn, fn (miss)"
        _refuse("; ".join(faults), where=where, fix=f"known are {known}: {_EXAMPLE}")
    return found


def _number(value: Any, name: str, faults: list[str]) -> float:
    """Return a finite number, or note what is wrong with it."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        faults.append(f"{name} is '{value}', which is no number" if str(value).strip() else f"{name} is empty")
        return math.nan
    if not math.isfinite(number) or abs(number) > 1e15:
        faults.append(f"{name} is {value}, which no cost can be")
    return number


def _read_matrix(path: Path) -> dict[str, dict[str, float]]:
    where = str(path)
    if not path.is_file():
        _refuse(f"'{path}' is neither a file nor a cost such as fp=1", where="--cost", fix=_EXAMPLE)
    if path.stat().st_size > _MOST_BYTES:
        _refuse("the file is too large for a cost matrix", where=where, fix="give a small CSV file")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the cost matrix cannot be read: {error}", where=where, fix="save it as UTF-8") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark) if any(row)]
    if len(rows) < 3 or len(rows[0]) < 2:
        _refuse("this is no cost matrix: a header and a row for each class are needed", where=where, fix=_SHAPE)
    if mark == ";":
        rows = [rows[0], *([row[0], *(cell.replace(",", ".") for cell in row[1:])] for row in rows[1:])]
    return _labelled(rows, where=where)


_SHAPE = "header: truth,no,yes; then a row for each true class, as in: yes,10,0"


def _labelled(rows: list[list[str]], *, where: str) -> dict[str, dict[str, float]]:
    head, body = rows[0], rows[1:]
    if len(body) == len(head):  # no column of names: the rows stand in the order of the header
        body = [[name, *row] for name, row in zip(head, body, strict=True)]
        head = ["", *head]
    decided = head[1:]
    faults = [f"'{name}' stands twice in the header" for name in sorted(set(decided)) if decided.count(name) > 1]
    true = [row[0] for row in body]
    faults += [f"there are two rows of '{name}'" for name in sorted(set(true)) if true.count(name) > 1]
    faults += [
        f"the row of '{row[0]}' has {len(row) - 1} costs, the header {len(decided)} classes"
        for row in body
        if len(row) != len(head)
    ]
    table = {
        row[0]: {name: _number(cell, f"{row[0]} decided as {name}", faults) for name, cell in zip(decided, row[1:])}  # noqa: B905
        for row in body
    }
    if faults:
        _refuse("; ".join(faults[:10]), where=where, fix=_SHAPE)
    return table


def _square(
    table: Mapping[str, Mapping[str, float]], classes: Sequence[str], *, where: str
) -> tuple[tuple[float, ...], ...]:
    """Return the table in the order of the classes."""
    faults = [f"'{true}' is no class (as a row)" for true in table if true not in classes]
    faults += [f"there is no row for '{name}'" for name in classes if name not in table]
    for true, row in table.items():
        faults += [f"'{to}' is no class (as a decision of '{true}')" for to in row if to not in classes]
        faults += [f"the cost of deciding '{to}' for '{true}' is missing" for to in classes if to not in row]
    if faults:
        shown = "; ".join(dict.fromkeys(faults[:6])) + (f"; and {len(faults) - 6} more" if len(faults) > 6 else "")
        _refuse(shown, where=where, fix=f"the classes are: {', '.join(classes[:20])}")
    return tuple(tuple(float(table[true][to]) for to in classes) for true in classes)


def _check_sense(costs: Costs) -> None:
    """Refuse costs by which one and the same decision is best whatever is true."""
    matrix = costs.array()
    if np.ptp(matrix, axis=1).max() == 0:
        _refuse(
            "all decisions cost the same, so there is nothing to decide", where=f"--cost {costs.text}", fix=_EXAMPLE
        )
    if not costs.is_binary:
        never_worse = [to for to in range(len(matrix)) if (matrix[:, [to]] <= matrix).all()]
        if never_worse:
            name = costs.classes[never_worse[0]]
            _refuse(
                f"deciding '{name}' is never worse, so there is nothing to decide",
                where=f"--cost {costs.text}",
                fix=_SHAPE,
            )
        return
    saved, lost = costs.edges
    name = costs.classes[costs.positive]
    if saved <= 0 and lost < 0:
        _refuse(
            f"by these costs it is better to be wrong than right about '{name}'", where=f"--cost {costs.text}",
            fix="swap the two, or choose the other class as the one to find (--positive)",
        )  # fmt: skip
    if saved <= 0 or saved + lost <= 0:
        what = "acting never pays" if saved <= 0 else f"acting pays more on rows that are not '{name}'"
        fix = f"acting on a '{name}' row must cost less than missing it (tp less than fn)"
        _refuse(f"by these costs {what}", where=f"--cost {costs.text}", fix=fix)


def _refuse(what: str, *, where: str, fix: str) -> NoReturn:
    raise SettingsError(what, where=where, fix=fix)
