"""Outcomes against the promise, and what probabilities expect before there are any."""

import numpy as np
import pytest
from tests.unit.watch.conftest import NOW, spending, world

from mantic.core.metric import METRICS
from mantic.watch.asked import Subject, read_asked, read_stream
from mantic.watch.estimate import estimate_of, expected
from mantic.watch.judged import known_of, promised
from mantic.watch.period import last, weeks
from mantic.watch.quality import quality_of

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def judge(store):
    """Return the quality over the seven days until now: outcomes become known when they are put down."""

    def found(subject):
        period = last("7d")
        return quality_of(store, subject, read_asked(store, subject, period), period=period, weeks=weeks(period.until))

    return found


@pytest.fixture
def now():
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_scores_are_those_of_an_evaluation_of_the_same_rows(store, churn, answer, judge, now):
    rows = world(400, 8)
    ids = answer(churn, rows, end=now)
    store.outcomes.add(dict(zip(ids, rows["left"], strict=True)))

    quality = judge(churn)

    facts = churn.model.evaluate(rows).facts
    assert [one.metric.name for one in quality.figures] == ["log_loss", "accuracy", "roc_auc"]
    assert quality.figures[0].now.score == pytest.approx(facts["score"], abs=1e-9)
    assert quality.figures[1].now.score == pytest.approx(facts["metrics"]["accuracy"], abs=1e-9)
    assert quality.figures[0].promise.score == churn.model.report_.facts["score"]
    assert quality.figures[0].now.low < quality.figures[0].now.score < quality.figures[0].now.high
    assert (quality.n_known, quality.n_open, quality.is_worse) == (400, 0, False)
    assert "as promised" in quality.sentence


def test_a_world_that_changed_is_found_by_its_outcomes(store, churn, answer, judge, now):
    rows = world(500, 8)
    turned = np.random.default_rng(0).random(500) < 0.25
    truth = [("no" if one == "yes" else "yes") if turn else one for one, turn in zip(rows["left"], turned, strict=True)]
    store.outcomes.add(dict(zip(answer(churn, rows, end=now), truth, strict=True)))

    quality = judge(churn)

    assert quality.is_worse
    assert "worse than promised" in quality.sentence


def test_of_very_many_outcomes_a_share_is_drawn_in_which_the_latest_count_too(store, churn, answer, judge, now):
    rows = world(11_000, 8)
    truth = [("no" if one == "yes" else "yes") if row >= 7_000 else one for row, one in enumerate(rows["left"])]
    store.outcomes.add(dict(zip(answer(churn, rows, end=now), truth, strict=True)))

    quality = judge(churn)

    right = churn.model.predict(rows.select(churn.schema.names)) == np.array(truth)
    assert quality.n_all == 11_000
    assert 9_000 < quality.n_known < 10_000
    assert quality.figures[1].now.score == pytest.approx(right.mean(), abs=0.01)
    assert quality.is_worse
    assert f"on {quality.n_known:,} of 11,000 outcomes, drawn by chance; promised was" in quality.sentence


def test_outcomes_that_wait_are_counted_and_those_that_came_early_are_said_to_lean(store, churn, answer, judge, now):
    rows = world(400, 8)
    ids = answer(churn, rows, end=now)
    old = [(one, truth) for one, truth, age in zip(ids, rows["left"], rows["age"], strict=True) if age > 45]
    store.outcomes.add(dict(old))

    quality = judge(churn)

    assert (quality.n_known, quality.n_open) == (len(old), 400 - len(old))
    assert "the figures lean" in quality.lean


def test_few_outcomes_are_too_few_to_say(store, churn, answer, judge, now):
    ids = answer(churn, world(50, 8), end=now)
    store.outcomes.add({ids[0]: "yes"})

    assert "1 outcome became known: too few" in judge(churn).sentence
    assert judge(churn).slots[-1].n_known == 1


