"""Answer a table that may be larger than memory: piece by piece, whole or not at all, and on from there after a crash.

answers.csv            appears when all rows are answered
.answers.csv.parts/    until then: the answers so far, and a journal that says to which rows
"""

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mantic.core.errors import SchemaError, SettingsError, SourceError
from mantic.core.files import write_atomic
from mantic.core.journal import Journal
from mantic.core.run import Run
from mantic.report.numbers import amount
from mantic.serve.answer import aligned, answer_table
from mantic.serve.parts import FORMS
from mantic.serve.question import unknown_categories
from mantic.sources.piece import START, Piece, Place
from mantic.sources.pieces import pieces
from mantic.sources.types import texts_in

ROWS = "rows_answered"  # what a run is told of after each piece
_EDGE = 1 << 16  # bytes at both ends of a file, by which it is known again


@dataclass(frozen=True)
class Batch:
    """What is to be answered, by what, and where to.

    Parameters
    ----------
    model : a fitted Classifier or Regressor that was loaded from a file.
    address : of the table, as for `sources.read`.
    out : its ending says the form: one of `FORMS`.
    proba : whether each class gets its probability.
    form : of `FORMS`, where the ending does not say it.
    most_rows : that are answered; a longer table is refused.
    """

    model: Any
    address: str
    out: Path
    proba: bool
    form: str = ""
    most_rows: float = float("inf")

    @property
    def ending(self) -> str:
        """Return the ending of the answers' file."""
        return self.out.suffix.lower()

    def about(self) -> dict[str, Any]:
        """Return what must be the same for answers to be gone on with."""
        named = Path(self.address.removeprefix("file://"))
        facts = {"model": self.model.version_, "proba": self.proba, "out": self.form or self.ending}
        if not named.is_file():  # a database, a folder, standard input: nobody knows whether it is the same
            return facts | {"table": f"{self.address} at {time.time()}"}
        about = named.stat()
        return facts | {"table": [str(named.resolve()), about.st_size, about.st_mtime_ns, _edges(named)]}


@dataclass
class _Done:
    """How far the answers are."""

    place: Place = START
    n_rows: int = 0
    n_parts: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, facts: dict[str, Any]) -> None:
        """Count a part."""
        self.place = Place(facts["at"], facts["line"])
        self.n_rows += facts["n_rows"]
        self.n_parts += 1
        self.unknown.update(facts["unknown"])


def answer_file(batch: Batch, run: Run) -> int:
    """Answer each row of a table, in order, and write the answers to a file; return how many there are.

    Memory does not grow with the rows. The file appears when it is complete. What was finished before a crash is not
    done again if model, options and table are the same: a file is known by its path, size, time and both its ends.

    Raises
    ------
    StoreError : if another process is writing the same answers.
    SchemaError, SourceError : what is wrong with the table, and in which rows or line.
    """
    with _parts(batch.out) as folder, Journal(folder / "journal") as journal, _worthless_if_refused(journal):
        done = _begin(journal, batch, folder, run)
        form = FORMS[batch.form or batch.ending]
        as_written = texts_in(batch.model.schema_)
        for piece in pieces(batch.address, run, start=done.place, as_written=as_written):
            if piece.frame.height:
                _check_rows(batch, done.n_rows + piece.frame.height)
                facts, table = _answered(batch, piece, n_before=done.n_rows)
                with write_atomic(_part(folder, done.n_parts, batch.ending)) as part:
                    form.write(table, part)
                journal.add(facts)
                done.add(facts)
            run.measure(ROWS, done.n_rows)
            run.progress(round(100 * piece.share, 1), 100, "percent")
        if not done.n_parts:
            raise SourceError("the table has no rows", where=batch.address, fix="export it with its rows")
        _tell_unknown(done, run)
        with write_atomic(batch.out) as whole:
            form.join([_part(folder, number, batch.ending) for number in range(done.n_parts)], whole)
        journal.remove()
    shutil.rmtree(folder, ignore_errors=True)
    return done.n_rows


@contextmanager
def _parts(out: Path) -> Iterator[Path]:
    """Give the folder of the parts; it goes where nothing in it is worth keeping."""
    folder = out.parent / f".{out.name}.parts"
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        if folder.is_dir() and not (folder / "journal").exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _worthless_if_refused(journal: Journal) -> Iterator[None]:
    """Remove the journal where the table is at fault: when it is mended it is another one."""
    try:
        yield
    except (SchemaError, SourceError):
        journal.remove()
        raise


def _begin(journal: Journal, batch: Batch, folder: Path, run: Run) -> _Done:
    """Return how far an earlier sitting came with the same answers."""
    done, about = _Done(), batch.about()
    try:
        journal.begin(about)
    except SettingsError:  # other answers under this name: theirs are of no use
        journal.discard()
        journal.begin(about)
    for one in journal.done()[: journal.n_done]:
        if not _part(folder, done.n_parts, batch.ending).exists():
            journal.discard()
            journal.begin(about)
            return _Done()
        done.add(one.facts)
    if done.n_rows:
        run.warn("resumed", f"goes on after {amount(done.n_rows, 'row')} that an earlier sitting answered")
    return done


def _answered(batch: Batch, piece: Piece, *, n_before: int) -> tuple[dict[str, Any], Any]:
    height = piece.frame.height
    first, last = n_before + 1, n_before + height
    where = f"{batch.address}, rows {first:,} to {last:,}, which are counted from 1" if n_before else batch.address
    frame = aligned(piece.frame, batch.model.schema_, where=where)
    unknown = {one["column"]: one["count"] for one in unknown_categories(frame, batch.model.schema_)}
    facts = {"at": piece.end.at, "line": piece.end.line, "n_rows": height, "unknown": unknown}
    return facts, answer_table(batch.model, frame, piece.frame, proba=batch.proba)


def _check_rows(batch: Batch, n_rows: int) -> None:
    if n_rows > batch.most_rows:
        raise SourceError(
            f"the table has more than {batch.most_rows:,} rows", where=batch.address, fix="answer it in parts"
        )


def _part(folder: Path, number: int, ending: str) -> Path:
    return folder / f"{number:06}{ending}"


def _tell_unknown(done: _Done, run: Run) -> None:
    for name, count in done.unknown.items():
        text = f"{count:,} of {done.n_rows:,} rows hold a category of '{name}' that the model has not seen"
        run.warn("unknown_category", text, column=name)


def _edges(file: Path) -> str:
    with file.open("rb") as opened:
        digest = hashlib.sha256(opened.read(_EDGE))
        opened.seek(max(0, file.stat().st_size - _EDGE))
        digest.update(opened.read(_EDGE))
    return digest.hexdigest()
