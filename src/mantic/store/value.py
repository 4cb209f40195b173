"""Values as they are stored: moments, JSON, and plain text that any database can hold."""

import getpass
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mantic.core.errors import StoreError
from mantic.core.strict_json import read_json

MAX_TEXT = 10_000  # characters of a note
MAX_JSON = 4_000_000  # characters of one row's facts
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"  # of one length, so that texts sort as moments do


def now() -> str:
    """Return this moment in UTC, as text that sorts.

    >>> len(now())
    27
    """
    return datetime.now(UTC).strftime(_FORM)


def before(seconds: float) -> str:
    """Return the moment so many seconds ago.

    >>> before(60) < now()
    True
    """
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime(_FORM)


def moment(value: str | datetime | None) -> str:
    """Return a moment as it is stored; a datetime without a zone is taken as UTC, None is now.

    Raises
    ------
    StoreError : if the text is no moment of ISO 8601.

    >>> moment("2026-05-01")
    '2026-05-01T00:00:00.000000Z'
    """
    if value is None:
        return now()
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise StoreError(
            f"'{str(value)[:40]}' is no moment", where="store", fix="write 2026-05-01T12:00:00Z"
        ) from error
    return (read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)).strftime(_FORM)


def pack(facts: Mapping[str, Any] | list[Any] | str | float | None) -> str:
    """Return plain JSON values as text; numbers of NumPy become Python's, what is not finite becomes null.

    Raises
    ------
    StoreError : if there is something in it that is no plain value, or too much of it.

    >>> pack({"b": 1, "a": float("nan")})
    '{"a": null, "b": 1}'
    """
    try:
        text = json.dumps(_finite(facts), sort_keys=True, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"this cannot be kept as JSON: {error}", where="store", fix="give plain values") from error
    if len(text) > MAX_JSON:
        raise StoreError(
            f"this is too much for one row ({len(text):,} characters)", where="store", fix="keep less of it"
        )
    return text


def unpack(text: str) -> Any:
    """Return what `pack` was given.

    >>> unpack('{"a": null}')
    {'a': None}
    """
    return read_json(text, max_depth=64)


def plain(text: str, what: str) -> str:
    """Return a text in one spelling (NFC), without the characters that a database or a terminal cannot hold.

    Raises
    ------
    StoreError : if it is too long, or holds control characters or half of a character.

    >>> plain("first model", "the note")
    'first model'
    """
    done = unicodedata.normalize("NFC", text)
    strange = [mark for mark in done if unicodedata.category(mark) in ("Cc", "Cs") and mark not in "\n\t"]
    if strange or len(done) > MAX_TEXT:
        why = f"holds {strange[0]!r}" if strange else f"has {len(done):,} characters (at most {MAX_TEXT:,})"
        raise StoreError(f"{what} cannot be kept: it {why}", where="store", fix="write plain text")
    return done


def author(by: str | None) -> str:
    """Return by whom something is done: as was said, or the name under which this process runs.

    >>> author("ada")
    'ada'
    """
    if by:
        return plain(by, "the author's name")
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return "unknown"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return _finite(value.item())
    raise TypeError(f"a {type(value).__name__} is no plain value")
