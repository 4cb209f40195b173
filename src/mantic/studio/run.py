"""Run Studio until someone stops it."""

import getpass
import webbrowser
from collections.abc import Callable
from typing import Any

from mantic.core.errors import SettingsError
from mantic.core.lazy import need
from mantic.core.settings import Settings
from mantic.serve.run import LOOPBACK, listen
from mantic.studio.app import make_studio
from mantic.studio.role import Role
from mantic.studio.studio import open_studio

_STOP_SECONDS = 3
_LOCAL = frozenset(("127.0.0.1", "localhost", "::1"))


def run_studio(settings: Settings, *, browse: bool, say: Callable[[str], object]) -> None:
    """Answer until SIGINT or SIGTERM.

    Parameters
    ----------
    browse : open a browser at the first page.
    say : receives lines for the person who started it.

    Raises
    ------
    SettingsError : if nobody can listen at the address, or others could reach it.
    """
    uvicorn: Any = need("uvicorn", why="Studio")
    ours = settings.studio
    if ours.host not in LOOPBACK:
        raise SettingsError("Studio listens on this machine only", where="--host", fix="leave --host out")
    with listen(ours.host, ours.port) as listener, open_studio(settings) as studio:
        host, port = listener.getsockname()[:2]
        base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        link = f"{base}/setup?token={studio.visitors.invite(getpass.getuser(), Role.ADMIN)}"

        class Server(uvicorn.Server):  # type: ignore[misc]  # uvicorn's only place to learn that it listens
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets=sockets)
                if not self.should_exit:
                    say(f"Studio is at {base}\nopen {link}\n(the link signs you in, once; Ctrl-C ends Studio)")
                    if browse:
                        webbrowser.open(link)

        app = make_studio(studio, hosts=_LOCAL)
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, access_log=False, ws="none",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )  # fmt: skip
        try:
            Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            say("Studio has ended; trainings go on")
