import json
from dataclasses import replace

import numpy as np
import pytest

from mantic.core.errors import SettingsError
from mantic.evaluate.blocks_decision import decided
from mantic.evaluate.capacity import Capacity
from mantic.evaluate.costs import finds, read_costs
from mantic.evaluate.decide import Decision, Weighed
from mantic.evaluate.sensitivity import sensitivity
from mantic.evaluate.unseen import Answers, Unseen
from mantic.report.html import page

COSTS = read_costs("fp=1,fn=5").bind(("no", "yes"), unit="EUR")
THREE = ("low", "mid", "high")
MATRIX = {
    "low": {"low": 0, "mid": 1, "high": 4},
    "mid": {"low": 2, "mid": 0, "high": 1},
    "high": {"low": 9, "mid": 3, "high": 0},
}


def _answers(chance, truth, part=0):
    guess = np.stack([1 - chance, chance], axis=1).astype(np.float32)
    return Answers(truth.astype(np.int32), guess, np.full(len(truth), part, dtype=np.int16))


def _drawn(random, n_rows, *, clear=1.5, lean=-1.0):
    """Return right probabilities, and answers drawn by them."""
    chance = 1 / (1 + np.exp(-(clear * random.normal(size=n_rows) + lean)))
    return chance, random.random(n_rows) < chance


def _unseen(seed=0, *, n_inner=2000, n_held_out=1000, clear=1.5, lean=-1.0):
    random = np.random.default_rng(seed)
    inner, held_out = (_answers(*_drawn(random, n, clear=clear, lean=lean)) for n in (n_inner, n_held_out))
    return Unseen(inner, held_out, 0, n_held_out=n_held_out)


def _many(n_rows=900):
    random = np.random.default_rng(0)
    guess = random.dirichlet(np.full(3, 0.5), n_rows)
    truth = np.array([random.choice(3, p=row) for row in guess])
    answers = Answers(truth.astype(np.int32), guess.astype(np.float32), np.zeros(n_rows, dtype=np.int16))
    return Unseen(answers, answers, 0, n_held_out=n_rows)


def _decide(unseen, costs=COSTS, *, capacity=None):
    return decided(Weighed.of(unseen, costs, capacity=capacity), target="churned")


def test_a_model_that_knows_something_pays_and_the_sentence_says_how_much():
    decision = _decide(_unseen())

    assert decision.level == "good"
    assert decision.threshold == pytest.approx(1 / 6, abs=0.06)
    assert decision.value.score > max(decision.policy(key).value.score for key in ("nobody", "everybody", "half"))
    assert f"probability of 'yes' is {decision.threshold:.3g} or more" in decision.sentence
    assert "EUR" in decision.sentence
    assert "per 1,000 rows" in decision.sentence
    assert decision.value_per_period.score == pytest.approx(1000 * decision.value.score)


def test_a_model_that_knows_nothing_is_not_needed_and_the_sentence_says_so():
    decision = _decide(_unseen(clear=0.0))

    assert decision.level == "useless"
    assert "no model is needed" in decision.sentence
    assert [alert.code for alert in decision.report.alerts()] == ["decision_needs_no_model"]


def test_the_threshold_does_not_look_at_the_rows_that_judge_it():
    unseen = _unseen()
    held_out = replace(unseen.held_out, truth=1 - unseen.held_out.truth)

    wrong = _decide(replace(unseen, held_out=held_out))

    assert wrong.threshold == _decide(unseen).threshold
    assert wrong.level == "useless"


def test_each_held_out_row_is_decided_by_the_threshold_of_its_own_part():
    random = np.random.default_rng(0)
    inner = [
        _answers(np.linspace(0, 1, 200), np.linspace(0, 1, 200) > cut, part) for part, cut in enumerate((0.3, 0.7))
    ]
    held_out = [_answers(random.random(100), random.random(100) > 0.5, part) for part in range(2)]
    unseen = Unseen(_joined(inner), _joined(held_out), 1)

    weighed = Weighed.of(unseen, COSTS)

    assert weighed.thresholds[0] < 0.4 < 0.6 < weighed.thresholds[1]
    np.testing.assert_array_equal(weighed.acted()[:100], weighed.chance[:100] >= weighed.thresholds[0])
    np.testing.assert_array_equal(weighed.acted()[100:], weighed.chance[100:] >= weighed.thresholds[1])


def _joined(parts):
    return Answers(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("truth", "guess", "part")))


def test_the_value_is_what_the_decided_rows_cost():
    unseen = _unseen(n_held_out=200)
    decision = _decide(unseen)

    codes = decision.decide(unseen.held_out.guess)

    cost = COSTS.array()[unseen.held_out.truth, codes].mean()
    assert decision.value.score == pytest.approx(-cost)
    assert decision.value.low < decision.value.score < decision.value.high


