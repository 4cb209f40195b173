"""Read JSON from strangers: no NaN, no key twice, no endless nesting."""

import json
from collections import Counter
from typing import Any, NoReturn


def read_json(text: str | bytes, *, max_depth: int = 32) -> Any:
    """Return the value that a JSON text holds.

    Parameters
    ----------
    text : UTF-8 when bytes.
    max_depth : how deep lists and objects may be nested; a plain value has depth 0.

    Raises
    ------
    ValueError : says what is wrong: no JSON, NaN or Infinity, a key twice in one object, or nested too deep.

    >>> read_json('{"rows": [{"age": 41}]}')
    {'rows': [{'age': 41}]}
    """
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(plain, parse_constant=_no_number, object_pairs_hook=_no_twin)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {max_depth} levels") from None
    _check_depth(value, max_depth)
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON (write null for a missing value)")


def _no_twin(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    done = dict(pairs)
    if len(done) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the key '{names.most_common(1)[0][0]}' stands twice in one object")
    return done


def _check_depth(value: Any, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {max_depth} levels")


def _children(value: Any) -> list[Any]:
    kind = type(value)
    if kind is not dict and kind is not list:
        return []
    inside = value.values() if kind is dict else value
    return [child for child in inside if type(child) in _NESTED] or ([0] if value else [])


_NESTED = (dict, list)
