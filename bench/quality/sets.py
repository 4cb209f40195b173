"""The 13 development tables: what is predicted, what is left out first, by which metric, and which rows are TEST.

The rules are those of the README beside the tables; `loans_leak` is there twice, with its leaking columns and without.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mantic.sources.read import read

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tabular"
LEAKS = (
    "grade",
    "sub_grade",
    "installment",
    "balance",
    "paid_total",
    "paid_principal",
    "paid_interest",
    "paid_late_fees",
)


@dataclass(frozen=True)
class Set:
    """A development table.

    Parameters
    ----------
    dummy, reference : scores on TEST of always saying the same, and of the best of four defaults and AutoGluon medium
        and good at 60 s; a score is normalised to 0 and 1 between them.
    positive : of two classes, the one that the metric is about.
    """

    target: str
    metric: str
    drop: tuple[str, ...] = ()
    time: str | None = None
    positive: str | None = None
    dummy: float = 0.5
    reference: float = 1.0
    file: str = ""

    @property
    def task(self) -> str:
        """Return "classify" or "regress"."""
        return "regress" if self.metric == "rmse" else "classify"

    def normalised(self, score: float) -> float:
        """Return the score on the scale of the dummy (0) and the reference (1)."""
        return (score - self.dummy) / (self.reference - self.dummy)


SETS = {
    "telco_churn": Set("Churn", "roc_auc", ("customerID",), positive="Yes", reference=0.8530),
    "adult": Set("income", "roc_auc", positive=">50K", reference=0.9287),
    "german_credit": Set("risk", "roc_auc", positive="bad", reference=0.8188),
    "mammography": Set("cls", "average_precision", positive="calcification", dummy=0.0234, reference=0.7553),
    "letter": Set("lettr", "log_loss", dummy=3.2598, reference=0.0831),
    "comics_alignment": Set("align", "log_loss", dummy=0.9995, reference=0.8708),
    "california_housing": Set("median_house_value", "rmse", dummy=114402, reference=47982),
    "ames_housing": Set("price", "rmse", ("Order", "PID"), dummy=80517, reference=19996),
    "diamonds": Set("price", "rmse", dummy=4043, reference=519.0),
    "hotel_rates": Set("avg_price_per_room", "rmse", time="arrival_date", dummy=78.8356, reference=28.8277),
    "tate_artworks": Set("year", "rmse", ("id",), dummy=5.4860, reference=3.6287),
    "fine_foods": Set("score", "roc_auc", positive="great", reference=0.8754),
    "loans_clean": Set("interest_rate", "rmse", LEAKS, dummy=4.9195, reference=3.5297, file="loans_leak"),
    "loans_leak": Set("interest_rate", "rmse", dummy=4.9195, reference=0.3177),
}
CLEAN = tuple(name for name in SETS if name != "loans_leak")


def parts(name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return TRAIN and TEST of a table."""
    about = SETS[name]
    frame = read(DATA / f"{about.file or name}.csv.gz").drop(list(about.drop))
    if "split" in frame.columns:
        judged = (frame["split"].str.to_lowercase() == "test").to_numpy()
        frame = frame.drop("split")
    elif about.time:
        judged = (frame[about.time].cast(pl.String).str.slice(0, 10) >= "2017-04-01").to_numpy()
    else:
        judged = np.array([zlib.crc32(f"{about.file or name}:{row}".encode()) % 5 == 0 for row in range(frame.height)])
    return frame.filter(pl.Series(~judged)), frame.filter(pl.Series(judged))
