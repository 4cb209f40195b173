"""Kill the Store at random moments, and look whether anything that it acknowledged is lost or half there.

``python bench/crash.py --database sqlite --kills 1000``, or ``make bench-crash`` for both databases.

A worker does what users do, one call at a time, and writes each call down before it begins and after it returned, on a
pipe, which SIGKILL does not empty. It gets SIGKILL after a random time. Then the store is opened again, with the clock
running, and held against what was acknowledged: all of that must be there, and of the one call that was running all or
nothing. On PostgreSQL every tenth kill takes the whole server.

Workers are forked from a process that has loaded the libraries and opened nothing, so that a kill costs milliseconds.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import postgres
from run import _keep

from mantic.core import artifact
from mantic.store.predictions import Prediction
from mantic.store.store import Store, open_store

LONGEST = 0.25  # seconds that a worker lives
ROWS = 20  # of a batch of predictions or events
EVERY = 25  # kills after which every row is read and every byte hashed again; it takes longer than a life
N_FILES = 6  # model files of different content


def main() -> int:
    """Run the kills; return 1 when something was lost, half there, or slow to come back."""
    options = _options()
    figures = []
    for database in options.database or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="mantic-crash-") as name:
            folder = Path(name)
            with _place(database, folder) as place, _scratch(folder / "tmp"):
                figures += _campaign(database, place, folder, options)
    for figure in figures:
        print(json.dumps(figure), flush=True)
    if options.keep:
        _keep("crash", figures)
    return int(any(one["value"] > one["limit"] for one in figures if "limit" in one))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"), help="both by default")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/crash.json")
    return parser.parse_args()


class Place:
    """Where the store of a campaign lies; `server` is None for SQLite."""

    def __init__(self, url: str, blobs: str, server: Any = None) -> None:
        self.url, self.blobs, self.server = url, blobs, server

    def open(self) -> Store:
        """Open it."""
        return open_store(self.url, blobs=self.blobs)


@contextlib.contextmanager
def _place(database: str, folder: Path) -> Iterator[Place]:
    if database == "sqlite":
        yield Place(str(folder / "store"), "")
        return
    with postgres.server() as server:
        yield Place(server.url, str(folder / "blobs"), server)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Let temporary files lie here until the block ends: the killed tidy nothing up."""
    folder.mkdir()
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = None


# ----------------------------------------------------------------------------------------------------------- the worker


def work(place: Place, files: list[Path], seed: int, pipe: int) -> None:
    """Do random calls for ever; each is written down before and after."""
    rng = random.Random(seed)
    with place.open() as store:
        _write(pipe, {"opened": True})
        for step in range(1_000_000):
            name, call = rng.choice(list(CALLS.items()))
            intent = {"step": f"{seed}-{step}", "call": name}
            _write(pipe, {"begin": intent})
            _write(pipe, {"done": intent, "result": call(store, files, rng, intent["step"])})


def _write(pipe: int, facts: dict[str, Any]) -> None:
    os.write(pipe, json.dumps(facts).encode() + b"\n")


