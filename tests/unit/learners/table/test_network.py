import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.run import Run
from mantic.core.table import Table, Target
from mantic.learners.table._network import Inputs, backward, forward
from mantic.learners.table._training import Rows, first_weights, loss, train
from mantic.learners.table.mlp import Network

SHAPE = {"hidden": 8, "layers": 2, "waves": 5, "wave_sigma": 0.3, "voices": 3}
TRAINING = SHAPE | {"activation": "mish", "rate": 0.05, "decay": 0.0, "dropout": 0.1, "batch": 64, "epochs": 30}
CHANCE = np.random.default_rng(0)
ROWS = Table(CHANCE.normal(size=(600, 3)), ("a", "b", "c"), np.arange(3))
WAVY = Target(np.sin(3 * ROWS.numbers[:, 0]) + ROWS.numbers[:, 1] ** 2)


def rows_of(n_rows: int, n_outputs: int) -> Rows:
    chance = np.random.default_rng(1)
    labels = np.eye(n_outputs)[chance.integers(0, n_outputs, n_rows)] if n_outputs > 1 else chance.normal(size=(9, 1))
    return Rows((chance.normal(size=(n_rows, 3)), chance.integers(0, 2, (n_rows, 2)).astype(float)), labels)


@pytest.mark.parametrize("n_outputs", [1, 4])
@pytest.mark.parametrize("activation", ["selu", "mish"])
def test_the_gradient_is_the_slope_of_the_loss(activation, n_outputs):
    rows, chance = rows_of(9, n_outputs), np.random.default_rng(2)
    weights = {
        name: one + 0.1 * chance.normal(size=one.shape) for name, one in first_weights(rows, SHAPE, chance).items()
    }
    masks = tuple((chance.random((27, 8)) > 0.2) / 0.8 for _ in range(2))
    gradient = {name: np.zeros_like(one) for name, one in weights.items()}

    done = forward(weights, rows.inputs, activation=activation, masks=masks)
    backward(weights, rows.inputs[0], done, loss(done.output, rows.labels)[1], into=gradient)

    for name, one in weights.items():
        place = tuple(chance.integers(0, size) for size in one.shape)
        sides = []
        for step in (1e-6, -1e-6):
            moved = weights | {name: one.copy()}
            moved[name][place] += step
            sides.append(loss(forward(moved, rows.inputs, activation=activation, masks=masks).output, rows.labels)[0])
        assert gradient[name][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-7), name


def test_a_far_outlier_is_bent_to_the_others():
    rows = np.array([[0.0], [1.0], [2.0], [3.0], [1e12]])

    numbers, _ = Inputs.of(rows).apply(rows)

    assert np.abs(numbers).max() <= 3.0
    assert (np.diff(numbers[:4, 0]) > 0.1).all()


def test_flags_are_taken_as_they_are_and_a_constant_column_is_silent():
    rows = np.column_stack([np.arange(6) % 2, np.full(6, 7.0)]).astype(float)

    numbers, flags = Inputs.of(rows).apply(rows)

    np.testing.assert_array_equal(flags[:, 0], rows[:, 0])
    np.testing.assert_array_equal(numbers, 0.0)


def test_waves_find_what_goes_up_and_down():
    guess = Network().fit(ROWS, WAVY, {}, Run()).predict(ROWS)

    assert np.mean((guess - WAVY.values) ** 2) < 0.1 * WAVY.values.var()


def test_what_was_found_spares_the_held_out_rows():
    first = Network().fit(ROWS, WAVY, {}, Run())

    again = Network().fit(ROWS, WAVY, first.found_, Run())

    assert first.found_["stopping"] == "none"
    assert again.share_ == pytest.approx(first.share_, abs=0.05)
    assert np.mean((again.predict(ROWS) - WAVY.values) ** 2) < 0.1 * WAVY.values.var()


def test_a_near_deadline_makes_the_schedule_shorter_and_still_ends_it():
    told = []
    run = Run(deadline=Deadline.after(0.4), listeners=[told.append])

    Network().fit(ROWS, WAVY, {"epochs": 100_000}, run)

    assert told[-1].done == told[-1].total
    assert len(told) < 5_000


def test_a_training_that_runs_away_is_not_kept():
    rows = Rows((np.full((64, 3), 3e38, dtype=np.float32), np.zeros((64, 0), dtype=np.float32)), np.ones((64, 1), "f4"))

    weights, share = train(rows, rows, TRAINING, Run())

    assert share == 0.0
    assert all(np.isfinite(one).all() for one in weights.values())
