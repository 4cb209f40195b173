"""mantic serve: answer over HTTP."""

from argparse import Namespace

from mantic.cli.kept import model_name
from mantic.cli.screen import tell
from mantic.cli.table import load_model
from mantic.cli.words import MODEL, Parser
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "serve",
        "Answer predictions over HTTP until stopped: to this machine, or with --keys to others.",
        examples="  mantic serve churn.mantic --port 8000\n  then open http://127.0.0.1:8000/docs\n"
        "  mantic serve churn@champion --require-signature\n"
        "  mantic serve churn.mantic --host 0.0.0.0 --keys keys.json",
    )
    options.add_argument("models", metavar="MODEL", nargs="+", help=f"{MODEL}; its name is the model's")
    options.add_argument("--host", help="address to listen on (127.0.0.1, this machine only)")
    options.add_argument("--keys", metavar="FILE", help="API keys (see 'mantic api-keys'); who has none is refused")
    options.add_argument("--port", type=int, help="port to listen on (8000); 0 takes any free one")
    options.add_plugin()
    options.add_signature()
    return options


def run(options: Namespace) -> int:
    """Serve until stopped."""
    given = {"serve.host": options.host, "serve.port": options.port, "serve.keys": options.keys}
    settings = read_settings(given).serve
    from mantic.serve.key_file import KeyFile
    from mantic.serve.question import Limits
    from mantic.serve.run import check_reach, listen, serve

    keyring = KeyFile(settings.keys) if settings.keys else None
    if keyring is not None and not keyring.grants():
        fix = f"make one by 'mantic api-keys new NAME --scope predict --keys {settings.keys}'"
        raise SettingsError("there are no keys, so nobody could ask", where=settings.keys, fix=fix)
    check_reach(settings.host, keyring)
    listen(settings.host, settings.port).close()  # a taken port is known before models are loaded
    models = {}
    for path in options.models:
        name = model_name(path)
        if name in models:
            raise SettingsError(f"two models are called '{name}'", where="mantic serve", fix="rename one of the files")
        models[name] = load_model(path, options.plugin, options.signature)
    limits = Limits(settings.max_rows, settings.max_bytes, max_waiting=settings.max_waiting)
    serve(models, host=settings.host, port=settings.port, limits=limits, keyring=keyring, say=tell)
    return 0
