"""Read from a real PostgreSQL server, started here on a port of its own; `make test` installs it when it can."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy

from mantic.core.errors import SourceError
from mantic.sources.read import read

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

pytestmark = pytest.mark.slow


def _user() -> str | None:
    """Return an unprivileged user to run the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address of a server that lives as long as this file's tests."""
    if not BINARIES:
        pytest.skip("PostgreSQL's server is not installed here (Debian: apt-get install postgresql)")
    folder, user = Path(tmp_path_factory.mktemp("postgresql")), _user()
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tools, data = BINARIES[-1].parent, folder / "data"
    subprocess.run(
        [tools / "initdb", "-D", data, "-U", "mantic", "-A", "trust"],
        user=user,
        check=True,
        capture_output=True,
        cwd=folder,
    )
    command = [tools / "postgres", "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
    server = subprocess.Popen(command, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    url = f"postgresql://mantic@127.0.0.1:{port}/postgres"
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    for _ in range(100):
        try:
            with engine.begin() as connection:
                connection.execute(
                    sqlalchemy.text('create table "Orders" (id int, day date, plan text, paid numeric(8, 2), ok bool)')
                )
                connection.execute(
                    sqlalchemy.text(
                        "insert into \"Orders\" values (1, '2024-02-03', 'a', 9.50, true), (2, null, null, null, null)"
                    )
                )
            break
        except sqlalchemy.exc.OperationalError:
            time.sleep(0.1)
    engine.dispose()
    yield url
    server.terminate()
    server.wait()


def test_a_table_is_read_with_its_types(address):
    frame = read(f"{address}?table=Orders")

    assert frame.columns == ["id", "day", "plan", "paid", "ok"]
    assert frame["paid"].to_list() == [9.5, None]
    assert str(frame["day"][0]) == "2024-02-03"
    assert frame["ok"].to_list() == [True, None]


def test_a_query_is_read(address):
    assert read(f'{address}?query=select count(*) as n from "Orders"')["n"].to_list() == [2]


def test_a_table_that_is_not_there_lists_those_that_are(address):
    with pytest.raises(SourceError) as caught:
        read(f"{address}?table=orderz")

    assert "Orders" in str(caught.value)
