"""A row alone gets the answer that it gets in a table."""

import copy
import math
import pickle
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import mantic
from mantic.core.errors import SchemaError
from mantic.core.learner import LEARNERS, AnswersRows, Params
from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Layout, Table, Target
from mantic.features import row as features_row
from mantic.features.encode import Encoder
from mantic.features.number import Number
from mantic.search.blend import Blend, Part
from mantic.search.calibrate import NONE, Scaling
from mantic.search.conformal import Conformal
from mantic.search.member import Member
from mantic.search.row import row_plan

NAMES = LEARNERS.names()
FAST = {
    "boosting": {"rounds": 30},
    "histgb": {"rounds": 20},
    "xgboost": {"rounds": 20},
    "catboost": {"rounds": 20},
    "forest": {"n_estimators": 15},
    "mlp": {"epochs": 5, "hidden": 16},
}
N_CLASSES = {"classify": (2, 4), "regress": (0,)}
CASES = [(name, n) for name in NAMES for task in LEARNERS.get(name).tasks for n in N_CLASSES[task]]
SCHEMA = Schema(
    (
        Column("size", Kind.NUMBER, sentinels=("?",)),
        Column("price", Kind.NUMBER, form=","),
        Column("plan", Kind.CATEGORY, levels=("a", "b", "c"), n_levels=3),
        Column("city", Kind.CATEGORY),
        Column("member", Kind.BOOLEAN),
        Column("since", Kind.DATE),
        Column("until", Kind.DATE, form="%d.%m.%Y"),
        Column("note", Kind.TEXT),
        Column("code", Kind.ID),
    )
)
ODD: list[dict[str, Any]] = [
    {
        "size": None,
        "price": None,
        "plan": None,
        "city": None,
        "member": None,
        "since": None,
        "until": None,
        "note": None,
    },
    {"size": "?", "price": "1.234,5", "plan": "never seen", "city": "", "member": "Yes", "since": "2024-02-29"},
    {"size": 10**18, "price": "-0,25", "plan": 3, "city": 3.5, "member": 0, "until": "1.2.2003", "note": ""},
    {"size": float("inf"), "price": 1e300, "member": "f", "since": datetime(1901, 1, 1, 5, 6, 7, 8), "note": "a  b\tc"},
    {
        "size": float("nan"),
        "price": " 7 ",
        "since": date(2200, 1, 1),
        "until": "2024-05-06",
        "note": "ÜBER straße 東京 x",
    },
    {"size": True, "price": "7,", "city": True, "member": 1.0, "since": "2021-01-01 10:00:00", "note": "modem " * 300},
]


def table(n_rows: int, *, seed: int) -> pl.DataFrame:
    """Return aligned rows with gaps in every column."""
    chance = np.random.default_rng(seed)
    words = np.array(["slow", "modem", "great", "broken", "service", "I", "call-back", "naïve", "x1", "東京"])
    frame = pl.DataFrame(
        {
            "size": chance.normal(size=n_rows).round(3),
            "price": chance.gamma(3, 20, n_rows),
            "plan": chance.choice(["a", "b", "c"], n_rows),
            "city": [f"{place:03d} Northern Market" for place in chance.integers(0, 120, n_rows)],
            "member": chance.random(n_rows) < 0.5,
            "since": np.datetime64("2019-01-01T00:00:00", "us") + chance.integers(0, 10**14, n_rows),
            "until": np.datetime64("2022-01-01", "us") + 86_400_000_000 * chance.integers(0, 900, n_rows),
            "note": [" ".join(chance.choice(words, chance.integers(0, 9))) for _ in range(n_rows)],
            "code": [f"r{place}" for place in range(n_rows)],
        }
    )
    gaps = [pl.Series(chance.random(n_rows) < 0.08) for _ in frame.columns]
    pairs = zip(frame.columns, gaps, strict=True)
    return frame.with_columns([pl.when(gap).then(None).otherwise(pl.col(name)).alias(name) for name, gap in pairs])


def target_of(frame: pl.DataFrame, n_classes: int, *, seed: int = 0) -> Target:
    chance = np.random.default_rng(seed)
    signal = frame["size"].fill_null(0.5).to_numpy() + (frame["plan"].fill_null("a") == "b").to_numpy()
    signal = (
        signal + frame["note"].fill_null("").str.contains("broken").to_numpy() + chance.normal(0, 0.3, frame.height)
    )
    if n_classes == 0:
        return Target(500 + 100 * signal)
    return Target(np.searchsorted(np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1]), signal), n_classes)