def _register(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    version = store.models.register(rng.choice(files), rng.choice(("churn", "rent")), note=step)
    return [version.name, version.number, version.sha256]


def _promote(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    versions = store.models.list()
    if not versions:
        return None
    move = store.models.promote(str(rng.choice(versions[:20])), rng.choice(("champion", "challenger")), by=step)
    return [move.name, move.alias, move.after]


def _delete(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    held = {(name, number) for name, found in store.models.aliases().items() for number in found.values()}
    free = [one for one in store.models.list() if (one.name, one.number) not in held]
    if len(free) < 5:
        return None
    gone = store.models.delete(str(rng.choice(free)), by=step)
    store.sweep(grace=0.0)
    return [gone.name, gone.number]


def _predict(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    rows = [Prediction("churn", None, {"x": place}, {"y": step}, id=f"{step}-{place}") for place in range(ROWS)]
    return len(store.predictions.append(rows))


def _label(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    return store.outcomes.add({f"{step}-{place}": place for place in range(ROWS)})


def _run(store: Store, files: list[Path], rng: random.Random, step: str) -> Any:
    run = store.runs.start(step, "crash")
    return [run, store.runs.append(run, [("measured", {"place": place}) for place in range(ROWS)])]


GROWING = {"predict": "prediction", "label": "outcome", "run": "event"}  # call -> the table to which it adds ROWS
CALLS = {
    "register": _register, "promote": _promote, "delete": _delete, "predict": _predict, "label": _label, "run": _run,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- the checker


@dataclass
class Expected:
    """What was acknowledged so far."""

    versions: dict[tuple[str, int], str] = field(default_factory=dict)  # to the SHA-256 of its content
    gone: set[tuple[str, int]] = field(default_factory=set)
    standing: dict[tuple[str, str], int] = field(default_factory=dict)
    n_rows: Counter[str] = field(default_factory=Counter)  # of the tables that only grow
    n_done: int = 0

    def note(self, done: dict[str, Any]) -> None:
        """Take in one acknowledged call."""
        call, result, self.n_done = done["done"]["call"], done["result"], self.n_done + 1
        if result is None:
            return
        if call == "register":
            self.versions[result[0], result[1]] = result[2]
            self.standing.setdefault((result[0], "champion"), result[1])
        elif call == "promote":
            self.standing[result[0], result[1]] = result[2]
        elif call == "delete":
            self.gone.add((result[0], result[1]))
        else:
            self.n_rows[GROWING[call]] += ROWS


@dataclass
class Found:
    """What is wrong after a kill."""

    lost: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)


def check(store: Store, expected: Expected, running: dict[str, Any]) -> Found:
    """Hold a store against what was acknowledged; then take what the killed call did as given."""
    found = Found()
    _check_versions(store, expected, running.get("step", ""), found)
    _check_aliases(store, expected, running.get("step", ""), found)
    _check_rows(store, expected, running.get("call", ""), found)
    return found


def _check_versions(store: Store, expected: Expected, step: str, found: Found) -> None:
    there = {(one.name, one.number): one for one in store.models.list()}
    for key, sha256 in expected.versions.items():
        if key in there and key in expected.gone:
            found.lost.append(f"the deletion of {key}")
        elif key in there and there[key].sha256 != sha256:
            found.lost.append(f"the content of {key}")
        elif key not in there and key not in expected.gone:
            last = store.audit.list(key[0], limit=1)[0]
            if (last.by, last.action, last.detail["number"]) == (step, "delete", key[1]):
                expected.gone.add(key)
            else:
                found.lost.append(f"the version {key}")
    new = [one for key, one in there.items() if key not in expected.versions]
    if len(new) > 1 or any(one.note != step for one in new):
        found.half.append(f"versions that nobody was adding: {new}")
    expected.versions |= {(one.name, one.number): one.sha256 for one in new}


def _check_aliases(store: Store, expected: Expected, step: str, found: Found) -> None:
    there = {(name, alias): number for name, each in store.models.aliases().items() for alias, number in each.items()}
    moves = {(move.name, move.alias): move for name in ("churn", "rent") for move in store.models.moves(name)}
    if {key: move.after for key, move in moves.items()} != there:
        found.half.append("aliases stand where no move put them")
    for key in expected.standing | there:
        was_by_killed = key in moves and (moves[key].by == step or moves[key].before is None)
        if expected.standing.get(key) != there.get(key) and not was_by_killed:
            found.lost.append(f"{key} stands at {there.get(key)}, not at {expected.standing.get(key)}")
    expected.standing = there


def _check_rows(store: Store, expected: Expected, call: str, found: Found) -> None:
    for name, table in GROWING.items():
        with store.database.reading() as connection:
            n_rows = int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)
        more = n_rows - expected.n_rows[table]
        if more < 0:
            found.lost.append(f"{-more} rows of {table}")
        elif more not in (0, ROWS if name == call else 0):
            found.half.append(f"{more} rows of {table} that nobody was adding")
        expected.n_rows[table] = n_rows


# --------------------------------------------------------------------------------------------------------- the campaign


def _campaign(database: str, place: Place, folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    rng = random.Random(options.seed)
    files = _files(folder)
    place.open().close()
    expected, lost, half = Expected(), [], []
    restarts: dict[str, list[float]] = {"store": [], "server and store": []}
    started = time.monotonic()
    for kill in range(options.kills):
        strike = place.server.kill if place.server and kill % 10 == 9 else None
        acknowledged, running = _one(place, files, Life(kill, rng.uniform(0.0, LONGEST), strike))
        for done in acknowledged:
            expected.note(done)
        again = time.monotonic()
        if strike:
            place.server.start()
        with place.open() as store:
            restarts["server and store" if strike else "store"].append(time.monotonic() - again)
            found = check(store, expected, running)
            if kill % EVERY == EVERY - 1 or kill == options.kills - 1:
                found.half += store.verify().faults
        lost += found.lost
        half += found.half
        for fault in (*found.lost, *found.half):
            print(f"kill {kill}: {fault}", file=sys.stderr)
    facts = {"database": database, "kills": options.kills, "acknowledged": expected.n_done}
    facts["minutes"] = round((time.monotonic() - started) / 60, 1)
    figures = [
        {"name": f"{database}: acknowledged writes lost", "value": len(lost), "unit": "writes", "limit": 0, **facts},
        {"name": f"{database}: writes half there", "value": len(half), "unit": "writes", "limit": 0, **facts},
    ]
    for what, seconds in restarts.items():
        slowest = {"name": f"{database}: slowest restart of {what}", "value": round(max(seconds, default=0.0), 3)}
        # How long a killed server takes to read its own log again is not ours to promise.
        figures += [{**slowest, "unit": "s", **({"limit": 3} if what == "store" else {}), **facts}] if seconds else []
    return figures


@dataclass(frozen=True)
class Life:
    """How long a worker lives after it has opened the store, and what else goes down with it."""

    seed: int
    seconds: float
    strike: Callable[[], None] | None


def _one(place: Place, files: list[Path], life: Life) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Let one worker live; return what it acknowledged, and the call that it was in (empty when it was in none)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            work(place, files, life.seed, writing)
        os._exit(3)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        if not stream.readline():
            sys.exit("the worker could not open the store")
        time.sleep(life.seconds)
        if life.strike:
            life.strike()
        os.kill(child, signal.SIGKILL)
        lines = [json.loads(line) for line in stream.read().splitlines(keepends=True) if line.endswith(b"\n")]
    _, status = os.waitpid(child, 0)
    if not life.strike and os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        sys.exit(f"the worker of kill {life.seed} failed by itself, in {lines[-1:]}")
    done = [line for line in lines if "done" in line]
    begun = [line["begin"] for line in lines if "begin" in line]
    return done, begun[-1] if len(begun) > len(done) else {}


def _files(folder: Path) -> list[Path]:
    made = []
    for mark in range(N_FILES):
        parts = folder / f"parts{mark}"
        parts.mkdir()
        (parts / "weights.json").write_text(json.dumps([mark] * 5000))
        manifest = {"task": "classify", "target": [{"name": "y"}]}
        made.append(artifact.write(folder / f"model{mark}.mantic", manifest=manifest, folder=parts))
    return made


if __name__ == "__main__":
    sys.exit(main())
