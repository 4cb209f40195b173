"""mantic models show, compare: what is known of a version, and how versions differ."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mantic.cli.kept import store_of
from mantic.cli.screen import show_json, show_report
from mantic.cli.words import Parser, action
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings

if TYPE_CHECKING:
    from mantic.store.version import Version

_FACTS = (
    "task",
    "target",
    "metric",
    "score",
    "low",
    "high",
    "created",
    "by",
    "n_bytes",
    "fingerprint",
    "sha256",
    "note",
)


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    show = action("models show", "all that is known of a version", example="mantic models show churn/3", do=_show)
    show.add_argument("model", metavar="MODEL", help="churn, churn@challenger or churn/3")
    compare = action(
        "models compare", "versions side by side", example="mantic models compare churn churn/3", do=_compare
    )
    compare.add_argument("models", metavar="MODEL", nargs="+", help="two or more")
    for one in (show, compare):
        one.add_json()
    return {"show": show, "compare": compare}


def facts_of(version: "Version") -> dict[str, Any]:
    """Return a version for machines."""
    facts = asdict(version)
    del facts["deleted"]
    return {"model": str(version), **facts}


def minute(moment: str) -> str:
    """Return a moment to the minute.

    >>> minute("2026-05-01T12:34:56.000000Z")
    '2026-05-01 12:34'
    """
    return moment[:16].replace("T", " ")


def _show(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        version = store.models.get(options.model)
        aliases = sorted(
            alias
            for alias, number in store.models.aliases(version.name)[version.name].items()
            if number == version.number
        )
        moves = [one for one in store.models.moves(version.name) if version.number in (one.before, one.after)]
        signers = [one.key for one in store.signatures.of(version.sha256)]
    if options.json:
        show_json(
            {**facts_of(version), "aliases": aliases, "signed_by": signers, "moves": [asdict(one) for one in moves]}
        )
        return 0
    from mantic.report.blocks import Block, Grid, Report

    rows = [("aliases", ", ".join(aliases)), *_rows([facts_of(version)]), ("signed by", ", ".join(signers))]
    blocks: list[Block] = [Grid(("what", "value"), tuple(row for row in rows if row[1] not in ("", None)))]
    if moves:
        heads = ("when", "by", "what", "alias", "from", "to")
        told = tuple((minute(one.at), one.by, one.kind, one.alias, one.before, one.after) for one in moves)
        blocks.append(Grid(heads, told, title="Moves"))
    show_report(Report(str(version), tuple(blocks)))
    return 0


def _compare(options: Namespace) -> int:
    if len(options.models) < 2:
        raise SettingsError("one model cannot be compared", where="mantic models compare", fix="name two or more")
    with store_of(read_settings().store) as store:
        versions = [store.models.get(words) for words in options.models]
    sentence = _sentence(versions)
    if options.json:
        show_json({"models": [facts_of(one) for one in versions], "sentence": sentence})
        return 0
    from mantic.report.blocks import Grid, Report, Text

    rows = tuple(_rows([facts_of(one) for one in versions]))
    grid = Grid(("what", *(str(one) for one in versions)), rows)
    show_report(Report("Versions side by side", (Text(sentence), grid)))
    return 0


def _rows(facts: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return a row per fact for people: moments to the minute, digests by how they begin."""
    brief: dict[str, Callable[[str], str]] = {
        "created": minute,
        "fingerprint": lambda text: text[:19],
        "sha256": lambda text: text[:12],
    }
    return [(name, *(brief[name](one[name]) if name in brief else one[name] for one in facts)) for name in _FACTS]


def _sentence(versions: "list[Version]") -> str:
    """Say whether the scores can be told apart; they may be of different rows."""
    if len({(one.task, one.target, one.metric) for one in versions}) > 1:
        return "They answer different questions, or are measured differently: their scores cannot be compared."
    intervals = [one.interval for one in versions]
    if any(interval is None for interval in intervals):
        return "Not all of them say how sure their score is."
    if len({one.fingerprint for one in versions}) > 1 or not versions[0].fingerprint:
        return "They may have learned from different data: 'mantic evaluate' on the same rows tells them apart."
    known = [interval for interval in intervals if interval is not None]
    if max(low for low, _ in known) <= min(high for _, high in known):
        return "Their intervals overlap: they may be equally good. 'mantic evaluate' on new rows says more."
    return "Their intervals do not all overlap: on such rows the difference is more than chance."
