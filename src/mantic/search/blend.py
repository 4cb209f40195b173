"""The model that a search ends with: a weighted blend of members on the margin, calibrated."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from mantic.core.learner import Explains
from mantic.core.schema import Schema
from mantic.core.table import Array, Table
from mantic.features.encode import Encoder
from mantic.search.calibrate import Scaling
from mantic.search.conformal import Conformal
from mantic.search.margin import to_guess
from mantic.search.member import Member

_PIECE = 50_000  # rows: enough to pay for a thread, and a table that stays small


@dataclass(frozen=True)
class Part:
    """A member, its weight (all weights sum to 1), and the factor that corrects its confidence."""

    member: Member
    weight: float
    scale: float = 1.0


class _Once:
    """Tables by encoder: members that were loaded share theirs, and each encodes once."""

    def __init__(self, table_of: Callable[[Encoder], Table]) -> None:
        self._table_of, self._made = table_of, dict[int, Table]()

    def __call__(self, encoder: Encoder) -> Table:
        """Return the rows as an encoder makes them."""
        if id(encoder) not in self._made:
            self._made[id(encoder)] = self._table_of(encoder)
        return self._made[id(encoder)]


@dataclass(frozen=True)
class Blend:
    """A `core.model.Model`: margins of the members are averaged, then scaled.

    Averaging margins (a geometric pool of probabilities) keeps reasons additive: what a column adds to the blend is the
    weighted sum of what it adds to the members.
    """

    schema: Schema
    n_classes: int
    parts: tuple[Part, ...]
    scaling: Scaling
    conformal: Conformal
    base: Array = field(default_factory=lambda: np.zeros(1))  # answers alone when there are no parts

    def margin(self, frame: pl.DataFrame) -> Array:
        """Return calibrated margins, shape (n_rows, n_outputs)."""
        return self.margin_by(lambda encoder: encoder.transform(frame), frame.height)

    def margin_by(self, table_of: Callable[[Encoder], Table], n_rows: int) -> Array:
        """Return calibrated margins of rows that may never have been a frame; `table_of` says how each is encoded."""
        if not self.parts or not n_rows:  # some learners refuse a table without rows
            return np.repeat(self.base[None, :], n_rows, axis=0)
        total = np.zeros((n_rows, len(self.base)))
        tables = _Once(table_of)
        for part in self.parts:
            total += part.weight * part.scale * part.member.margin_of(tables(part.member.encoder))
        return self.scaling.apply(total)

    def predict(self, frame: pl.DataFrame) -> Array:
        """Return probabilities (n_rows, n_classes), or values (n_rows,); many rows in pieces, on all cores."""
        if frame.height <= _PIECE:
            return to_guess(self.margin(frame), self.n_classes)
        pieces = [frame[start : start + _PIECE] for start in range(0, frame.height, _PIECE)]
        with ThreadPoolExecutor(min(len(pieces), os.cpu_count() or 1)) as threads:
            return np.concatenate(list(threads.map(self.predict, pieces)))

    def contributions(self, frame: pl.DataFrame) -> Array | None:
        """Return shape (n_rows, n_columns + 1, n_outputs), base last, or None if a member cannot say it exactly."""
        if not all(isinstance(part.member.learner, Explains) for part in self.parts):
            return None
        total = np.zeros((frame.height, len(self.schema) + 1, len(self.base)))
        if not self.parts or not frame.height:
            total[:, -1] = self.base
            return total
        tables = _Once(lambda encoder: encoder.transform(frame))
        for part in self.parts:
            one = part.member.contributions(tables(part.member.encoder), len(self.schema))
            total += part.weight * part.scale * one
        total *= self.scaling.slope
        total[:, -1] += self.scaling.shift
        return total

    def apart(self) -> tuple["Blend", "Blend"]:
        """Return the members that can say their contributions, and those that cannot; the two margins add up."""
        can = [isinstance(part.member.learner, Explains) for part in self.parts]
        says = tuple(part for part, does in zip(self.parts, can, strict=True) if does)
        silent = tuple(part for part, does in zip(self.parts, can, strict=True) if not does)
        nothing, no_shift = np.zeros_like(self.base), replace(self.scaling, shift=0.0)
        return replace(self, parts=says, base=nothing), replace(self, parts=silent, base=nothing, scaling=no_shift)

    def save(self, folder: Path) -> None:
        """Write the members and the numbers that join them; data only."""
        encoders = [part.member.encoder for part in self.parts]
        for number, part in enumerate(self.parts):
            same = next((n for n, known in enumerate(encoders[:number]) if known.is_same(encoders[number])), None)
            part.member.save(folder / str(number), encoder_of=same)
        facts = {
            "n_classes": self.n_classes,
            "weights": [part.weight for part in self.parts],
            "scales": [part.scale for part in self.parts],
            "slope": self.scaling.slope,
            "shift": self.scaling.shift,
            "base": self.base.tolist(),
        }
        (folder / "blend.json").write_text(json.dumps(facts))
        self.conformal.save(folder)

    @classmethod
    def load(cls, folder: Path, schema: Schema) -> "Blend":
        """Restore what `save` wrote."""
        facts = json.loads((folder / "blend.json").read_text())
        members: list[Member] = []
        for number in range(len(facts["weights"])):
            members.append(Member.load(folder / str(number), members))
        parts = tuple(map(Part, members, facts["weights"], facts["scales"]))
        base, n_classes = np.asarray(facts["base"], dtype=np.float64), facts["n_classes"]
        if base.shape != (n_classes if n_classes > 2 else 1,):
            raise ValueError(f"the base is not for {n_classes} classes")
        return cls(
            schema=schema,
            n_classes=n_classes,
            parts=parts,
            scaling=Scaling(facts["slope"], facts["shift"]),
            conformal=Conformal.load(folder),
            base=base,
        )
