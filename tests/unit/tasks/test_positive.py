"""Which of two classes precision, recall and their like are about."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.metric import METRICS
from mantic.tasks.choose import make
from mantic.tasks.target import positive_of


@pytest.fixture(scope="module")
def rare_first() -> pl.DataFrame:
    """Return 600 rows whose rare class comes first in the alphabet."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=600)
    is_ill = rng.random(600) < 1 / (1 + np.exp(2.5 - 1.5 * size))
    return pl.DataFrame({"size": size, "noise": rng.normal(size=600), "cls": np.where(is_ill, "disease", "healthy")})


@pytest.mark.parametrize(
    ("labels", "codes", "positive"),
    [
        (["no", "yes"], [1, 1, 1, 0], 1),
        (["N", "Y"], [1, 1, 1, 0], 1),
        (["disease", "healthy"], [1, 1, 1, 0], 0),
        (["bad", "good"], [0, 1, 0], 1),
        ([0, 1], [1, 1, 1, 0], 1),
        ([False, True], [1, 1, 1, 0], 1),
    ],
)
def test_the_positive_class_is_what_says_yes_else_the_rarer(labels, codes, positive):
    assert positive_of(np.array(labels), np.array(codes)) == positive


def test_average_precision_is_of_the_rare_class_in_the_search_and_in_the_report(rare_first):
    model = mantic.Classifier(budget="2 trials", metric="average_precision").fit(rare_first, "cls")
    facts = model.report_.facts
    again = model.evaluate(rare_first).facts

    truth = (rare_first["cls"] == "disease").to_numpy().astype(int)
    rare = model.predict_proba(rare_first)[:, list(model.classes_).index("disease")]
    expected = METRICS.get("average_precision")(truth, np.column_stack([1 - rare, rare]))
    assert facts["positive"] == "disease"
    assert facts["score"] < 0.9  # that of the common class is above
    assert again["metrics"]["average_precision"] == pytest.approx(expected)


def test_the_user_may_say_which_class_is_positive(rare_first):
    model = mantic.fit(rare_first, "cls", budget="2 trials", metric="average_precision", positive="healthy")

    assert model.report_.facts["positive"] == "healthy"
    assert model.report_.facts["score"] > 0.9
    assert "--positive healthy" in model.report_.to_json()


def test_a_positive_class_that_is_not_there_is_refused(rare_first):
    with pytest.raises(SettingsError, match="disease, healthy"):
        mantic.Classifier(budget="1 trial", positive="ill").fit(rare_first, "cls")


def test_a_regression_has_no_positive_class():
    with pytest.raises(SettingsError, match="Regressor has no positive"):
        make(mantic.Regressor, {"positive": "yes"})


@pytest.mark.parametrize("kind", [mantic.Classifier, mantic.Regressor])
def test_missing_answers_in_an_array_are_told(rare_first, kind):
    answers = np.array([None, *range(3)] * 150, dtype=object)

    with pytest.raises(SchemaError, match="150 of 600 answers are missing"):
        kind(budget="1 trial").fit(rare_first.select("size"), answers)
