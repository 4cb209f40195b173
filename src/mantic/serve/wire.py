"""The forms in which rows come and answers go: JSON, one JSON object per line, and Arrow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mantic.serve.arrow import read_arrow, write_arrow
from mantic.serve.problem import MediaError
from mantic.serve.question import Limits, Question, question_of, read_lines
from mantic.serve.served import Served

_Warnings = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Wire:
    """One form: how a body is read, and how answers are written."""

    media: bytes
    read: Callable[[Served, bytes, Limits], Question]
    write: Callable[[Served, list[dict[str, Any]], _Warnings], bytes]

    @property
    def is_json(self) -> bool:
        """Whether this is the form that has a place for everything."""
        return self is JSON


def wires_of(headers: Mapping[bytes, bytes]) -> tuple[Wire, Wire]:
    """Return the form of the body, by its Content-Type, and that of the answer: the same, unless Accept names another.

    Raises
    ------
    MediaError : if the body says to be anything else; says what is known.

    >>> [wire.media for wire in wires_of({b"content-type": b"application/x-ndjson", b"accept": b"application/json"})]
    [b'application/x-ndjson', b'application/json']
    """
    media = headers.get(b"content-type", b"")
    found = _WIRES.get(media)
    if found is None:
        media = media.partition(b";")[0].strip().lower()
        found = JSON if media.endswith(b"+json") else _WIRES.get(media)
    if found is None:
        shown = media[:80].decode("latin-1")
        raise MediaError(
            f"the body is '{shown}', not JSON",
            where="header Content-Type",
            fix="send the header 'Content-Type: application/json' (or application/x-ndjson, or an Arrow stream)",
        )
    accept = headers.get(b"accept")
    if accept is None or accept == b"*/*":
        return found, found
    named = (part.partition(b";")[0].strip().lower() for part in accept.split(b","))
    return found, next((_WIRES[one] for one in named if one in _WIRES), found)


def check_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that says to be anything but JSON.

    Raises
    ------
    MediaError : says what it says to be.
    """
    if wires_of(headers)[0] is not JSON:
        raise MediaError(
            "the body is not JSON", where="header Content-Type", fix="send the header 'Content-Type: application/json'"
        )


def _read_json(served: Served, body: bytes, limits: Limits) -> Question:
    return served.read(body, limits)


def _write_json(served: Served, predictions: list[dict[str, Any]], warnings: _Warnings) -> bytes:
    return served.reply(predictions, warnings)


def _read_lines(served: Served, body: bytes, limits: Limits) -> Question:
    return question_of(read_lines(body, limits), served.schema, limits, plan=served.plan)


def _write_lines(served: Served, predictions: list[dict[str, Any]], warnings: _Warnings) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" for one in predictions)


def _read_arrow(served: Served, body: bytes, limits: Limits) -> Question:
    return read_arrow(body, served.schema, limits)


def _write_arrow(served: Served, predictions: list[dict[str, Any]], warnings: _Warnings) -> bytes:
    return write_arrow(predictions)


JSON = Wire(b"application/json", _read_json, _write_json)
LINES = Wire(b"application/x-ndjson", _read_lines, _write_lines)
ARROW = Wire(b"application/vnd.apache.arrow.stream", _read_arrow, _write_arrow)
_WIRES: Mapping[bytes, Wire] = {wire.media: wire for wire in (JSON, LINES, ARROW)} | {
    b"text/plain": JSON,
    b"application/x-www-form-urlencoded": JSON,  # what curl -d says
    b"": JSON,
    b"application/jsonl": LINES,
    b"application/x-jsonlines": LINES,
}
