"""Every learner, by its name: a new file in learners/table is covered without touching this one."""

import time

import numpy as np
import pytest

from mantic.core.budget import Deadline
from mantic.core.errors import ArtifactError, SettingsError
from mantic.core.learner import LEARNERS, Choice, Explains, complete, is_installed
from mantic.core.run import Run
from mantic.core.table import Layout, Table, Target

NAMES = [name for name in LEARNERS.names() if is_installed(LEARNERS.get(name))]
FAST = {
    "boosting": {"rounds": 40},
    "xgboost": {"rounds": 40},
    "catboost": {"rounds": 40},
    "histgb": {"rounds": 30},
    "forest": {"n_estimators": 20},
    "mlp": {"epochs": 20, "hidden": 32, "voices": 2},
}
CASES = [(name, task) for name in NAMES for task in LEARNERS.get(name).tasks]
CHOICES = [
    (name, task, {key: value})
    for name, task in CASES
    for key, one in LEARNERS.get(name)().space().items()
    if isinstance(one, Choice)
    for value in one.values[1:]
]


def table_for(layout: Layout, n_rows: int, *, seed: int = 0) -> Table:
    """Return what the encoder would make: two numbers, a constant, a category of three levels, and words."""
    chance = np.random.default_rng(seed)
    numbers, level = chance.normal(size=(n_rows, 2)), chance.integers(0, 3, n_rows)
    constant = np.zeros((n_rows, 1))
    if layout is Layout.TREES:
        numbers[chance.random(n_rows) < 0.1, 1] = np.nan
        columns = np.column_stack([numbers, constant, level.astype(float)])
        return Table(columns, ("a", "b", "same", "level"), np.arange(4), categorical=(3,))
    columns = np.column_stack([numbers, constant, np.eye(3)[level]])
    names, origin = ("a", "b", "same", "level 0", "level 1", "level 2"), np.array([0, 1, 2, 3, 3, 3])
    if layout is Layout.DENSE:
        return Table(columns, names, origin)
    from scipy import sparse

    words = sparse.random(n_rows, 7, density=0.3, format="csr", random_state=seed)
    return Table(columns, names, origin, words=words, word_origin=np.full(7, 4))


def target_for(table: Table, n_classes: int, *, seed: int = 0) -> Target:
    """Return a target that follows the first column, with noise."""
    signal = table.numbers[:, 0] + 0.3 * np.random.default_rng(seed).normal(size=table.n_rows)
    if n_classes == 0:
        return Target(1e5 + 1e4 * signal)
    edges = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
    return Target(np.searchsorted(edges, signal), n_classes)


def fitted(name: str, task: str, *, n_rows: int = 400, n_classes: int = 3, run: Run | None = None):
    table = table_for(LEARNERS.get(name).layout, n_rows)
    target = target_for(table, n_classes if task == "classify" else 0)
    return LEARNERS.get(name)().fit(table, target, dict(FAST.get(name, {})), run or Run()), table, target


