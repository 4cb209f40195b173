"""Show things in the terminal: results on standard output, the story on standard error."""

import json
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from mantic.core.run import Event, Warned

_WIDEST = 110


def show_report(report: Any) -> None:
    """Show a report on standard output."""
    from mantic.report.terminal import show

    show(report, width(), file=sys.stdout)


def show_json(facts: Mapping[str, Any]) -> None:
    """Print one JSON object; what is not finite becomes null."""
    from mantic.serve.served import json_ready

    print(json.dumps(json_ready(facts), ensure_ascii=not _is_unicode()))


def tell(line: str) -> None:
    """Print a line of the story."""
    print(line, file=sys.stderr, flush=True)


def warn_only(event: Event) -> None:
    """Listen to a run and tell its warnings."""
    if isinstance(event, Warned):
        tell(f"warning: {event.message()}")


def width() -> int:
    """Return how wide to write, in characters."""
    return min(_WIDEST, shutil.get_terminal_size().columns)


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")
