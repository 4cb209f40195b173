"""The client that a server makes of its models asks that server."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from mantic.core.schema import Column, Kind, Schema
from mantic.serve.app import make_asgi

_SERVER = """
import sys
sys.path.insert(0, {folder!r})
import conftest
from mantic.serve.run import serve

serve({{"churn": conftest.Churn(), "it's 5": conftest.Spend()}}, port=0)
"""


@pytest.fixture(scope="module")
def base():
    """Return the address of a server in a process of its own."""
    command = [sys.executable, "-c", _SERVER.format(folder=str(Path(__file__).parent))]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        greeting = next(line for line in process.stderr if line.startswith("serving "))
        yield greeting.partition(" at ")[2].split()[0]
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


def loaded(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "client"}
    exec(compile(text, "client.py", "exec"), names)
    return names


def test_the_client_asks_every_model(base, row):
    client = loaded(httpx.get(f"{base}/docs/client.py").text)

    assert client["predict_churn"](base, [row])["predictions"][0]["prediction"] == "yes"
    assert client["predict_it_s_5"](f"{base}/", [row, row])["predictions"][1]["prediction"] == 30.0
    assert client["explain_churn"](base, [row])["rows"][0]["contributions"]


def test_the_client_tells_what_is_wrong(base):
    client = loaded(httpx.get(f"{base}/docs/client.py").text)

    with pytest.raises(client["Refused"], match="'plan' is missing") as caught:
        client["predict_churn"](base, [{"age": 3}])

    assert caught.value.status == 422
    assert caught.value.problem["fix"]


def test_the_rows_have_the_types_of_the_columns(churn, asker):
    client = loaded(asker(make_asgi({"churn": churn()}))("GET", "/docs/client.py").text)

    types = client["Row_churn"].__annotations__
    assert types == {"age": float | None, "plan": str | None, "since": str | None, "is_member": bool | None}


def test_names_from_a_model_cannot_become_code(churn, asker):
    evil = "x'\"\"\"\n__import__('os').abort()\n'"
    model = churn(schema_=Schema((Column(evil, Kind.NUMBER),)), target_=Column(evil, Kind.CATEGORY))

    client = loaded(asker(make_asgi({evil: model, f"{evil} ": model}))("GET", "/docs/client.py").text)

    assert [list(one.__annotations__) for name, one in client.items() if name.startswith("Row_")] == [[evil], [evil]]
