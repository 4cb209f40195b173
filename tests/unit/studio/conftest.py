"""A Studio in a folder of its own, and browsers of people with each role."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mantic.core.settings import Settings, read_settings
from mantic.studio.app import make_studio
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"store.url": str(tmp_path / "store")}, environ={}, folder=tmp_path)


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    with open_studio(settings) as opened:
        yield opened


Enter = Callable[[Role], TestClient]


@pytest.fixture
def enter(studio: Studio) -> Iterator[Enter]:
    """Return what signs somebody with a role in: a client whose forms carry the token."""
    clients = []

    def sign_in(role: Role) -> TestClient:
        client = TestClient(make_studio(studio), follow_redirects=False)
        reply = client.get(f"/setup?token={studio.visitors.invite('ada', role)}")
        assert reply.status_code == 303
        visitor = studio.visitors.who(client.cookies["mantic_sitting"])
        assert visitor is not None
        client.headers["X-CSRF"] = visitor.token
        clients.append(client)
        return client

    yield sign_in
    for one in clients:
        one.close()


@pytest.fixture
def client(enter: Enter) -> TestClient:
    """Return the browser of an administrator."""
    return enter(Role.ADMIN)
