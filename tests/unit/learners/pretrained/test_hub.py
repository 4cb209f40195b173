"""A model of the hub: a small server stands for it."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.tiny_models import BOLT

_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_OTHERS = {"pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit"}


class _Hub(ThreadingHTTPServer):
    """Answers as the hub does for one model, and notes what is asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = {one.name: one.read_bytes() for one in folder.iterdir()} | _OTHERS
        self.asked: list[str] = []


class _Answer(BaseHTTPRequestHandler):
    server: _Hub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        files = self.server.files
        name = path.rpartition("/")[2]
        self.server.asked.append(f"{self.command} {path}")
        if path == "/api/models/owner/model/revision/main":
            self._send(json.dumps({"id": "owner/model", "sha": _COMMIT, "siblings": []}).encode())
        elif path == f"/api/models/owner/model/tree/{_COMMIT}":
            tree = [{"type": "file", "path": one, "size": len(files[one]), "oid": _digest(files[one])} for one in files]
            self._send(json.dumps(tree).encode())
        elif path == f"/owner/model/resolve/{_COMMIT}/{name}" and name in files:
            self._send(files[name], etag=f'"{_digest(files[name])}"')
        else:
            self._send(b'{"error": "not here"}', status=404, code="RepoNotFound")

    def _send(self, content: bytes, *, status: int = 200, etag: str = "", code: str = "") -> None:
        self.send_response(status)
        for key, value in {"ETag": etag, "X-Repo-Commit": _COMMIT, "X-Error-Code": code}.items():
            if value:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _digest(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(tiny_models) -> Iterator[_Hub]:
    server = _Hub(tiny_models[BOLT])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def said(call: str, hub: _Hub, home: Path) -> str:
    """Return what a process of its own says of a model of the hub: the library reads its address when it is loaded."""
    host, port = hub.server_address[:2]
    own = {"HF_ENDPOINT": f"http://{host}:{port}", "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    code = (
        "from mantic.core.errors import ManticError\n"
        "from mantic.learners.pretrained.weights import found, found_again\n"
        f"try: print(({call}).config.family.title)\nexcept ManticError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_model_is_fetched_once_and_only_what_is_needed(hub, tmp_path):
    assert "SourceError the hub gives no such model" in said("found_again('hf://owner/model')", hub, tmp_path)
    assert hub.asked == []

    assert said("found('hf://owner/model')", hub, tmp_path) == BOLT

    fetched = {one.rpartition("/")[2] for one in hub.asked if one.startswith("GET /owner")}
    assert fetched == {"config.json", "model.safetensors"}
    hub.asked.clear()
    assert said("found_again('hf://owner/model')", hub, tmp_path) == BOLT
    assert hub.asked == []


def test_a_model_that_the_hub_has_not_is_named(hub, tmp_path):
    text = said("found('hf://owner/other')", hub, tmp_path)

    assert text.startswith("SourceError the hub gives no such model")
    assert "where: hf://owner/other" in text
