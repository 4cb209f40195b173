"""Which process is at work, noted so that another one can tell later whether it is still there."""

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> dict[str, Any]:
    """Return what tells this process from any other: its machine, its number, and when it was born.

    >>> is_there(this_process())
    True
    """
    return note_of(os.getpid())


def note_of(pid: int) -> dict[str, Any]:
    """Return the same of another process of this machine."""
    return {"host": platform.node(), "pid": pid, "born": _born(pid)}


def is_there(noted: Mapping[str, Any]) -> bool | None:
    """Return whether a process is still there; None where that cannot be told, as on another machine.

    Parameters
    ----------
    noted : what `this_process` returned there; other keys are passed over.

    >>> is_there({**this_process(), "born": "before"}), is_there({"host": "elsewhere", "pid": 1, "born": ""})
    (False, None)
    """
    pid = noted.get("pid")
    if noted.get("host") != platform.node() or not isinstance(pid, int) or not noted.get("born"):
        return None
    return _born(pid) == str(noted["born"])


def _born(pid: int) -> str:
    """Return when a process began, in the system's own words; empty if it is gone: its number is given again later."""
    if _BOOT.exists():
        try:
            # behind the name, which may hold anything: state, then 18 others, then the ticks since the machine started
            words = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if words[0] in "ZX" else f"{_BOOT.read_text('ascii').strip()} {words[19]}"
    if os.name != "posix":
        return ""
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip()
