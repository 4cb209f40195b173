"""Ctrl-C while something worth keeping grows: one press ends the work early, a second one ends everything."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class CtrlC:
    """What a press does: it raises where nothing is to be kept yet and in `ended`; elsewhere the first is only noted.

    A library that watches the signal too (polars does, in its loops) raises `KeyboardInterrupt` by itself, and Python
    calls the handler for the same press a moment later: such a pair counts once.
    """

    def __init__(self) -> None:
        self._presses = 0
        self._raises = True

    def press(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if sys.exc_info()[0] is KeyboardInterrupt:
            return
        self._presses += 1
        if self._raises or self._presses > 1:
            raise KeyboardInterrupt

    def ended(self, work: Callable[[], object]) -> bool:
        """Do the work, and return whether a press ended it; wherever that falls, it does not go further than here."""
        try:
            try:
                self._raises = True
                work()
            finally:
                self._raises = False
        except KeyboardInterrupt:
            return True
        return False


@contextmanager
def watch_ctrl_c() -> Iterator[CtrlC]:
    """Handle Ctrl-C by a `CtrlC` in this block, the same one in nested blocks.

    Elsewhere than in the main thread, or where the program handles the signal itself, nothing is changed.
    """
    current = signal.getsignal(signal.SIGINT)
    owner = getattr(current, "__self__", None)
    if isinstance(owner, CtrlC):
        yield owner
        return
    ctrl_c = CtrlC()
    if current is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield ctrl_c
        return
    signal.signal(signal.SIGINT, ctrl_c.press)
    try:
        yield ctrl_c
    finally:
        signal.signal(signal.SIGINT, current)
