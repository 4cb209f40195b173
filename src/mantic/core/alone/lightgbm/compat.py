"""Where LightGBM looks for other libraries: it finds none."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return "not installed", or a type that nothing is an instance of."""
    if name.startswith("__"):
        raise AttributeError(name)
    return False if name.endswith("_INSTALLED") else type(name, (), {})
