"""Columns against training, and what a shift does to the answers."""

import numpy as np
import polars as pl
import pytest
from tests.unit.watch.conftest import NOW, world

from mantic.core.schema import Column, Kind
from mantic.watch.asked import asked_of, read_asked, read_stream
from mantic.watch.drift import drift_of, unseen_share
from mantic.watch.period import last, weeks
from mantic.watch.pictures import pictures
from mantic.watch.replay import as_before_level, as_before_number, effects
from mantic.watch.scores import new_words, scores


@pytest.fixture
def look(store, churn, answer):
    def found(rows):
        answer(churn, rows)
        asked, stream = read_asked(store, churn, last("7d", now=NOW)), read_stream(store, churn, weeks(NOW))
        return {one.column: one for one in drift_of(churn, asked.frame, stream)}

    return found


def test_rows_like_training_are_calm_and_their_shift_does_nothing(look):
    found = look(world(800, 7))

    assert {one.state for one in found.values()} == {"calm"}
    assert max(one.effect for one in found.values()) < 0.04
    assert found["age"].sentence == "'age' looks like training"


def test_what_moved_is_named_with_its_effect_and_the_strongest_stands_first(look):
    found = look(world(800, 7, age=46.0, new_plan=0.12))

    assert [name for name, one in found.items() if one.state == "moved"] == ["age", "plan"]
    assert found["age"].effect > 0.1
    assert found["age"].is_large
    assert found["plan"].unseen == pytest.approx(0.12, abs=0.03)
    assert "'plan' has a value never seen in training in 1" in found["plan"].sentence
    assert found["noise"].effect < 0.02


def test_a_shift_that_answers_hardly_depend_on_has_a_small_effect(look):
    rows = world(800, 7)

    found = look(rows.with_columns(rows["noise"] + 1))

    assert found["noise"].state == "moved"
    assert not found["noise"].is_large


def test_texts_with_new_words_have_moved(look):
    rows = world(600, 7)

    found = look(rows.with_columns(note=rows["note"] + pl.lit(" refund")))

    assert found["note"].state == "moved"
    assert "of the words are new" in found["note"].sentence


def test_dates_and_gaps_that_moved_are_told(look):
    rows = world(800, 7)
    later = rows["since"] + pl.duration(days=300)
    gaps = pl.Series(np.random.default_rng(0).random(800) < 0.3)

    found = look(rows.with_columns(since=later, member=rows["member"].set(gaps, None)))

    assert "days later on average" in found["since"].sentence
    assert "'member' is empty in" in found["member"].sentence
    assert found["member"].missing[1] > 0.25


def test_few_rows_are_too_few_to_say(look):
    found = look(world(30, 7, age=90.0))

    assert {one.state for one in found.values()} == {"few"}
    assert "30 rows are too few" in found["age"].sentence


def test_both_pictures_have_one_axis_and_a_sentence(look):
    found = look(world(300, 7, new_plan=0.2))

    for one in found.values():
        before, now = one.charts
        assert before.kind == now.kind
        assert (before.x, before.series[0].x) == (now.x, now.series[0].x)
        assert before.sentence
        assert now.sentence
        assert 99 < sum(now.series[0].y) < 101
    assert "gold" in found["plan"].charts[1].x.labels


def test_a_column_that_is_empty_lately_can_be_drawn():
    nothing = pl.Series([None, None], dtype=pl.Float64)

    assert "always empty" in pictures(pl.Series([1.0, 2.0]), nothing, Column("x", Kind.NUMBER))[1].sentence


def test_only_where_all_levels_are_known_can_one_be_new():
    values = pl.Series(["a", "x"])

    assert unseen_share(values, Column("x", Kind.CATEGORY, levels=("a",), n_levels=1)) == 0.5
    assert unseen_share(values, Column("x", Kind.CATEGORY, levels=("a",), n_levels=9)) == 0.0


def test_levels_rank_by_their_letters_and_not_by_how_often_they_come():
    before, now = scores(pl.Series(["a"] * 9 + ["b"]), pl.Series(["b"] * 9 + ["a"]), Column("x", Kind.CATEGORY))[0]

    assert set(before) == set(now)
    assert before[0] == now[-1]


def test_a_word_is_new_where_no_other_text_has_it():
    own, asked = new_words(pl.Series(["red", "red blue"]), pl.Series(["red green", ""]))

    assert own.tolist() == [0.0, 0.5]
    assert asked.tolist() == [0.5, 0.0]


def test_moving_numbers_back_gives_their_distribution_in_training_with_its_gaps():
    chance = np.random.default_rng(0)
    before = pl.Series(chance.normal(size=2_000)).set(pl.Series(chance.random(2_000) < 0.2), None)
    now = pl.Series(chance.normal(5, 2, 2_000))

    back = as_before_number(before, now, np.arange(2_000), chance)

    assert back.mean() == pytest.approx(before.mean(), abs=0.05)
    assert back.std() == pytest.approx(before.std(), abs=0.05)
    assert back.is_null().mean() == pytest.approx(0.2, abs=0.03)


def test_where_nothing_moved_nothing_is_changed():
    values = pl.Series(["a", "b", "b", None] * 50)
    numbers = pl.Series([1.0, 2.0, 2.0, None] * 50)
    rows, chance = np.arange(200), np.random.default_rng(0)

    assert as_before_level(values, values, rows, chance).to_list() == values.to_list()
    assert as_before_number(numbers, numbers, rows, chance).to_list() == numbers.to_list()


def test_effects_of_a_model_of_numbers_are_in_its_unit(regressor):
    from mantic.watch.asked import Subject

    subject = Subject("spend", 1, regressor)
    rows = world(500, 7, age=50.0).drop("left").select(subject.schema.names)

    found = effects(subject, subject.schema.align(rows))

    assert found.by_column["age"] == pytest.approx(30, abs=3)  # ten years at 3 a year
    assert found.by_column["plan"] < 1
    assert found.large > 1


def test_no_rows_at_all_are_a_table_with_the_right_columns(churn):
    asked = asked_of(churn, [], n_all=0)

    assert len(asked) == 0
    assert asked.frame.columns == list(churn.schema.names)
    assert asked.guess.shape == (0, 2)


def test_of_very_many_rows_a_share_is_read(store, churn, answer, monkeypatch):
    answer(churn, world(900, 7))
    monkeypatch.setattr("mantic.watch.asked.MOST_ROWS", 300)

    asked = read_asked(store, churn, last("7d", now=NOW))

    assert asked.n_all == 900
    assert 200 < len(asked) <= 300
    assert list(asked.moments) == sorted(asked.moments)
