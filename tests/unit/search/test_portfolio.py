"""What a search tries first."""

import numpy as np
import pytest

from mantic.core.learner import LEARNERS, complete
from mantic.core.table import Target
from mantic.search.portfolio import Entry, neighbours, portfolio

TARGETS = {
    "values": Target(np.arange(100.0)),
    "two classes": Target(np.arange(100) % 2, 2),
    "many classes": Target(np.arange(100) % 20, 20),
    "many rows": Target(np.arange(200_000.0)),
}


@pytest.mark.parametrize("has_text", [False, True])
@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_every_entry_has_parameters_that_its_learner_knows(target, has_text):
    entries = portfolio(target, None, {}, has_text=has_text)

    assert entries[0] == Entry("linear")
    for one in entries:
        assert complete(one.learner, LEARNERS.get(one.learner)().space(), one.params)
    assert len({(one.learner, str(one.params)) for one in entries}) == len(entries)


def test_learners_for_other_tasks_and_those_not_asked_for_are_left_out():
    assert "naive_bayes" not in {one.learner for one in portfolio(TARGETS["values"], None, {}, has_text=False)}
    assert {one.learner for one in portfolio(TARGETS["values"], ["tree", "boosting"], {}, has_text=False)} == {
        "tree",
        "boosting",
    }


def test_a_fixed_parameter_holds_in_every_entry():
    entries = portfolio(TARGETS["values"], ["boosting"], {"boosting": {"num_leaves": 7}}, has_text=False)

    assert {one.params["num_leaves"] for one in entries} == {7}


def test_leaves_of_a_forest_grow_with_the_rows():
    few, many = (
        max(one.params["min_samples_leaf"] for one in portfolio(target, ["forest"], {}, has_text=False))
        for target in (TARGETS["values"], TARGETS["many rows"])
    )

    assert few < many


def test_neighbours_of_a_leader_stay_in_its_space_and_every_third_is_the_leader_itself():
    leader = Entry("boosting", {"num_leaves": 20})
    found = list(neighbours([leader], {}, seed=0))[:12]

    assert [one == leader for one in found] == [False, False, True] * 4
    for one in found:
        assert complete("boosting", LEARNERS.get("boosting")().space(), one.params)
