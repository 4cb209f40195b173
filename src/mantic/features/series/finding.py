"""What was found in the rows, and what was done about it."""

from dataclasses import dataclass

N_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """Something about the data that the user should know.

    Parameters
    ----------
    code : stable, for programs.
    what : one sentence with counts; what was done about it stands in it.
    n_rows, n_series : how many rows and series it concerns; 0 rows where it is about series as a whole.
    examples : names of a few of the series.
    is_repair : whether the values that methods learn from were changed.
    """

    code: str
    what: str
    n_rows: int = 0
    n_series: int = 0
    examples: tuple[str, ...] = ()
    is_repair: bool = False

    def to_facts(self) -> dict[str, object]:
        """Return the finding as plain values."""
        return {
            "code": self.code, "text": self.what, "n_series": self.n_series, "n_rows": self.n_rows,
            "examples": list(self.examples), "is_repair": self.is_repair,
        }  # fmt: skip
