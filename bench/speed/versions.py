"""How long the registry takes with 10,000 versions in it: to be opened, listed, asked for one, and rolled back."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from mantic.core import artifact
from mantic.store.models import Models
from mantic.store.store import Store, open_store
from mantic.store.tables import VERSION

N_NAMES = 20


def fill(store: Store, n_versions: int, folder: Path) -> None:
    """Register one model, and put down as many more versions as are asked for."""
    (folder / "parts").mkdir()
    (folder / "parts" / "weights.json").write_text("[1]")
    file = artifact.write(folder / "m0.mantic", manifest={"task": "classify"}, folder=folder / "parts")
    for name in range(N_NAMES):
        store.models.register(file, f"m{name}")
        store.models.register(file, f"m{name}", note="the second")
    first = store.models.get("m0/1")
    facts = {column.name: getattr(first, column.name) for column in VERSION.c}
    rows = [
        {**facts, "name": f"m{place % N_NAMES}", "number": 3 + place // N_NAMES, "score": place / n_versions}
        for place in range(n_versions - 2 * N_NAMES)
    ]
    with store.database.moving() as connection:
        connection.execute(insert(VERSION), rows)


def milliseconds(call: Callable[[], object], rounds: int) -> list[float]:
    """Return the wall clock of each of several calls."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - started))
    return found


def main() -> None:
    """Print medians, and the slowest, of several rounds."""
    n_versions, rounds = (1000, 3) if "--quick" in sys.argv else (10_000, 15)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "store"
        with open_store(place) as store:
            fill(store, n_versions, Path(folder))
            assert len(store.models.list()) == n_versions
        opened = milliseconds(lambda: open_store(place).close(), rounds)
        with open_store(place) as store:
            models: Models = store.models
            timed = {
                "opened": opened,
                "listed": milliseconds(models.list, rounds),
                "one found by its alias": milliseconds(lambda: models.get("m3@champion"), rounds),
                "an alias promoted": milliseconds(lambda: models.promote("m3/2"), rounds),
            }
            back = []
            for number in range(3, 3 + rounds):
                models.promote(f"m3/{number}")
                back += milliseconds(lambda: models.rollback("m3"), 1)
            timed["rolled back"] = back
    for what, values in timed.items():
        facts = {"unit": "ms", "slowest": round(max(values), 1), "n_versions": n_versions, "rounds": rounds}
        name = f"{n_versions:,} versions kept, {what}"
        print(json.dumps({"name": name, "value": round(statistics.median(values), 1), **facts}), flush=True)


if __name__ == "__main__":
    main()
