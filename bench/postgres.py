"""A PostgreSQL server of one's own, on loopback, as an unprivileged user: for the tests of the Store and crash.py."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def tool(name: str) -> str | None:
    """Return a program of the server; None when it is not installed."""
    places = [str(place) for place in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    return places[-1] if places else shutil.which(name)


class Server:
    """A server in a folder; `url` is how a store is told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = _user()
        self.port = _free_port()
        self.url = f"postgresql://mantic@127.0.0.1:{self.port}/postgres"
        if self.user:
            shutil.chown(folder, self.user)
        self._run(tool("initdb"), "-D", folder / "data", "-U", "mantic", "-A", "trust", "--locale=C.UTF-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["-D", self.folder / "data", "-p", self.port, "-k", self.folder, "-c", "listen_addresses=127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in (tool("postgres"), *words)], user=self.user, stdout=log, stderr=log
            )
        until = time.monotonic() + 60
        ready = [str(word) for word in (tool("pg_isready"), "-h", "127.0.0.1", "-p", self.port, "-q")]
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server and all that it started with SIGKILL, as the loss of the machine would."""
        import psutil

        assert self._process is not None
        whole = psutil.Process(self._process.pid)
        for one in [whole, *whole.children(recursive=True)]:  # it first: it would start the others again
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop it at once: what it holds is thrown away, so nothing is tidied up."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def _run(self, *words: object) -> None:
        done = subprocess.run(
            [str(word) for word in words], user=self.user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed:\n{done.stderr}")


@contextmanager
def server() -> Iterator[Server]:
    """Give a fresh server until the block ends.

    Its folder lies by itself: pytest closes its own to other users whenever another run of it begins.
    """
    with tempfile.TemporaryDirectory(prefix="mantic-postgresql-") as folder:
        started = Server(Path(folder))
        try:
            yield started
        finally:
            started.stop()


def _user() -> str | None:
    """Return an unprivileged user to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    sys.exit("this is for bench/crash.py and the tests; it does nothing by itself")
