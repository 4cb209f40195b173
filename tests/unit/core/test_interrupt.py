"""One press of Ctrl-C ends a block once, wherever it falls; a second one ends everything."""

import signal
import threading

import pytest

from mantic.core.interrupt import CtrlC, watch_ctrl_c


@pytest.fixture(autouse=True)
def python_handles_the_press():
    """A shell may start us with Ctrl-C ignored (it does so in the background); here it is Python's to handle."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def nothing() -> None:
    return None


def test_before_anything_is_kept_a_press_raises():
    with pytest.raises(KeyboardInterrupt), watch_ctrl_c():
        press()


def test_a_press_ends_the_work_and_goes_no_further():
    done = []

    def work() -> None:
        done.append("begun")
        press()
        done.append("never")

    with watch_ctrl_c() as ctrl_c:
        assert ctrl_c.ended(work)
        assert not ctrl_c.ended(nothing)
    assert done == ["begun"]


def test_a_press_that_a_library_has_raised_already_counts_once():
    def work() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            press()

    with watch_ctrl_c() as ctrl_c:
        assert ctrl_c.ended(work)
        press()  # the user's first: only noted


def test_after_the_work_the_first_press_is_noted_and_the_second_raises():
    with watch_ctrl_c() as ctrl_c:
        assert not ctrl_c.ended(nothing)
        press()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_the_handler_that_was_there_comes_back_and_foreign_ones_stay():
    before = signal.getsignal(signal.SIGINT)
    with watch_ctrl_c() as outer, watch_ctrl_c() as inner:
        assert inner is outer
    assert signal.getsignal(signal.SIGINT) is before

    own = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with watch_ctrl_c():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, own)


def test_in_another_thread_nothing_is_changed():
    seen: list[object] = []

    def work() -> None:
        with watch_ctrl_c() as ctrl_c:
            seen.extend((isinstance(ctrl_c, CtrlC), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, signal.default_int_handler]
