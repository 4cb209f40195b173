"""What stands behind a server: the models that were asked for, and the store that keeps its predictions and jobs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mantic.cli.kept import model_name, store_of
from mantic.cli.screen import tell
from mantic.cli.table import load_model
from mantic.cli.words import load_plugins
from mantic.core.errors import SettingsError, StoreError
from mantic.core.settings import Settings, StoreSettings
from mantic.store.address import beside
from mantic.store.reference import check_name, is_reference, read_reference

if TYPE_CHECKING:
    from mantic.serve.job_runner import Jobs
    from mantic.serve.sidecar import Kept


@dataclass(frozen=True)
class Chosen:
    """A model to serve.

    Parameters
    ----------
    number : of its version in the store; None for a file.
    follows : the reference whose moves it follows; empty for a file and for one version.
    """

    model: Any
    number: int | None = None
    follows: str = ""


def choose(wanted: Sequence[str], plugins: list[str], settings: StoreSettings) -> dict[str, Chosen]:
    """Load the models that were asked for, by files or references, under their names.

    Raises
    ------
    SettingsError : if two have the same name.
    """
    chosen: dict[str, Chosen] = {}
    for words in wanted:
        name = model_name(words)
        if name in chosen:
            raise SettingsError(f"two models are called '{name}'", where="mantic serve", fix="rename one of the files")
        if not is_reference(words):
            chosen[name] = Chosen(load_model(words, plugins, settings.signature))
            continue
        with store_of(settings) as store:
            version = store.models.get(words)
        asked = read_reference(words)
        follows = str(asked) if asked.number is None else ""
        chosen[name] = Chosen(load_model(str(version), plugins, settings.signature), version.number, follows)
    return chosen


def kept_for(chosen: Mapping[str, Chosen], settings: StoreSettings, *, log: bool | None) -> "Kept | None":
    """Return the store behind a server of these models; None where it needs none.

    Parameters
    ----------
    log : whether predictions are kept; where it is not said, if a model comes from the store.

    Raises
    ------
    SettingsError : if predictions are kept, and a file is called as no model of the store can be.
    """
    from mantic.serve.behind import kept_days, trusted
    from mantic.serve.log import PredictionLog
    from mantic.serve.sidecar import Kept
    from mantic.tasks.base import load

    is_logged = _has_kept(chosen) if log is None else log
    watched = {name: one.follows for name, one in chosen.items() if one.follows}
    if not is_logged and not watched:
        return None
    numbers = {name: one.number for name, one in chosen.items() if one.number is not None}
    log_numbers = {(name, chosen[name].model.version_): number for name, number in numbers.items()}
    if is_logged:
        _check_names(chosen)
    kept_log = PredictionLog(beside(settings.url, settings.blobs, "log"), log_numbers) if is_logged else None
    return Kept(
        settings.url, settings.blobs, kept_log, watched, numbers, trusted(load, settings), keep_days=kept_days(settings)
    )


def kept_deployed(plugins: list[str], settings: StoreSettings) -> "Kept":
    """Return the store behind a server of what is deployed."""
    from mantic.serve import behind
    from mantic.tasks.base import load

    load_plugins(plugins)
    return behind.kept_deployed(settings, load)


def jobs_for(
    chosen: Mapping[str, Chosen], settings: Settings, *, plugins: list[str], log: bool | None
) -> "Jobs | None":
    """Return the jobs of a server of these models; None where it has no store.

    Parameters
    ----------
    log : as for `kept_for`; a server of what is deployed keeps them.

    Raises
    ------
    StoreError : if there can be no folder for them.
    """
    from mantic.serve.job import JobLimits
    from mantic.serve.job_runner import Jobs

    if not log and not _has_kept(chosen):
        return None
    folder = beside(settings.store.url, settings.store.blobs, "jobs")
    command = [sys.executable, "-P", "-m", "mantic.cli.job", *(str(Path(one).absolute()) for one in plugins)]
    try:
        return Jobs(folder, command, JobLimits(**asdict(settings.jobs)), tell)
    except OSError as error:
        what = f"there can be no jobs here: {error.strerror}"
        raise StoreError(what, where=str(folder), fix="set store.url to a folder that can be written") from error


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        try:
            check_name(name)
        except StoreError as error:
            what = f"predictions cannot be kept: {error.what}"
            raise SettingsError(
                what, where="mantic serve", fix=f"rename the file ({error.fix}), or --no-log"
            ) from error


def _has_kept(chosen: Mapping[str, Chosen]) -> bool:
    """Whether a model comes from the store."""
    return any(one.number is not None for one in chosen.values())
