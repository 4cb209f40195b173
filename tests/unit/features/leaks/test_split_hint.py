"""A split by time or by group is suggested where rows call for it, and only there."""

import numpy as np
import polars as pl

from mantic.core.run import Run
from mantic.core.table import Target
from mantic.features.infer import infer
from mantic.features.leaks.sample import Place
from mantic.features.leaks.split_hint import hint

N = 1500


def hints(frame, values, *, place=None, leaking=frozenset()):
    schema, run = infer(frame), Run()
    place = place or Place(np.arange(len(values)))
    hint(schema.align(frame), Target(values), schema, place=place, leaking=leaking, run=run)
    return [(one.code, one.column) for one in run.warnings]


def drifting(*, slope: float) -> tuple[pl.DataFrame, np.ndarray]:
    chance = np.random.default_rng(0)
    day, size = chance.integers(0, 1000, N), chance.normal(size=N)
    frame = pl.DataFrame({"sold": np.datetime64("2022-01-01") + day, "size": size, "noise": chance.normal(size=N)})
    return frame, size + slope * day / 1000 + 0.3 * chance.normal(size=N)


def visits(*, own: float) -> tuple[pl.DataFrame, np.ndarray]:
    chance = np.random.default_rng(0)
    patient = chance.integers(0, 300, N)
    frame = pl.DataFrame({"patient": [f"patient {number}" for number in patient], "age": chance.normal(size=N)})
    return frame, own * chance.normal(size=300)[patient] + chance.normal(size=N)


def test_a_target_that_moves_with_time_calls_for_a_split_by_time():
    assert hints(*drifting(slope=8.0)) == [("try_time", "sold")]


def test_a_target_that_stays_calls_for_nothing():
    assert hints(*drifting(slope=0.0)) == []


def test_who_has_chosen_a_time_or_leaves_the_date_out_is_not_told():
    frame, values = drifting(slope=8.0)

    assert hints(frame, values, place=Place(np.arange(N), moment=np.arange(N))) == []
    assert hints(frame, values, leaking={"sold"}) == []


def test_things_that_repeat_with_one_answer_call_for_a_split_by_group():
    assert hints(*visits(own=20.0)) == [("try_group", "patient")]


def test_things_whose_rows_differ_call_for_nothing():
    assert hints(*visits(own=0.5)) == []


def test_few_rows_call_for_nothing():
    frame, values = visits(own=20.0)

    assert hints(frame[:100], values[:100]) == []
