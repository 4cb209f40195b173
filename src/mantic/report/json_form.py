"""A Report as JSON text and back, exactly; a damaged or hostile text is refused with its place."""

import json
import math
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mantic.core.errors import ArtifactError
from mantic.report import blocks
from mantic.report.blocks import Alert, Axis, Chart, Grid, Group, Number, Report, Series, Text

FORMAT = "mantic-report/1"
MAX_CHARACTERS = 64 * 2**20
MAX_DEPTH = 50  # of lists and objects within each other; a page has six headings
_KINDS: dict[str, type] = {kind.__name__.lower(): kind for kind in (Text, Number, Grid, Chart, Alert, Group)}
_RECORDS = (*_KINDS.values(), Axis, Series)
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # JSON itself has no word for them


def to_json(report: Report) -> str:
    """Return the report as JSON text; NaN and infinities become ``{"$float": "nan"}``.

    Raises
    ------
    ArtifactError : if groups or facts are nested deeper than `MAX_DEPTH`.
    TypeError : if a value has no JSON form.

    >>> from_json(to_json(Report("Churn", (Text("Fine."),)))).blocks
    (Text(body='Fine.', style='paragraph'),)
    """
    body = {field.name: _written(getattr(report, field.name), 2) for field in fields(report)}
    return json.dumps({"format": FORMAT} | body, allow_nan=False)


def from_json(text: str) -> Report:
    """Restore what `to_json` wrote; every kind, field and type is checked.

    Raises
    ------
    ArtifactError : if the text is too long, too deep, no JSON, or holds a kind, field or type that a report has not.
    """
    if len(text) > MAX_CHARACTERS:
        raise _fault(f"it has {len(text):,} characters; {MAX_CHARACTERS:,} are allowed", "report")
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _fault(f"it is no JSON that can be read ({type(error).__name__})", "report") from error
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        raise _fault(f"its format is not '{FORMAT}'", "report")
    return _record(Report, body, "report", 1)  # type: ignore[no-any-return]


def _written(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _fault(f"it is nested deeper than {MAX_DEPTH} levels", "report")
    if isinstance(value, _RECORDS):
        body = {field.name: _written(getattr(value, field.name), depth + 1) for field in fields(value)}  # type: ignore[arg-type]
        kind = type(value).__name__.lower()
        return {"block": kind} | body if kind in _KINDS else body
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("the keys of a report's facts are text")
        body = {key: _written(item, depth + 1) for key, item in value.items()}
        return {"$dict": body} if len(body) == 1 and next(iter(body)).startswith("$") else body
    if isinstance(value, (list, tuple)):
        return [_written(item, depth + 1) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"a report cannot hold a {type(value).__name__}")


def _record(kind: type, body: Any, where: str, depth: int) -> Any:
    if not isinstance(body, dict):
        raise _fault("an object is expected", where)
    hints = _hints(kind)
    if unknown := [name for name in body if name not in hints]:
        raise _fault(f"there is no field '{unknown[0][:80]}'", where)
    needed = [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    if absent := [name for name in needed if name not in body]:
        raise _fault(f"the field '{absent[0]}' is missing", where)
    return kind(**{name: _read(hints[name], item, f"{where}.{name}", depth + 1) for name, item in body.items()})


def _read(hint: Any, value: Any, where: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _fault(f"it is nested deeper than {MAX_DEPTH} levels", where)
    if hint == blocks.Block:
        return _block(value, where, depth)
    if isinstance(hint, type) and hint in _RECORDS:
        return _record(hint, value, where, depth)
    origin = get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise _fault("a list is expected", where)
        item_hint = get_args(hint)[0]
        return tuple(_read(item_hint, item, f"{where}[{place}]", depth + 1) for place, item in enumerate(value))
    if origin is dict:
        facts = _facts(value, where, depth)
        if not isinstance(facts, dict):
            raise _fault("an object is expected", where)
        return facts
    return _scalar(hint, _as_float(value), where)


def _block(value: Any, where: str, depth: int) -> Any:
    kind = value.get("block") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _fault(f"the block {str(kind)[:80]!r} is unknown; known are {', '.join(_KINDS)}", where)
    body = {name: item for name, item in value.items() if name != "block"}
    return _record(_KINDS[kind], body, where, depth)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise _fault(f"{str(value)[:80]!r} is not one of {', '.join(get_args(hint))}", where)
        return value
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    types = tuple(NoneType if one is None else one for one in allowed)
    if float in types:
        types = (*types, int)
    if not (bool in types if isinstance(value, bool) else isinstance(value, types)):
        raise _fault(f"a {type(value).__name__} stands where another type belongs", where)
    return value


def _facts(value: Any, where: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _fault(f"it is nested deeper than {MAX_DEPTH} levels", where)
    value = _as_float(value)
    if isinstance(value, list):
        return [_facts(item, where, depth + 1) for item in value]
    if isinstance(value, dict):
        body = value["$dict"] if len(value) == 1 and isinstance(value.get("$dict"), dict) else value
        return {key: _facts(item, where, depth + 1) for key, item in body.items()}
    return value


def _as_float(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("$float"), str):
        return _FLOATS.get(value["$float"], value)
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _fault(what: str, where: str) -> ArtifactError:
    return ArtifactError(f"this is no report: {what}", where=where[:200], fix="save the report again")
