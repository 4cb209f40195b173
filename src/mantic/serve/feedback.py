"""How it turned out: what a caller says about predictions that it got before."""

from collections.abc import Callable, Mapping
from typing import Any

from mantic.core.strict_json import read_json
from mantic.serve.problem import RequestError, UnknownModelError, too_many_rows
from mantic.serve.question import Limits

Feedback = Callable[[Mapping[str, Any]], int]
"""Keeps what was true, by the id of the prediction; returns how many, when they are on the disk."""

_EXAMPLE = 'send {"outcomes": [{"id": "ID OF A PREDICTION", "value": "yes"}]}'
_MOST_FAULTS = 5
_LONGEST_ID = 64


def read_truths(body: bytes, limits: Limits) -> dict[str, Any]:
    """Return what was true, by the id of the prediction; of one that is named twice, the last word counts.

    Raises
    ------
    RequestError : names every outcome that is none. TooLargeError : if there are more than `limits.max_rows`.

    >>> read_truths(b'{"outcomes": [{"id": "01", "value": "yes"}]}', Limits())
    {'01': 'yes'}
    """
    try:
        found = read_json(body, max_depth=4)
    except ValueError as error:
        raise RequestError(f"the body is no JSON: {error}", where="the request", fix=_EXAMPLE) from error
    outcomes = found.get("outcomes") if isinstance(found, dict) and len(found) == 1 else None
    if not isinstance(outcomes, list) or not outcomes:
        raise RequestError("the body holds no outcomes", where="the request", fix=_EXAMPLE)
    if len(outcomes) > limits.max_rows:
        raise too_many_rows(len(outcomes), limits.max_rows)
    faults = [f"outcome {place} {fault}" for place, one in enumerate(outcomes) if (fault := _fault(one))]
    if faults:
        raise RequestError("; ".join(faults[:_MOST_FAULTS]), where="the request (the first is 0)", fix=_EXAMPLE)
    return {one["id"]: one["value"] for one in outcomes}


def nothing_kept() -> UnknownModelError:
    """Return the refusal of a server that keeps nothing."""
    return UnknownModelError(
        "this server keeps no predictions, so nothing can be said about them",
        where="/v1/feedback",
        fix="serve a model from the store (mantic serve NAME), or a file with --log",
    )


def _fault(one: Any) -> str:
    if not isinstance(one, dict) or one.keys() != {"id", "value"}:
        return "is not an object of 'id' and 'value'"
    if not isinstance(one["id"], str) or not 0 < len(one["id"]) <= _LONGEST_ID or not one["id"].isalnum():
        return "has no id of a prediction"
    if isinstance(one["value"], dict | list):
        return "has a value that is neither a text, a number, nor true or false"
    return ""
