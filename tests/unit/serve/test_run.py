import shlex
import socket

import pytest

from mantic.core.errors import SettingsError
from mantic.serve.run import greeting, listen


def test_a_taken_port_says_so_and_how_to_choose_another():
    with listen("127.0.0.1", 0) as first, pytest.raises(SettingsError, match="taken") as caught:
        listen("127.0.0.1", first.getsockname()[1])

    assert "--port" in caught.value.fix


@pytest.mark.parametrize("host", ["no such host", "203.0.113.1"])
def test_an_address_of_another_machine_is_refused(host, monkeypatch):
    def nowhere(*_, **__):
        raise socket.gaierror("unknown name")

    if " " in host:
        monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(SettingsError):
        listen(host, 0)


def test_a_caller_that_is_gone_without_a_word_is_found_out():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        taken, _ = listener.accept()
        with taken:
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_the_greeting_holds_a_call_that_can_be_pasted(churn):
    text = greeting({"it's churn": churn()}, ("127.0.0.1", 8000))

    words = shlex.split(text.splitlines()[1])
    assert words[:2] == ["curl", "-X"]
    assert "http://127.0.0.1:8000/v1/models/it%27s%20churn/predict" in words
    assert words[-1].startswith('{"rows": [{"age": 56')
