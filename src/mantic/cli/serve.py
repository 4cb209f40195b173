"""mantic serve: answer over HTTP."""

from argparse import BooleanOptionalAction, Namespace
from typing import TYPE_CHECKING

from mantic.cli.behind import choose, jobs_for, kept_deployed, kept_for
from mantic.cli.screen import tell
from mantic.cli.words import MODEL, Parser
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings

if TYPE_CHECKING:
    from mantic.serve.sidecar import Kept


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "serve",
        "Answer predictions over HTTP until stopped: to this machine, or with --keys to others.",
        examples="  mantic serve churn.mantic --port 8000\n  then open http://127.0.0.1:8000/docs\n"
        "  mantic serve churn            (the champion of the store; it follows promotions and rollbacks)\n"
        "  mantic serve churn@challenger --require-signature\n"
        "  mantic serve churn.mantic --host 0.0.0.0 --keys keys.json\n"
        "  mantic serve --deployed       (all that is deployed in the store, now and later)",
    )
    options.add_argument("models", metavar="MODEL", nargs="*", help=f"{MODEL}; its name is the model's")
    options.add_argument(
        "--deployed",
        action="store_true",
        help="serve what is deployed in the store (mantic models deploy) and follow it",
    )
    options.add_argument("--host", help="address to listen on (127.0.0.1, this machine only)")
    options.add_argument("--keys", metavar="FILE", help="API keys (see 'mantic api-keys'); who has none is refused")
    options.add_argument("--port", type=int, help="port to listen on (8000); 0 takes any free one")
    options.add_argument(
        "--log",
        action=BooleanOptionalAction,
        help="keep every prediction in the store, where outcomes find it (as a rule for models of the store only)",
    )
    options.add_plugin()
    options.add_signature()
    return options


def run(options: Namespace) -> int:
    """Serve until stopped."""
    if bool(options.models) == options.deployed:
        fix = "name models, or give --deployed: not both" if options.models else "name one, or give --deployed"
        raise SettingsError("it is not clear which models to serve", where="mantic serve", fix=fix)
    given = {"serve.host": options.host, "serve.port": options.port, "serve.keys": options.keys}
    settings = read_settings(given | {"store.signature": options.signature})
    from mantic.serve.app import House
    from mantic.serve.key_file import KeyFile
    from mantic.serve.question import Limits
    from mantic.serve.run import check_reach, listen, serve
    from mantic.serve.shelf import Shelf

    ours = settings.serve
    keyring = KeyFile(ours.keys) if ours.keys else None
    if keyring is not None and not keyring.grants():
        fix = f"make one by 'mantic api-keys new NAME --scope predict --keys {ours.keys}'"
        raise SettingsError("there are no keys, so nobody could ask", where=ours.keys, fix=fix)
    check_reach(ours.host, keyring)
    listen(ours.host, ours.port).close()  # a taken port is known before models are loaded
    chosen = choose(options.models, options.plugin, settings.store)
    if options.deployed:
        kept: Kept | None = kept_deployed(options.plugin, settings.store)
    else:
        kept = kept_for(chosen, settings.store, log=options.log)
    jobs = jobs_for(chosen, settings, plugins=options.plugin, log=options.deployed or options.log)
    house = House(Limits(ours.max_rows, ours.max_bytes, max_waiting=ours.max_waiting), keyring, jobs=jobs)
    shelf = Shelf.opening() if options.deployed else Shelf({name: one.model for name, one in chosen.items()})
    serve(shelf, house, host=ours.host, port=ours.port, kept=kept, say=tell)
    return 0
