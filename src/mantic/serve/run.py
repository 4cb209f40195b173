"""Run the server until someone stops it."""

import errno
import gc
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mantic.core.errors import SettingsError
from mantic.core.lazy import need
from mantic.serve.app import House, make_asgi
from mantic.serve.example import example_row
from mantic.serve.keyring import Keyring
from mantic.serve.served import Estimator
from mantic.serve.shelf import Shelf
from mantic.serve.sidecar import Kept, Sidecar

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LOCAL = ("127.0.0.1", "[::1]", "localhost")
_SWITCH_SECONDS = 0.0005  # after so long a thread that works on many rows lets quick answers and refusals pass
_SILENT_SECONDS = 60  # after which a caller that says nothing is asked whether it is there
_STOP_SECONDS = 5  # how long requests in flight may take when the server is told to stop


def serve(
    models: Mapping[str, Estimator] | Shelf,
    house: House | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    kept: Kept | None = None,
    say: Callable[[str], object] | None = None,
) -> None:
    """Serve the models until SIGINT or SIGTERM; what is being answered is finished first.

    Parameters
    ----------
    models : name (as it stands in the address) to fitted Classifier or Regressor; or a shelf.
    house : how those who ask are treated. Without a keyring it is called by the names of this machine only.
    host, port : where to listen; 127.0.0.1 is this machine only, port 0 takes any free one.
    kept : the store behind the server: where predictions go, and whose aliases are followed.
    say : receives lines for the person who started it: when it is ready, the address and an example. Standard error
        by default.

    Raises
    ------
    SettingsError : if nobody can listen at this address: the port is taken, or the host is not this machine's. If
        other machines could ask, and nobody is asked for a key.
    """
    tell = say or _say
    uvicorn: Any = need("uvicorn", why="serving")
    house = house or House()
    check_reach(host, house.keyring)
    if house.keyring is None:  # where a key is asked for, a page from elsewhere has none
        house = replace(house, hosts=_LOCAL)
    shelf = models if isinstance(models, Shelf) else Shelf(models)
    sidecar = None if kept is None else Sidecar(kept, shelf, tell)
    if sidecar is not None:
        house = replace(house, listener=sidecar.kept.log, feedback=sidecar.kept.learn, counts=sidecar.counts)
    app = make_asgi(shelf, house)
    listener = listen(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
        ws="none",
        access_log=False,
    )

    class Server(uvicorn.Server):  # type: ignore[misc]  # uvicorn's only place to learn that it listens
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            gc.freeze()  # what was loaded stays: nobody should wait while it is looked through again
            sys.setswitchinterval(_SWITCH_SECONDS)
            if not self.should_exit:
                tell(greeting({one.name: one.model for one in shelf.live}, listener.getsockname()))

    with listener, nullcontext() if sidecar is None else sidecar, _told_to_stop(), suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])  # uvicorn raises the signal again when it has stopped


def check_reach(host: str, keyring: Keyring | None) -> None:
    """Refuse to let other machines ask without a key.

    Raises
    ------
    SettingsError : says how to make a key.
    """
    if host not in LOOPBACK and keyring is None:
        raise SettingsError(
            f"{host} can be reached by other machines, and nobody is asked for a key",
            where="--host",
            fix="make a key by 'mantic api-keys new NAME --scope predict --keys keys.json' and give --keys keys.json",
        )


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does (signals reach the main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address.

    Raises
    ------
    SettingsError : if it cannot, with the reason.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise SettingsError(f"'{host}' is no address: {error}", where="--host", fix="use 127.0.0.1") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # whoever is there no more is found out
    if hasattr(socket, "TCP_KEEPIDLE"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SILENT_SECONDS)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        reasons = {
            errno.EADDRINUSE: (
                f"port {port} is taken by another program",
                "choose another with --port, or --port 0 for any free one",
            ),
            errno.EACCES: (f"port {port} needs more rights", "choose one above 1023 with --port"),
        }
        what, fix = reasons.get(
            error.errno or 0, (f"nobody can listen at {host}: {error.strerror}", "use --host 127.0.0.1")
        )
        raise SettingsError(what, where=f"{host}:{port}", fix=fix) from error
    return listener


def greeting(models: Mapping[str, Estimator], address: tuple[Any, ...]) -> str:
    """Return where the server is, and a call that can be copied where a model is there already."""
    host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
    base = f"http://{host}:{address[1]}"
    if not models:
        return f"serving what is deployed at {base} (documentation at {base}/docs; stop with Ctrl-C)"
    name, model = next(iter(models.items()))
    body = json.dumps({"rows": [example_row(model.schema_)]}, ensure_ascii=False)
    shown = body.replace("'", "'\\''")
    return (
        f"serving {', '.join(models)} at {base} (documentation at {base}/docs; stop with Ctrl-C)\n"
        f"  curl -X POST {base}/v1/models/{quote(name)}/predict -H 'Content-Type: application/json' -d '{shown}'"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
