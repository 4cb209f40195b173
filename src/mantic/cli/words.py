"""Read what was typed: a parser whose complaints are mantic's own errors, and options that verbs share."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from mantic.core.errors import SettingsError

MODEL = "a .mantic file, or what the store keeps: churn, churn@challenger, churn/3"

_ENDINGS = r"(\.(gz|bz2|xz|zst|zip))?$"


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving; `actions` are the words that may follow the verb."""

    actions: Mapping[str, "Parser"] = {}

    def __init__(self, verb: str, about: str, *, examples: str) -> None:
        super().__init__(
            prog=f"mantic {verb}",
            description=about,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise the complaint with the nearest option that there is."""
        known = [word for action in self._actions for word in action.option_strings]
        strange = re.findall(r"(--[\w-]+)", message) if "unrecognized" in message else []
        near = [found[0] for word in strange if (found := get_close_matches(word, known, n=1))]
        hint = f"did you mean {' '.join(near)}? " if near else ""
        raise SettingsError(message, where=self.prog, fix=f"{hint}see '{self.prog} --help'")

    def add_actions(self, actions: Mapping[str, "Parser"]) -> None:
        """Let words follow the verb, each with options of its own."""
        self.actions = actions
        width = max(map(len, actions))
        lines = [f"  {name:<{width}}   {one.description}" for name, one in actions.items()]
        self.epilog = "\n".join(["actions ('mantic VERB ACTION --help' says more):", *lines, "", self.epilog or ""])

    def choose(self, words: Sequence[str]) -> tuple["Parser", list[str]]:
        """Return the parser of the action that was typed, and the rest of the words; itself where none was."""
        if words and words[0] in self.actions:
            return self.actions[words[0]], list(words[1:])
        return self, list(words)

    def add_json(self) -> None:
        """Add --json."""
        self.add_argument("--json", action="store_true", help="print one JSON object to standard output, nothing else")

    def add_plugin(self) -> None:
        """Add --plugin."""
        self.add_argument(
            "--plugin",
            action="append",
            default=[],
            metavar="FILE.py",
            help="load a file with learners of your own; may be repeated",
        )

    def add_model(self) -> None:
        """Add MODEL, and --plugin, which a model with learners of one's own needs."""
        self.add_argument("model", metavar="MODEL", help=MODEL)
        self.add_plugin()
        self.add_signature()

    def add_signature(self) -> None:
        """Add --require-signature."""
        self.add_argument(
            "--require-signature",
            dest="signature",
            action="store_const",
            const="require",
            help="only take a model that a trusted key signed (mantic keys)",
        )

    def add_decision(self) -> None:
        """Add --cost, --capacity and --unit."""
        self.add_argument(
            "--cost",
            metavar="COSTS",
            help="what a decision costs: fp=1,fn=10 (a negative cost is a gain; gain:tp=50,fp=-2 turns the signs), "
            "or a CSV matrix",
        )
        self.add_argument(
            "--capacity", metavar="ROWS", help="how many rows can be acted on: 5%%, 200 of a batch, or 100/day"
        )
        self.add_argument("--unit", metavar="NAME", default="", help="of the costs, EUR for instance")

    def add_data(self, *, nargs: str | None = None) -> None:
        """Add DATA; `nargs` is "?" where it may be absent."""
        help_text = "a file, a folder of parts, a database address, or - for standard input"
        self.add_argument("data", metavar="DATA", nargs=nargs, help=help_text)


def action(words: str, about: str, *, example: str, do: Callable[[argparse.Namespace], int]) -> Parser:
    """Return the parser of an action: a word that follows a verb."""
    made = Parser(words, about, examples=f"  {example}")
    made.set_defaults(action=do)
    return made


def load_plugins(paths: Iterable[str]) -> None:
    """Load the user's own files."""
    from mantic.core.registry import load_plugin

    for path in paths:
        load_plugin(Path(path))


def check_output(path: str | None, option: str, endings: tuple[str, ...]) -> Path | None:
    """Return the path to write, checked before the work begins.

    Raises
    ------
    SettingsError : if its ending is none of these, or there is no such folder.
    """
    if path is None:
        return None
    place = Path(path)
    if place.suffix.lower() not in endings:
        raise SettingsError(
            f"'{path}' must end in {' or '.join(endings)}", where=option, fix=f"name it {place.stem}{endings[0]}"
        )
    if not place.absolute().parent.is_dir():
        raise SettingsError("there is no such folder", where=f"{option} {path}", fix=f"mkdir -p {place.parent}")
    if place.is_dir():
        raise SettingsError("this is a folder", where=f"{option} {path}", fix="give the name of a file")
    return place


def stem(address: str) -> str:
    """Return a name made from a file or address, without endings.

    >>> stem("data/churn.csv.gz"), stem("sqlite:///shop.db?table=orders"), stem("-")
    ('churn', 'orders', 'model')
    """
    if found := re.search(r"[?&]table=([\w.-]+)", address):
        return found[1]
    last = re.sub(r"[/\\]+$", "", address.partition("?")[0]).replace("\\", "/").rpartition("/")[2]
    name = re.sub(rf"\.\w+{_ENDINGS}", "", last) if "." in last.lstrip(".") else last
    return re.sub(r"[^\w.-]+", "-", name).strip("-.*") or "model"


def parameter(text: str) -> tuple[str, Any]:
    """Read NAME.PARAMETER=VALUE; the value is a number, true, false or null if it looks like one, else text.

    >>> parameter("svm.C=10"), parameter("knn.weights=distance")
    (('svm.C', 10), ('knn.weights', 'distance'))
    """
    import json

    key, sign, value = text.partition("=")
    if not sign or not re.fullmatch(r"\w+\.\w+", key):
        raise argparse.ArgumentTypeError(f"'{text}' is no NAME.PARAMETER=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def column_kind(text: str) -> tuple[str, str]:
    """Read COLUMN=KIND.

    >>> column_kind("a=b=category")
    ('a=b', 'category')
    """
    column, sign, kind = text.rpartition("=")
    if not sign or not column or not kind:
        raise argparse.ArgumentTypeError(f"'{text}' is no COLUMN=KIND")
    return column, kind.strip().lower()
