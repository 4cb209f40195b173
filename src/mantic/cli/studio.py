"""mantic studio: the web pages."""

from argparse import BooleanOptionalAction, Namespace

from mantic.cli.screen import tell
from mantic.cli.words import Parser
from mantic.core.settings import read_settings


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "studio",
        "From a file to a running model in the browser, until stopped.",
        examples="  mantic studio\n  mantic studio --port 9000 --no-browser",
    )
    options.add_argument("--host", help="address to listen on (127.0.0.1, this machine only)")
    options.add_argument("--port", type=int, help="port to listen on (8770); 0 takes any free one")
    options.add_argument("--browser", action=BooleanOptionalAction, default=True, help="open a browser (yes)")
    return options


def run(options: Namespace) -> int:
    """Answer until stopped."""
    settings = read_settings({"studio.host": options.host, "studio.port": options.port})
    from mantic.studio.run import run_studio

    run_studio(settings, browse=options.browser, say=tell)
    return 0
