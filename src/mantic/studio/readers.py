"""The processes that read what was brought: started here, ended here, begun anew when Studio was killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mantic.core.errors import StoreError
from mantic.studio.draft import FAILED, READING
from mantic.studio.draft_folder import DraftFolder
from mantic.studio.reading import too_large

LIMITS: Mapping[str, Any] = {"memory_bytes": 8_000_000_000, "seconds": 1_800}


@dataclass
class Readers:
    """Readers of drafts, one process each; the process ends with this one, as its standard input does."""

    drafts: DraftFolder
    limits: Mapping[str, Any] = field(default_factory=lambda: LIMITS)
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _is_over: bool = False

    def start(self, name: str) -> None:
        """Read the data of a draft in a process of their own; the draft says how it went."""
        process = start_process("mantic.studio.reading", folder=self.drafts.of(name), limits=self.limits)
        self._running[name] = process
        threading.Thread(target=self._wait, args=(name, process), daemon=True, name="mantic-reader").start()

    def stop(self, name: str) -> None:
        """End the reading of a draft."""
        process = self._running.pop(name, None)
        if process is not None:
            process.kill()

    def resume(self) -> None:
        """Begin anew what a Studio left that was killed, and what was put aside long ago goes."""
        for draft in self.drafts.all():
            if draft.state == READING and draft.id not in self._running:
                self.start(draft.id)

    def close(self) -> None:
        """End what runs; the next Studio reads it anew."""
        self._is_over = True
        for name in list(self._running):
            self.stop(name)

    def _wait(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        """Put down that a process ended without a word."""
        code = process.wait()
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        if self._running.pop(name, None) is None or self._is_over or not code:
            return
        with suppress(StoreError):  # the draft was removed meanwhile
            if self.drafts.read(name).state == READING:
                self.drafts.change(name, state=FAILED, fault=why_it_ended(code, self.limits))


def start_process(module: str, *words: str, folder: Path, limits: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    """Start a process of ours in a folder, which takes limits upon itself and ends when its standard input does."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *words],
        cwd=folder,
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended already: seen by who waits for it
        process.stdin.write(json.dumps(dict(limits)).encode() + b"\n")
        process.stdin.flush()
    return process


def why_it_ended(code: int, limits: Mapping[str, Any]) -> dict[str, str]:
    """Return the fault of a process that ended without a word."""
    if code in (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV):
        return too_large(limits)
    if code == -signal.SIGXCPU:
        what = f"reading took more than {limits['seconds']:,} seconds"
        return {"what": what, "where": "the file", "fix": "bring a smaller file, or a Parquet file"}
    fix = "report it, with the last lines that Studio printed, and keep the file"
    return {"what": "reading the data went wrong inside mantic", "where": f"exit code {code}", "fix": fix}
