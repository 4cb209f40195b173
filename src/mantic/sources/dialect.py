"""How a CSV file is written: delimiter and quotes, found by trying which gives every line as many fields."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_QUOTES = {'"': "double quotes", "'": "single quotes"}


@dataclass(frozen=True)
class Dialect:
    """The delimiter and the quote of a file.

    >>> Dialect(";", "'").words()
    'fields separated by a semicolon, quoted by single quotes'
    """

    delimiter: str = ","
    quote: str = '"'

    @property
    def is_usual(self) -> bool:
        """Whether it is what everybody expects: commas and double quotes."""
        return self == Dialect()

    def words(self) -> str:
        """Return it as part of a sentence."""
        return f"fields separated by a {_NAMES.get(self.delimiter, self.delimiter)}, quoted by {_QUOTES[self.quote]}"


def find_dialect(sample: str) -> Dialect:
    r"""Return the dialect under which most lines of a sample have the same number of fields, two or more.

    Parameters
    ----------
    sample : the beginning of the file, cut at a line.

    >>> find_dialect("a;b\n1,5;2\n").delimiter, find_dialect("name\nAnn\n").delimiter
    (';', ',')
    """
    usual = _best(sample, '"')
    if not _may_be_single(sample):
        return usual
    single = _best(sample, "'")
    return single if _are_quotes(sample, single, usual) else usual


def _best(sample: str, quote: str) -> Dialect:
    best, best_score = Dialect(quote=quote), 0.0
    for delimiter in _DELIMITERS:
        score = _agreement(sample, Dialect(delimiter, quote))
        if score > best_score:
            best, best_score = Dialect(delimiter, quote), score
    return best


def _agreement(sample: str, dialect: Dialect) -> float:
    """Return how well the lines agree with the header: share of lines, and a little for more fields."""
    rows = [row for row in rows_of(sample, dialect) if row][:500]
    if not rows or len(rows[0]) < 2:
        return 0.0
    width = len(rows[0])
    share = Counter(len(row) for row in rows)[width] / len(rows)
    return share + 0.001 * min(width, 100)


def rows_of(sample: str, dialect: Dialect) -> list[list[str]]:
    """Return the records of a text; a field longer than 128 KiB ends the sample."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote)
    rows = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error:
        return rows
    return rows


def _may_be_single(sample: str) -> bool:
    """Whether single quotes, and no double ones, stand at the borders of fields."""
    counts = {
        quote: sum(sample.count(f"{quote}{mark}") + sample.count(f"{mark}{quote}") for mark in _DELIMITERS)
        for quote in _QUOTES
    }
    return counts["'"] >= 4 and counts['"'] == 0


def _are_quotes(sample: str, single: Dialect, usual: Dialect) -> bool:
    """Tell quotes from apostrophes ('50s, and Excel's '00123): these close no field, or lines would run together.

    One field may be left open, where the sample is cut.
    """
    mark = re.escape(single.delimiter)
    n_opened = len(re.findall(rf"(?:^|{mark})'", sample, re.MULTILINE))
    n_closed = len(re.findall(rf"'(?={mark}|\r?$)", sample, re.MULTILINE))
    if n_closed + 1 < n_opened:
        return False
    spans_lines = any("\n" in field for row in rows_of(sample, single) for field in row)
    return not spans_lines or _agreement(sample, single) > _agreement(sample, usual)
