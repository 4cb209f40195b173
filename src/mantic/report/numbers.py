"""How a number is written for people; every renderer and every sentence uses these."""

import math
from collections.abc import Sequence

ABSENT = "–"  # what stands where there is no value
_WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_LETTERS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_TOO_LARGE = 1e15  # from here on words for powers help nobody
_TOO_SMALL = 1e-4


def say(value: object, unit: str = "") -> str:
    """Write one value for people: about three figures, thousands parted, large numbers in words.

    Parameters
    ----------
    value : a number, text, yes or no, or None.
    unit : set behind the number. "share" (0 to 1) is written in per cent, "p" as a p-value; "" for none.

    >>> say(0.8512), say(23456), say(1234567), say(12.345), say(1e-7), say(2020.0)
    ('0.851', '23,456', '1.23 million', '12.3', '1e-07', '2,020')
    >>> say(0.8512, "share"), say(0.004, "share"), say(0.00002, "p"), say(12.3, "kg")
    ('85 %', '0.4 %', '< 0.001', '12.3 kg')
    >>> say(None), say(float("nan")), say(True), say("yearly")
    ('–', '–', 'yes', 'yearly')
    """
    if value is None or isinstance(value, (str, bool)):
        return {None: ABSENT, True: "yes", False: "no"}.get(value, str(value))  # type: ignore[arg-type]
    number = float_of(value)
    if math.isnan(number):
        return ABSENT
    if unit == "p":
        return "< 0.001" if number < 0.001 else f"{number:.3f}"
    if unit == "share":
        return _per_cent(number)
    text = _plain(number)
    return f"{text} {unit}" if unit else text


def amount(number: int, unit: str, many: str = "") -> str:
    """Return a number with its unit in the right form.

    >>> amount(1, "row"), amount(1200, "row"), amount(2, "query", "queries"), amount(1, "row has", "rows have")
    ('1 row', '1,200 rows', '2 queries', '1 row has')
    """
    return f"{number:,} {unit if number == 1 else many or unit + 's'}"


def say_range(low: object, high: object, unit: str = "") -> str:
    """Write an interval for people, the unit once, both ends to the same place.

    >>> say_range(0.84, 0.8712, "share"), say_range(0.8, 0.8512), say_range(1200, 3400.0, "EUR")
    ('84 to 87 %', '0.800 to 0.851', '1,200 to 3,400 EUR')
    """
    if unit == "share":
        first, last = say(low, unit), say(high, unit)
        return f"{first.removesuffix(' %')} to {last}"
    first, last = say_alike([low, high])
    return f"{first} to {last} {unit}".rstrip()


def say_alike(values: Sequence[object]) -> list[str]:
    """Write the numbers of one column to the same decimal place, so that they can be compared by eye.

    >>> say_alike([0.5, 0.25, None, 12])
    ['0.50', '0.25', '–', '12.00']
    >>> say_alike([1200, 3]), say_alike([0.8512345, 0.9])
    (['1,200', '3'], ['0.851', '0.900'])
    """
    numbers = [math.nan if value is None else float_of(value) for value in values]
    sizes = [abs(number) for number in numbers if math.isfinite(number)]
    largest = max(sizes, default=0.0)
    if largest >= _TOO_LARGE or (0 < largest < _TOO_SMALL):
        return [say(number) for number in numbers]
    most = _decimals(largest) + (1 <= largest < 1000)  # one more than alone: the small ones of a column count too
    decimals = min(most, max((_decimals_needed(size, most) for size in sizes), default=0))
    return [f"{number:,.{decimals}f}" if math.isfinite(number) else say(number) for number in numbers]


def brief(values: Sequence[float], unit: str = "") -> list[str]:
    """Write the ticks of one axis: short, alike, and each different from its neighbour.

    >>> brief([0, 0.5, 1.0]), brief([0, 0.25, 0.5], "share"), brief([0, 500, 1000, 1500])
    (['0', '0.5', '1'], ['0 %', '25 %', '50 %'], ['0', '500', '1000', '1500'])
    >>> brief([0, 20000, 40000]), brief([1.5e6, 2e6]), brief([1e300, 2e300])
    (['0', '20k', '40k'], ['1.5M', '2M'], ['1e300', '2e300'])
    """
    numbers = [value * 100 if unit == "share" else value for value in values]
    sign = " %" if unit in ("share", "%") else ""
    largest = max((abs(number) for number in numbers), default=0.0)
    if largest >= _TOO_LARGE or 0 < largest < _TOO_SMALL:
        return [_power(number) + sign for number in numbers]
    divisor, letter = 1.0, ""
    if largest >= 10_000:  # below, a plain number is as short, and a year stays a year
        divisor, letter = next((size, mark) for size, mark in _LETTERS if largest >= size)
    scaled = [number / divisor for number in numbers]
    decimals = max((_decimals_needed(abs(number), 6) for number in scaled), default=0)
    return [
        f"{number:.{_decimals_needed(abs(number), decimals)}f}{letter if number else ''}{sign}" for number in scaled
    ]


def float_of(value: object) -> float:
    """Return a number as a float; an integer beyond all floats is infinite."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _plain(number: float) -> str:
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    size = abs(number)
    if size >= _TOO_LARGE or 0 < size < _TOO_SMALL:
        return f"{number:.3g}"
    if size >= 1e6:
        divisor, word = next((divisor, word) for divisor, word in _WORDS if size >= divisor)
        return f"{number / divisor:.3g} {word}" if size / divisor < 999.5 else f"{number / divisor:,.0f} {word}"
    if number == int(number):
        return f"{number:,.0f}"
    return f"{number:,.{_decimals(size)}f}"


def _decimals(size: float) -> int:
    """Return how many decimals leave about three figures."""
    if size >= 100:
        return 0
    if size >= 10:
        return 1
    if size >= 1:
        return 2
    return 3 if size >= 0.01 or size == 0 else 2 - math.floor(math.log10(size))


def _decimals_needed(size: float, most: int = 3) -> int:
    """Return how many decimals this number really has, at most `most`."""
    return next((places for places in range(most) if math.isclose(round(size, places), size, abs_tol=1e-9)), most)


def _per_cent(number: float) -> str:
    if math.isinf(number):
        return _plain(number)
    hundred = number * 100
    close_to_an_end = 0 < abs(hundred) < 1 or 99 < hundred < 100
    return f"{hundred:.1f} %" if close_to_an_end and abs(hundred) >= 0.05 else f"{hundred:,.0f} %"


def _power(number: float) -> str:
    mantissa, _, exponent = f"{number:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
