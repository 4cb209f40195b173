"""A client for this very server, as a Python file that needs the standard library only."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, count
from urllib.parse import quote

from mantic.core.schema import Column, Kind
from mantic.serve.served import Served

_TYPES: Mapping[Kind, str] = {Kind.NUMBER: "float | None", Kind.BOOLEAN: "bool | None"}
_HEAD = '''"""Ask the models of a mantic server; made from their columns. Needs Python 3.11 and nothing else."""

import json
import urllib.error
import urllib.request
from typing import Any, TypedDict


class Refused(Exception):
    """The server did not answer; `problem` says what is wrong, where, and how to mend it."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after: float | None) -> None:
        super().__init__(f"{status}: {problem.get('what')} ({problem.get('where')}); {problem.get('fix')}")
        self.status, self.problem, self.retry_after = status, problem, retry_after


def ask(url: str, rows: Any, *, key: str = "", seconds: float = 30) -> dict[str, Any]:
    """Send rows to an address and return the answer."""
    headers = {"Content-Type": "application/json", "X-Mantic-Deadline-Ms": str(int(1000 * seconds))}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps({"rows": rows}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        wait = error.headers.get("Retry-After")
        raise Refused(error.code, json.load(error), float(wait) if wait else None) from None
'''


def client(models: Sequence[Served]) -> str:
    """Return the client's text: a type for the rows of each model, and a function for each of its addresses.

    Whatever the models are called, it is data there and never code.
    """
    names = _names([model.name for model in models])
    return "\n\n".join([_HEAD, *(_part(model, name) for model, name in zip(models, names, strict=True))])


def _part(model: Served, name: str) -> str:
    fields = "".join(f"    {column.name!r}: {_type(column)},\n" for column in model.schema.columns if column.is_used)
    row = f"Row_{name}"
    lines = [f"{row} = TypedDict({row!r}, {{\n{fields}}}, total=False)\n"]
    for verb in ("predict", "explain"):
        address = f"/v1/models/{quote(model.name)}/{verb}"
        lines.append(
            f"\n\ndef {verb}_{name}(base: str, rows: list[{row}], *, key: str = '') -> dict[str, Any]:\n"
            f"    return ask(base.rstrip('/') + {address!r}, rows, key=key)\n"
        )
    return "".join(lines)


def _type(column: Column) -> str:
    return _TYPES.get(column.kind, "str | None")


def _names(names: Sequence[str]) -> list[str]:
    """Return a different end of an identifier for each name.

    >>> _names(["churn", "it's", "it-s"])
    ['churn', 'it_s', 'it_s_3']
    >>> _names(["a_b_3", "a-b", "a_b"])
    ['a_b_3', 'a_b', 'a_b_4']
    """
    found: list[str] = []
    for number, name in enumerate(names):
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        others = (f"{plain}_{end}" for end in count(number + 1))
        found.append(next(one for one in chain((plain,), others) if one not in found))
    return found
