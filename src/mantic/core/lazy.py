"""`need`: the only door to optional packages."""

import importlib
import importlib.util
from types import ModuleType

from mantic.core.errors import MissingExtraError

# Which extra of mantic installs a package; a name that is absent here installs under its own name.
EXTRAS = {
    "psycopg": "mantic[postgresql]",
    "pymysql": "mantic[mysql]",
    "pyarrow": "mantic[arrow]",
    "zstandard": "mantic[zstd]",
}


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
            fix=f"pip install '{EXTRAS.get(root, root)}'",
        ) from error