def blend(members: list[Member], n_classes: int, *, scaling: Scaling = NONE) -> Blend:
    base = np.zeros(n_classes if n_classes > 2 else 1)
    parts = tuple(Part(one, 1 / len(members), 0.9) for one in members)
    return Blend(SCHEMA, n_classes, parts, scaling, Conformal(), base)


def member(name: str, n_classes: int, quiet_run: Any, *, n_rows: int = 400, params: Params | None = None) -> Member:
    frame = table(n_rows, seed=0)
    target, kind = target_of(frame, n_classes), LEARNERS.get(name)
    encoder = Encoder(SCHEMA, kind.layout)
    table_of = encoder.fit_transform(frame, target)
    return Member(encoder, kind().fit(table_of, target, FAST.get(name, {}) | (params or {}), quiet_run))


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [*frame.to_dicts(), *(dict.fromkeys(SCHEMA.names) | row for row in ODD)]


def assert_as_in_a_table(model: Blend, rows: list[dict[str, Any]]) -> None:
    plan = row_plan(model)
    wanted = np.concatenate([np.atleast_2d(model.predict(model.schema.align([row]))) for row in rows])
    found = np.array([plan.predict(row) for row in rows])
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "n_classes"), CASES)
def test_a_row_alone_gets_the_answer_of_the_table(name, n_classes, quiet_run):
    model = blend([member(name, n_classes, quiet_run)], n_classes)

    has_form = isinstance(model.parts[0].member.learner, AnswersRows)
    assert row_plan(model).fallback == (() if has_form else (f"{name}: this learner has no form for one row",))
    assert_as_in_a_table(model, rows_of(table(60, seed=1)))


@pytest.mark.parametrize("form", ["exact", "landmarks"])
@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_a_linear_kernel_that_was_loaded_answers_a_row_as_a_table(n_classes, form, tmp_path, quiet_run):
    one = member("svm", n_classes, quiet_run, params={"kernel": "linear", "form": form})
    one.learner.save(tmp_path)

    again = Member(one.encoder, type(one.learner).load(tmp_path))

    assert_as_in_a_table(blend([again], n_classes), rows_of(table(60, seed=1)))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_row_of_a_blend_gets_the_answer_of_the_table(n_classes, quiet_run):
    names = ["linear", "boosting", "boosting", "forest"]
    model = blend(
        [member(name, n_classes, quiet_run, n_rows=150) for name in names], n_classes, scaling=Scaling(0.8, 0.1)
    )

    assert_as_in_a_table(model, rows_of(table(20, seed=2)))


def test_whole_tables_and_rows_agree(quiet_run):
    model, frame = blend([member("histgb", 3, quiet_run), member("tree", 3, quiet_run)], 3), table(300, seed=3)

    found = np.array([row_plan(model).predict(row) for row in frame.to_dicts()])

    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-6, atol=1e-6)


def test_many_rows_are_answered_in_pieces_as_at_once(quiet_run, monkeypatch):
    model, frame = blend([member("boosting", 2, quiet_run), member("linear", 2, quiet_run)], 2), table(500, seed=4)
    whole = model.predict(frame)

    monkeypatch.setattr("mantic.search.blend._PIECE", 64)

    np.testing.assert_array_equal(model.predict(frame), whole)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"size": 1.0},
        dict.fromkeys(SCHEMA.names) | {"size": "large", "member": "perhaps", "since": "soon"},
        dict.fromkeys(SCHEMA.names) | {"price": "1,2,3"},
        {name: None for name in SCHEMA.names if name != "code"},
    ],
)
def test_a_row_that_does_not_fit_is_refused_in_the_words_of_the_table(row, quiet_run):
    model = blend([member("linear", 2, quiet_run, n_rows=60)], 2)
    with pytest.raises(SchemaError) as wanted:
        SCHEMA.align([row])

    with pytest.raises(SchemaError) as found:
        row_plan(model).predict(row)

    assert str(found.value) == str(wanted.value)


class Middling:
    """Answers without a form for one row."""

    name, layout = "middling", Layout.SPARSE

    def predict(self, table: Table) -> np.ndarray:
        share = 1 / (1 + np.exp(-np.asarray(table.matrix().sum(axis=1)).ravel()))
        return np.column_stack([1 - share, share])


