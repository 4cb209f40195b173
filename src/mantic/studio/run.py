"""Run Studio until someone stops it."""

import webbrowser
from collections.abc import Callable
from typing import Any

from mantic.core.lazy import need
from mantic.core.settings import Settings
from mantic.serve.run import listen
from mantic.store.value import author
from mantic.studio.app import make_studio
from mantic.studio.reach import Reach, reach
from mantic.studio.role import Role
from mantic.studio.studio import Studio, open_studio
from mantic.studio.visitors import LINK_SECONDS

_STOP_SECONDS = 3
_IDLE_SECONDS = 75  # that a connection is kept: longer than a person thinks before the next click


def run_studio(settings: Settings, *, browse: bool, say: Callable[[str], object]) -> None:
    """Answer until SIGINT or SIGTERM.

    Parameters
    ----------
    browse : open a browser at the first page.
    say : receives lines for the person who started it.

    Raises
    ------
    SettingsError : if nobody can listen at the address, or others could reach it and nobody said how.
    """
    uvicorn: Any = need("uvicorn", why="Studio")
    ours = settings.studio
    reach(ours, ours.port)  # said before the store is opened
    with listen(ours.host, ours.port) as listener, open_studio(settings) as studio:
        how = reach(ours, listener.getsockname()[1])
        link = first_link(studio, how)

        class Server(uvicorn.Server):  # type: ignore[misc]  # uvicorn's only place to learn that it listens
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets=sockets)
                if not self.should_exit:
                    say(greeting(how, link))
                    if browse and how.is_local:
                        webbrowser.open(link)

        app = make_studio(studio, hosts=how.hosts)
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, access_log=False, ws="none",
            timeout_graceful_shutdown=_STOP_SECONDS, timeout_keep_alive=_IDLE_SECONDS,
            proxy_headers=not how.is_local, forwarded_allow_ips=ours.proxy,
        )  # fmt: skip
        try:
            Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            say("Studio has ended; trainings go on")


def first_link(studio: Studio, how: Reach) -> str:
    """Return the address by which whoever starts Studio comes in.

    On this machine alone it signs its user in; where others can reach Studio it makes the first admin, once.
    """
    if how.is_local:
        return f"{how.base}/setup?token={studio.visitors.invite(author(None), Role.ADMIN)}"
    if studio.visitors.has_admin():
        return f"{how.base}/signin"
    return f"{how.base}/setup?token={studio.visitors.invite_first()}"


def greeting(how: Reach, link: str) -> str:
    """Return what is said when Studio listens."""
    minutes = LINK_SECONDS // 60
    if how.is_local:
        about = f"(the link signs you in, once, within {minutes} minutes; Ctrl-C ends Studio)"
    elif "/setup" in link:
        about = f"(there you choose your name and password, once, within {minutes} minutes; Ctrl-C ends Studio)"
    else:
        about = "(people sign in by name and password; Ctrl-C ends Studio)"
    warning = f"\nwarning: {how.warning}" if how.warning else ""
    return f"Studio is at {how.base}\nopen {link}\n{about}{warning}"
