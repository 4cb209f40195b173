"""mantic predictions prune: what is too old goes, and what stays is said."""

import pytest

from mantic.core.settings import read_settings
from mantic.store.predictions import Prediction
from mantic.store.store import open_store
from mantic.store.value import before


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """Keep an answer of yesterday, and two of a hundred days ago; the outcome of one is known."""
    monkeypatch.setenv("MANTIC_STORE_URL", str(tmp_path / "store"))
    ages = (1, 100, 101)
    rows = [Prediction("churn", 1, {"a": age}, {"prediction": "no"}, at=before(age * 86_400.0)) for age in ages]
    with open_store(read_settings().store.url) as store:
        ids = store.predictions.append(rows)
        store.outcomes.add({ids[2]: "yes"})
    return ids


def left(ids):
    with open_store(read_settings().store.url) as store:
        return [store.predictions.get(one) is not None for one in ids]


def test_what_is_older_than_is_said_is_removed(mantic, answered):
    done = mantic("predictions", "prune", "--older", "90d")

    assert done.err == "removed 2 predictions older than 90 days\n"
    assert left(answered) == [True, False, False]
    assert "churn" in mantic("predictions", "churn").out


def test_those_whose_outcome_is_known_may_stay(mantic, answered):
    facts = mantic("predictions", "prune", "--older", "12w", "--keep-with-outcomes", "--json").facts

    assert (facts["removed"], facts["days"]) == (1, 84)
    assert left(answered) == [True, False, True]


def test_the_setting_says_how_old_where_the_option_does_not(mantic, answered, monkeypatch):
    monkeypatch.setenv("MANTIC_STORE_KEEP_PREDICTIONS", "101d")

    mantic("predictions", "prune")

    assert left(answered) == [True, True, False]


def test_without_a_word_how_old_nothing_goes(mantic, answered):
    done = mantic("predictions", "prune")

    assert done.code == 2
    assert "--older 90d" in done.err
    assert left(answered) == [True, True, True]


def test_a_setting_that_is_no_stretch_of_time_is_said(mantic, monkeypatch):
    monkeypatch.setenv("MANTIC_STORE_KEEP_PREDICTIONS", "soon")

    done = mantic("settings")

    assert done.code == 2
    assert "store.keep_predictions cannot be 'soon'" in done.err
