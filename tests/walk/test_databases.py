"""Read from real PostgreSQL and MySQL (MariaDB) servers, started here on their own ports; `make test` installs them."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy

from mantic.core.errors import SourceError
from mantic.sources.read import read

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A database server that was started for these tests."""

    url: str  # as a user writes it
    quote: str  # what stands round a name in its SQL


def _user() -> str | None:
    """Return an unprivileged user to run a server as: they refuse root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "mysql", "nobody") if name in names), None)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _tool(name: str) -> str:
    """Return a server's program; absent ones skip the tests, which `make test` tells loudly when it cannot install."""
    places = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), Path("/usr/sbin") / name]
    found = next((str(place) for place in places if place.exists()), shutil.which(name))
    if found is None:
        pytest.skip(f"the database server is not installed here: {name} (Debian: postgresql, mariadb-server)")
    return found


def _run(command: list[object], folder: Path) -> None:
    subprocess.run([str(word) for word in command], user=_user(), check=True, capture_output=True, cwd=folder)


def _postgresql(folder: Path, port: int) -> tuple[list[object], str]:
    _run([_tool("initdb"), "-D", folder / "data", "-U", "mantic", "-A", "trust"], folder)
    command = [_tool("postgres"), "-D", folder / "data", "-p", port, "-k", folder, "-c", "listen_addresses=127.0.0.1"]
    return command, f"postgresql://mantic@127.0.0.1:{port}/postgres"


def _mysql(folder: Path, port: int) -> tuple[list[object], str]:
    data = f"--datadir={folder / 'data'}"
    _run([_tool("mariadb-install-db"), "--no-defaults", data, "--auth-root-authentication-method=normal"], folder)
    command = [_tool("mariadbd"), "--no-defaults", data, f"--port={port}", f"--socket={folder / 'socket'}"]
    command += [f"--pid-file={folder / 'pid'}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M"]
    return command, f"mysql://root@127.0.0.1:{port}/test"


_STARTERS = {"postgresql": (_postgresql, "postgresql+psycopg", '"'), "mysql": (_mysql, "mysql+pymysql", "`")}


@pytest.fixture(scope="module", params=list(_STARTERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server with one table, and stop it when this file's tests are over."""
    start, driver, quote = _STARTERS[request.param]
    folder = Path(tmp_path_factory.mktemp(request.param))
    for parent in (folder, *folder.parents):  # another user must get there; no right is taken away from anybody
        if parent.stat().st_mode & 0o055 == 0o055:
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    if user := _user():
        shutil.chown(folder, user)
    command, url = start(folder, _free_port())
    process = subprocess.Popen(
        [str(word) for word in command],
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _fill(url.replace(f"{request.param}:", f"{driver}:"), quote)
        yield Server(url, quote)
    finally:
        process.terminate()
        process.wait()


def _fill(url: str, quote: str) -> None:
    """Make the table as soon as the server answers."""
    name = f"{quote}Orders{quote}"
    engine = sqlalchemy.create_engine(url)
    until = time.monotonic() + 60
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(
                    sqlalchemy.text(f"create table {name} (id int, day date, plan text, paid numeric(8, 2), ok bool)")
                )
                connection.execute(
                    sqlalchemy.text(
                        f"insert into {name} values (1, '2024-02-03', 'a', 9.50, true), (2, null, null, null, null)"
                    )
                )
            break
        except sqlalchemy.exc.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    engine.dispose()


def test_a_table_is_read_with_its_types(server):
    frame = read(f"{server.url}?table=Orders")

    assert frame.columns == ["id", "day", "plan", "paid", "ok"]
    assert frame["paid"].to_list() == [9.5, None]
    assert str(frame["day"][0]) == "2024-02-03"
    assert frame["ok"].to_list() == [True, None]


def test_a_query_is_read(server):
    name = f"{server.quote}Orders{server.quote}"

    assert read(f"{server.url}?query=select count(*) as n from {name}")["n"].to_list() == [2]


def test_a_table_that_is_not_there_lists_those_that_are(server):
    with pytest.raises(SourceError) as caught:
        read(f"{server.url}?table=orderz")

    assert "Orders" in str(caught.value)
