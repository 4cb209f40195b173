"""Columns that know the answer are named, with a reason; honest ones are left in peace."""

import time

import numpy as np
import polars as pl
import pytest

from mantic.core.budget import Deadline
from mantic.core.metric import METRICS
from mantic.core.run import Run
from mantic.core.table import Target
from mantic.features.infer import infer
from mantic.features.leaks.leak import find_leaks
from mantic.features.leaks.sample import Place

N = 1200


def honest(*, n_rows: int = N, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """Return six columns that together explain a good part of a number."""
    chance = np.random.default_rng(seed)
    parts = chance.normal(size=(n_rows, 5))
    plan = chance.choice(["basic", "plus", "premium"], n_rows)
    amount = parts[:, :4].sum(axis=1) + 1.5 * (plan == "plus") + chance.normal(size=n_rows)
    frame = pl.DataFrame({f"part {place}": parts[:, place] for place in range(5)})
    return frame.with_columns(plan=pl.Series(plan)), 100 + 20 * amount


def named(frame, target, *, moment=None, groups=None, run=None):
    schema = infer(frame)
    metric = METRICS.get("log_loss" if target.is_classes else "rmse")
    place = Place(np.arange(len(target)), moment, groups)
    leaks = find_leaks(schema.align(frame), target, schema, place=place, score=metric, run=run or Run())
    return {leak.column: leak for leak in leaks}


def classes(values: np.ndarray, n_classes: int = 2) -> Target:
    edges = np.quantile(values, np.linspace(0, 1, n_classes + 1)[1:-1])
    return Target(np.searchsorted(edges, values), n_classes)


@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_honest_columns_are_left_in_peace(n_classes):
    frame, amount = honest()
    target = classes(amount, n_classes) if n_classes else Target(amount)

    assert named(frame, target) == {}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda amount, chance: amount, "the target itself"),
        (lambda amount, chance: 1.8 * amount + 32, "another unit"),
        (lambda amount, chance: np.round(amount), "rounded to steps of 1"),
        (lambda amount, chance: np.floor(amount / 10) * 10, "rounded down to steps of 10"),
        (lambda amount, chance: np.exp(amount / 50), "alone explains"),
        (lambda amount, chance: amount + chance.normal(size=len(amount)), "alone explains"),
        (lambda amount, chance: np.where(amount > 120, 1.0, np.nan), "filled only where the target is high"),
    ],
)
def test_a_column_made_from_a_number_is_named_with_its_reason(made, reason):
    frame, amount = honest()
    frame = frame.with_columns(extra=pl.Series(made(amount, np.random.default_rng(5))).fill_nan(None))

    leaks = named(frame, Target(amount))

    assert list(leaks) == ["extra"]
    assert reason in leaks["extra"].why
    assert leaks["extra"].confidence == "sure"
    assert leaks["extra"].score_with < leaks["extra"].score_without


@pytest.mark.parametrize(
    ("made", "confidence"),
    [
        (lambda codes, chance: np.array(["low", "middle", "high", "top"])[codes], "sure"),
        (lambda codes, chance: np.where(codes < 2, "A", "B"), "sure"),
        (lambda codes, chance: np.where(chance.random(len(codes)) < 0.05, 0, codes).astype(str), "likely"),
        (lambda codes, chance: np.where(codes == 3, "because", None), "sure"),
    ],
)
def test_a_column_made_from_classes_is_named(made, confidence):
    frame, amount = honest()
    target = classes(amount, 4)
    column = pl.Series(made(target.values, np.random.default_rng(5)).tolist())

    leaks = named(frame.with_columns(extra=column), target)

    assert {name: leak.confidence for name, leak in leaks.items()} == {"extra": confidence}


def test_a_mark_that_only_dear_things_have_is_left_in_peace():
    chance = np.random.default_rng(1)
    brand = chance.choice(["noble", "usual", "plain"], N, p=[0.15, 0.5, 0.35])
    price = 10_000 + 30_000 * (brand == "noble") + chance.normal(0, 4_000, N)
    power = 0.01 * price + chance.normal(0, 100, N)
    frame = pl.DataFrame({name: (brand == name).astype(int) for name in ("noble", "usual")} | {"power": power})
    frame = frame.with_columns(**{f"other {place}": chance.normal(size=N) for place in range(4)})
    has_pool = (brand == "noble") & (chance.random(N) < 0.3)
    frame = frame.with_columns(pool=pl.Series(np.where(has_pool, chance.normal(50, 9, N), np.nan)).fill_nan(None))

    assert named(frame, Target(price)) == {}


def test_traits_of_many_classes_are_left_in_peace():
    chance = np.random.default_rng(2)
    kind = chance.integers(20, size=N)
    frame = pl.DataFrame({f"size {place}": kind * (place + 1) % 7 + chance.normal(0, 2, N) for place in range(6)})
    frame = frame.with_columns(legs=pl.Series(np.array(["two", "four", "six"])[kind % 3]))

    assert named(frame, Target(kind, 20)) == {}


def test_an_amount_that_is_spent_only_by_one_class_is_named():
    chance = np.random.default_rng(3)
    frame, amount = honest()
    target = classes(amount + 5)
    spent = np.where(target.values == 1, np.round(chance.exponential(200, N), 2) + 1, 0.0)
    many = Target((amount > np.quantile(amount, 0.25)).astype(int), 2)
    of_many = np.where(many.values == 1, np.round(chance.exponential(200, N), 2) + 1, 0.0)

    assert set(named(frame.with_columns(spent=pl.Series(spent)), target)) == {"spent"}
    assert set(named(frame.with_columns(spent=pl.Series(of_many)), many)) == {"spent"}


