"""mantic predictions: what is shown, and what is written to a file."""

import pytest

from mantic.core.settings import read_settings
from mantic.store.predictions import Prediction
from mantic.store.store import open_store


@pytest.fixture
def store(monkeypatch, tmp_path):
    """Return the store that the command line uses; it is empty."""
    monkeypatch.setenv("MANTIC_STORE_URL", str(tmp_path / "store"))
    with open_store(read_settings().store.url) as opened:
        yield opened


def answered(store, rows):
    """Keep an answer for each row, a second apart; return their ids."""
    answer = {"prediction": "yes", "version": "v"}
    made = [Prediction("churn", 1, row, answer, at=f"2026-05-01T00:00:{i:02d}") for i, row in enumerate(rows)]
    return store.predictions.append(made)


def test_those_whose_outcome_is_known_are_shown_however_old_they_are(mantic, store):
    ids = answered(store, [{"age": 1}] * 40)
    store.outcomes.add(dict.fromkeys(ids[:3], "no"))

    facts = mantic("predictions", "churn", "--judged", "--json").facts

    assert [one["id"] for one in facts["predictions"]] == ids[2::-1]
    assert {one["outcome"] for one in facts["predictions"]} == {"no"}


def test_that_no_outcome_is_known_is_said_otherwise_than_that_nothing_is_kept(mantic, store):
    answered(store, [{"age": 1}])

    assert "No outcome of what 'churn' answered is known yet" in mantic("predictions", "churn", "--judged").out
    assert "Nothing is kept of 'rent'" in mantic("predictions", "rent").out
