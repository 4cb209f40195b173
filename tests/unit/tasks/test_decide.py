"""Decisions with a fitted model: what the fit keeps for them, and where they go."""

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import ManticError, SettingsError
from mantic.evaluate.blocks_decision import TITLE
from mantic.report.blocks import Group
from mantic.tasks.decide import foresee


@pytest.fixture(scope="module")
def customers(churn_like):
    return churn_like.drop("note", "city")


@pytest.fixture(scope="module")
def model(customers):
    return mantic.Classifier(budget="1 trial", learners=["linear"]).fit(customers, "churned")


def _sections(report):
    return [block for block in report.blocks if isinstance(block, Group) and block.title == TITLE]


def test_a_fit_keeps_answers_to_choose_by_and_answers_to_judge_by(model, customers):
    unseen = model.unseen_

    assert set(unseen.held_out.part.tolist()) == {0, 1, 2, 3, 4}  # below 2,000 rows every row judges once
    assert len(unseen.held_out) == customers.height
    assert set(unseen.inner.part.tolist()) == {0, 1, 2, 3, 4, 5}
    assert unseen.kept == 5
    assert model.decision_ is None


def test_with_many_rows_a_fifth_judges_and_the_others_choose():
    rng = np.random.default_rng(0)
    size = rng.normal(size=2500)
    frame = pl.DataFrame({"size": size, "kind": np.where(size + rng.normal(size=2500) > 1, "big", "small")})

    unseen = mantic.Classifier(budget="1 trial", learners=["linear"]).fit(frame, "kind").unseen_

    assert (len(unseen.inner), len(unseen.held_out), unseen.kept) == (2000, 500, 0)


def test_a_regression_keeps_none(rent_like):
    model = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(rent_like.drop("note", "city"), "spend")

    assert model.unseen_ is None
    assert not hasattr(model, "decide")


def test_a_decision_is_made_saved_and_changed_without_a_fit(model, customers, tmp_path):
    decision = model.decide("fp=1,fn=10", unit="EUR")
    again = mantic.load(model.save(tmp_path / "m.mantic"))

    assert again.decision_ == decision
    assert again.report_ == model.report_
    other = again.decide(capacity="10%")
    assert other.threshold > decision.threshold
    assert again.decision_ is other
    np.testing.assert_array_equal(again.predict(customers.head(5)), model.predict(customers.head(5)))


def test_the_fit_report_has_one_section_on_what_it_is_worth(model):
    for cost in ("fp=1,fn=10", "fp=1,fn=3"):
        decision = model.decide(cost)

    assert len(_sections(model.report_)) == 1
    assert _sections(model.report_)[0].blocks[0].body == decision.sentence
    assert model.report_.facts["decision"]["threshold"] == decision.threshold


def test_an_evaluation_values_the_decision_on_the_new_rows(model, churn_like_new):
    decision = model.decide("fp=1,fn=10", unit="EUR")

    report = model.evaluate(churn_like_new.drop("note", "city"))

    codes = decision.decide(model.predict_proba(churn_like_new.drop("note", "city", "churned")))
    truth = (churn_like_new["churned"] == "yes").cast(pl.Int64).to_numpy()
    cost = decision.costs.array()[truth, codes].mean()
    assert report.facts["decision"]["value"]["score"] == pytest.approx(-cost)
    assert report.facts["decision"]["threshold"] == decision.threshold
    assert len(_sections(report)) == 1


def test_a_refit_forgets_the_decision(customers):
    model = mantic.Classifier(budget="1 trial", learners=["linear"]).fit(customers, "churned")
    model.decide("fp=1,fn=10")

    model.fit(customers, "churned")

    assert model.decision_ is None
    assert not _sections(model.report_)


def test_a_file_without_kept_answers_still_predicts_and_says_why_it_cannot_decide(model, customers, tmp_path):
    model.unseen_, kept = None, model.unseen_
    try:
        again = mantic.load(model.save(tmp_path / "old.mantic"))
    finally:
        model.unseen_ = kept

    assert len(again.predict(customers.head(3))) == 3
    with pytest.raises(SettingsError, match="without the answers"):
        again.decide("fp=1,fn=10")


def test_the_positive_class_is_the_one_that_is_acted_on(customers):
    model = mantic.Classifier(budget="1 trial", learners=["linear"], positive="no").fit(customers, "churned")

    decision = model.decide("fp=1,fn=10")

    assert decision.costs.classes[decision.costs.positive] == "no"
    assert "probability of 'no'" in decision.sentence


def test_rows_per_day_come_from_the_only_dates_or_from_the_column_of_time(customers):
    by_dates = mantic.Classifier(budget="1 trial", learners=["linear"]).fit(customers, "churned")
    days = (customers["joined"].max() - customers["joined"].min()).days + 1
    assert by_dates.unseen_.pace == {"joined": pytest.approx(customers.height / days)}

    two = customers.with_columns(left=pl.col("joined").dt.offset_by("90d"))
    by_time = mantic.Classifier(budget="1 trial", learners=["linear"]).fit(two, "churned", time="joined")
    assert list(by_time.unseen_.pace) == ["joined"]
    decision = by_time.decide("fp=1,fn=10", capacity="1/week")
    assert decision.period == "week"
    assert "a week" in decision.sentence
    assert decision.capacity.share == pytest.approx(1 / (7 * by_time.unseen_.pace["joined"]))


def test_groups_are_kept_as_clusters(churn_like):
    model = mantic.Classifier(budget="1 trial", learners=["linear"])

    model.fit(churn_like.drop("note"), "churned", group="city")

    assert len(np.unique(model.unseen_.clusters)) == churn_like["city"].n_unique()


def test_more_than_two_classes_take_a_matrix(customers, tmp_path):
    frame = customers.drop("churned").filter(pl.col("plan").is_not_null())
    model = mantic.Classifier(budget="1 trial", learners=["linear"]).fit(frame, "plan")
    (tmp_path / "costs.csv").write_text("truth,basic,plus,premium\nbasic,0,1,3\nplus,1,0,2\npremium,6,2,0\n")

    decision = model.decide(tmp_path / "costs.csv")

    assert decision.threshold is None
    assert len(_sections(model.report_)) == 1
    with pytest.raises(SettingsError, match="here are 3"):
        model.decide(tmp_path / "costs.csv", capacity="5%")


def test_a_model_of_nothing_but_the_clock_decides_by_theory(customers):
    model = mantic.Classifier(budget=0.3).fit(customers, "churned")

    decision = model.decide("fp=1,fn=9")

    assert len(model.unseen_.held_out)
    assert len(model.unseen_.inner) or decision.threshold == pytest.approx(0.1)


def test_what_could_not_be_decided_is_refused_before_the_fit(customers, rent_like):
    two = mantic.Classifier()

    with pytest.raises(SettingsError, match="predicted as a number"):
        foresee(mantic.Regressor(), rent_like["spend"], cost="fp=1,fn=2", capacity=None)
    with pytest.raises(SettingsError, match="here are 3"):
        foresee(two, customers["plan"], cost=None, capacity="5%")
    with pytest.raises(SettingsError, match="'maybe' is no class"):
        foresee(two, customers["churned"], cost={"maybe": {"no": 1}}, capacity=None)
    foresee(two, customers["churned"], cost="fp=1,fn=2", capacity="5%")


def test_nothing_to_decide_by_and_nothing_fitted_are_clear_errors(model):
    with pytest.raises(SettingsError, match="neither costs nor a capacity"):
        model.decide()
    with pytest.raises(ManticError, match="not fitted"):
        mantic.Classifier().decide("fp=1,fn=2")
