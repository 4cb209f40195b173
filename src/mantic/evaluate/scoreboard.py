"""Model, linear model and dummy on the same held-out rows and the same draws; each figure is worked out once."""

from dataclasses import dataclass, field

from mantic.core.metric import METRICS, Metric
from mantic.core.table import Array
from mantic.evaluate.findings import Findings
from mantic.evaluate.intervals import Difference, Interval, difference_of, interval_of, of_new_rows
from mantic.evaluate.prepared import Prepared, prepare
from mantic.evaluate.resample import Resamples


@dataclass(frozen=True)
class Scoreboard:
    """Scores with intervals for a metric's name and one of "model", "linear", "baseline"."""

    findings: Findings
    plan: Resamples
    _prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict)
    _intervals: dict[tuple[str, str], Interval] = field(default_factory=dict)
    _scores: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Findings, *, seed: int = 0, most: int = 1000) -> "Scoreboard":
        """Draw the weights for these findings."""
        return cls(findings, Resamples.draw(findings.n_test, clusters=findings.clusters, seed=seed, most=most))

    def guess(self, who: str) -> Array | None:
        """Return the answers of one of the three, or None."""
        known = {
            "model": self.findings.guess,
            "linear": self.findings.linear_guess,
            "baseline": self.findings.baseline_guess,
        }
        return known[who]

    def score(self, metric: Metric, who: str) -> float:
        """Return a score; NaN when there are no such answers."""
        key = metric.name, who
        if key not in self._scores:
            guess = self.guess(who)
            self._scores[key] = float("nan") if guess is None else metric(self.findings.truth, guess)
        return self._scores[key]

    def interval(self, metric: Metric, who: str = "model") -> Interval:
        """Return a score and where it will lie on as many new rows; metrics beside the main one get fewer draws."""
        key = metric.name, who
        if key not in self._intervals:
            plan = self.plan if metric.name == self.findings.metric.name else self.plan.few()
            expected = interval_of(self._bind(metric, who), plan)
            ahead = of_new_rows(expected, higher_is_better=metric.higher_is_better)
            is_main = who == "model" and metric.name == self.findings.metric.name
            self._intervals[key] = ahead.spanning(self.findings.earlier) if is_main else ahead
        return self._intervals[key]

    def ahead_of(self, who: str) -> Difference:
        """Return how much better the model is than another by the main metric; above 0 is better."""
        metric = self.findings.metric
        return difference_of(metric, self._bind(metric, "model"), self._bind(metric, who), plan=self.plan)

    def _bind(self, metric: Metric, who: str) -> Prepared:
        key = metric.name, who
        guess = self.guess(who)
        assert guess is not None, f"there are no answers of the {who}"
        if key not in self._prepared:
            self._prepared[key] = prepare(metric, self.findings.truth, guess)
        return self._prepared[key]


def known(name: str) -> Metric:
    """Return a metric of mantic's own by its name."""
    return METRICS.get(name)