def test_one_leak_does_not_hide_another():
    frame, amount = honest()
    noise = np.random.default_rng(3).normal(size=(2, N))
    frame = frame.with_columns(
        one=pl.Series(amount + noise[0]), two=pl.Series(-amount + 3 * noise[1]), cents=amount * 100
    )

    assert set(named(frame, Target(amount))) == {"one", "two", "cents"}


def test_a_table_of_nothing_but_copies_is_named_whole():
    _, amount = honest()
    frame = pl.DataFrame({f"copy {number}": number + 2 * amount for number in range(30)})

    assert len(named(frame, Target(amount))) == 30


def test_an_instalment_and_its_loan_give_the_rate_together():
    chance = np.random.default_rng(0)
    frame, rate = honest()
    loan = np.exp(chance.normal(size=N))
    frame = frame.with_columns(loan=pl.Series(1000 * loan), installment=pl.Series(loan * rate))

    leaks = named(frame, Target(rate))

    assert list(leaks) == ["installment"]
    assert "'loan'" in leaks["installment"].why
    assert leaks["installment"].confidence == "likely"


def test_the_sisters_of_what_was_paid_are_looked_at_too():
    chance = np.random.default_rng(0)
    frame, amount = honest()
    frame = frame.with_columns(
        paid_total=pl.Series(amount), paid_interest=pl.Series(amount * 0.1 + 5), paid_late=chance.normal(size=N)
    )

    leaks = named(frame, Target(amount))

    assert set(leaks) == {"paid_total", "paid_interest", "paid_late"}
    assert leaks["paid_late"].confidence == "look at it"
    assert "sisters" in leaks["paid_late"].why


def test_the_target_of_the_next_row_is_a_leak_and_that_of_the_row_before_only_without_time():
    frame, amount = honest()
    after, before = np.append(amount[1:], 0), np.append(0, amount[:-1])
    frame = frame.with_columns(after=pl.Series(after), before=pl.Series(before))

    untimed, timed = named(frame, Target(amount)), named(frame, Target(amount), moment=np.arange(N))

    assert {name: leak.confidence for name, leak in untimed.items()} == {"after": "sure", "before": "look at it"}
    assert list(timed) == ["after"]


def test_an_identifier_given_in_the_order_of_the_target_is_named_and_one_by_chance_is_not():
    frame, amount = honest()
    order = np.argsort(np.argsort(amount))
    chance = np.random.default_rng(0).permutation(N)
    frame = frame.with_columns(
        case=pl.Series([f"C-{number:05d}" for number in order]), key=pl.Series([f"K{number}" for number in chance])
    )

    leaks = named(frame, Target(amount))

    assert list(leaks) == ["case"]
    assert "does not learn from it" in leaks["case"].why
    assert leaks["case"].score_with == leaks["case"].score_without


def test_a_date_after_all_others_whose_name_sounds_like_an_end_is_looked_at():
    chance = np.random.default_rng(0)
    frame, amount = honest()
    begin = np.datetime64("2024-01-01") + chance.integers(0, 900, N)
    frame = frame.with_columns(opened=pl.Series(begin), closed_at=pl.Series(begin + chance.integers(1, 90, N)))

    assert {name: leak.confidence for name, leak in named(frame, Target(amount)).items()} == {"closed_at": "look at it"}


@pytest.mark.parametrize("n_groups", [1, 2, 300])
def test_groups_however_few_are_no_hindrance(n_groups):
    frame, amount = honest()
    frame = frame.with_columns(near=pl.Series(amount + np.random.default_rng(5).normal(size=N)))

    leaks = named(frame, Target(amount), groups=np.arange(N) % n_groups)

    assert list(leaks) == ["near"]


@pytest.mark.parametrize("n_rows", [0, 1, 20, 60])
def test_few_rows_are_no_reason_to_fail(n_rows):
    frame, amount = honest(n_rows=max(n_rows, 1))
    frame, amount = frame[:n_rows], amount[:n_rows]

    assert named(frame, Target(amount)) == {}


def test_columns_of_every_odd_sort_are_survived():
    frame, amount = honest()
    frame = frame.with_columns(
        huge=pl.Series(np.where(np.arange(N) % 2, 1e300, -1e300)),
        empty=pl.Series([None] * N, dtype=pl.Float64),
        endless=pl.Series(np.where(np.arange(N) % 3, np.inf, 1.0)),
        only=pl.Series(["same"] * N),
        **{"größe, 大": pl.Series(np.arange(N) % 7)},
    )

    assert named(frame, Target(amount)) == {}
    assert named(frame, Target(np.full(N, 3.0))) == {}


def test_what_is_found_before_time_is_up_is_returned():
    frame, amount = honest()
    frame = frame.with_columns(twice=pl.Series(2 * amount))

    leaks = named(frame, Target(amount), run=Run(deadline=Deadline(time.monotonic())))

    assert list(leaks) == ["twice"]
    assert leaks["twice"].score_with is None


def test_columns_of_loans_that_know_the_rate_are_named_and_no_others(shared_data):
    leaking = {"grade", "sub_grade", "installment", "balance"}
    leaking |= {"paid_total", "paid_principal", "paid_interest", "paid_late_fees"}
    frame = pl.read_csv(shared_data("tabular") / "loans_leak.csv.gz", infer_schema_length=None)[:5000]

    leaks = named(frame.drop("interest_rate"), Target(frame["interest_rate"].to_numpy()))

    assert set(leaks) == leaking
