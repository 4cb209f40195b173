"""How long a look takes: 10,000 kept rows of 20 columns within a week, a third of them with an outcome.

The model and its library are loaded before; the look is taken three times and the fastest counts.
"""

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made import wide_table

import mantic
from mantic.store.predictions import Prediction
from mantic.store.store import Store, open_store
from mantic.watch.alert import settle
from mantic.watch.asked import Subject
from mantic.watch.look import watch
from mantic.watch.page import report_of
from mantic.watch.period import last

_LEARNED = 4_000


def fill(store: Store, subject: Subject, rows: pl.DataFrame) -> None:
    """Keep answers over the last week, and the outcomes of every third."""
    features = rows.drop("target")
    guess, labels, now = subject.answers(features).tolist(), subject.labels, datetime.now(UTC)
    ids = store.predictions.append(
        Prediction(
            subject.name, subject.number, row, {"probability": dict(zip(labels, one, strict=True))},
            at=(now - timedelta(days=6.9 * (1 - place / rows.height))).isoformat(),
        )
        for place, (row, one) in enumerate(zip(features.to_dicts(), guess, strict=True))
    )  # fmt: skip
    store.outcomes.add(dict(list(zip(ids, rows["target"], strict=True))[::3]))


def main() -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,000 rows")
    n_rows = 1_000 if parser.parse_args().quick else 10_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wide_table(folder / "rows.csv", n_rows=_LEARNED + n_rows, n_numbers=16)
        rows = pl.read_csv(folder / "rows.csv")
        model = mantic.Classifier(budget="4 trials").fit(rows.head(_LEARNED), "target")
        with open_store(folder / "store") as store:
            subject = Subject("made", 1, model)
            fill(store, subject, rows.tail(n_rows))
            seconds = []
            for _ in range(3):
                started = time.perf_counter()
                watched = watch(store, subject, last("7d"))
                report_of(watched, settle(store, watched))
                seconds.append(time.perf_counter() - started)
    each = [round(one, 2) for one in seconds]
    about = {"rows": n_rows, "columns": len(model.schema_), "outcomes": -(-n_rows // 3), "each": each}
    print(json.dumps({"name": "a look at 10,000 kept rows", "value": round(min(seconds), 2), "unit": "s", **about}))


if __name__ == "__main__":
    main()
