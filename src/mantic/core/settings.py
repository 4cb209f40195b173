"""Settings: one frozen dataclass, read once by a face and handed down."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mantic.core.budget import Budget
from mantic.core.errors import SettingsError
from mantic.core.stretch import days_of

PREFIX = "MANTIC_"


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value) if str(value).strip().isdecimal() else -1
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError(f"a whole number from {low:,} to {high:,} is needed")
        return number

    return read


def _budget(value: Any) -> str:
    Budget.parse(value)
    return str(value)


def _stretch(value: Any) -> str:
    if value != "":
        days_of(value)
    return str(value)


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"{' or '.join(words)} is needed")
        return str(value)

    return read


def _setting(default: Any, about: str, read: Callable[[Any], Any]) -> Any:
    return field(default=default, metadata={"about": about, "read": read})


_NEWCOMERS = ("viewer", "editor", "operator")  # an administrator is made by another


@dataclass(frozen=True)
class BudgetSettings:
    """How much work a fit may do."""

    default: str = _setting("60s", "how long a fit may take when --budget is not given", _budget)


@dataclass(frozen=True)
class ExecutorSettings:
    """Where trials run."""

    workers: int = _setting(0, "processes that try learners side by side; 0 chooses by the cores", _whole(0, 1024))
    threads: int = _setting(0, "threads of one process; 0 shares the cores among the workers", _whole(0, 1024))


@dataclass(frozen=True)
class ServeSettings:
    """How models answer over HTTP."""

    host: str = _setting("127.0.0.1", "address to listen on; 127.0.0.1 is this machine only", str)
    port: int = _setting(8000, "port to listen on; 0 takes any free one", _whole(0, 65535))
    max_rows: int = _setting(10_000, "rows that one request may hold", _whole(1, 10_000_000))
    max_bytes: int = _setting(10_000_000, "bytes that one request may hold", _whole(1_000, 2_000_000_000))
    max_waiting: int = _setting(20, "requests that may wait; more are told when to come again", _whole(0, 100_000))
    keys: str = _setting("", "file of API keys, made by 'mantic api-keys new'; empty asks nobody for a key", str)


@dataclass(frozen=True)
class JobSettings:
    """What tables that are sent to a server to be answered beside the requests may take."""

    max_bytes: int = _setting(2_000_000_000, "bytes that the table of one job may hold", _whole(1_000, 10**12))
    max_rows: int = _setting(100_000_000, "rows that the table of one job may hold", _whole(1, 10**12))
    running: int = _setting(1, "jobs that run at once", _whole(1, 1024))
    waiting: int = _setting(10, "jobs that may wait; more are told when to come again", _whole(0, 100_000))
    seconds: int = _setting(3_600, "seconds that one job may run", _whole(1, 10_000_000))
    memory_bytes: int = _setting(4_000_000_000, "memory that one job may take", _whole(500_000_000, 10**13))
    days: int = _setting(7, "days after which a job that has ended is removed", _whole(1, 36_500))


@dataclass(frozen=True)
class StudioSettings:
    """How the web pages are reached."""

    host: str = _setting("127.0.0.1", "address that Studio listens on; 127.0.0.1 is this machine only", str)
    port: int = _setting(8770, "port that Studio listens on; 0 takes any free one", _whole(0, 65535))
    url: str = _setting("", "address by which others reach Studio: https://studio.example, where a proxy is", str)
    proxy: str = _setting("127.0.0.1", "address of the proxy, which says who asks; counts when studio.url is set", str)
    oidc_issuer: str = _setting(
        "", "address of an OpenID provider by which people may sign in: https://id.example", str
    )
    oidc_client: str = _setting("", "what Studio is called there (client_id)", str)
    oidc_secret: str = _setting("", "file that holds the secret of Studio there; empty for a public client", str)
    oidc_role: str = _setting("viewer", "what somebody may do who comes from there first", _one_of(*_NEWCOMERS))
    idle_minutes: int = _setting(720, "minutes without a request after which one is signed out", _whole(1, 525_600))
    sitting_hours: int = _setting(168, "hours after which one signs in again, whatever happens", _whole(1, 8_760))
    max_bytes: int = _setting(2_000_000_000, "bytes that a file brought to Studio may hold", _whole(1_000, 10**12))


@dataclass(frozen=True)
class StoreSettings:
    """Where models and all that belongs to them are kept."""

    url: str = _setting("", "a folder, or postgresql://user@host/database; empty is this user's data folder", str)
    blobs: str = _setting("", "where model files lie: a folder, s3://, gs:// or abfs://; empty is in the store", str)
    keys: str = _setting("", "the folder of keys that sign models; empty is this user's configuration folder", str)
    signature: str = _setting("off", "'require' takes only models that a trusted key signed", _one_of("off", "require"))
    keep_predictions: str = _setting("", "how long predictions are kept: 90d, 12w; empty keeps them all", _stretch)


@dataclass(frozen=True)
class Settings:
    """Every setting that there is, in groups; `origins` says where each value comes from.

    >>> Settings().serve.port
    8000
    """

    budget: BudgetSettings = BudgetSettings()
    executor: ExecutorSettings = ExecutorSettings()
    serve: ServeSettings = ServeSettings()
    jobs: JobSettings = JobSettings()
    store: StoreSettings = StoreSettings()
    studio: StudioSettings = StudioSettings()
    origins: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        """Return the value of "group.name"."""
        group, _, name = key.partition(".")
        return getattr(getattr(self, group), name)

    def origin(self, key: str) -> str:
        """Return where the value of "group.name" comes from."""
        return self.origins.get(key, "default")


_GROUPS: Mapping[str, type[Any]] = {
    "budget": BudgetSettings,
    "executor": ExecutorSettings,
    "serve": ServeSettings,
    "jobs": JobSettings,
    "store": StoreSettings,
    "studio": StudioSettings,
}
_KNOWN = {f"{group}.{one.name}": one for group, kind in _GROUPS.items() for one in fields(kind)}


def known() -> Mapping[str, str]:
    """Return what each setting is for, by "group.name".

    >>> known()["serve.port"]
    'port to listen on; 0 takes any free one'
    """
    return {key: one.metadata["about"] for key, one in _KNOWN.items()}


def read_settings(
    explicit: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Read the settings: explicit, then MANTIC_*, mantic.toml, [tool.mantic] in pyproject.toml, and the defaults.

    Parameters
    ----------
    explicit : "group.name" to value; None as a value means not given.
    environ : where MANTIC_GROUP_NAME is looked up; the process's environment by default.
    folder : where the two files are looked for; the current folder by default.

    Raises
    ------
    SettingsError : names every unknown key, with the nearest known one and the places searched, and every bad value.

    >>> read_settings({"serve.port": 8080}, environ={}).serve.port
    8080
    """
    folder = Path.cwd() if folder is None else folder
    places = [
        ("given", {key: value for key, value in (explicit or {}).items() if value is not None}),
        *_environment(os.environ if environ is None else environ),
        (str(folder / "mantic.toml"), _flat(_toml(folder / "mantic.toml"))),
        (f"[tool.mantic] in {folder / 'pyproject.toml'}", _flat(_tool(_toml(folder / "pyproject.toml")))),
    ]
    faults = [_unknown(key, origin) for origin, values in places for key in values if key not in _KNOWN]
    values: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
    origins: dict[str, str] = {}
    for origin, found in places:
        for key in found.keys() & _KNOWN.keys() - origins.keys():
            group, _, name = key.partition(".")
            origins[key] = origin
            try:
                values[group][name] = _KNOWN[key].metadata["read"](found[key])
            except (ValueError, TypeError) as error:
                faults.append(f"{key} cannot be {found[key]!r} ({origin}): {str(error).splitlines()[0]}")
    if faults:
        raise SettingsError(
            "; ".join(sorted(faults)),
            where=f"searched: options, {PREFIX}* variables, {folder / 'mantic.toml'}, {folder / 'pyproject.toml'}",
            fix=f"known are: {', '.join(_KNOWN)}",
        )
    groups = {group: kind(**values[group]) for group, kind in _GROUPS.items()}
    return Settings(**groups, origins=origins)


def _environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return one place per variable, so that each says its own name."""
    found = []
    for name in sorted(environ):
        if name.startswith(PREFIX):
            group, _, rest = name.removeprefix(PREFIX).lower().partition("_")
            found.append((name, {f"{group}.{rest}": environ[name]}))
    return found


def _unknown(key: str, origin: str) -> str:
    near = get_close_matches(key, _KNOWN, n=1)
    return f"there is no setting '{key}' ({origin})" + (f"; did you mean '{near[0]}'?" if near else "")


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file is no TOML: {error}", where=str(path), fix="mend this line") from error


def _tool(content: Mapping[str, Any]) -> Mapping[str, Any]:
    tool = content.get("tool", {})
    found = tool.get("mantic", {}) if isinstance(tool, dict) else {}
    return found if isinstance(found, dict) else {}


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for group, values in content.items():
        done |= (
            {f"{group}.{name}": value for name, value in values.items()}
            if isinstance(values, dict)
            else {group: values}
        )
    return done
