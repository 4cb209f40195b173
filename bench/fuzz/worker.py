"""Runs the cases of one target in a process of its own: native code that fails takes it along, and nobody else.

Atheris chooses the bytes by what they reach, or chance alone does (``--by chance``). What was found goes to a file
at once; the case that is running stands in another, for whoever looks after a crash.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST_SECONDS, LONGEST_WAIT = 10, 25  # of processor and in all that a case may take; more is a hang
MOST_BYTES = 4 << 30  # of memory
GIVEN_BACK = {"ARROW_DEFAULT_MEMORY_POOL": "system", "_RJEM_MALLOC_CONF": "retain:false"}
"""What makes Arrow and polars give address space back that they do not use: the limit counts what they reserve."""
N_BYTES = 64  # of decisions, to begin with


class HangError(Exception):
    """A case took too long."""


class Cases:
    """Runs one case after the other and keeps what was found, once for each place."""

    def __init__(self, target: str, options: argparse.Namespace) -> None:
        self.changed, self.take = _target(target, options.models)
        self._found: dict[str, int] = {}
        self._log = (options.folder / "found.jsonl").open("a")
        self._now = os.open(options.folder / "now.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._place = Path(tempfile.mkdtemp(dir=options.folder))
        self.n = 0
        self.slowest = 0.0

    def run(self, data: bytes) -> None:
        """Run the case that these bytes make."""
        self.n += 1
        started = time.monotonic()
        told = ""
        signal.setitimer(signal.ITIMER_PROF, LONGEST_SECONDS)  # a busy machine makes no case slow
        signal.alarm(LONGEST_WAIT)
        try:
            told, content = self.changed(data)
            name = told if self.take_by_name else "case"
            path = self._place / name
            path.write_bytes(content)
            self._note(data, told)
            self.take(path)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is kept or raised)
            self._keep(error, data, told)
        finally:
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            with contextlib.suppress(OSError, UnboundLocalError):
                path.unlink()
        self.slowest = max(self.slowest, time.monotonic() - started)

    @property
    def take_by_name(self) -> bool:
        """Whether a file's name matters."""
        return self.changed.__name__ == "reader"

    def _note(self, data: bytes, told: str) -> None:
        """Say which case runs."""
        text = (
            json.dumps({"n": self.n, "slowest": self.slowest, "told": told[:300], "data": data.hex()}).encode() + b"\n"
        )
        os.pwrite(self._now, text, 0)
        os.ftruncate(self._now, len(text))

    def _keep(self, error: BaseException, data: bytes, told: str) -> None:
        from mantic.core.errors import ManticError

        if isinstance(error, ManticError):
            return
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "/mantic/" in frame.filename] or frames
        place = f"{type(error).__name__} in {Path(own[-1].filename).name}:{own[-1].lineno} ({own[-1].name})"
        self._found[place] = self._found.get(place, 0) + 1
        if self._found[place] == 1:
            fact = {"place": place, "error": str(error)[:300], "told": told[:300], "data": data.hex()}
            self._log.write(json.dumps(fact) + "\n")
            self._log.flush()


def _target(name: str, models: Path) -> tuple[Callable[[bytes], tuple[str, bytes]], Callable[[Path], None]]:
    """Return what makes the cases of a target, and what takes them."""
    from choices import Choices

    if name == "model":
        import model_cases

        found = model_cases.bases(models)
        for path in sorted(models.glob("*.mantic")):
            model_cases.ask(path)  # what is imported now takes no time from a case
        return lambda data: model_cases.changed(Choices(data), found), model_cases.ask
    if name == "backup":
        import backup_cases

        return lambda data: backup_cases.changed(Choices(data)), backup_cases.bring
    import reader_cases

    def reader(data: bytes) -> tuple[str, bytes]:
        return reader_cases.changed(Choices(data))

    return reader, reader_cases.take


def main() -> None:
    """Run the cases."""
    options = _options()
    warnings.simplefilter("ignore")
    os.environ.update(GIVEN_BACK)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _hang)
    signal.signal(signal.SIGPROF, _hang)
    tempfile.tempdir = str(options.folder)
    if options.by == "atheris":
        _by_atheris(options)
        return
    cases, chance, until = (
        Cases(options.target, options),
        random.Random(options.seed),
        time.monotonic() + options.seconds,
    )
    if options.data:
        cases.run(bytes.fromhex(options.data))
        return
    while time.monotonic() < until:
        cases.run(chance.randbytes(N_BYTES))


def _by_atheris(options: argparse.Namespace) -> None:
    import atheris

    with atheris.instrument_imports(include=["mantic"]):
        cases = Cases(options.target, options)
    limits = (f"-max_total_time={options.seconds}", f"-seed={options.seed}", "-max_len=256", "-len_control=0")
    more = (f"-timeout={3 * LONGEST_SECONDS}", "-rss_limit_mb=6000", "-verbosity=0", "-handle_segv=0", "-handle_abrt=0")
    atheris.Setup([sys.argv[0], *limits, *more], cases.run)
    atheris.Fuzz()


def _hang(*_: Any) -> None:
    raise HangError(f"more than {LONGEST_SECONDS} s of processor, or {LONGEST_WAIT} s in all")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=("model", "reader", "backup"))
    parser.add_argument("--by", choices=("atheris", "chance"), default="atheris")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default="", help="the bytes of one case, in hexadecimal: run it alone, by chance")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
