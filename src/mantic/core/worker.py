"""A worker process: reads jobs from standard input, answers on standard output, ends when its parent is gone."""

import ctypes
import importlib
import os
import pickle
import shutil
import signal
import sys

from mantic.core.executor import attempt
from mantic.core.lazy import lighten
from mantic.core.registry import load_plugin


def main() -> None:
    """Serve jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it keeps the best so far
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    plugins, warm, shared = pickle.load(sys.stdin.buffer)
    if not plugins:
        lighten()
    for path in plugins:
        load_plugin(path)
    for name in warm:
        importlib.import_module(name)
    while True:
        try:
            work, job = pickle.load(sys.stdin.buffer)
        except EOFError:  # the parent died before it could tidy up: what it shared is the user's table
            shutil.rmtree(shared, ignore_errors=True)
            return
        pickle.dump(attempt(work, job), answers, protocol=5)
        answers.flush()
        give_back()


def give_back() -> None:
    """Give freed memory back to the system: else what the largest job needed stays with the process for good.

    Only glibc has to be asked, and only glibc can be.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    main()
