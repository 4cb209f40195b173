"""Whatever a table holds: it can be described, and then fits its own description."""

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

from mantic.core.run import Run
from mantic.core.schema import Schema
from mantic.features.infer import infer
from mantic.features.profile import profile
from mantic.sources.frames import to_polars

ODD = ["", " ", "?", "NA", "nan", "inf", "-1", "007", "1,5", "1.234,5", "1e5", "yes", "no", "true", "9" * 20, "x"]
DATES = ["2024-01-31", "Aug-62", "01/02/2020", "31/12/2020", "1993"]
WORDS = st.sampled_from([*ODD, *DATES, "a.png", "three words here"])
TEXTS = st.lists(st.none() | WORDS | st.text(max_size=8), min_size=1, max_size=30)


@given(TEXTS)
@settings(max_examples=200)
def test_texts_fit_the_schema_that_was_inferred_from_them(values):
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.String)})

    schema = infer(frame)

    assert schema.align(frame).height == len(values)
    assert Schema.from_json(schema.to_json()) == schema


@given(dataframes(max_cols=6, max_size=12, excluded_dtypes=[pl.Object]))
def test_frames_of_any_types_fit_the_schema_that_was_inferred_from_them(frame):
    plain = to_polars(frame)

    aligned = infer(plain).align(plain)

    assert aligned.shape == plain.shape


@given(dataframes(max_cols=4, max_size=12, excluded_dtypes=[pl.Object]))
def test_frames_of_any_types_can_be_profiled(frame):
    plain = to_polars(frame)

    report = profile(plain, target=plain.columns[0] if plain.width else None, run=Run())

    json.dumps(report.facts, allow_nan=False)
    assert report.facts["n_columns"] == plain.width


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.floats() | WORDS), max_size=8))
def test_rows_of_mixed_values_become_a_frame_of_as_many_rows(rows):
    assert to_polars(rows).height == (len(rows) if any(rows) else 0)