def test_the_interval_holds_the_true_value_in_about_95_of_100_runs():
    costs = read_costs("fp=1,fn=10").bind(("no", "yes"))
    random = np.random.default_rng(99)
    chance, truth = _drawn(random, 200_000, lean=-2.5)
    inside = []
    for seed in range(200):
        weighed = Weighed.of(_unseen(seed, n_inner=800, n_held_out=400, lean=-2.5), costs, seed=seed)
        interval = weighed.interval(weighed.acting(weighed.acted()))
        true = -costs.array()[truth.astype(int), (chance >= weighed.thresholds[0]).astype(int)].mean()
        inside.append(interval.low <= true <= interval.high)

    assert 0.91 <= np.mean(inside) <= 0.99


def test_a_costly_mistake_that_no_row_shows_is_reckoned_with():
    costs = read_costs("fp=1,fn=50").bind(("no", "yes"))
    held_out = _answers(np.linspace(0, 0.9, 200), np.zeros(200))

    value = _decide(replace(_unseen(), held_out=held_out), costs).value

    assert value.low < value.score - 0.2  # half a miss in 200 rows costs 0.125, and there may be more


def test_rows_that_belong_together_widen_the_interval():
    unseen = _unseen(n_held_out=60)
    held_out = Answers(*(np.repeat(one, 10, axis=0) for one in vars(unseen.held_out).values()))

    alone = _decide(replace(unseen, held_out=held_out))
    together = _decide(replace(unseen, held_out=held_out, clusters=np.repeat(np.arange(60), 10)))

    assert together.value.high - together.value.low > 2 * (alone.value.high - alone.value.low)


def test_a_capacity_is_kept_and_more_is_not_done_than_pays():
    tight = _decide(_unseen(), capacity=Capacity("5%", 0.05))
    wide = _decide(_unseen(), capacity=Capacity("95%", 0.95))

    assert (tight.limit, wide.limit) == ("capacity", "cost")
    assert tight.share == pytest.approx(0.05, abs=0.02)
    assert "more rows would pay" in tight.sentence
    assert wide.threshold == _decide(_unseen()).threshold
    assert "not reached" in wide.sentence
    assert {one.key for one in tight.policies if not one.is_possible} >= {"everybody", "theory"}
    assert tight.best_trivial in ("nobody", "random")


def test_a_capacity_without_costs_counts_what_is_found():
    unseen = _unseen()
    decision = _decide(unseen, finds(("no", "yes"), positive=1), capacity=Capacity("100", 0.1, "batch", 1000))

    acted = unseen.held_out.guess[:, 1] >= decision.threshold
    assert decision.value_per_period.score == pytest.approx((acted & (unseen.held_out.truth == 1)).sum())
    assert "It finds" in decision.sentence
    assert "per batch of 1,000 rows" in decision.sentence
    assert decision.best_trivial == "random"


def test_gains_are_spoken_of_as_gains():
    decision = _decide(_unseen(), read_costs("gain:tp=50,fp=-5").bind(("no", "yes"), unit="EUR"))

    assert decision.value.score > 0
    assert "It brings" in decision.sentence
    assert any(
        one.what == "a hit (tp) is 100 instead of 50" for one in sensitivity(Weighed.of(_unseen(), decision.costs))
    )


def test_the_class_that_is_acted_on_may_be_the_first():
    unseen = _unseen()
    flipped = replace(
        unseen,
        inner=Answers(1 - unseen.inner.truth, unseen.inner.guess[:, ::-1], unseen.inner.part),
        held_out=Answers(1 - unseen.held_out.truth, unseen.held_out.guess[:, ::-1], unseen.held_out.part),
    )

    decision = _decide(flipped, read_costs("fp=1,fn=5").bind(("yes", "no"), positive=0))

    assert decision.value.score == pytest.approx(_decide(unseen).value.score)
    assert decision.decide(np.array([[0.9, 0.1], [0.05, 0.95]])).tolist() == [0, 1]


def test_many_classes_are_decided_by_the_least_expected_cost():
    costs = read_costs(MATRIX).bind(THREE)
    decision = _decide(_many(), costs)

    guess = np.array([[0.5, 0.2, 0.3]])
    assert decision.threshold is None
    assert decision.decide(guess).tolist() == [int((guess @ costs.array()).argmin())]
    assert {one.key for one in decision.policies} == {"decision", "constant", "likeliest"}
    assert decision.level == "good"
    assert decision.policy("likeliest").ahead.score > 0