def test_outcomes_that_are_no_class_are_left_out_and_counted(store, churn, answer, judge, now):
    rows = world(40, 8)
    ids = answer(churn, rows, end=now)
    store.outcomes.add(dict(zip(ids, ["maybe", None, 3, *rows["left"][3:]], strict=True)))

    quality = judge(churn)

    assert (quality.n_known, quality.n_strange) == (37, 3)


def test_a_model_of_numbers_is_judged_in_its_unit(store, regressor, answer, judge, now):
    subject = Subject("spend", 2, regressor)
    rows = spending(world(300, 9))
    store.outcomes.add(dict(zip(answer(subject, rows, end=now), rows["spend"], strict=True)))

    quality = judge(subject)

    assert [one.metric.name for one in quality.figures] == ["rmse", "mae", "r2"]
    assert quality.figures[0].now.score == pytest.approx(5, abs=0.5)
    assert quality.evidence is not None
    assert not quality.is_worse
    assert estimate_of(subject, read_asked(store, subject, last("7d")), read_stream(store, subject, [])) is None


def test_larger_errors_of_a_model_of_numbers_are_found(store, regressor, answer, judge, now):
    subject = Subject("spend", 2, regressor)
    rows = spending(world(300, 9))
    store.outcomes.add(dict(zip(answer(subject, rows, end=now), rows["spend"] + 6, strict=True)))

    assert judge(subject).is_worse


def test_the_positive_class_stands_last_whatever_its_name(store, answer, judge, now):
    from mantic.tasks.classify import Classifier

    rows = world(600, 1)
    model = Classifier(budget="1 trial", learners=["linear"], positive="no").fit(rows, "left")
    subject = Subject("stay", 1, model)
    more = world(300, 2)
    store.outcomes.add(dict(zip(answer(subject, more, end=now), more["left"], strict=True)))

    quality = judge(subject)

    assert subject.labels == ("yes", "no")
    assert quality.figures[0].now.score == pytest.approx(model.evaluate(more).facts["score"], abs=1e-9)
    assert promised(subject).losses().mean() < 0.4


def test_classes_that_are_numbers_are_found_however_they_are_written():
    from types import SimpleNamespace

    labels = np.array([0, 1])
    subject = Subject("x", 1, SimpleNamespace(predict_proba=None, classes_=labels, report_=SimpleNamespace(facts={})))
    said = SimpleNamespace(answer={"probability": {"0": 0.5, "1": 0.5}})

    known = known_of(subject, [SimpleNamespace(prediction=said, truth=one, at="") for one in (1, 1.0, "1", "0", "x")])

    assert known.truth.tolist() == [1, 1, 1, 0]


def test_expected_quality_is_what_calibrated_answers_have():
    chance = np.random.default_rng(0)
    share = chance.beta(0.6, 0.6, 4_000)
    guess = np.column_stack([1 - share, share])
    truth = (chance.random(4_000) < share).astype(int)

    for name in ("accuracy", "log_loss", "brier", "roc_auc"):
        metric = METRICS.get(name)
        found = expected(metric, guess, np.random.default_rng(1))
        assert found.score == pytest.approx(metric(truth, guess), abs=0.02)
        assert found.low < found.score < found.high


def test_rows_that_became_harder_are_seen_before_any_outcome(store, churn, answer):
    # of a moment of its own: where a week ends among the rows is part of what chance does
    easy, hard = world(600, 8), world(3_000, 9)
    hard = hard.filter(churn.answers(hard.select(churn.schema.names)).max(axis=1) < 0.75).head(400)
    answer(churn, easy, end=NOW)
    period = last("7d", now=NOW)

    calm = estimate_of(churn, read_asked(store, churn, period), read_stream(store, churn, weeks(period.until)))
    answer(churn, hard, end=NOW)
    period = last("7d", now=NOW)
    found = estimate_of(churn, read_asked(store, churn, period), read_stream(store, churn, weeks(period.until)))

    assert calm is not None
    assert found is not None
    assert not calm.is_harder
    assert found.is_harder
    assert found.figures[1].now.score < calm.figures[1].now.score