def test_a_learner_without_a_form_for_rows_is_asked_with_a_table_and_named():
    frame = table(80, seed=0)
    encoder = Encoder(SCHEMA, Layout.SPARSE)
    encoder.fit_transform(frame, target_of(frame, 2))
    model = blend([Member(encoder, Middling())], 2)

    assert not isinstance(Middling(), AnswersRows)
    assert row_plan(model).fallback == ("middling: this learner has no form for one row",)
    assert_as_in_a_table(model, rows_of(table(10, seed=1)))


def test_an_encoding_without_a_form_for_rows_goes_the_way_of_a_frame(quiet_run, monkeypatch):
    slow = blend([member("boosting", 2, quiet_run), member("linear", 2, quiet_run)], 2)
    monkeypatch.delitem(features_row._DENSE, Number)

    plan = row_plan(slow)

    assert len(plan.fallback) == 2
    assert not plan.is_fast
    assert_as_in_a_table(slow, rows_of(table(5, seed=1)))


def test_a_model_without_members_says_its_base():
    model = Blend(SCHEMA, 2, (), NONE, Conformal(), np.array([1.0]))

    assert_as_in_a_table(model, rows_of(table(2, seed=1)))


def test_a_plan_can_be_copied_and_sent_to_another_process(quiet_run):
    plan, row = row_plan(blend([member("boosting", 2, quiet_run)], 2)), table(1, seed=1).to_dicts()[0]

    for again in (copy.deepcopy(plan), pickle.loads(pickle.dumps(plan))):
        assert again.predict(row).tolist() == plan.predict(row).tolist()


def test_columns_that_no_model_can_use_still_give_an_answer(quiet_run):
    schema = Schema((Column("code", Kind.ID),))
    frame, target = pl.DataFrame({"code": ["a", "b"] * 20}), Target(np.arange(40) % 2, 2)
    encoder = Encoder(schema, Layout.SPARSE)
    learner = LEARNERS.get("linear")().fit(encoder.fit_transform(frame, target), target, {}, quiet_run)
    model = Blend(schema, 2, (Part(Member(encoder, learner), 1.0),), NONE, Conformal(), np.zeros(1))

    assert_as_in_a_table(model, [{"code": "z"}, {"code": None}])


def test_an_estimator_answers_for_one_row(churn_like, churn_like_new, rent_like, tmp_path):
    row = churn_like_new.drop("churned").to_dicts()[0]
    model = mantic.Classifier(budget="1 trial", learners=["boosting"], params={"boosting.rounds": 20})
    model = mantic.load(model.fit(churn_like, "churned").save(tmp_path / "a.mantic"))

    chance = model.predict_proba_one(row)

    assert list(chance) == model.classes_.tolist()
    assert list(chance.values()) == pytest.approx(model.predict_proba([row])[0].tolist(), abs=1e-9)
    assert model.predict_one(row) == model.predict([row])[0]
    assert model.row_plan_ is model.row_plan_
    spend = mantic.Regressor(budget="1 trial", learners=["linear"]).fit(rent_like, "spend")
    assert math.isclose(spend.predict_one(row), spend.predict([row])[0], rel_tol=1e-9)


def test_members_with_the_same_encoder_keep_it_once(quiet_run, tmp_path):
    model = blend([member("boosting", 2, quiet_run), member("tree", 2, quiet_run), member("linear", 2, quiet_run)], 2)

    model.save(tmp_path)
    again = Blend.load(tmp_path, SCHEMA)

    assert [(tmp_path / str(number) / "encoder").exists() for number in range(3)] == [True, False, True]
    assert again.parts[0].member.encoder is again.parts[1].member.encoder
    np.testing.assert_array_equal(again.predict(table(50, seed=1)), model.predict(table(50, seed=1)))


@pytest.mark.parametrize("n_classes", [0, 2, 4])
@pytest.mark.parametrize("name", ["linear", "boosting", "svm"])
def test_a_table_without_rows_gets_no_answers(name, n_classes, quiet_run):
    model, nothing = blend([member(name, n_classes, quiet_run, n_rows=60)], n_classes), table(0, seed=1)

    assert model.predict(nothing).shape == ((0, n_classes) if n_classes else (0,))
    parts = model.contributions(nothing)
    assert parts is None or parts.shape == (0, len(SCHEMA) + 1, n_classes if n_classes > 2 else 1)
