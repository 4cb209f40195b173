"""A neural network, trained and asked in NumPy."""

from pathlib import Path
from typing import Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, Layout, Table, Target
from mantic.learners.table._classes import Classes, hold_out, sample
from mantic.learners.table._network import Inputs, Weights, forward
from mantic.learners.table._outputs import Outputs
from mantic.learners.table._training import Rows, train

_ROWS_AT_ONCE = 1_000  # a pass keeps what each layer said of each row by each voice
_ROWS_TO_JUDGE = 10_000
_CLASSES, _VALUES = ("selu", 0.04), ("mish", 0.07)  # activation, and rate before the schedule


@learner(
    "mlp",
    tasks=("classify", "regress"),
    layout=Layout.DENSE,
    needs=("scipy", "threadpoolctl"),
    good_for="smooth relations between numbers, and a different voice in an ensemble",
    costs="some ten seconds per 10,000 rows; a nearer deadline makes its schedule shorter",
)
class Network:
    """A network after RealMLP: robust inputs, waves of each number, a scaling layer, and a rate that comes in cycles.

    The epoch that is best on held-out rows is kept; what was found there holds for other rows of the same table.
    Trained in NumPy: at this size it takes as long as with torch on one thread, and a model needs no torch to answer.
    Sources: Holzmueller et al. (2024), Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data;
    Gorishniy et al. (2022), On Embeddings for Numerical Features in Tabular Deep Learning.
    """

    def space(self) -> Space:
        """Return the parameters; `rate_factor` is relative to what suits the task, `waves` is per number."""
        return {
            "hidden": Range(16, 512, default=96, log=True),
            "layers": Range(1, 5, default=2),
            "voices": Range(1, 32, default=8, log=True),
            "rate_factor": Range(0.1, 5.0, default=1.0, log=True),
            "decay": Range(0.0, 0.2, default=0.02),
            "dropout": Range(0.0, 0.5, default=0.15),
            "waves": Range(0, 32, default=16),
            "wave_sigma": Range(0.02, 1.0, default=0.1, log=True),
            "batch": Range(32, 1024, default=256, log=True),
            "epochs": Range(10, 300, default=32, log=True),
            "stopping": Choice(("holdout", "none")),
            "share": Range(0.05, 1.0, default=1.0),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Train until the schedule ends, a cycle of it brings nothing on held-out rows, or the deadline passes."""
        full = complete("mlp", self.space(), params)
        self.inputs_ = Inputs.of(table.numbers)
        self.weights_: Weights = {}
        self.share_ = full["share"]
        self.activation_, rate = _CLASSES if target.is_classes else _VALUES
        if Classes.of(target).is_one:
            self.outputs_ = Outputs.flat(target)
            return self
        self.outputs_ = Outputs.of(target)
        full |= {"activation": self.activation_, "rate": full["rate_factor"] * rate}
        rows, judge = _rows(self.inputs_, table, self.outputs_.labels(target), target), None
        if full["stopping"] == "holdout":
            learned, judged = hold_out(target, seed=run.seed)
            part = sample(target.rows(judged), _ROWS_TO_JUDGE, seed=run.seed)
            rows, judge = rows.take(learned), rows.take(judged[part])
        with need("threadpoolctl", why="the mlp learner").threadpool_limits(run.threads, user_api="blas"):
            self.weights_, self.share_ = train(rows, judge, full, run)
        return self

    @property
    def found_(self) -> Params:
        """Return the parameters with which a fit on other rows of the same table needs no held-out rows."""
        return {"share": self.share_, "stopping": "none"}

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        parts = [self._raw(table.numbers[at : at + _ROWS_AT_ONCE]) for at in range(0, table.n_rows, _ROWS_AT_ONCE)]
        return self.outputs_.answer(np.concatenate(parts) if parts else np.empty((0, self.outputs_.n_raw)))

    def _raw(self, rows: Array) -> Array:
        if not self.weights_:
            return np.zeros((len(rows), self.outputs_.n_raw))
        output = forward(self.weights_, self.inputs_.apply(rows), activation=self.activation_).output
        raw = np.asarray(output.mean(axis=0))
        return raw[:, 1:] - raw[:, :1] if raw.shape[1] == 2 else raw

    def for_rows(self) -> RowAnswer:
        """Return the same walk through the layers, for one row."""
        return lambda row: self.outputs_.answer(self._raw(row.numbers[None, :])).reshape(-1)

    def save(self, folder: Path) -> None:
        """Write weights as numbers."""
        arrays = {f"input {name}": one for name, one in vars(self.inputs_).items()} | self.weights_
        write_parts(folder, "mlp", {"outputs": self.outputs_.facts(), "activation": self.activation_}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, arrays = read_parts(folder, "mlp")
        restored = cls()
        restored.outputs_, restored.activation_ = Outputs.from_facts(facts["outputs"]), facts["activation"]
        restored.inputs_ = Inputs(**{name[6:]: one for name, one in arrays.items() if name.startswith("input ")})
        restored.weights_ = {name: one for name, one in arrays.items() if not name.startswith("input ")}
        restored.share_ = 1.0
        return restored


def _rows(inputs: Inputs, table: Table, labels: Array, target: Target) -> Rows:
    numbers, flags = inputs.apply(table.numbers)
    wanted = np.eye(int(labels.max()) + 1)[labels] if target.is_classes else labels[:, None]
    return Rows((numbers.astype(np.float32), flags.astype(np.float32)), wanted.astype(np.float32))
