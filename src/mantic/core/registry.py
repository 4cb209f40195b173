"""Find a thing by its name: the file of that name, a plug-in already loaded, or an installed package."""

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from mantic.core.errors import SettingsError

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind, by name; a name is resolved by importing the one file that bears it.

    Parameters
    ----------
    kind : the word for one thing, in messages.
    package : where the files lie, in sub-packages too; or one module that enters several things when it is imported.
    entry_points : group in which other installed packages offer theirs; read only when a name is unknown or a list is
        asked for.
    """

    def __init__(self, kind: str, *, package: str, entry_points: str) -> None:
        self.kind = kind
        self.package = package
        self.entry_points = entry_points
        self._found: dict[str, T] = {}

    def add(self, name: str, thing: T) -> None:
        """Enter a thing; a decorator calls this while its file is imported."""
        self._found[name] = thing

    def get(self, name: str) -> T:
        """Return the thing of this name.

        Raises
        ------
        SettingsError : if there is none; lists the known names and the nearest.
        """
        if name not in self._found:
            if (module := self._files().get(name)) is not None:
                importlib.import_module(module)
            elif name not in self._found:
                self._load_entry_points()
        if name not in self._found:
            near = get_close_matches(name, self.names(), n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise SettingsError(
                f"there is no {self.kind} '{name}'", where=self.kind, fix=f"{hint}known are: {', '.join(self.names())}"
            )
        return self._found[name]

    def names(self) -> list[str]:
        """Return all known names in order; imports none of mantic's own files."""
        self._load_entry_points()
        return sorted(set(self._files()) | set(self._found))

    def _files(self) -> dict[str, str]:
        package = importlib.import_module(self.package)
        if not hasattr(package, "__path__"):
            return {}
        modules = (info for info in pkgutil.walk_packages(package.__path__, f"{self.package}.") if not info.ispkg)
        return {info.name.rpartition(".")[2]: info.name for info in modules if "._" not in info.name}

    def _load_entry_points(self) -> None:
        for point in _entry_points(self.entry_points):
            if point.name not in self._found:
                point.load()


@cache
def _entry_points(group: str) -> importlib.metadata.EntryPoints:
    """Return what packages offer: every package is looked at, which takes some time, so once in a process."""
    return importlib.metadata.entry_points(group=group)


_plugins: list[Path] = []


def plugins() -> tuple[Path, ...]:
    """Return the plug-in files loaded so far, for workers to load too."""
    return tuple(_plugins)


def load_plugin(path: Path) -> None:
    """Import a user's own file so that its decorators enter what it holds.

    Raises
    ------
    SettingsError : if there is no such file.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise SettingsError("there is no such plug-in file", where=str(path), fix="give the path of a .py file")
    name = f"mantic_plugin_{path.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsError("this file is no Python module", where=str(path), fix="give the path of a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _plugins.append(path)
