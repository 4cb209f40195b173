"""Any library's frame becomes the same polars frame."""

import builtins
import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mantic.core.errors import SchemaError
from mantic.sources.frames import to_polars


def test_every_library_gives_the_same_frame():
    wanted = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]})
    arrow = pa.table({"a": [1, 2, 3], "b": ["x", None, "y"]})
    pandas = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]})
    relation = duckdb.from_arrow(arrow)

    for given in (wanted, wanted.lazy(), arrow, pandas, relation, nw.from_native(wanted), wanted.rows(named=True)):
        assert to_polars(given).equals(wanted), type(given)


def test_pandas_columns_of_every_type_keep_their_values():
    moments = pd.to_datetime(["2020-01-01 10:00", None])
    frame = pd.DataFrame(
        {
            "float": [1.0, np.nan],
            "object": ["a", np.nan],
            "category": pd.Categorical(["x", None]),
            "moment": moments,
            "zoned": moments.tz_localize("Europe/Berlin"),
            "masked": pd.array([1, None], dtype="Int64"),
            "flag": pd.array([True, None], dtype="boolean"),
            "mixed": [1, "a"],
            "span": pd.to_timedelta([1.5, None], unit="s"),
            "string": pd.array(["u", None], dtype="string"),
        }
    )

    ten = dt.datetime(2020, 1, 1, 10)
    there = ten.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert to_polars(frame).rows() == [
        (1.0, "a", "x", ten, there, 1, True, "1", 1.5, "u"),
        (None, None, None, None, None, None, None, "a", None, None),
    ]


def test_pandas_needs_no_pyarrow(monkeypatch):
    frame = pd.DataFrame({0: ["x", None], 1: [1.5, 2.5]})
    real = builtins.__import__

    def without_pyarrow(name, *rest, **more):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)

    assert to_polars(frame).to_dict(as_series=False) == {"0": ["x", None], "1": [1.5, 2.5]}


def test_arrays_get_names_and_their_nan_becomes_missing():
    frame = to_polars(np.array([[1.0, np.nan], [2.0, 3.0]]))

    assert frame.to_dict(as_series=False) == {"x0": [1.0, 2.0], "x1": [None, 3.0]}


def test_an_array_of_objects_gets_a_type_for_each_column():
    frame = to_polars(np.array([["a", 1], [None, 2.5]], dtype=object))

    assert frame.schema == {"x0": pl.String, "x1": pl.Float64}


def test_odd_polars_types_become_plain_ones():
    frame = pl.DataFrame({"list": [[1, 2], None], "span": [dt.timedelta(hours=1), None], "struct": [{"a": 1}, None]})

    assert to_polars(frame).rows()[0] == ("[1, 2]", 3600.0, '{"a": 1}')


def test_whole_numbers_beyond_64_bits_stay_digit_by_digit():
    assert to_polars([{"a": 10**30}, {"a": 1}])["a"].to_list() == [str(10**30), "1"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' (2 times)"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "'1' (2 times)"),
        (np.zeros(3), "no table"),
        ("file.csv", "a str is no table"),
        ({"a": [1], "b": [1, 2]}, "different lengths"),
        ([[1], [2, 3]], "different lengths"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(given, says):
    with pytest.raises(SchemaError) as caught:
        to_polars(given)

    assert says in caught.value.what
    assert caught.value.fix
