"""One fitted learner with the encoder that feeds it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mantic.core.learner import LEARNERS
from mantic.core.table import Array, Table
from mantic.features.encode import Encoder
from mantic.search.margin import EXACT_FLOOR, FLOOR, to_margin


def floor_of(learner: type) -> float:
    """Return the smallest probability that a learner is believed."""
    return EXACT_FLOOR if hasattr(learner, "contributions") else FLOOR


def margin_by(learner: str, guess: Array) -> Array:
    """Return the margin of what a learner of this name said, as far as it is believed."""
    return to_margin(guess, floor=floor_of(LEARNERS.get(learner)))


@dataclass(frozen=True)
class Member:
    """Answers for frames: encode, then ask the learner."""

    encoder: Encoder
    learner: Any  # a core.learner.Learner

    def predict(self, frame: pl.DataFrame) -> Array:
        """Return probabilities (n_rows, n_classes) or values (n_rows,)."""
        guess: Array = self.learner.predict(self.encoder.transform(frame))
        return guess

    @property
    def floor(self) -> float:
        """Return the smallest probability that this learner is believed."""
        return floor_of(type(self.learner))

    def margin(self, frame: pl.DataFrame) -> Array:
        """Return margins, shape (n_rows, n_outputs)."""
        return self.margin_of(self.encoder.transform(frame))

    def margin_of(self, table: Table) -> Array:
        """Return margins of rows that this member's encoder (or one like it) has encoded, shape (n_rows, n_outputs)."""
        return to_margin(self.learner.predict(table), floor=self.floor)

    def contributions(self, table: Table, n_columns: int) -> Array:
        """Return what each of the user's columns added to the margin of encoded rows, base last.

        Only where the learner can say it (`Explains`). Shape (n_rows, n_columns + 1, n_outputs). Encoded columns are
        summed by their origin. Where a probability is so near 0 or 1 that its margin was cut, the parts are scaled to
        add up to the margin that is used.
        """
        parts = self.learner.contributions(table)
        summed = np.zeros((parts.shape[0], n_columns + 1, parts.shape[2]))
        np.add.at(summed.swapaxes(0, 1), table.matrix_origin(), parts[:, :-1].swapaxes(0, 1))
        summed[:, -1] += parts[:, -1]
        if summed.shape[2] > 1:
            summed -= summed.mean(axis=2, keepdims=True)
        margin = self.margin_of(table)
        total = summed.sum(axis=1)
        cut = (np.abs(total - margin) > 1e-9 * np.maximum(1, np.abs(margin))) & (total != 0)
        scale = np.where(cut, margin / np.where(total == 0, 1.0, total), 1.0)
        scaled: Array = summed * scale[:, None, :]
        return scaled

    def save(self, folder: Path, *, encoder_of: int | None = None) -> None:
        """Write the encoder and the learner into sub-folders; not the encoder where another member has the same."""
        (folder / "learner").mkdir(parents=True, exist_ok=True)
        self.learner.save(folder / "learner")
        if encoder_of is None:
            (folder / "encoder").mkdir(exist_ok=True)
            self.encoder.save(folder / "encoder")
        (folder / "member.json").write_text(json.dumps({"learner": self.learner.name, "encoder_of": encoder_of}))

    @classmethod
    def load(cls, folder: Path, before: "Sequence[Member]" = ()) -> "Member":
        """Restore what `save` wrote; the learner is found by its short name, a shared encoder among those before."""
        facts = json.loads((folder / "member.json").read_text())
        learner, shared = LEARNERS.get(facts["learner"]).load(folder / "learner"), facts.get("encoder_of")
        return cls(Encoder.load(folder / "encoder") if shared is None else before[shared].encoder, learner)
