"""What follows the search of a forecast, and what it costs: the least that must be, and what can be left out."""

from dataclasses import dataclass

from mantic.search.series.combine import MOST_JUDGED, MOST_LEARNED

N_METHODS = 8  # that are weighed, where nobody knows yet
# Processor seconds on a common core, for each value (series, origin and step), and method, draw or level. Measured.
_EQUAL, _MIX, _LEARN, _GREEDY = 8e-8, 3e-8, 1.2e-7, 1.2e-6
_WIDTH, _JUDGE, _DRAW = 8e-7, 6e-7, 1e-7
_LEAST = 0.04  # whatever there is
_N_DRAWS = 400  # of series, for the ranges of scores
_SPARE = 0.4  # share of the time that is kept for what can be left out


@dataclass(frozen=True)
class Finish:
    """Processor seconds of the parts.

    Parameters
    ----------
    least : equal weights, widths, and a report without ranges.
    learned : weights that are learned.
    ranges : of the scores in the report.
    """

    least: float
    learned: float
    ranges: float

    @classmethod
    def of(cls, n_series: int, n_origins: int, horizon: int, *, n_methods: int = N_METHODS) -> "Finish":
        """Return what it costs for so many series, origins of the past, steps and methods."""
        each = max(1, n_origins) * horizon
        judged, learned = (min(n_series, most) for most in (MOST_JUDGED, MOST_LEARNED))
        return cls(
            least=_LEAST + each * (n_series * (_WIDTH + n_methods * _MIX) + judged * (_JUDGE + n_methods * _EQUAL)),
            learned=each * n_methods * (judged * _LEARN + learned * _GREEDY),
            ranges=_N_DRAWS * judged * _DRAW,
        )

    def reserve(self, left: float, slowdown: float) -> float:
        """Return the seconds to keep when so many are left: for all of it where there is plenty, else for the least.

        >>> one = Finish(least=0.1, learned=0.7, ranges=0.2)
        >>> one.reserve(60.0, 1.0), one.reserve(60.0, 5.0), one.reserve(1.0, 1.0), one.reserve(0.2, 5.0)
        (1.0, 5.0, 0.4, 0.5)
        """
        wished = slowdown * (self.least + self.learned + self.ranges)
        return max(slowdown * self.least, min(wished, _SPARE * left))