def test_costs_by_which_acting_is_always_right_need_no_model_but_go_with_a_capacity():
    costs = read_costs("fn=10").bind(("no", "yes"))

    with pytest.raises(SettingsError, match="acting on everybody is always right"):
        _decide(_unseen(), costs)
    assert _decide(_unseen(), costs, capacity=Capacity("10%", 0.1)).limit == "capacity"


def test_keeping_a_decision_when_the_costs_are_others_costs_what_the_table_says():
    changes = sensitivity(Weighed.of(_unseen(n_inner=8000, n_held_out=8000), COSTS))

    assert [one.what for one in changes] == [
        "a false alarm (fp) is 2 instead of 1", "a false alarm (fp) is 0.5 instead of 1",
        "a miss (fn) is 10 instead of 5", "a miss (fn) is 2.5 instead of 5",
    ]  # fmt: skip
    assert changes[0].threshold > changes[1].threshold
    assert all(one.value >= one.kept - 0.01 for one in changes)


@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_hardly_any_rows_make_a_decision_that_claims_nothing(n_rows):
    unseen = _unseen()
    few = Answers(*(one[:n_rows] for one in vars(unseen.held_out).values()))

    decision = _decide(replace(unseen, held_out=few))

    assert decision.level == "useless" or n_rows > 2
    assert "hold it lightly" in decision.sentence
    assert "<html" in page(decision.report)


def test_held_out_rows_of_one_class_make_a_decision_too():
    unseen = _unseen()
    held_out = replace(unseen.held_out, truth=np.zeros_like(unseen.held_out.truth))

    decision = _decide(replace(unseen, held_out=held_out))

    assert decision.best_trivial == "nobody"
    assert decision.level == "useless"


def test_without_answers_of_a_search_theory_and_the_spread_of_scores_decide():
    unseen = _unseen()
    bare = replace(unseen, inner=Answers(*(one[:0] for one in vars(unseen.inner).values())), kept=-1)

    assert _decide(bare).threshold == pytest.approx(1 / 6)
    assert _decide(bare, capacity=Capacity("5%", 0.05)).share == pytest.approx(0.05)


@pytest.mark.parametrize("costs", [COSTS, read_costs(MATRIX).bind(THREE)])
def test_a_decision_is_the_same_after_it_was_written(costs):
    decision = _decide(_unseen() if costs.is_binary else _many(), costs)

    again = Decision.from_json(decision.to_json())

    assert again == decision
    assert again.report == decision.report
    assert json.loads(json.dumps(decision.to_facts(), allow_nan=False))["level"] == decision.level


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", "low"), ("threshold", None), ("costs", {}), ("policies", 3), ("value", {"score": 1}), ("more", 1)],
)
def test_a_decision_that_was_tampered_with_is_refused(name, value):
    text = json.dumps(json.loads(_decide(_unseen()).to_json()) | {name: value})

    with pytest.raises((ValueError, KeyError, TypeError)):
        Decision.from_json(text)


def test_the_page_shows_the_curve_with_the_chosen_point_and_the_capacity():
    decision = _decide(_unseen(), capacity=Capacity("5%", 0.05))

    charts = [chart for group in decision.report.blocks if hasattr(group, "blocks") for chart in group.blocks]
    names = [one.name for one in charts[0].series]
    assert names == ["by the model", "by chance", "this decision", "capacity"]
    curve, chosen = charts[0].series[0], charts[0].series[2]
    assert np.interp(chosen.x[0], curve.x, curve.y) == pytest.approx(chosen.y[0], rel=0.05)
    assert "<svg" in decision._repr_html_()


def test_the_report_says_how_to_decide_so_again():
    decision = _decide(_unseen(), capacity=Capacity("5%", 0.05))

    codes = [text.body for text in decision.report.blocks[-1].blocks]
    assert codes == [
        "mantic decide MODEL --cost fp=1,fn=5 --capacity 5% --unit EUR",
        "model.decide(cost='fp=1,fn=5', capacity='5%', unit='EUR')",
    ]


def test_what_was_kept_is_restored_and_what_does_not_fit_is_refused(tmp_path):
    unseen = replace(_unseen(n_inner=50, n_held_out=20), clusters=np.arange(20, dtype=np.int32), pace={"day": 2.5})

    unseen.save(tmp_path)

    again = Unseen.load(tmp_path, 2)
    assert (again.kept, again.n_held_out, again.pace) == (0, 20, {"day": 2.5})
    np.testing.assert_array_equal(again.inner.guess, unseen.inner.guess)
    np.testing.assert_array_equal(again.clusters, unseen.clusters)
    with pytest.raises(ValueError, match="shapes"):
        Unseen.load(tmp_path, 3)
    assert Unseen.load(tmp_path / "elsewhere", 2) is None
