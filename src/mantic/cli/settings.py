"""mantic settings: every setting, its value and where it comes from."""

from argparse import Namespace
from typing import Any

from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser
from mantic.core.settings import known, read_settings
from mantic.store.address import masked


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "settings",
        "Print each setting with its value and where it comes from: an option, MANTIC_GROUP_NAME in the environment, "
        "mantic.toml, [tool.mantic] in pyproject.toml, or the default.",
        examples="  MANTIC_SERVE_PORT=8080 mantic settings",
    )
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Print them."""
    settings = read_settings()
    if options.json:
        show_json(
            {
                key: {"value": _shown(settings[key]), "origin": settings.origin(key), "about": about}
                for key, about in known().items()
            }
        )
        return 0
    from mantic.report.blocks import Grid, Report

    rows = tuple((key, str(_shown(settings[key])), settings.origin(key), about) for key, about in known().items())
    show_report(Report("Settings", (Grid(("setting", "value", "from", "what for"), rows),)))
    return 0


def _shown(value: Any) -> Any:
    """Return a value without the password that an address may hold."""
    return masked(value) if isinstance(value, str) else value
