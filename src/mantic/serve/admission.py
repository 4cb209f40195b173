"""Who is let in: as many requests as can be answered in time; the others hear at once when to come again."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mantic.serve.problem import BusyError, LateError
from mantic.serve.question import Limits

T = TypeVar("T")

_SMOOTH = 0.1  # weight of the newest request in the mean time of one
_START_SECONDS = 0.01  # that mean before the first request


class Bench:
    """Threads with a bounded queue before them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="mantic-serve")
        self._lock = threading.Lock()
        self._inside, self._mean = 0, _START_SECONDS

    @property
    def inside(self) -> int:
        """Return how many requests wait or are worked on."""
        return self._inside

    async def run(self, work: Callable[[], T], *, until: float | None) -> T:
        """Do work in a thread.

        Parameters
        ----------
        until : on `time.monotonic`; who has to wait longer is told so, and work that has not begun by then is left.

        Raises
        ------
        BusyError : if too many wait already. LateError : if the deadline passes.
        """
        done = self._submit(work, until)
        try:
            left = None if until is None else max(0.0, until - time.monotonic())
            return await asyncio.wait_for(asyncio.wrap_future(done), left)
        except TimeoutError as error:
            raise late() from error

    def offer(self, work: Callable[[], T]) -> "Future[T] | None":
        """Do work that nobody waits for; return None where there is some already, or no more is taken."""
        if self._inside:
            return None
        try:
            return self._submit(work, None)
        except RuntimeError:  # closed: the server is about to end
            return None

    def close(self) -> None:
        """Let what has begun be finished."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[], T], until: float | None) -> "Future[T]":
        with self._lock:
            if self._inside >= self._limits.threads + self._limits.max_waiting:
                raise busy(self._inside * self._mean / self._limits.threads)
            self._inside += 1

        def timed() -> T:
            started = time.monotonic()
            if until is not None and started >= until:
                raise late()
            try:
                return work()
            except Exception:
                raise
            except BaseException as error:  # a panic of native code: it is no Exception, and would end the server
                raise RuntimeError(f"native code gave up: {error}") from error
            finally:
                self._mean += _SMOOTH * (time.monotonic() - started - self._mean)

        try:
            done = self._threads.submit(timed)
        except RuntimeError:
            self._leave(None)
            raise
        done.add_done_callback(self._leave)
        return done

    def _leave(self, done: "Future[Any] | None") -> None:
        with self._lock:
            self._inside -= 1


class Benches:
    """One bench for each kind of work, so that none of them waits for another kind."""

    def __init__(self, limits: Limits) -> None:
        self.predictions, self.reasons, self.outcomes, self.shadows = (Bench(limits) for _ in range(4))

    def close(self) -> None:
        """Let what has begun be finished."""
        for bench in (self.predictions, self.reasons, self.outcomes, self.shadows):
            bench.close()


class Turn:
    """How many quick answers have been given without a look at what else has arrived.

    Requests that arrive together are answered one after the other in the event loop; those that wait are not to be seen
    anywhere. They are counted, not timed: another process that takes the core for a while is no reason to refuse.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_together
        self._n = 0

    def enter(self) -> None:
        """Let a request in.

        Raises
        ------
        BusyError : if so many came in this turn that the last would wait too long.
        """
        if self._n >= self._most:
            raise busy(0)
        if self._n == 0:
            asyncio.get_running_loop().call_soon(self._end)
        self._n += 1

    def _end(self) -> None:
        self._n = 0


def busy(seconds: float) -> BusyError:
    """Return the refusal of somebody who should come again after so many seconds."""
    return BusyError(
        "more is asked than can be answered in time",
        where="the server",
        fix="wait as long as the header Retry-After says, then ask again",
        seconds=seconds,
    )


def late() -> LateError:
    """Return the refusal of somebody whose deadline has passed."""
    return LateError(
        "the deadline has passed before there was an answer",
        where="header X-Mantic-Deadline-Ms",
        fix="allow more time, or ask with fewer rows",
    )
