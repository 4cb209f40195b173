"""A neural network by scikit-learn."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._classes import Classes, hold_out, loss
from mantic.learners.table._standing import chance_of, shares_of

_WHY = "the mlp learner"
_PATIENCE = 12  # epochs without gain on held-out rows
_Weights = list[tuple[Array, Array]]


@learner(
    "mlp",
    tasks=("classify", "regress"),
    layout=Layout.DENSE,
    needs=("sklearn", "scipy"),
    good_for="smooth relations between numbers, and a different voice in an ensemble",
    costs="some seconds per 10,000 rows; goes by epochs until held-out rows no longer gain or the deadline passes",
)
class Network:
    """Two hidden layers trained by Adam; the weights of the epoch that was best on held-out rows are kept.

    Sources: Kingma and Ba (2015), Adam; Holzmueller et al. (2024), Better by Default, for what defaults matter.
    """

    def space(self) -> Space:
        """Return the parameters; `alpha` is the penalty on squared weights."""
        return {
            "hidden": Range(16, 512, default=128, log=True),
            "learning_rate": Range(0.0003, 0.01, default=0.001, log=True),
            "alpha": Range(1e-6, 1.0, default=1e-3, log=True),
            "batch": Range(32, 512, default=128, log=True),
            "epochs": Range(10, 300, default=120),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Train epoch by epoch until held-out rows gain no more, or the deadline passes; one epoch at least."""
        full = complete("mlp", self.space(), params)
        self.classes_ = Classes.of(target)
        self.centre_, self.spread_ = 0.0, 1.0
        if not target.is_classes:
            self.centre_, self.spread_ = float(target.values.mean()), float(target.values.std()) or 1.0
            target = Target((target.values - self.centre_) / self.spread_)
        self.weights_: _Weights = [] if self.classes_.is_one else _trained(table, target, full, run)
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        if self.classes_.is_one:
            return self.classes_.spread(np.ones((table.n_rows, 1)))
        guess = _forward(table.numbers, self.weights_, self.classes_)
        return guess if self.classes_.n else self.centre_ + self.spread_ * guess

    def for_rows(self) -> RowAnswer:
        """Return the same walk through the layers, for one row."""
        classes, centre, spread = self.classes_, self.centre_, self.spread_
        if classes.is_one:
            constant = classes.spread(np.ones((1, 1)))[0]
            return lambda row: constant
        *hidden, (last, last_base) = self.weights_
        seen = np.array(classes.seen, dtype=np.intp)

        def answer(row: EncodedRow) -> Array:
            signal = row.numbers
            for weight, base in hidden:
                signal = np.maximum(signal @ weight + base, 0.0)
            signal = signal @ last + last_base
            if classes.n == 0:
                return centre + spread * signal
            full = np.zeros(classes.n)
            full[seen] = chance_of(float(signal[0])) if len(seen) == 2 else shares_of(signal)
            return full

        return answer

    def save(self, folder: Path) -> None:
        """Write weights as numbers."""
        arrays = {f"weight{place}": weight for place, (weight, _) in enumerate(self.weights_)}
        arrays |= {f"base{place}": base for place, (_, base) in enumerate(self.weights_)}
        facts = self.classes_.facts() | {"centre": self.centre_, "spread": self.spread_, "n_layers": len(self.weights_)}
        write_parts(folder, "mlp", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, arrays = read_parts(folder, "mlp")
        restored = cls()
        restored.classes_ = Classes.from_facts(facts)
        restored.centre_, restored.spread_ = facts["centre"], facts["spread"]
        restored.weights_ = [(arrays[f"weight{place}"], arrays[f"base{place}"]) for place in range(facts["n_layers"])]
        return restored


def _forward(rows: Array, weights: _Weights, classes: Classes) -> Array:
    """Return probabilities of all classes, or values."""
    signal = rows
    for weight, base in weights[:-1]:
        signal = np.maximum(signal @ weight + base, 0.0)
    weight, base = weights[-1]
    signal = signal @ weight + base
    if classes.n == 0:
        return signal[:, 0]
    special = need("scipy.special", why=_WHY)
    if len(classes.seen) == 2:
        return classes.spread(special.expit(np.column_stack([-signal[:, 0], signal[:, 0]])))
    return classes.spread(special.softmax(signal, axis=1))


def _trained(table: Table, target: Target, params: Params, run: Run) -> _Weights:
    learned, judged = hold_out(target, seed=run.seed)
    classes, asked = Classes.of(target), target.rows(judged)
    rows, labels, others = table.numbers[learned], classes.labels(target)[learned], table.numbers[judged]
    model = _model(params, len(learned), target.is_classes, run.seed)
    known = {"classes": np.arange(len(classes.seen))} if target.is_classes else {}
    best, best_epoch = float("inf"), 0
    weights: _Weights = []
    for epoch in range(params["epochs"]):
        model.learning_rate_init = params["learning_rate"]
        model.partial_fit(rows, labels, **known)
        now_weights = list(zip(model.coefs_, model.intercepts_, strict=True))
        now = loss(asked, _forward(others, now_weights, classes))
        if now < best or not weights:
            best, best_epoch = now, epoch
            weights = [(weight.copy(), base.copy()) for weight, base in now_weights]
        run.progress(epoch + 1, params["epochs"], "epochs")
        if epoch - best_epoch >= _PATIENCE or run.deadline.passed:
            break
    return weights


def _model(params: Params, n_rows: int, is_classes: bool, seed: int) -> Any:
    network = need("sklearn.neural_network", why=_WHY)
    kind = network.MLPClassifier if is_classes else network.MLPRegressor
    return kind(
        hidden_layer_sizes=(params["hidden"], params["hidden"] // 2),
        alpha=params["alpha"],
        batch_size=min(params["batch"], max(16, n_rows // 20), n_rows),  # few rows: enough steps per epoch
        learning_rate_init=params["learning_rate"],
        random_state=seed,
    )