def assert_sound(guess: np.ndarray, n_rows: int, n_classes: int) -> None:
    assert guess.dtype == np.float64
    assert np.isfinite(guess).all()
    if n_classes == 0:
        assert guess.shape == (n_rows,)
    else:
        assert guess.shape == (n_rows, n_classes)
        assert (guess >= 0).all()
        np.testing.assert_allclose(guess.sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_says_what_it_is_good_for_and_what_it_costs(name):
    kind = LEARNERS.get(name)

    assert kind.name == name
    assert set(kind.tasks) <= {"classify", "regress"}
    assert kind.good_for
    assert kind.costs
    assert set(complete(name, kind().space(), {})) == set(kind().space())


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_learner_finds_a_plain_relation(name, task):
    model, table, target = fitted(name, task)

    guess = model.predict(table)

    assert_sound(guess, 400, 3 if task == "classify" else 0)
    if task == "classify":
        assert (guess.argmax(axis=1) == target.values).mean() > 0.6
    else:
        assert np.mean((guess - target.values) ** 2) < 0.5 * target.values.var()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_loaded_learner_predicts_as_before(name, task, tmp_path):
    model, table, _ = fitted(name, task)

    model.save(tmp_path)

    again = LEARNERS.get(name).load(tmp_path)
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    again.save(tmp_path / "again")
    np.testing.assert_array_equal(LEARNERS.get(name).load(tmp_path / "again").predict(table), model.predict(table))


@pytest.mark.parametrize(("name", "task", "chosen"), CHOICES)
def test_what_can_be_chosen_can_be_saved_and_loaded(name, task, chosen, tmp_path):
    kind = LEARNERS.get(name)
    table = table_for(kind.layout, 400)
    target = target_for(table, 3 if task == "classify" else 0)

    model = kind().fit(table, target, FAST.get(name, {}) | chosen, Run())

    model.save(tmp_path)
    np.testing.assert_array_equal(kind.load(tmp_path).predict(table), model.predict(table))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_the_same_seed_gives_the_same_predictions(name, task):
    first, table, _ = fitted(name, task, run=Run(seed=3))
    second, _, _ = fitted(name, task, run=Run(seed=3))

    np.testing.assert_array_equal(first.predict(table), second.predict(table))


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_parameter_is_an_error_that_lists_the_known_ones(name):
    kind = LEARNERS.get(name)
    table = table_for(kind.layout, 30)
    known = next(iter(kind().space()))

    with pytest.raises(SettingsError, match="unknown") as caught:
        kind().fit(table, target_for(table, 2), {"no_such_thing": 1}, Run())

    assert f"{name}.{known}" in caught.value.fix


@pytest.mark.parametrize("seen", [(0, 2), (1,), (0, 1, 3)])
@pytest.mark.parametrize("name", NAMES)
def test_a_class_that_no_training_row_has_keeps_its_column(name, seen, tmp_path):
    kind = LEARNERS.get(name)
    table = table_for(kind.layout, 60)
    target = Target(np.array(seen)[target_for(table, len(seen)).values if len(seen) > 1 else np.zeros(60, int)], 4)

    model = kind().fit(table, target, dict(FAST.get(name, {})), Run())

    guess = model.predict(table)
    assert_sound(guess, 60, 4)
    unseen = [code for code in range(4) if code not in seen]
    assert guess[:, unseen].max() < 0.05
    model.save(tmp_path)
    np.testing.assert_array_equal(kind.load(tmp_path).predict(table), guess)


@pytest.mark.parametrize("name", NAMES)
def test_two_classes_of_which_one_was_seen_keep_two_columns(name):
    kind = LEARNERS.get(name)
    table = table_for(kind.layout, 40)

    guess = kind().fit(table, Target(np.zeros(40, int), 2), {}, Run()).predict(table)

    assert_sound(guess, 40, 2)
    assert guess[:, 0].min() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_26_classes_are_learned(name):
    model, table, _ = fitted(name, "classify", n_rows=520, n_classes=26)

    assert_sound(model.predict(table), 520, 26)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_deadline_that_has_passed_still_gives_a_model_soon(name, task):
    started = time.monotonic()

    model, table, _ = fitted(name, task, n_rows=3_000, run=Run(deadline=Deadline.after(0)))

    assert time.monotonic() - started < 10
    assert_sound(model.predict(table), 3_000, 3 if task == "classify" else 0)


@pytest.mark.parametrize("n_rows", [2, 3, 21])
@pytest.mark.parametrize(("name", "task"), CASES)
def test_few_rows_and_a_constant_column_are_survived(name, task, n_rows):
    n_classes = 2 if task == "classify" else 0
    values = np.arange(n_rows) % 2
    table = Table(np.zeros((n_rows, 1)), ("nothing",), np.array([0]))

    model = LEARNERS.get(name)().fit(table, Target(values if n_classes else values.astype(float), n_classes), {}, Run())

    assert_sound(model.predict(table.rows(np.array([0]))), 1, n_classes)


@pytest.mark.parametrize("name", [name for name in NAMES if LEARNERS.get(name).layout is Layout.TREES])
def test_a_column_that_learning_rows_left_empty_is_survived(name):
    whole = table_for(Layout.TREES, 400)
    empty = whole.numbers.copy()
    empty[:, [1, 3]] = np.nan  # a number, and codes
    table = Table(empty, whole.names, whole.origin, categorical=whole.categorical)

    model = LEARNERS.get(name)().fit(table, target_for(table, 2), dict(FAST.get(name, {})), Run())

    assert_sound(model.predict(whole), 400, 2)
    np.testing.assert_array_equal(model.predict(whole), model.predict(table))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_single_column_and_a_constant_target_are_survived(name, task):
    kind = LEARNERS.get(name)
    whole = table_for(kind.layout, 50)
    table = Table(whole.numbers[:, :1], ("a",), np.array([0]))

    if task == "regress":
        guess = kind().fit(table, Target(np.full(50, 7.0)), {}, Run()).predict(table)
        np.testing.assert_allclose(guess, 7.0, atol=0.5)
    else:
        assert_sound(kind().fit(table, target_for(table, 2), {}, Run()).predict(table), 50, 2)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(LEARNERS.get(name), Explains)])
def test_contributions_add_up_to_the_margin(name, n_classes):
    if n_classes == 0 and "regress" not in LEARNERS.get(name).tasks:
        pytest.skip("no regression")
    model, table, _ = fitted(name, "classify" if n_classes else "regress", n_classes=n_classes)
    guess = model.predict(table)

    parts = model.contributions(table)

    assert parts.shape == (400, table.matrix().shape[1] + 1, 1 if n_classes in (0, 2) else n_classes)
    total = parts.sum(axis=1)
    if n_classes == 0:
        np.testing.assert_allclose(total[:, 0], guess, rtol=1e-9, atol=1e-6)
    elif n_classes == 2:
        np.testing.assert_allclose(total[:, 0], np.log(guess[:, 1]) - np.log(guess[:, 0]), atol=1e-6)
    else:
        chance = np.log(guess)
        np.testing.assert_allclose(
            total - total.mean(axis=1, keepdims=True), chance - chance.mean(axis=1, keepdims=True), atol=1e-6
        )


def test_linear_and_boosting_explain_themselves():
    assert {name for name in NAMES if issubclass(LEARNERS.get(name), Explains)} >= {"linear", "boosting"}


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_refused_with_a_clear_error(name, tmp_path):
    model, _, _ = fitted(name, "classify", n_rows=60)
    model.save(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[: max(1, file.stat().st_size // 3)])

    with pytest.raises(ArtifactError):
        LEARNERS.get(name).load(tmp_path)


@pytest.mark.parametrize("name", ["knn", "svm", "forest", "linear"])
def test_many_rows_are_kept_within_bounds(name):
    kind = LEARNERS.get(name)
    table = table_for(kind.layout, 100_000)
    params = {"forest": {"n_estimators": 2}, "linear": {"C": 1.0}}.get(name, {})
    started = time.process_time()

    model = kind().fit(table, target_for(table, 2), params, Run(deadline=Deadline.after(5)))

    assert time.process_time() - started < 30
    assert_sound(model.predict(table.rows(np.arange(100))), 100, 2)
