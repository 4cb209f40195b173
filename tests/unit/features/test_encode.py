import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantic.core.errors import ArtifactError
from mantic.core.schema import STORED, Column, Kind, Schema
from mantic.core.table import Layout, Table, Target
from mantic.features.encode import Encoder

LAYOUTS = list(Layout)
SCHEMA = Schema(
    (
        Column("number", Kind.NUMBER),
        Column("row", Kind.ID),
        Column("plan", Kind.CATEGORY),
        Column("city", Kind.CATEGORY),
        Column("paid", Kind.BOOLEAN),
        Column("from", Kind.DATE),
        Column("to", Kind.DATE),
        Column("note", Kind.TEXT),
        Column("same", Kind.CONSTANT),
    )
)


def frame_of(n_rows: int, *, seed: int = 0) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    start = datetime.datetime(2024, 1, 1)
    words = ["slow", "support", "great", "service", "broken", "modem", "again"]
    frame = pl.DataFrame(
        {
            "number": chance.normal(size=n_rows),
            "row": [f"r{place}" for place in range(n_rows)],
            "plan": chance.choice(["a", "b", "c"], n_rows),
            "city": [f"a city named {number}" for number in chance.integers(0, 150, n_rows)],
            "paid": chance.random(n_rows) < 0.5,
            "from": [start + datetime.timedelta(days=int(days)) for days in chance.integers(0, 900, n_rows)],
            "to": [start + datetime.timedelta(hours=int(hours)) for hours in chance.integers(0, 9000, n_rows)],
            "note": [" ".join(chance.choice(words, 4)) + f" {place}" for place in range(n_rows)],
            "same": ["x"] * n_rows,
        },
        schema_overrides={column.name: STORED[column.kind] for column in SCHEMA.columns},
    )
    gaps = [
        pl.when(pl.lit(pl.Series(chance.random(n_rows) < 0.1))).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("number", "plan", "city", "paid", "from", "note")
    ]
    return frame.with_columns(gaps)


def target_of(n_rows: int, n_classes: int = 2, *, seed: int = 1) -> Target:
    chance = np.random.default_rng(seed)
    return Target(chance.integers(0, n_classes, n_rows) if n_classes else chance.normal(size=n_rows), n_classes)


def assert_equal(one: Table, other: Table) -> None:
    np.testing.assert_array_equal(one.numbers, other.numbers)
    np.testing.assert_array_equal(one.origin, other.origin)
    assert (one.names, one.categorical) == (other.names, other.categorical)
    assert (one.words is None) == (other.words is None)
    if one.words is not None:
        np.testing.assert_array_equal(one.words.toarray(), other.words.toarray())
        np.testing.assert_array_equal(one.word_origin, other.word_origin)


def assert_fits(table: Table, layout: Layout, schema: Schema, n_rows: int) -> None:
    assert table.numbers.shape == (n_rows, len(table.names)) == (n_rows, len(table.origin))
    assert table.numbers.dtype == np.float64
    assert not np.isinf(table.numbers).any()
    assert table.matrix().shape == (n_rows, len(table.matrix_origin()))
    if layout is not Layout.TREES:
        assert not np.isnan(table.numbers).any()
        assert table.categorical == ()
    if len(schema):
        assert set(table.matrix_origin().tolist()) <= set(range(len(schema)))


