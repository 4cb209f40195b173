"""The compiled core of statsforecast, behind one door."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from mantic.core.lazy import need, quietly

NEEDS = ("statsforecast",)


def core(name: str) -> ModuleType:
    """Return a module of statsforecast: ets, theta, ces, mstl.

    Raises
    ------
    MissingExtraError : if it is not installed.
    """
    with quietly():  # its libraries warn of their own old spellings
        return need(f"statsforecast.{name}", why="exponential smoothing")


@contextmanager
def fitting() -> Iterator[None]:
    """Turn what the library raises where no form fits a series into an error that means just that; it warns nobody.

    Raises
    ------
    ValueError : in place of its bare `Exception`.
    """
    with quietly():
        try:
            yield
        except Exception as error:
            if type(error) is Exception:
                raise ValueError(str(error)) from error
            raise
