"""Several files that are parts of one table: a folder, or a pattern with stars."""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from mantic.core.errors import SchemaError, SourceError
from mantic.core.moments import by_the_clock
from mantic.core.schema import UTC
from mantic.sources.unpack import ENDINGS

_MOST_FAULTS = 10
_PACKED = tuple(f".{ending}" for ending in ENDINGS)


def parts_of(address: str) -> list[Path]:
    """Return the files of a folder or of a pattern in order; hidden files and those that begin with _ are left out.

    Raises
    ------
    SourceError : if there are none, or they are of several kinds.
    """
    path = Path(address)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.is_file())
    else:
        star = next(at for at, part in enumerate(path.parts) if set("*?[") & set(part))
        pattern = str(Path(*path.parts[star:]))
        found = sorted(file for file in Path(*path.parts[:star]).glob(pattern) if file.is_file())
    found = [file for file in found if not file.name.startswith((".", "_"))]
    if not found:
        raise SourceError(
            "no file is there", where=address, fix="give a folder or a pattern that holds the parts of one table"
        )
    endings = sorted({"".join(file.suffixes[-2:]) if file.suffix in _PACKED else file.suffix for file in found})
    if len(endings) > 1:
        raise SourceError(
            f"the files are of several kinds: {', '.join(ending or 'no ending' for ending in endings)}",
            where=address,
            fix=f"choose one kind, for instance {path if path.is_dir() else path.parent}/*{endings[0]}",
        )
    return found


def unite(files: Sequence[Path], read: Callable[[Path], pl.DataFrame], *, where: str) -> pl.DataFrame:
    """Read the parts and set them below one another, columns by name in the order of the first.

    Raises
    ------
    SchemaError : lists every part whose columns are not those of the first.
    """
    frames = [read(file) for file in files]
    first = frames[0]
    wanted = set(first.columns)
    faults = []
    for file, frame in zip(files[1:], frames[1:], strict=True):
        there = set(frame.columns)
        lacks = [f"lacks '{name}'" for name in first.columns if name not in there]
        more = [f"has '{name}' more" for name in frame.columns if name not in wanted]
        if lacks or more:
            faults.append(f"{file.name} {', '.join((lacks + more)[:5])}")
    if faults:
        rest = f"; and {len(faults) - _MOST_FAULTS} more files" if len(faults) > _MOST_FAULTS else ""
        raise SchemaError(
            f"the parts have different columns than {files[0].name}: {'; '.join(faults[:_MOST_FAULTS])}{rest}",
            where=where,
            fix="give every part the same columns, or name the files that belong together by a pattern",
        )
    columns = (_joined([frame[name] for frame in frames]) for name in first.columns)
    return pl.DataFrame({column.name: column for column in columns})  # a list would rename a column called ""


def _joined(parts: Sequence[pl.Series]) -> pl.Series:
    """Return a column from all its parts; where some have a time zone and others none, the clock on the wall counts."""
    zones = {getattr(part.dtype, "time_zone", None) for part in parts if part.null_count() < len(part)}
    if None in zones:
        parts = [by_the_clock(part) if isinstance(part.dtype, pl.Datetime) else part for part in parts]
    shared = _shared(parts)
    return pl.concat([part.cast(shared) for part in parts])


def _shared(parts: Sequence[pl.Series]) -> pl.DataType:
    """Return one type for a column of all parts; an all-empty part (null texts) adapts to the others."""
    types = {part.dtype for part in parts if part.null_count() < len(part)} or {parts[0].dtype}
    if len(types) == 1:
        return types.pop()
    if all(dtype.is_numeric() for dtype in types):
        return pl.Int64() if all(dtype.is_integer() and dtype != pl.UInt64 for dtype in types) else pl.Float64()
    if all(dtype.is_temporal() for dtype in types):
        zones = {getattr(dtype, "time_zone", None) for dtype in types}
        return pl.Datetime("us", zones.pop() if len(zones) == 1 else UTC)
    return pl.String()
