"""`need`: the only door to optional packages."""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

from mantic.core.errors import MissingExtraError

# Which extra of mantic installs a package; a name that is absent here installs under its own name.
EXTRAS = {
    "adlfs": "mantic[azure]",
    "catboost": "mantic[catboost]",
    "chronos": "mantic[pretrained]",
    "gcsfs": "mantic[gcs]",
    "hierarchicalforecast": "mantic[forecast]",
    "holidays": "mantic[forecast]",
    "huggingface_hub": "mantic[pretrained]",
    "psycopg": "mantic[postgresql]",
    "pymysql": "mantic[mysql]",
    "pyarrow": "mantic[arrow]",
    "s3fs": "mantic[s3]",
    "safetensors": "mantic[pretrained]",
    "statsforecast": "mantic[forecast]",
    "torch": "mantic[pretrained]",
    "transformers": "mantic[pretrained]",
    "xgboost": "mantic[xgboost]",
    "zstandard": "mantic[zstd]",
}

# What these load for conveniences that mantic does not use: it takes longer than a small fit.
_CONVENIENCES = {
    "sklearn": ("pandas", "pyarrow"),
    "skops": ("pandas", "pyarrow"),
}
_ALONE, _HAS_ALONE = "mantic.core.alone.", ("lightgbm",)
_is_own_process = False


def lighten() -> None:
    """Load libraries without their conveniences from now on.

    Only for the first lines of a process that is mantic's own and runs no code of the user: in it scikit-learn knows
    nothing of pandas.
    """
    global _is_own_process  # noqa: PLW0603  (a fact about the process, told once)
    _is_own_process = True


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
    root = name.removeprefix(_ALONE).partition(".")[0]
    try:
        with _without(_CONVENIENCES.get(root, ()) if _is_own_process and root not in sys.modules else ()):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != root:
            raise  # installed, but something that it needs is missing: its own message says what
        raise MissingExtraError(
            f"the package '{root}' is needed for {why}, and it is not installed",
            fix=how_to_install(root),
        ) from error


def need_alone(name: str, *, why: str) -> ModuleType:
    """Import a package as `need` does; one that has a form in `core.alone`, without what it loads for others.

    Where the user has loaded the package, that is the one.
    """
    root = name.partition(".")[0]
    is_whole = root in sys.modules or root not in _HAS_ALONE
    return need(name if is_whole else f"{_ALONE}{name}", why=why)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the warnings of libraries about each other from the user while they are loaded or used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Keep packages that are not loaded yet from being found."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is Python's own word for "not to be had"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
