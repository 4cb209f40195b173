"""What every estimator promises, whatever its task."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import mantic
from mantic.core.budget import Deadline
from mantic.core.errors import SchemaError, SettingsError
from mantic.core.run import Measured, Run, Warned
from mantic.explain.shap import shapley
from mantic.tasks.choose import TASKS
from mantic.tasks.unfitted import NotFittedError

# scikit-learn skips this one itself: it asks for array-API input only where SCIPY_ARRAY_API is set before import.
SKIPPED = {"check_array_api_input"}


@pytest.fixture(params=sorted(TASKS))
def task(request, churn_like, rent_like):
    """Return (estimator class, frame, target) for each task; without texts, which cost most of the time."""
    return {
        "classify": (mantic.Classifier, churn_like.drop("note").head(350), "churned"),
        "regress": (mantic.Regressor, rent_like.drop("note").head(250), "spend"),
    }[request.param]


@pytest.mark.slow
@pytest.mark.parametrize("kind", TASKS.values(), ids=sorted(TASKS))
@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.SkipTestWarning",
    "ignore::FutureWarning",
    "ignore:Estimator .* does not inherit from:UserWarning",  # it keeps the rules itself: docs/decisions/0014
)
def test_scikit_learns_own_checks_pass(kind):
    results = check_estimator(kind(budget="1 trial"), on_skip=None, on_fail=None)

    failed = {one["check_name"]: str(one["exception"]) for one in results if one["status"] == "failed"}
    skipped = {one["check_name"] for one in results if one["status"] == "skipped"}
    assert failed == {}
    assert skipped <= SKIPPED


def test_the_same_seed_and_trials_give_equal_predictions(task):
    kind, frame, target = task

    first, again = (kind(budget="3 trials", seed=7).fit(frame, target) for _ in range(2))

    np.testing.assert_array_equal(first.model_.predict(first.background_), again.model_.predict(again.background_))


def test_a_saved_model_answers_as_before_wherever_it_lies(task, tmp_path):
    kind, frame, target = task
    model = kind(budget="2 trials").fit(frame, target)
    new = frame.drop(target)

    (tmp_path / "moved").mkdir()
    path = model.save(tmp_path / "one.mantic").rename(tmp_path / "moved" / "other.mantic")
    again = mantic.load(path)

    np.testing.assert_array_equal(model.predict(new), again.predict(new))
    assert again.report_ == model.report_
    assert again.get_params() == model.get_params()
    assert again.target_ == model.target_


def test_a_model_that_was_saved_twice_is_the_same_file(task, tmp_path):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)

    first, second = (model.save(tmp_path / name).read_bytes() for name in ("a.mantic", "b.mantic"))

    assert first == second


def test_it_beats_its_baseline_on_data_that_can_be_learned(task):
    kind, frame, target = task

    facts = kind(budget="3 trials").fit(frame, target).report_.facts

    sign = 1 if facts["higher_is_better"] else -1
    assert sign * facts["score"] > sign * facts["baseline"]["score"]
    assert facts["verdict"]["level"] != "useless"


@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_the_deadline_is_kept_and_there_is_always_a_model(task, seconds):
    kind, frame, target = task

    started = time.monotonic()
    model = kind(budget=f"{seconds}s").fit(frame, target)

    assert time.monotonic() - started <= 1.05 * seconds + 1 + 2  # 2: imports of a first fit in this process
    assert np.isfinite(model.report_.facts["score"])


def test_a_refit_forgets_the_first_fit(task):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)

    model.fit(frame.drop("tenure"), target)

    assert "tenure" not in model.schema_.names
    assert model.predict(frame.drop(target, "tenure")).shape == (frame.height,)


def test_frames_of_any_library_give_the_same_answers(task):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)
    new = frame.drop(target)
    as_pandas = pd.DataFrame({name: new[name].to_list() for name in new.columns})

    answers = [model.predict(one) for one in (new, as_pandas, new.to_arrow(), new.to_dicts(), new.lazy())]

    for one in answers[1:]:
        np.testing.assert_array_equal(answers[0], one)


def test_columns_are_found_by_name_when_there_are_more_than_needed(task):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)

    answers = model.predict(frame.with_columns(extra=pl.lit(1)).select(sorted([*frame.columns, "extra"])))

    np.testing.assert_array_equal(answers, model.predict(frame.drop(target)))


def test_the_target_may_be_an_array_beside_the_table(task):
    kind, frame, target = task

    model = kind(budget="1 trial").fit(frame.drop(target), frame[target].to_numpy())

    by_name = kind(budget="1 trial").fit(frame, target)
    np.testing.assert_array_equal(model.predict(frame.drop(target)), by_name.predict(frame.drop(target)))


def test_reasons_of_a_blend_add_up_where_only_one_member_can_say_its_own(task):
    kind, frame, target = task
    fitted = [kind(budget="1 trial", learners=[name]).fit(frame, target) for name in ("linear", "knn")]
    parts = tuple(replace(one.model_.parts[0], weight=0.5) for one in fitted)
    blend = replace(fitted[0].model_, parts=parts)
    rows = fitted[0].background_[:3]

    found = shapley(blend, rows, fitted[0].background_)

    assert blend.contributions(rows) is None
    np.testing.assert_allclose(found.sum(axis=1), blend.margin(rows), atol=1e-6)


def test_a_saved_model_gives_the_same_reasons(task, tmp_path):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)
    row = frame.drop(target)[:1]
    wanted = None if kind.task.name == "classify" else (model.predict(row)[0] + 10, None)

    again = mantic.load(model.save(tmp_path / "one.mantic"))

    assert again.effect("tenure").to_facts() == model.effect("tenure").to_facts()
    assert again.similar(row).to_facts() == model.similar(row).to_facts()
    assert again.rules().to_facts() == model.rules().to_facts()
    found = model.counterfactuals(row, wanted)
    assert again.counterfactuals(row, wanted).to_facts() == found.to_facts()
    for way in found.found:
        assert model.predict([way.row])[0] == pytest.approx(way.answer)


def test_kept_rows_know_how_they_turned_out(task):
    kind, frame, target = task

    model = kind(budget="1 trial").fit(frame, target)

    truths = [one.truth for one in model.similar(frame.drop(target)[5:6], n=3).rows]
    assert truths[0] == frame[target][5]
    assert model.background_.height == model.background_answers_.height == frame.height


def test_reasons_are_asked_about_one_row(task):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame, target)

    with pytest.raises(SchemaError, match="one row is asked about, not 2"):
        model.similar(frame.drop(target)[:2])


@pytest.mark.parametrize("ask", [lambda model: model.effect("a"), lambda model: model.rules()])
def test_a_model_that_is_not_fitted_has_no_reasons(ask):
    with pytest.raises(NotFittedError):
        ask(mantic.Classifier())


def test_contributions_add_up_to_the_margin(task):
    kind, frame, target = task
    for learners in (["boosting"], ["knn"]):
        model = kind(budget="2 trials", learners=learners).fit(frame, target)
        aligned = model.schema_.align(frame.head(5))

        rows = model.explain(frame.head(5).drop(target)).rows

        margins = model.model_.margin(aligned)
        for row, margin in zip(rows, margins, strict=True):
            assert row.margin == pytest.approx(margin[0] if len(margin) == 1 else margin.max(), abs=1e-6)


def test_evaluation_says_what_the_metrics_are_on_new_rows(task):
    kind, frame, target = task
    model = kind(budget="1 trial").fit(frame.head(150), target)

    facts = model.evaluate(frame.tail(100)).facts

    assert facts["n_rows"] == 100
    assert facts["interval"][0] <= facts["score"] <= facts["interval"][1]
    assert facts["metrics"][facts["metric"]] == pytest.approx(facts["score"])


def test_every_progress_event_comes_before_the_end(task):
    kind, frame, target = task
    heard = []

    kind(budget="2 trials").fit(frame, target, run=Run(deadline=Deadline(), listeners=[heard.append]))

    measured = [event for event in heard if isinstance(event, Measured)]
    assert "part_failed" not in [event.code for event in heard if isinstance(event, Warned)]
    assert measured[0].name == "baseline"
    assert [event.facts["learner"] for event in measured[1:3]] == ["linear", "boosting"]


def test_rows_without_a_target_are_left_out_and_counted(task):
    kind, frame, target = task
    holes = frame.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise(pl.col(target)).alias(target)
    )

    model = kind(budget="1 trial").fit(holes, target)

    codes = [one["code"] for one in model.report_.facts["warnings"]]
    assert "no_target" in codes
    assert model.report_.facts["n_rows"] == frame.height - (frame.height + 9) // 10


@pytest.mark.parametrize("n_rows", [0, 1, 4])
def test_too_few_rows_are_a_clear_error(task, n_rows):
    kind, frame, target = task

    with pytest.raises(SchemaError, match="too few"):
        kind(budget="1 trial").fit(frame.head(n_rows), target)


def test_a_target_that_is_not_there_is_named_with_the_nearest(task):
    kind, frame, target = task

    with pytest.raises(SchemaError) as caught:
        kind(budget="1 trial").fit(frame, target[:-1] + "x")

    assert f"did you mean '{target}'" in caught.value.fix


def test_a_target_with_one_value_is_an_error(task):
    kind, frame, target = task

    with pytest.raises(SchemaError, match="nothing to"):
        kind(budget="1 trial").fit(frame.with_columns(pl.lit(frame[target][0]).alias(target)), target)


def test_asking_an_estimator_that_is_not_fitted_says_so(task):
    kind, frame, _ = task

    with pytest.raises(NotFittedError, match="not fitted"):
        kind().predict(frame)


@pytest.mark.parametrize(
    "settings",
    [
        {"metric": "roc_auk"},
        {"learners": ["forrest"]},
        {"params": {"forest.n_tree": 3}},
        {"params": {"forest": 3}},
        {"budget": "soon"},
    ],
)
def test_unknown_settings_are_named_with_what_is_known(task, settings):
    kind, frame, target = task

    with pytest.raises(SettingsError) as caught:
        kind(**{"budget": "1 trial"} | settings).fit(frame, target)

    assert caught.value.fix


def test_it_works_in_a_pipeline_a_grid_search_and_cross_validation(task):
    kind, frame, target = task
    X = frame.drop(target).to_pandas()
    y = frame[target].to_numpy()
    model = kind(budget="1 trial", learners=["tree"])

    piped = make_pipeline(FunctionTransformer(), clone(model)).fit(X, y)
    grid = GridSearchCV(model, {"params": [{"tree.max_depth": 2}, {"tree.max_depth": 5}]}, cv=2).fit(X, y)
    scores = cross_val_score(model, X, y, cv=2)

    assert len(piped.predict(X)) == len(y)
    assert grid.best_params_["params"] in ({"tree.max_depth": 2}, {"tree.max_depth": 5})
    assert (scores > 0).all()


def test_ctrl_c_keeps_the_best_so_far(task):
    kind, frame, target = task

    def impatient(event):
        if isinstance(event, Measured) and event.facts.get("number") == 1:
            raise KeyboardInterrupt

    model = kind(budget="50 trials").fit(frame, target, run=Run(listeners=[impatient]))

    assert "interrupted" in [one["code"] for one in model.report_.facts["warnings"]]
    assert len(model.predict(frame.drop(target))) == frame.height
