"""Any dataframe a user may hold becomes one polars frame of plain columns."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SchemaError
from mantic.core.moments import in_zone, zone_name
from mantic.core.schema import is_zone
from mantic.sources.values import from_values, half, plain


def to_polars(data: Any) -> pl.DataFrame:
    """Return the data as a polars frame with texts for names and plain columns; missing values are null.

    Parameters
    ----------
    data : a frame of pandas, polars (lazy too), pyarrow, DuckDB or whatever narwhals takes; a NumPy array of shape
        (n_rows, n_columns), whose columns are called x0, x1, ...; a list of dictionaries; a dictionary of columns.

    Raises
    ------
    SchemaError : if it is none of these, or two columns have one name. An index (pandas) is left out.

    >>> to_polars([{"a": 1, "b": "x"}, {"a": None}]).rows()
    [(1, 'x'), (None, None)]
    """
    columns = _columns(data)
    names = [str(name) for name, _ in columns]
    check_names(names, where="the table")
    return pl.DataFrame({name: plain(series) for name, (_, series) in zip(names, columns, strict=True)})


def check_names(names: Sequence[str], *, where: str) -> None:
    """Raise a SchemaError that lists every name that stands twice, or says that one holds half a character."""
    if odd := next((name for name in names if _HALF.search(name)), None):
        raise half(ascii(odd)[1:-1])
    twice = [f"'{name}' ({count} times)" for name, count in Counter(names).items() if count > 1]
    if twice:
        more = f" and {len(twice) - 10:,} more" if len(twice) > 10 else ""
        raise SchemaError(
            f"column names are not unique: {', '.join(twice[:10])}{more}",
            where=where,
            fix="give each column a name of its own (a table without a header line needs one)",
        )


_HALF = re.compile("[\ud800-\udfff]")
Columns = list[tuple[Any, pl.Series]]


def _columns(data: Any) -> Columns:
    """Return (name, column) pairs; names may still be anything and stand twice."""
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.Series):
        data = data.to_frame()
    if isinstance(data, pl.DataFrame):
        return [(series.name, series) for series in data.iter_columns()]
    library = type(data).__module__.partition(".")[0]
    if library in _LIBRARIES:
        return _LIBRARIES[library](data)
    if isinstance(data, Mapping):
        return _of_mapping(data)
    if isinstance(data, np.ndarray):
        return _of_array(data)
    if isinstance(data, (list, tuple)):
        return _of_rows(data)
    return _of_others(data)


def _of_pandas(data: Any) -> Columns:
    if not hasattr(data, "columns"):  # a Series
        return [("x0" if data.name is None else data.name, _pandas_column(data))]
    return [(name, _pandas_column(data.iloc[:, at])) for at, name in enumerate(data.columns)]


def _pandas_column(column: Any) -> pl.Series:
    """Convert one column without pyarrow: NumPy types by NumPy, everything else value by value."""
    kind = getattr(column.dtype, "kind", "O") if isinstance(column.dtype, np.dtype) else "O"
    if kind in "iufb":
        values = column.to_numpy()
        if values.dtype.itemsize > 8 or values.dtype == np.float16:
            values = values.astype(np.float64)
        return pl.Series("", np.ascontiguousarray(values))
    if kind in "Mm":
        unit = "datetime64[us]" if kind == "M" else "timedelta64[us]"
        return pl.Series("", column.to_numpy().astype(unit))
    if (zone := getattr(column.dtype, "tz", None)) is not None and (name := zone_name(zone)):
        instants = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return in_zone(pl.Series("", instants.to_numpy().astype("datetime64[us]")), name)
    return from_values("", column.astype(object).tolist())


def _of_arrow(data: Any) -> Columns:
    if hasattr(data, "schema"):  # a Table or a RecordBatch
        check_names([str(name) for name in data.schema.names], where="the table")
        for at, field in enumerate(data.schema):
            if (zone := getattr(field.type, "tz", None)) and not is_zone(zone):  # an offset: texts hold it too
                data = data.set_column(at, field.name, data.column(at).cast("string"))
    return _columns(pl.DataFrame(data))


def _of_duckdb(data: Any) -> Columns:
    check_names([str(name) for name in data.columns], where="the relation")
    return _columns(pl.DataFrame(data))


_LIBRARIES = {"pandas": _of_pandas, "pyarrow": _of_arrow, "duckdb": _of_duckdb, "_duckdb": _of_duckdb}


def _of_array(data: Any) -> Columns:
    if data.dtype.names:
        return [(name, _array_column(data[name])) for name in data.dtype.names]
    if data.ndim != 2:
        raise SchemaError(
            f"an array of shape {data.shape} is no table",
            where="the table",
            fix="give shape (n_rows, n_columns): reshape(-1, 1) makes one column, reshape(1, -1) one row",
        )
    return [(f"x{at}", _array_column(data[:, at])) for at in range(data.shape[1])]


def _array_column(values: Any) -> pl.Series:
    if values.dtype.kind in "iufb" and 1 <= values.dtype.itemsize <= 8 and values.dtype != np.float16:
        return pl.Series("", np.ascontiguousarray(values))
    return from_values("", values.tolist() if values.dtype.kind not in "Mm" else list(values))


def _of_mapping(data: Mapping[Any, Any]) -> Columns:
    columns = [(name, _any_column(values)) for name, values in data.items()]
    lengths = {str(name): len(series) for name, series in columns}
    if len(set(lengths.values())) > 1:
        raise SchemaError(
            f"the columns have different lengths: {lengths}", where="the table", fix="give every column as many values"
        )
    return columns


def _any_column(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if type(values).__module__.partition(".")[0] == "pandas":
        return _pandas_column(values)
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return _array_column(values)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise _no_table(values)
    return from_values("", list(values))


def _of_rows(rows: Sequence[Any]) -> Columns:
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return [(name, from_values("", [row.get(name) for row in rows])) for name in names]
    if rows and all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
        widths = sorted({len(row) for row in rows})
        if len(widths) > 1:
            raise SchemaError(
                f"the rows have different lengths: {widths[0]} to {widths[-1]}",
                where="the table",
                fix="give every row as many values",
            )
        return [(f"x{at}", from_values("", values)) for at, values in enumerate(zip(*rows, strict=True))]
    if not rows:
        return []
    raise _no_table(rows[0])


def _of_others(data: Any) -> Columns:
    import narwhals as nw

    try:
        frame: Any = nw.from_native(data)
    except TypeError as error:
        raise _no_table(data) from error
    frame = frame.collect("polars") if isinstance(frame, nw.LazyFrame) else frame
    return _columns(frame.to_polars())


def _no_table(data: Any) -> SchemaError:
    library = type(data).__module__.partition(".")[0]
    return SchemaError(
        f"a {type(data).__name__} is no table",
        where="the table" if library == "builtins" else f"the table, from {library}",
        fix="give a frame (pandas, polars, pyarrow, DuckDB), an array (n_rows, n_columns) or a list of dictionaries",
    )
