"""`need`: the only door to optional packages."""

import importlib
import importlib.util
from collections.abc import Iterable
from types import ModuleType

from mantic.core.errors import MissingExtraError

# Which extra of mantic installs a package; a name that is absent here installs under its own name.
EXTRAS = {
    "catboost": "mantic[catboost]",
    "psycopg": "mantic[postgresql]",
    "pymysql": "mantic[mysql]",
    "pyarrow": "mantic[arrow]",
    "xgboost": "mantic[xgboost]",
    "zstandard": "mantic[zstd]",
}


def how_to_install(package: str) -> str:
    """Return the command that installs a package with the extra of mantic to which it belongs.

    >>> how_to_install("xgboost")
    "pip install 'mantic[xgboost]'"
    """
    return f"pip install '{EXTRAS.get(package, package)}'"


def absent(packages: Iterable[str]) -> list[str]:
    """Return those of the packages that are not installed; imports none of them.

    >>> absent(("json", "no_such_package"))
    ['no_such_package']
    """
    return [package for package in packages if importlib.util.find_spec(package) is None]


def need(name: str, *, why: str) -> ModuleType:
    """Import an optional or heavy package when it is first used.

    Parameters
    ----------
    name : dotted module name, for instance ``"lightgbm"``.
    why : completes the sentence "... is needed for ...".

    Raises
    ------
    MissingExtraError : if it is not installed. A package that is installed but broken raises its own error.

    >>> need("json", why="an example").dumps([1])
    '[1]'
    """
    root = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != root:
            raise  # installed, but something that it needs is missing: its own message says what
        raise MissingExtraError(
            f"the package '{root}' is needed for {why}, and it is not installed",
            fix=how_to_install(root),
        ) from error
