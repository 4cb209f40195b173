"""The contract of a source: a function from an address to a frame, found by the address's scheme or ending."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import polars as pl

from mantic.core.lazy import need
from mantic.core.registry import Registry
from mantic.core.run import Run

Source = Callable[[str, Run], pl.DataFrame]
S = TypeVar("S", bound=Source)

SOURCES: Registry[Source] = Registry("source", package="mantic.sources.table", entry_points="mantic.sources")


def source(name: str, *, needs: Sequence[str] = ()) -> Callable[[S], S]:
    """Enter a function that reads a table, under a URL scheme ("s3") or the ending of a file ("sav").

    Parameters
    ----------
    name : ``read("NAME://...")`` and ``read("file.NAME")`` come here, unless mantic reads that ending itself.
    needs : packages that it cannot do without; each is asked for when the source is first found.

    >>> @source("ones")
    ... def ones(address: str, run: Run) -> pl.DataFrame:
    ...     return pl.DataFrame({"x": [1.0] * int(address.rpartition("/")[2])})
    >>> SOURCES.get("ones")("ones://3", Run()).height
    3
    """

    def enter(function: S) -> S:
        for package in needs:
            need(package, why=f"reading '{name}'")
        SOURCES.add(name, function)
        return function

    return enter
