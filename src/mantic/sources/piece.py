"""Some rows of a table, and where the next ones begin."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Place:
    """A place between two rows.

    Parameters
    ----------
    at : bytes before it in a text, rows before it elsewhere; -1 where only the line is known.
    line : of a text, counted from 1; 0 where there are none.
    """

    at: int = 0
    line: int = 0


START = Place()


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows.

    Parameters
    ----------
    end : where the next piece begins.
    share : of the table that is read at its end, 0 to 1.
    """

    frame: pl.DataFrame
    end: Place
    share: float
