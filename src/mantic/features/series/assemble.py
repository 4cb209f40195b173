"""From a long table of rows to series on one calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mantic.core.calendar import Calendar, anchored, by_calendar, fitted_calendar, moment_text
from mantic.core.cast import cast_column, on_the_wall, parse_date
from mantic.core.errors import SchemaError
from mantic.core.moments import by_the_clock
from mantic.core.schema import Column, Kind
from mantic.core.table import Array
from mantic.features.infer import infer_column
from mantic.features.series.finding import N_EXAMPLES, Finding
from mantic.features.series.holed import Holed, about
from mantic.features.wording import other_date_form
from mantic.report.numbers import amount

_MOST_STEPS = 200_000  # of one series with few values: more are a sign of a wrong frequency, and would fill the memory
_MOST_EMPTY = 10  # steps of a series for each value of all
_MOST_TOGETHER = 50_000_000  # steps of all series with few values: some gigabytes
_MOST_EMPTY_TOGETHER = 20  # steps of all series for each value: of 100,000 things each may be sold once in 20 days
_LARGEST = 1e100  # a larger value is none: its square could not be held
_IRREGULAR = 0.5  # share of gaps that are the commonest one; below, a calendar is a guess
_FINER = 1.2  # moments of a series for each of its steps, from which rows are finer than steps
_SOLD_ONLY = 0.3  # share of steps without a row from which rows of counts without a zero are sales slips
_UNKNOWN = "unknown, and filled in only for methods to learn from"
_DATE_NUMBERS = {"%Y%m%d": (19000101, 21991231), "%Y%m": (190001, 219912)}  # whole numbers that may be dates, by form
_LEAST_DATES = 2  # different ones, before whole numbers are taken for dates: a single one may be a step by chance
_NAME, _TIME, _VALUE, _STEP = "series", "time", "value", "step"


@dataclass(frozen=True)
class Written:
    """How moments of a column are written.

    Parameters
    ----------
    form : how texts and whole numbers are dates, as a strptime pattern; "" where nobody has looked, or no pattern is
        needed.
    zone : the time zone whose clock on the wall counts; "" where none was told, and the clock counts that they show.
    """

    form: str = ""
    zone: str = ""


@dataclass(frozen=True)
class Roles:
    """Which columns are what.

    Parameters
    ----------
    time, target : names of columns.
    series : names of the columns that tell series apart; may be empty.
    known : names of columns of numbers whose future is known.
    as_of : name of the column that says on which day a value was known; "" where values are never revised.
    time_written, as_of_written : how moments of these columns are written.
    fractional : those of `series` that held numbers with fractions, so that 2 is written as 2.0 there.
    """

    time: str
    target: str
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    as_of: str = ""
    time_written: Written = Written()
    as_of_written: Written = Written()
    fractional: tuple[str, ...] = ()


def as_written(frame: pl.DataFrame, roles: Roles) -> Roles:
    """Return the roles with how moments and series are written, so that later rows are read as those of the fit are."""
    told = {name: _written(frame[name]) for name in (roles.time, roles.as_of) if name in frame.columns}
    fractional = tuple(name for name in roles.series if name in frame.columns and _has_fractions(frame[name]))
    return replace(
        roles, time_written=told.get(roles.time, Written()), as_of_written=told.get(roles.as_of, Written()),
        fractional=fractional,
    )  # fmt: skip


def assemble(
    frame: pl.DataFrame,
    roles: Roles,
    freq: str | Calendar | None,
    findings: list[Finding],
    *,
    is_sold_only: bool | None = None,
) -> tuple[Holed, Calendar]:
    """Return the series of a long table on one calendar, each from its first to its last value.

    Parameters
    ----------
    frame : one row per series and moment, in any order.
    freq : name of the frequency, or the calendar itself; the commonest gap over all series when absent.
    findings : what is found is added to it.
    is_sold_only : whether a step without a row is a 0, where that is known from before; told from the rows when absent.

    Raises
    ------
    SchemaError : names all columns that are not there or hold something else.
    SettingsError : if there is no such frequency.
    """
    long = _long(frame, roles)
    if roles.time_written.form in _DATE_NUMBERS and not frame[roles.time].dtype.is_temporal():
        text = f"whole numbers in '{roles.time}' were taken for dates, written like {frame[roles.time].drop_nulls()[0]}"
        findings.append(_named(long, Finding("dates_as_numbers", text, frame.height)))
    long = _without_nothing(long, findings)
    moments = long[_TIME].unique().sort()  # of many series they are few
    place = np.searchsorted(moments.to_physical().to_numpy(), long[_TIME].to_physical().to_numpy())
    calendar = _calendar(long, freq, findings, moments=moments, place=place)
    stepped = long.with_columns(pl.Series(_STEP, calendar.steps(moments)[place]))
    if (n_off := int((~calendar.on_grid(moments)[place]).sum())) > 0:
        what = f"{amount(n_off, 'moment lies', 'moments lie')} between the steps of '{calendar.name}'"
        text = f"{what}; each counts for the step that it lies in"
        findings.append(_named(stepped, Finding("off_grid", text, n_off, is_repair=True)))
    quiet: tuple[int, ...] = ()
    if isinstance(freq, str) and _are_finer(long[_NAME], place, calendar.steps(moments)):
        stepped, quiet = _without_parts(stepped, calendar, moments, findings)
    holed, has_row = _with_holes(_one_per_step(stepped, findings), roles)
    return replace(_gaps(holed, has_row, findings, is_sold_only=is_sold_only), quiet=quiet), calendar


def _long(frame: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    """Return the columns series (a number), time, value, and those that are known, or name every fault."""
    faults = [
        f"there is no column '{name}'"
        for name in (roles.time, roles.target, *roles.series, *roles.known)
        if name not in frame.columns
    ]
    if faults:
        raise SchemaError("; ".join(faults), where="the table", fix=f"columns are: {', '.join(frame.columns[:30])}")
    time, fault_of_time = as_times(frame[roles.time], roles.time_written)
    numbers, faults_of_numbers = as_numbers(frame, (roles.target, *roles.known))
    value, known = numbers[roles.target], [numbers[name] for name in roles.known]
    faults = [*([fault_of_time] if fault_of_time else []), *faults_of_numbers]
    if not frame.height:
        faults.append("the table has no rows")
    if faults:
        raise SchemaError("; ".join(faults), where="the table", fix="mend these columns, or name others")
    ids = pl.DataFrame([as_id(frame[name], roles.fractional) for name in roles.series])
    number = (
        pl.zeros(frame.height, pl.UInt32, eager=True)
        if not roles.series
        else ids.select(pl.struct(pl.all()).rank("dense") - 1).to_series()
    )
    columns = {_NAME: number, _TIME: time, _VALUE: value}
    columns |= {f"known {place}": found for place, found in enumerate(known)}
    columns |= {f"id {place}": ids[name] for place, name in enumerate(roles.series)}
    return pl.DataFrame(columns)


def as_times(column: pl.Series, written: Written | None = None) -> tuple[pl.Series, str]:
    """Return a column as whole numbers, dates or moments of local time, or a sentence on what it holds instead.

    Parameters
    ----------
    written : how it is written; where the form does not fit all that stands there, what is written there decides.
    """
    form, zone = ("", "") if written is None else (written.form, written.zone)
    if column.dtype == pl.String:
        column = on_the_wall(column, zone)
    elif isinstance(column.dtype, pl.Datetime):
        column = by_the_clock(column, zone)
    if form and (dates := _by_form(column, form)) is not None:
        return _without_clock(dates), ""
    if form and column.dtype == pl.String and other_date_form(column, form):
        return column, f"column '{column.name}' holds day and month the other way round than before"
    return _times(column)


def _times(column: pl.Series) -> tuple[pl.Series, str]:
    """Return what `as_times` does where no form is known, or it does not fit."""
    if column.dtype.is_integer():
        return column, ""
    if column.dtype.is_float() and bool((column.drop_nulls() % 1 == 0).all()):
        return column.cast(pl.Int64), ""
    if column.dtype == pl.Date:
        return column, ""
    if column.dtype == pl.Datetime:
        return _without_clock(column.cast(pl.Datetime("us"))), ""
    if column.dtype == pl.String:
        kind = infer_column(column)
        if kind.kind is Kind.DATE or (kind.kind is Kind.CONSTANT and column.drop_nulls().len()):
            dates, fault = cast_column(column, Column(column.name, Kind.DATE, form=kind.form))
            if not fault:
                return _without_clock(dates), ""
        numbers = column.cast(pl.Int64, strict=False)
        if numbers.null_count() == column.null_count():
            return numbers, ""
    return column, f"column '{column.name}' holds neither dates, moments nor whole numbers"


def _by_form(column: pl.Series, form: str) -> pl.Series | None:
    """Return texts, or whole numbers like 20240131, as moments of a form; None where it does not fit all of them."""
    if column.dtype.is_numeric() and form in _DATE_NUMBERS and bool((column % 1 == 0).all()):
        column = column.cast(pl.Int64).cast(pl.String)
    if column.dtype != pl.String:
        return None
    text = column.str.strip_chars()
    found = parse_date(text, form).rename(column.name)
    return None if (found.is_null() & text.is_not_null() & (text != "")).any() else found


def _written(column: pl.Series) -> Written:
    """Return how moments are written."""
    return Written(_form(column), getattr(column.dtype, "time_zone", None) or "")


def _form(column: pl.Series) -> str:
    """Return how texts, or whole numbers like 20240131, are dates; "" where they are none, or need no pattern."""
    if column.dtype == pl.String and (kind := infer_column(on_the_wall(column))).kind is Kind.DATE:
        return kind.form
    numbers, fault = as_times(column)
    if fault or not numbers.dtype.is_integer() or numbers.drop_nulls().n_unique() < _LEAST_DATES:
        return ""
    for form, (low, high) in _DATE_NUMBERS.items():
        is_near = low <= numbers.min() and numbers.max() <= high  # type: ignore[operator]
        if is_near and _by_form(numbers, form) is not None:
            return form
    return ""


def _has_fractions(column: pl.Series) -> bool:
    return column.dtype.is_float() and bool((column.fill_nan(None).drop_nulls() % 1 != 0).any())


def as_numbers(frame: pl.DataFrame, names: Sequence[str]) -> tuple[dict[str, pl.Series], list[str]]:
    """Return columns as numbers by their names, and a sentence for each that holds something else."""
    found = {name: _numbers(frame[name]) for name in names}
    faults = [
        f"column '{name}' holds texts that are no numbers, like {_strange(frame[name], numbers)!r}"
        for name, numbers in found.items()
        if numbers.null_count() > frame[name].null_count()
    ]
    return found, faults


def as_id(column: pl.Series, fractional: Sequence[str]) -> pl.Series:
    """Return what tells series apart as texts, written alike wherever it comes from; missing is the empty text.

    Parameters
    ----------
    fractional : as `Roles.fractional`.
    """
    text = cast_column(column, Column(column.name, Kind.CATEGORY))[0].fill_null("")
    if column.name in fractional:
        return text.str.replace(r"^(-?\d+)$", "${1}.0")
    return text.str.replace(r"\.0$", "") if column.dtype.is_float() else text


def _without_clock(moments: pl.Series) -> pl.Series:
    """Return moments as dates where all stand at midnight."""
    has_clock = bool((moments.dt.truncate("1d") != moments).any())
    return moments if has_clock else moments.cast(pl.Date)


def _numbers(column: pl.Series) -> pl.Series:
    found = column.cast(pl.Float64, strict=False)
    return found.set(found.is_nan() | (found.abs() > _LARGEST), None)


def _strange(column: pl.Series, found: pl.Series) -> str:
    return str(column.filter(found.is_null() & column.is_not_null())[0])[:40]


def _without_nothing(long: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """Leave out rows without a moment, and series without a single value."""
    is_timed = long[_TIME].is_not_null()
    if n_lost := int((~is_timed).sum()):
        text = f"{amount(n_lost, 'row has no moment and was', 'rows have no moment and were')} left out"
        findings.append(_named(long.filter(~is_timed), Finding("no_time", text, n_lost)))
    long = long.filter(is_timed)
    has_value = long.select(pl.col(_VALUE).is_not_null().any().over(_NAME)).to_series()
    if not has_value.all():
        empty = long.filter(~has_value)
        text = f"{empty[_NAME].n_unique():,} series have no value at all and were left out"
        findings.append(_named(empty, Finding("no_value", text, empty.height)))
    long = long.filter(has_value)
    if not long.height:
        raise SchemaError("no row has both a moment and a value", where="the table", fix="check the names of columns")
    return long


def _calendar(
    long: pl.DataFrame, freq: str | Calendar | None, findings: list[Finding], *, moments: pl.Series, place: Array
) -> Calendar:
    times = long[_TIME]
    if isinstance(freq, Calendar):
        return freq
    if freq is not None:
        found = anchored(Calendar.named(freq), times)
        return by_calendar(found, times) if _are_finer(long[_NAME], place, found.steps(moments)) else found
    physical = moments if moments.dtype.is_integer() else moments.cast(pl.Datetime("us"))
    name, at = long[_NAME].to_numpy(), physical.to_physical().cast(pl.Int64).to_numpy()[place]
    order = _by_time(name, at)
    is_next = (np.diff(name[order].astype(np.int64)) == 0) & (np.diff(at[order]) > 0)
    calendar = fitted_calendar(times, np.diff(at[order])[is_next], at[order][:-1][is_next])
    apart = _apart(name[order], calendar.steps(moments)[place[order]])
    share = float(np.mean(apart == 1)) if len(apart) else 1.0  # of neighbours that lie one step apart
    if share < _IRREGULAR:
        text = (
            f"only {share:.0%} of the moments follow the one before by one step of '{calendar.name}': the frequency "
            "is a guess, freq= would say it"
        )
        findings.append(_named(long, Finding("irregular", text, long.height)))
    return calendar


def _are_finer(name: pl.Series, place: Array, steps: Array) -> bool:
    """Return whether series have several moments in a step, and not only here and there.

    Parameters
    ----------
    name, place : of each row, which series it is of, and the place of its moment among all moments.
    steps : of each moment.
    """
    if len(np.unique(steps)) == len(steps):
        return False
    rows = pl.DataFrame({_NAME: name, _TIME: place, _STEP: steps[place]})
    return rows.select(_NAME, _TIME).n_unique() > _FINER * rows.select(_NAME, _STEP).n_unique()


def _without_parts(
    stepped: pl.DataFrame, calendar: Calendar, moments: pl.Series, findings: list[Finding]
) -> tuple[pl.DataFrame, tuple[int, ...]]:
    """Leave out the first and last step of counts where rows begin or end in the midst of it: such sums are too small.

    Rows do so if the time without any is more than twice as long as at that end of any step between. How long that is
    comes along, as `Panel.quiet` says it.
    """
    steps, first, n_moments = np.unique(calendar.steps(moments), return_index=True, return_counts=True)
    if len(steps) <= 2 or not _are_counts(stepped[_VALUE]):
        return stepped, ()
    kind = pl.Int64() if moments.dtype.is_integer() else pl.Datetime("us")
    at, begin, end = (
        one.cast(kind).to_physical().to_numpy() for one in (moments, calendar.times(steps), calendar.times(steps + 1))
    )
    least = np.diff(at).min()
    before, after = at[first] - begin + least, end - at[first + n_moments - 1]
    quiet = (int(least), int(before[1:-1].max()), int(after[1:-1].max()))
    is_part = np.array([before[0] > 2 * quiet[1], after[-1] > 2 * quiet[2]])
    if not is_part.any():
        return stepped, quiet
    is_out = stepped[_STEP].is_in(steps[[0, -1]][is_part])
    ends = np.array([f"begin on {moment_text(moments[0])}", f"end on {moment_text(moments[-1])}"])
    text = f"rows {' and '.join(ends[is_part])}, in the midst of a step: its sum is too small, and was left out"
    kept = stepped.filter(~is_out)
    if n_gone := stepped[_NAME].n_unique() - kept[_NAME].n_unique():
        text += f", with {n_gone:,} series that have no other rows"
    findings.append(_named(stepped.filter(is_out), Finding("part_of_a_step", text, int(is_out.sum()))))
    return _without_nothing(kept, findings), quiet


def _by_time(name: Array, at: Array) -> Array:
    """Return the order in which rows of a series stand together and rise with time."""
    is_next = name[1:] != name[:-1]
    n_series = np.count_nonzero(np.bincount(name))
    if is_next.sum() == n_series - 1 and bool((is_next | (at[1:] >= at[:-1])).all()):
        return np.arange(len(name))
    return np.lexsort((at, name))


def _apart(name: Array, at: Array) -> Array:
    """Return the distances, above 0, between neighbours in a series; rows stand as `_by_time` says."""
    found = np.diff(at)[name[1:] == name[:-1]]
    return np.asarray(found[found > 0])


def _one_per_step(stepped: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """Return one row per series and step: equal rows once, sums of counts, else the last."""
    stepped = stepped.sort(_NAME, _STEP, maintain_order=True)
    name, step = stepped[_NAME].to_numpy(), stepped[_STEP].to_numpy()
    is_again = (name[1:] == name[:-1]) & (step[1:] == step[:-1])
    if not is_again.any():
        return stepped
    twice = stepped.filter(pl.Series(np.append(is_again, False) | np.append(False, is_again)))
    distinct = stepped.unique(maintain_order=True)
    is_count = _are_counts(stepped[_VALUE])
    others = [name for name in stepped.columns if name not in (_NAME, _STEP, _VALUE)]
    value = pl.col(_VALUE).sum() if is_count else pl.col(_VALUE).drop_nulls().last()
    value = pl.when(pl.col(_VALUE).is_null().all()).then(None).otherwise(value).alias(_VALUE)
    merged = distinct.group_by(_NAME, _STEP, maintain_order=True).agg(value, *(pl.col(name).last() for name in others))
    n_more = stepped.height - merged.height
    how = "counts were added up" if is_count else "the last row of each counts"
    what = f"{amount(n_more, 'row stands', 'rows stand')} for a step that another row stands for too"
    text = f"{what}; copies count once, of the others {how}"
    findings.append(_named(twice, Finding("duplicates", text, n_more, is_repair=True)))
    return merged


def _are_counts(values: pl.Series) -> bool:
    return bool(((values >= 0) & (values % 1 == 0)).all())


def _with_holes(unique: pl.DataFrame, roles: Roles) -> tuple[Holed, Array]:
    """Return series from their first to their last value, and which steps have a row."""
    valued = unique.filter(pl.col(_VALUE).is_not_null())
    ends = valued.group_by(_NAME).agg(pl.col(_STEP).min().alias("first"), pl.col(_STEP).max().alias("last")).sort(_NAME)
    first, last = ends["first"].to_numpy(), ends["last"].to_numpy()
    lengths = last - first + 1
    _check_size(lengths, valued.height, roles)
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.full(int(bounds[-1]), np.nan)
    number = ends[_NAME].to_numpy()
    row = np.searchsorted(number, valued[_NAME].to_numpy())
    values[bounds[row] + valued[_STEP].to_numpy() - first[row]] = valued[_VALUE].to_numpy()
    inside = unique.filter(pl.col(_NAME).is_in(ends[_NAME].implode()))
    row = np.searchsorted(number, inside[_NAME].to_numpy())
    place = inside[_STEP].to_numpy() - first[row]
    is_in = (place >= 0) & (place < lengths[row])
    known = np.full((len(values), len(roles.known)), np.nan)
    for column in range(len(roles.known)):
        known[bounds[row[is_in]] + place[is_in], column] = inside[f"known {column}"].to_numpy()[is_in]
    ids = inside.group_by(_NAME).agg(pl.col(f"id {place}").first() for place in range(len(roles.series))).sort(_NAME)
    ids = ids.drop(_NAME).rename({f"id {place}": name for place, name in enumerate(roles.series)})
    names = tuple(" / ".join(one) for one in ids.rows()) or ("",) * len(ends)
    has_row = np.zeros(len(values), dtype=bool)
    has_row[bounds[row[is_in]] + place[is_in]] = True
    return Holed(values, bounds, last, known, ids, names), has_row


def most_steps(n_values: int) -> int:
    """Return how many steps all series together may have, where they have so many values."""
    return max(_MOST_TOGETHER, _MOST_EMPTY_TOGETHER * n_values)


def _check_size(lengths: Array, n_values: int, roles: Roles) -> None:
    """Refuse series that would be nearly all holes, and fill the memory."""
    longest, together = int(lengths.max()), int(lengths.sum(dtype=np.float64))  # as whole numbers it may be too large
    what = ""
    if longest > max(_MOST_STEPS, _MOST_EMPTY * n_values):
        what = f"a series would have {longest:,} steps"
    elif together > most_steps(n_values):
        what = f"{len(lengths):,} series would have {together:,} steps for {n_values:,} values"
    if what:
        raise SchemaError(
            f"{what}: the frequency is finer than the data", where=f"column '{roles.time}'",
            fix="give freq= (--freq), for instance D",
        )  # fmt: skip


def _gaps(holed: Holed, has_row: Array, findings: list[Finding], *, is_sold_only: bool | None) -> Holed:
    """Say which steps have no value, apart by kind: rows without a value, and steps without a row."""
    empty = np.isnan(holed.values)
    owner = np.repeat(np.arange(len(holed.last)), np.diff(holed.bounds))
    values = holed.values
    if (n_empty := int((empty & has_row).sum())) > 0:
        text = f"{amount(n_empty, 'row has', 'rows have')} no value: {_UNKNOWN}"
        findings.append(about(holed, owner[empty & has_row], Finding("missing_values", text, n_empty, is_repair=True)))
    absent = ~has_row
    n_absent = int(absent.sum())
    if is_sold_only is None:
        seen = values[~empty]
        is_sold_only = bool(
            n_absent > _SOLD_ONLY * len(values) and n_empty == 0 and ((seen > 0) & (seen % 1 == 0)).all()
        )
    if n_absent:
        if is_sold_only:
            values = np.where(absent, 0.0, values)
            text = (
                f"{n_absent:,} steps have no row, and no row holds a 0: rows seem to be written only when something "
                "was counted, so these steps count as 0"
            )
        else:
            text = f"{amount(n_absent, 'step has', 'steps have')} no row: {_UNKNOWN}"
        code = "sold_only" if is_sold_only else "missing_rows"
        findings.append(about(holed, owner[absent], Finding(code, text, n_absent, is_repair=True)))
    return replace(holed, values=values, is_sold_only=is_sold_only)


def _named(rows: pl.DataFrame, finding: Finding) -> Finding:
    """Return a finding about these rows, with their series named in it."""
    ids = [name for name in rows.columns if name.startswith("id ")]
    examples = rows.select(ids).unique(maintain_order=True).head(N_EXAMPLES).rows() if ids else []
    return replace(finding, n_series=rows[_NAME].n_unique(), examples=tuple(" / ".join(one) for one in examples))
