"""The compiled core of statsforecast, behind one door."""

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
