"""Whether texts are numbers or dates that somebody wrote down, and in which form."""

from dataclasses import dataclass

import polars as pl

from mantic.core.cast import DATE_FORMS, YEARS, exchanged, parse_date

# Words that people write where a number or a date is not known.
NO_VALUE_WORDS = frozenset(
    [
        "",
        "?",
        "??",
        "-",
        "--",
        "---",
        ".",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "nil",
        "none",
        "missing",
        "unknown",
        "inf",
        "-inf",
    ]
)
_LEADING_ZERO = r"^[+-]?0\d"
_LONG = r"\d{16,}"
_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$"
_SURE_COMMA = r",(\d{1,2}|\d{4,})$"
_MOST_WORDS = 0.6  # share of rows that known words may fill
_MOST_ERRORS, _SHARE_OF_ERRORS = 3, 0.01
_SAMPLE = 200


@dataclass(frozen=True)
class Form:
    """How texts become values, and which of them are none (see `Column.form`, `Column.sentinels`)."""

    form: str = ""
    sentinels: tuple[str, ...] = ()


def find_number_form(counts: pl.DataFrame) -> Form | None:
    """Return how texts are numbers, or None where they are not.

    Parameters
    ----------
    counts : columns value (texts) and n (rows that hold it), commonest first.

    >>> find_number_form(pl.DataFrame({"value": ["1,5", "2,25", "?", "4"], "n": [3, 2, 1, 1]}))
    Form(form=',', sentinels=('?',))
    """
    sample = counts.head(_SAMPLE)
    if not _numbers(sample["value"]).any() and not _is_comma(sample["value"]).any():
        return None
    text = counts["value"].str.strip_chars()
    if text.str.contains(_LEADING_ZERO).any() or text.str.contains(_LONG).any():
        return None
    fits = _numbers(text)
    if _are_enough(counts, fits):
        return Form("", tuple(counts["value"].filter(~fits)))
    fits = _is_comma(text)
    if _are_enough(counts, fits) and text.filter(fits).str.contains(_SURE_COMMA).any():
        return Form(",", tuple(counts["value"].filter(~fits)))
    return None


def _numbers(text: pl.Series) -> pl.Series:
    return text.str.strip_chars().cast(pl.Float64, strict=False).is_finite().fill_null(False)


def _is_comma(text: pl.Series) -> pl.Series:
    return text.str.strip_chars().str.contains(_COMMA_NUMBER)


def _are_enough(counts: pl.DataFrame, fits: pl.Series) -> bool:
    """Whether what does not fit is only words for "no value", or a handful of slips in a long column."""
    odd = counts.filter(~fits)
    if odd.height == 0:
        return True
    n_rows, n_odd = int(counts["n"].sum()), int(odd["n"].sum())
    if odd["value"].str.strip_chars().str.to_lowercase().is_in(list(NO_VALUE_WORDS)).all():
        return int(fits.sum()) >= 3 and n_odd <= _MOST_WORDS * n_rows
    return odd.height <= _MOST_ERRORS and int(fits.sum()) >= 20 and n_odd <= _SHARE_OF_ERRORS * n_rows


def find_date_form(counts: pl.DataFrame) -> Form | None:
    """Return how texts are dates, or None where they are not; every text but words for "no value" must be one.

    Where day and month could stand for each other all along, the day is taken to come first.

    >>> find_date_form(pl.DataFrame({"value": ["Aug-62", "Mar-41"], "n": [1, 1]}))
    Form(form='%b-%y', sentinels=())
    """
    words = counts["value"].str.strip_chars().str.to_lowercase().is_in(list(NO_VALUE_WORDS))
    text = counts["value"].filter(~words).str.strip_chars()
    if len(text) == 0 or int(counts["n"].filter(words).sum()) > _MOST_WORDS * int(counts["n"].sum()):
        return None
    sample = text.head(_SAMPLE)
    if not (sample.str.contains(r"\d").all() and (sample.str.len_chars() <= 40).all()):
        return None
    sentinels = tuple(counts["value"].filter(words))
    for form in DATE_FORMS:
        if _is_dates(parse_date(sample, form)) and _is_dates(parse_date(text, form)):
            return Form(form, sentinels)
    return _mixed(text, sentinels)


def _mixed(text: pl.Series, sentinels: tuple[str, ...]) -> Form | None:
    """Return the commonest form of texts that are all dates, where no form leaves day and month in doubt."""
    found = pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us"))
    used: dict[str, int] = {}
    for form in DATE_FORMS:
        if not (form.startswith("%Y") or "%b" in form or "%B" in form) or form == "%Y%m%d":
            continue
        n_before = found.null_count()
        found = found.zip_with(found.is_not_null(), parse_date(text, form))
        used[form] = n_before - found.null_count()
    return Form(max(used, key=lambda form: used[form]), sentinels) if _is_dates(found) else None


def _is_dates(found: pl.Series) -> bool:
    return found.null_count() == 0 and bool(found.dt.year().is_between(*YEARS).all())


def other_date_form(text: pl.Series, form: str) -> str:
    """Return the form in which day and month change places, where the texts fit that as well; else nothing.

    >>> other_date_form(pl.Series(["01/02/2020"]), "%d/%m/%Y")
    '%m/%d/%Y'
    """
    swapped = exchanged(form)
    if not swapped:
        return ""
    return swapped if _is_dates(parse_date(text.drop_nulls().str.strip_chars(), swapped)) else ""
