"""A finished forecast: what a fitted Forecaster holds, answers from, and keeps in its file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from mantic.core.arrow_lengths import check_lengths
from mantic.core.calendar import Calendar
from mantic.core.method import METHODS, Method
from mantic.core.panel import Panel
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.series.combine import Mixture
from mantic.search.series.spread import Spread

_PART, _IDS, _LEARNED = "forecast", "series.arrow", "learned"
_PANEL = ("values", "truth", "bounds", "last", "known")


@dataclass(frozen=True)
class Foretold:
    """The next steps of every series, and all that is needed to go on from there.

    Parameters
    ----------
    panel, ids : the series, and which they are.
    mixture, spread : how methods become one forecast, and how far the truth may lie from it.
    forecast : what is expected, float64, shape (n_series, horizon).
    voices : what each method of the mixture said, shape (n_methods, n_series, horizon); NaN where it said nothing.
    learned : by name, the methods of the mixture that can answer again when more is known of the future.
    """

    panel: Panel
    ids: pl.DataFrame
    mixture: Mixture
    spread: Spread
    forecast: Array
    voices: Array
    learned: Mapping[str, Method] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """Return how many steps are foretold."""
        return int(self.forecast.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Return a text for each series."""
        return tuple(" / ".join(one) for one in self.ids.rows()) if self.ids.width else ("",)

    def quantiles(self, levels: Array) -> Array:
        """Return quantiles, shape (n_series, horizon, n_levels), rising with the level.

        Where no value was ever below 0, none is; counts are whole numbers.
        """
        found = self.spread.quantiles(self.forecast, levels)
        if self.panel.is_floored:
            found = np.maximum(found, 0.0)
        return np.round(found) if self.panel.is_count else found

    def steps(self) -> Array:
        """Return the calendar's steps that are foretold, shape (n_series, horizon)."""
        return np.asarray(self.panel.last[:, None] + np.arange(1, self.horizon + 1))

    def places(self, ids: pl.DataFrame) -> Array:
        """Return the position of the series of each row, -1 where there is none such."""
        if not self.ids.width:
            return np.zeros(ids.height, dtype=np.int64)
        known = self.ids.with_columns(pl.int_range(pl.len()).alias("place of the series"))
        found = ids.join(known, on=self.ids.columns, how="left", maintain_order="left", nulls_equal=True)
        return found["place of the series"].fill_null(-1).to_numpy().astype(np.int64)

    def knowing(self, future: Array) -> "Foretold":
        """Return the forecast with what is known of the steps to come.

        Parameters
        ----------
        future : float64, shape (n_series, horizon, n_known).
        """
        panel, run = replace(self.panel, future=future), Run()
        voices = self.voices.copy()
        for name, method in self.learned.items():
            voices[self.mixture.names.index(name)] = method.forecast(panel, self.horizon, run)
        if panel.is_floored:
            voices = np.maximum(voices, 0.0)
        forecast = self.mixture.mix(voices)
        return replace(self, voices=voices, forecast=np.where(np.isfinite(forecast), forecast, self.forecast))

    def save(self, folder: Path) -> None:
        """Write arrays, plain facts, the ids of the series, and what methods have learned."""
        for name, method in self.learned.items():
            (folder / _LEARNED / name).mkdir(parents=True)
            method.save(folder / _LEARNED / name)
        panel = self.panel
        facts = {
            "calendar": panel.calendar.to_facts(), "seasons": list(panel.seasons), "is_count": panel.is_count,
            "is_floored": panel.is_floored, "names": list(self.mixture.names), "is_median": self.mixture.is_median,
            "level": self.mixture.level, "losses": self.mixture.losses, "n_errors": self.spread.n_errors,
            "learned": sorted(self.learned),
        }  # fmt: skip
        arrays = {name: getattr(panel, name) for name in _PANEL} | {
            "weights": self.mixture.weights, "width": self.spread.width, "growth": self.spread.growth,
            "levels": self.spread.levels, "errors": self.spread.errors, "forecast": self.forecast,
            "voices": self.voices,
        }  # fmt: skip
        write_parts(folder, _PART, facts, arrays)
        self.ids.write_ipc(folder / _IDS, compression="zstd")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote.

        Raises
        ------
        ArtifactError : if a part cannot be read. ValueError : if the parts do not fit together.
        """
        facts, arrays = read_parts(folder, _PART)
        content = (folder / _IDS).read_bytes()
        check_lengths(content)
        ids = pl.read_ipc(content)
        panel = Panel(
            arrays["values"], arrays["truth"], arrays["bounds"], arrays["last"],
            Calendar.from_facts(facts["calendar"]), tuple(int(one) for one in facts["seasons"]), arrays["known"],
            is_count=bool(facts["is_count"]), is_floored=bool(facts["is_floored"]),
        )  # fmt: skip
        mixture = Mixture(
            tuple(map(str, facts["names"])), arrays["weights"], bool(facts["is_median"]), str(facts["level"]),
            {str(name): float(loss) for name, loss in facts["losses"].items()},
        )  # fmt: skip
        spread = Spread(
            arrays["width"], arrays["growth"], arrays["levels"], arrays["errors"], int(facts["n_errors"])
        )  # fmt: skip
        learned = {name: METHODS.get(name).load(folder / _LEARNED / name) for name in map(str, facts["learned"])}
        made = cls(panel, ids, mixture, spread, arrays["forecast"], arrays["voices"], learned)
        made._check()
        return made

    def _check(self) -> None:
        panel, n_series, horizon = self.panel, len(self.ids) if self.ids.width else 1, self.horizon
        shapes = {
            "bounds": (panel.bounds, (n_series + 1,)), "last": (panel.last, (n_series,)),
            "truth": (panel.truth, panel.values.shape), "forecast": (self.forecast, (n_series, horizon)),
            "voices": (self.voices, (len(self.mixture.names), n_series, horizon)),
            "weights": (self.mixture.weights, (n_series, len(self.mixture.names))),
            "width": (self.spread.width, (n_series,)), "growth": (self.spread.growth, (horizon,)),
            "errors": (self.spread.errors, self.spread.levels.shape),
        }  # fmt: skip
        wrong = [
            name for name, (array, shape) in shapes.items() if array.shape != shape or array.dtype.kind not in "fi"
        ]
        rising = np.diff(panel.bounds)
        if wrong or panel.values.ndim != 1 or panel.bounds[0] != 0 or panel.bounds[-1] != len(panel.values):
            raise ValueError(f"the arrays of the forecast have other shapes than they should: {', '.join(wrong)}")
        if (rising < 1).any() or panel.bounds.dtype.kind != "i" or panel.last.dtype.kind != "i":
            raise ValueError("the series of the forecast do not follow each other")
        if not np.isfinite(self.forecast).all() or not np.isfinite(panel.values).all():
            raise ValueError("the forecast holds what is no number")


def of_used(names: tuple[str, ...], mixture: Mixture, voices: Array) -> tuple[Mixture, Array]:
    """Return mixture and voices without the methods that have no weight in any series."""
    used = np.flatnonzero(mixture.weights.max(axis=0) > 0)
    kept = replace(mixture, names=tuple(names[place] for place in used), weights=mixture.weights[:, used])
    return kept, voices[used]