@pytest.mark.parametrize("n_classes", [0, 2, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_used_column_and_no_other_enters_the_table(layout, n_classes):
    frame = frame_of(300)

    table = Encoder(SCHEMA, layout).fit_transform(frame, target_of(300, n_classes))

    assert_fits(table, layout, SCHEMA, 300)
    assert set(table.matrix_origin().tolist()) == {0, 2, 3, 4, 5, 6, 7}
    assert (table.words is not None) == (layout is Layout.SPARSE)


def test_trees_see_raw_numbers_and_codes_commonest_first():
    schema = Schema((Column("x", Kind.NUMBER), Column("c", Kind.CATEGORY), Column("b", Kind.BOOLEAN)))
    frame = pl.DataFrame({"x": [1.5, None, float("inf")], "c": ["rare", "often", "often"], "b": [True, None, False]})

    table = Encoder(schema, Layout.TREES).fit_transform(frame, target_of(3, 0))

    np.testing.assert_array_equal(table.numbers, [[1.5, 1, 1], [np.nan, np.nan, 0], [np.nan, 0, 0]])
    assert table.names == ("x", "b", "c")
    assert table.categorical == (2,)
    np.testing.assert_array_equal(table.origin, [0, 2, 1])


def test_no_row_sees_its_own_label():
    schema = Schema((Column("who", Kind.CATEGORY),))
    chance = np.random.default_rng(0)
    correlations = []
    for seed in range(8):
        frame = pl.DataFrame({"who": [f"p{number}" for number in chance.integers(0, 400, 2_000)]})
        target = target_of(2_000, 2, seed=100 + seed)
        encoder = Encoder(schema, Layout.TREES, seed=seed)
        own = encoder.fit_transform(frame, target).numbers[:, 0]
        naive = encoder.transform(frame).numbers[:, 0]
        correlations.append((np.corrcoef(own, target.values)[0, 1], np.corrcoef(naive, target.values)[0, 1]))

    out_of_fold, with_own_label = np.mean(correlations, axis=0)

    assert abs(out_of_fold) < 0.06
    assert with_own_label > 0.25


def test_moving_one_label_moves_the_encoding_of_other_rows_but_not_of_its_own():
    schema = Schema((Column("who", Kind.CATEGORY),))
    frame = pl.DataFrame({"who": [f"p{place % 50}" for place in range(500)]})
    values = np.random.default_rng(0).normal(size=500)
    other = values.copy()
    above = np.sort(values)[np.searchsorted(np.sort(values), values[7]) + 1]
    other[7] = (values[7] + above) / 2  # the order of the targets, and with it the folds, stay

    before = Encoder(schema, Layout.TREES).fit_transform(frame, Target(values)).numbers
    after = Encoder(schema, Layout.TREES).fit_transform(frame, Target(other)).numbers

    np.testing.assert_allclose(before[7], after[7], rtol=1e-12)
    assert np.abs(before - after)[7::50].max() > 1e-6


def test_a_level_that_tells_the_target_is_encoded_near_its_mean():
    schema = Schema((Column("who", Kind.CATEGORY),))
    level = np.arange(4_000) % 40
    frame = pl.DataFrame({"who": [f"p{number}" for number in level]})

    table = Encoder(schema, Layout.TREES).fit_transform(frame, Target(level.astype(float)))

    assert np.corrcoef(table.numbers[:, 0], level)[0, 1] > 0.99


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unknown_and_missing_values_are_encoded_without_error(layout):
    encoder = Encoder(SCHEMA, layout)
    trained = encoder.fit_transform(frame_of(300), target_of(300))
    strange = frame_of(3).with_columns(plan=pl.lit("new"), city=pl.lit("nowhere"), note=pl.lit("!!!"))
    empty = pl.DataFrame({column.name: pl.Series([None], dtype=STORED[column.kind]) for column in SCHEMA.columns})

    for rows in (strange, empty):
        table = encoder.transform(rows)
        assert_fits(table, layout, SCHEMA, rows.height)
        assert table.names == trained.names


@pytest.mark.parametrize("layout", [Layout.DENSE, Layout.SPARSE])
def test_an_unknown_level_is_all_zeros(layout):
    schema = Schema((Column("plan", Kind.CATEGORY),))
    encoder = Encoder(schema, layout)
    encoder.fit_transform(pl.DataFrame({"plan": ["a", "b", "a", "b", "a", "b"]}), target_of(6))

    table = encoder.transform(pl.DataFrame({"plan": ["new", "b"]}))

    np.testing.assert_array_equal(table.numbers, [[0, 0], [0, 1]])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_rows_and_one_row_are_encoded(layout):
    encoder = Encoder(SCHEMA, layout)
    encoder.fit_transform(frame_of(100), target_of(100))

    for n_rows in (0, 1):
        assert_fits(encoder.transform(frame_of(100)[:n_rows]), layout, SCHEMA, n_rows)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_alone_is_encoded_as_among_others(layout):
    encoder = Encoder(SCHEMA, layout)
    frame = frame_of(200)
    encoder.fit_transform(frame, target_of(200))

    whole, alone = encoder.transform(frame), encoder.transform(frame[17:18])

    np.testing.assert_allclose(alone.numbers, whole.rows(np.array([17])).numbers, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_loaded_encoder_encodes_as_before(layout, tmp_path):
    encoder = Encoder(SCHEMA, layout, seed=4)
    encoder.fit_transform(frame_of(300), target_of(300, 3))

    encoder.save(tmp_path)

    again = Encoder.load(tmp_path)
    assert_equal(again.transform(frame_of(50, seed=9)), encoder.transform(frame_of(50, seed=9)))
    assert (again.schema, again.layout, again.seed) == (SCHEMA, layout, 4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_seed_gives_the_same_table(layout):
    first = Encoder(SCHEMA, layout, seed=2).fit_transform(frame_of(300), target_of(300))
    second = Encoder(SCHEMA, layout, seed=2).fit_transform(frame_of(300), target_of(300))

    assert_equal(first, second)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("columns", [(), (Column("row", Kind.ID), Column("same", Kind.CONSTANT))])
def test_without_a_used_column_there_is_one_constant(layout, columns, tmp_path):
    frame = pl.DataFrame({"row": ["a", "b"], "same": ["x", "x"]}).select([column.name for column in columns] or "row")
    encoder = Encoder(Schema(columns), layout)

    table = encoder.fit_transform(frame, target_of(2))

    np.testing.assert_array_equal(table.numbers, [[0], [0]])
    encoder.save(tmp_path)
    assert Encoder.load(tmp_path).transform(frame).numbers.shape == (2, 1)


def test_dense_numbers_are_scaled_filled_and_flagged():
    schema = Schema((Column("x", Kind.NUMBER),))
    frame = pl.DataFrame({"x": [*np.random.default_rng(0).normal(50, 9, 999), None]})

    table = Encoder(schema, Layout.DENSE).fit_transform(frame, target_of(1_000))

    assert table.names == ("x", "x is missing")
    np.testing.assert_allclose([table.numbers[:, 0].mean(), table.numbers[:, 0].std()], [0, 1], atol=1e-9)
    assert table.numbers[-1].tolist() == [pytest.approx(0, abs=0.1), 1.0]


def test_a_far_outlier_is_clipped_and_a_rare_value_is_kept():
    schema = Schema((Column("far", Kind.NUMBER), Column("rare", Kind.NUMBER)))
    far = [*np.random.default_rng(0).normal(size=999), 1e9]
    frame = pl.DataFrame({"far": far, "rare": [0.0] * 997 + [5.0] * 3})

    table = Encoder(schema, Layout.DENSE).fit_transform(frame, target_of(1_000))

    assert table.numbers[:, 0].max() < 15
    assert table.numbers[:, 1].max() > 5


def test_days_between_dates_belong_to_the_later_column():
    schema = Schema((Column("from", Kind.DATE), Column("to", Kind.DATE)))
    moments = [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2, 12)]
    frame = pl.DataFrame(
        {"from": moments[:1] * 2, "to": [moments[1], None]}, schema_overrides={"to": pl.Datetime("us")}
    )

    table = Encoder(schema, Layout.TREES).fit_transform(frame, target_of(2))

    place = table.names.index("days from from to to")
    np.testing.assert_array_equal(table.numbers[:, place], [1.5, np.nan])
    assert table.origin[place] == 1


def test_texts_reach_linear_learners_as_words_and_trees_as_directions():
    schema = Schema((Column("note", Kind.TEXT),))
    frame = pl.DataFrame({"note": [f"{'good' if place % 2 else 'bad'} thing {place}" for place in range(200)]})
    target = Target(np.arange(200) % 2, 2)

    dense = Encoder(schema, Layout.TREES).fit_transform(frame, target)
    sparse = Encoder(schema, Layout.SPARSE).fit_transform(frame, target)

    best = max(abs(np.corrcoef(column, target.values)[0, 1]) for column in dense.numbers.T if column.std() > 0)
    assert best > 0.9
    np.testing.assert_allclose(np.asarray(sparse.words.multiply(sparse.words).sum(axis=1)).ravel(), 2.0)


def test_a_text_column_without_a_single_word_is_survived():
    schema = Schema((Column("note", Kind.TEXT),))
    frame = pl.DataFrame({"note": [None, "?", "!", "", "-", "?"]})

    for layout in LAYOUTS:
        assert_fits(Encoder(schema, layout).fit_transform(frame, target_of(6)), layout, schema, 6)


@pytest.mark.parametrize(
    "content", ['{"pieces": [["os.system", {}]], "layout": "trees", "schema": "[]", "seed": 0}', "{", "[]"]
)
def test_a_strange_file_is_refused(content, tmp_path):
    Encoder(SCHEMA, Layout.TREES).save(tmp_path)
    (tmp_path / "encoder.json").write_text(content)

    with pytest.raises(ArtifactError):
        Encoder.load(tmp_path)


_VALUES = {
    Kind.NUMBER: st.floats(allow_nan=False) | st.none(),
    Kind.CATEGORY: st.text(min_size=1, max_size=5) | st.none(),
    Kind.BOOLEAN: st.booleans() | st.none(),
    Kind.DATE: st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 1, 1)) | st.none(),
    Kind.TEXT: st.text(max_size=30) | st.none(),
}


@given(
    data=st.data(),
    kind=st.sampled_from(list(_VALUES)),
    layout=st.sampled_from(LAYOUTS),
    n_classes=st.sampled_from([0, 2, 4]),
)
def test_whatever_a_column_holds_the_table_is_whole(data, kind, layout, n_classes):
    n_rows = data.draw(st.integers(2, 60))
    series = pl.Series("c", data.draw(st.lists(_VALUES[kind], min_size=n_rows, max_size=n_rows)), dtype=STORED[kind])
    schema = Schema((Column("c", kind),))
    encoder = Encoder(schema, layout)

    table = encoder.fit_transform(series.to_frame(), target_of(n_rows, n_classes))

    assert_fits(table, layout, schema, n_rows)
    assert_fits(encoder.transform(series.to_frame().reverse()), layout, schema, n_rows)
