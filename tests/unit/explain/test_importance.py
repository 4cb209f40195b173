"""Importance finds the columns that matter, is silent on noise, and keeps its deadline."""

import time
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.budget import Deadline
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.schema import Column, Kind, Schema
from mantic.explain.importance import Judged, importance, mean_contributions

NAMES = ("strong", "weak", "noise")
SCHEMA = Schema(tuple(Column(name, Kind.NUMBER) for name in (*NAMES, "id")))


@dataclass
class Formula:
    """Answers 3 strong + weak, after a pause."""

    schema: Schema = SCHEMA
    n_classes: int = 0
    pause: float = 0.0
    can_say: bool = False

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        time.sleep(self.pause)
        return (3 * frame["strong"] + frame["weak"]).to_numpy()

    def margin(self, frame: pl.DataFrame) -> np.ndarray:
        return self.predict(frame)[:, None]

    def contributions(self, frame: pl.DataFrame) -> np.ndarray | None:
        if not self.can_say:
            return None
        parts = [3 * frame["strong"], frame["weak"], 0 * frame["noise"], 0 * frame["id"], 0 * frame["id"]]
        return np.stack([part.to_numpy() for part in parts], axis=1)[:, :, None]


@dataclass
class Sure(Formula):
    """Says class 1 with a probability that grows with `strong`."""

    n_classes: int = 2

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        share = 1 / (1 + np.exp(-2 * frame["strong"].to_numpy()))
        return np.stack([1 - share, share], axis=1)


def _data(n_rows: int = 600) -> tuple[pl.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({name: random.normal(size=n_rows) for name in (*NAMES, "id")})
    return frame, (3 * frame["strong"] + frame["weak"]).to_numpy() + random.normal(size=n_rows)


def test_columns_are_ranked_by_how_much_the_loss_grows():
    frame, truth = _data()

    found = importance([Judged(Formula(), frame, truth)], metric=METRICS.get("rmse"), run=Run())

    assert [one.column for one in found][:2] == ["strong", "weak"]
    assert found[0].low > found[1].high > found[1].low > 0
    assert found[0].mean == pytest.approx(np.sqrt(1 + 2 * 9) - 1, rel=0.15)


@dataclass
class Flat(Formula):
    """Has learned nothing."""

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return np.zeros(frame.height)


def test_the_rows_of_every_judge_count_alike():
    frame, truth = _data(900)
    metric, run = METRICS.get("mae"), Run()
    knows, learned_nothing = Judged(Formula(), frame[:300], truth[:300]), Judged(Flat(), frame[300:], truth[300:])

    alone = importance([knows], metric=metric, run=run)[0]
    among = importance([knows, learned_nothing], metric=metric, run=run)[0]

    assert among.column == alone.column == "strong"
    assert among.mean == pytest.approx(alone.mean / 3, rel=0.1)
    assert among.high - among.low > 0.3 * among.mean  # the judges do not agree


def test_a_blend_is_asked_the_same_in_batches_as_any_model(churn_like):
    fitted = mantic.Classifier(budget="2 trials", learners=["linear"]).fit(churn_like, "churned")
    frame = fitted.schema_.align(churn_like)
    truth, metric = (churn_like["churned"] == "yes").to_numpy().astype(int), METRICS.get("log_loss")

    @dataclass
    class Wrapped(Formula):
        def predict(self, frame):
            return fitted.model_.predict(frame)

    found = importance([Judged(fitted.model_, frame, truth)], metric=metric, run=Run(seed=2))
    wanted = importance([Judged(Wrapped(fitted.schema_), frame, truth)], metric=metric, run=Run(seed=2))

    assert [one.column for one in found] == [one.column for one in wanted]
    np.testing.assert_allclose([one.mean for one in found], [one.mean for one in wanted], atol=1e-9)


def test_the_interval_of_an_unused_column_holds_zero():
    frame, truth = _data()

    noise = {
        one.column: one for one in importance([Judged(Formula(), frame, truth)], metric=METRICS.get("mae"), run=Run())
    }["noise"]

    assert noise.low <= 0 <= noise.high


def test_a_ranking_metric_is_measured_too():
    frame, _ = _data()
    truth = (np.random.default_rng(1).random(600) < Sure().predict(frame)[:, 1]).astype(int)

    found = importance([Judged(Sure(), frame, truth)], metric=METRICS.get("roc_auc"), run=Run())

    assert found[0].column == "strong"
    assert 0 < found[0].low < found[0].mean < 0.6


def test_an_undefined_metric_gives_nan_and_no_error():
    frame, _ = _data(50)

    found = importance([Judged(Sure(), frame, np.zeros(50, dtype=int))], metric=METRICS.get("roc_auc"), run=Run())

    assert all(np.isnan(one.mean) for one in found)


def test_identifiers_and_tables_without_rows_have_none():
    frame, truth = _data(10)
    model = Formula(Schema((Column("strong", Kind.NUMBER), Column("id", Kind.ID))))

    found = importance([Judged(model, frame, truth)], metric=METRICS.get("mae"), run=Run())

    assert [one.column for one in found] == ["strong"]
    assert importance([Judged(Formula(), frame[:0], truth[:0])], metric=METRICS.get("mae"), run=Run()) == ()


def test_three_rows_are_enough_for_an_answer():
    frame, truth = _data(3)

    assert len(importance([Judged(Formula(), frame, truth)], metric=METRICS.get("mae"), run=Run())) == 4


def test_the_deadline_is_kept():
    frame, truth = _data(2000)
    run = Run(deadline=Deadline.after(0.3))

    began = time.monotonic()
    found = importance([Judged(Formula(pause=0.05), frame, truth)], metric=METRICS.get("mae"), run=run)

    assert time.monotonic() - began < 1.0
    assert found


def test_contributions_stand_in_when_there_is_no_time():
    frame, truth = _data()
    run = Run(deadline=Deadline.after(0.05))

    found = importance([Judged(Formula(pause=0.06, can_say=True), frame, truth)], metric=METRICS.get("mae"), run=run)

    assert [one.column for one in found] == ["strong", "weak"]
    assert found[0].mean == pytest.approx(3 * np.sqrt(2 / np.pi), rel=0.2)


def test_the_same_seed_gives_the_same_importance():
    frame, truth = _data(100)
    metric = METRICS.get("mae")

    assert importance([Judged(Formula(), frame, truth)], metric=metric, run=Run(seed=5)) == importance(
        [Judged(Formula(), frame, truth)], metric=metric, run=Run(seed=5)
    )


def test_mean_contributions_are_sorted_and_leave_out_idle_columns():
    values = np.zeros((10, 4, 1))
    values[:, 1] = -2.0
    values[:, 2] = 1.0

    assert [one.column for one in mean_contributions(values, ["idle", "strong", "weak"])] == ["strong", "weak"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_planted_column_of_noise_is_not_in_the_upper_half(churn_like, seed):
    noise = np.random.default_rng(seed).normal(size=churn_like.height)
    frame = churn_like.drop("city", "joined").with_columns(planted=pl.Series(noise))

    found = mantic.Classifier(budget="1 trial", seed=seed).fit(frame, "churned").report_.facts["importance"]

    names = [one["column"] for one in found]
    assert names.index("planted") >= len(names) / 2
