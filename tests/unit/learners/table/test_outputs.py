import numpy as np
import pytest

from mantic.core.table import Target
from mantic.learners.table._outputs import UNSEEN, Outputs

RAW = np.array([[0.5], [-2.0]])


def test_values_come_back_in_their_own_unit():
    target = Target(np.array([10.0, 30.0]))
    outputs = Outputs.of(target)

    np.testing.assert_allclose(outputs.answer(outputs.labels(target)[:, None]), target.values)


@pytest.mark.parametrize(("codes", "n_classes", "n_raw"), [([0, 1], 2, 1), ([0, 3], 4, 1), ([0, 1, 3], 4, 3)])
def test_classes_that_were_not_seen_get_next_to_nothing(codes, n_classes, n_raw):
    outputs = Outputs.of(Target(np.array(codes), n_classes))

    guess = outputs.answer(np.zeros((5, n_raw)))

    assert outputs.n_raw == n_raw
    np.testing.assert_allclose(guess[:, codes], 1 / len(codes), atol=1e-9)
    np.testing.assert_allclose(guess.sum(axis=1), 1.0)


@pytest.mark.parametrize("codes", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1]])
def test_a_flat_answer_is_the_share_of_each_class(codes):
    guess = Outputs.flat(Target(np.array(codes), 2)).answer(RAW)

    np.testing.assert_allclose(guess[:, 1], np.mean(codes), atol=1e-9)


def test_a_flat_answer_for_values_is_their_mean():
    np.testing.assert_allclose(Outputs.flat(Target(np.array([1.0, 4.0]))).answer(RAW), 2.5)


def test_parts_add_up_to_the_margin_and_the_base_holds_what_was_never_seen():
    outputs = Outputs.of(Target(np.array([0, 2]), 3))
    raw = np.array([[[0.25], [0.5], [-0.1]]])  # two columns and a base

    parts = outputs.parts(raw)

    np.testing.assert_allclose(parts.sum(axis=1), raw.sum(axis=1) @ outputs.weights + outputs.base)
    assert parts[0, -1, 1] == UNSEEN


def test_facts_restore_the_same_map():
    outputs = Outputs.of(Target(np.array([0.1, 0.7, 1 / 3])))

    np.testing.assert_array_equal(Outputs.from_facts(outputs.facts()).answer(RAW), outputs.answer(RAW))
