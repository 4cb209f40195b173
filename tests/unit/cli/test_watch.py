"""mantic watch: one look, for people and for machines."""

import polars as pl
import pytest

from mantic.core.settings import read_settings
from mantic.store.predictions import Prediction
from mantic.store.store import open_store


@pytest.fixture(scope="module")
def asked(kept, churn_like_new):
    """Keep answers of the fitted model to rows that it has not seen, and the outcomes of half of them."""
    from mantic.tasks.base import load

    model = load(kept / "churn.mantic")
    calls = pl.Series([f"call {400 + place}" for place in range(churn_like_new.height)])  # each a new one
    fresh = churn_like_new.with_columns(note=churn_like_new["note"].str.replace("call [0-9]+", "") + calls)
    rows = fresh.select(model.schema_.names)
    labels = [str(label) for label in model.classes_]
    with open_store(read_settings().store.url) as store:
        number = store.models.get("churn").number
        ids = store.predictions.append(
            Prediction("churn", number, row, {"prediction": "no", "probability": dict(zip(labels, guess, strict=True))})
            for row, guess in zip(rows.to_dicts(), model.predict_proba(rows).tolist(), strict=True)
        )
        store.outcomes.add(dict(zip(ids[:30], churn_like_new["churned"], strict=False)))
    return ids


def test_a_look_says_how_the_model_does(mantic, kept, asked):
    done = mantic("watch", "churn", "--report", "watch.html")

    assert done.code == 0
    assert "rows look like training" in done.out
    assert "rows without an outcome yet" in done.out
    assert "wrote watch.html" in done.err


def test_a_look_is_one_object_for_machines(mantic, kept, asked):
    facts = mantic("watch", "churn", "--since", "24h", "--json").facts

    assert facts["health"]["level"] == "good"
    assert facts["traffic"]["by"] == "hour"
    assert facts["quality"]["n_known"] >= 30
    assert {"column", "state", "effect", "unseen", "missing", "evidence", "sentence"} == set(facts["drift"][0])
    assert facts["alerts"] == []


def test_a_model_from_a_file_is_looked_at_under_its_name(mantic, kept):
    facts = mantic("watch", kept / "rent.mantic", "--json").facts

    assert (facts["model"], facts["number"]) == ("rent", None)
    assert facts["health"]["sentence"] == "Nothing was asked yet."


def test_what_is_no_stretch_of_time_is_refused(mantic, kept):
    done = mantic("watch", "churn", "--since", "yesterday")

    assert done.code == 2
    assert "write 24h, 7d or 4w" in done.err


def test_outcomes_without_their_column_are_refused(mantic, kept):
    done = mantic("outcomes", kept / "churn.csv", "--value", "nosuch")

    assert done.code == 2
    assert "there is no column 'id'" in done.err
