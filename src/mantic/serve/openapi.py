"""The OpenAPI document of a server, made from the schemas of its models."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mantic.core.schema import Column, Kind, Schema
from mantic.report.numbers import say, say_range
from mantic.serve.problem import MEDIA
from mantic.serve.served import Served, decision_of

_JSON_TYPE: Mapping[Kind, str] = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}
_KIND_IN_WORDS: Mapping[Kind, str] = {
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "date",
    Kind.CATEGORY: "category",
    Kind.TEXT: "text",
}
_N_LEVELS = 20  # how many levels are named as examples


def example_row(schema: Schema) -> dict[str, Any]:
    """Return a row in the middle of what was seen: half-way numbers, the commonest categories.

    >>> example_row(
    ...     Schema((Column("age", Kind.NUMBER, low=18.0, high=95.0), Column("plan", Kind.CATEGORY, levels=("b",))))
    ... )
    {'age': 56, 'plan': 'b'}
    """
    return {column.name: _example(column) for column in schema.columns if column.is_used}


def about_column(column: Column) -> str:
    """Return what a column holds, in words.

    >>> about_column(Column("age", Kind.NUMBER, low=18.0, high=95.0, share_missing=0.1))
    'number; 18 to 95 when fitted; 10 % were missing'
    """
    parts = [_KIND_IN_WORDS.get(column.kind, "not used")]
    if column.unit:
        parts[0] += f" in {column.unit}"
    if column.kind == Kind.NUMBER and column.low is not None and column.high is not None:
        parts.append(f"{say_range(column.low, column.high)} when fitted")
    elif column.kind == Kind.DATE and column.low is not None:
        parts.append(f"{_day(column.low)} to {_day(column.high)} when fitted")
    if column.kind == Kind.CATEGORY and column.n_levels:
        parts.append(f"{column.n_levels:,} seen when fitted; others are allowed")
    if column.share_missing:
        parts.append(f"{say(column.share_missing, 'share')} were missing")
    return "; ".join(parts)


def openapi(models: Sequence[Served], *, version: str) -> dict[str, Any]:
    """Return the document: two addresses per model, each with the model's own row as its schema, and the common ones.

    Parameters
    ----------
    version : of mantic.
    """
    paths: dict[str, Any] = {
        "/v1/models": {"get": _get("models", "List the models", "every model with its version")},
        "/healthz": {"get": _get("health", "Say whether the process lives", "it lives")},
        "/readyz": {"get": _get("health", "Say whether models can be asked", "they can", ("503", "not yet"))},
    }
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for place, model in enumerate(models):
        key = f"Row{place + 1}" if len(models) > 1 else "Row"
        schemas[key] = row_schema(model.schema, title=f"A row for {model.name}")
        address = f"/v1/models/{quote(model.name)}"
        paths[address] = {"get": _get(model.name, "Describe the model", "its task, columns, metrics and version")}
        target = model.model.target_.name
        paths[f"{address}/predict"] = {"post": _post(model, f"Predict '{target}'", key, _predictions(model))}
        paths[f"{address}/explain"] = {
            "post": _post(model, f"Say what each column added to the prediction of '{target}'", key, {"type": "object"})
        }
    info = {
        "title": "mantic",
        "version": version,
        "description": "Predictions over HTTP. Nothing here needs the network.",
    }
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def row_schema(schema: Schema, *, title: str) -> dict[str, Any]:
    """Return the JSON Schema of one row. Every column may be null; columns beyond these are ignored."""
    used = [column for column in schema.columns if column.is_used]
    return {
        "title": title,
        "type": "object",
        "properties": {column.name: _property(column) for column in used},
        "required": [column.name for column in used],
        "additionalProperties": True,
        "example": example_row(schema),
    }


def _property(column: Column) -> dict[str, Any]:
    done: dict[str, Any] = {
        "type": [_JSON_TYPE.get(column.kind, "string"), "null"],
        "title": column.name,
        "description": about_column(column),
    }
    if column.kind == Kind.CATEGORY:
        return done | {"examples": list(column.levels[:_N_LEVELS])}
    example = _example(column)
    return done if example is None else done | {"examples": [example]}


def _example(column: Column) -> Any:
    if column.kind == Kind.NUMBER:
        if column.low is None or column.high is None:
            return None
        low, high = float(column.low), float(column.high)
        middle = float(f"{low + (high - low) / 2:.3g}")
        return round(middle) if low.is_integer() and high.is_integer() and abs(middle) < 2**53 else middle
    if column.kind == Kind.BOOLEAN:
        return True
    if column.kind == Kind.DATE:
        return _day(column.high)
    if column.kind == Kind.TEXT:
        return column.levels[0] if column.levels else "some text"
    return column.levels[0] if column.levels else None


def _day(moment: float | str | None) -> str | None:
    """Return a moment without a clock that stands at midnight."""
    return None if moment is None else str(moment).removesuffix("T00:00:00")


def _predictions(model: Served) -> dict[str, Any]:
    number = {"type": "number"}
    kinds: Mapping[str, dict[str, Any]] = {
        "classify": {
            "prediction": {"description": "the likeliest class"},
            "probability": {"type": "object", "additionalProperties": number, "description": "0 to 1 per class"},
        },
        "regress": {
            "prediction": number,
            "interval": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
            "level": number | {"description": "share of such intervals that hold the truth"},
        },
    }
    one = {"type": "object", "properties": kinds[model.task] | _decision(model)}
    warning = {
        "type": "object",
        "properties": {
            name: {"type": "integer" if name == "count" else "string"} for name in ("code", "column", "count", "text")
        },
    }
    return {
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "version": {"type": "string"},
            "predictions": {"type": "array", "items": one},
            "warnings": {"type": "array", "items": warning},
        },
        "required": ["model", "version", "predictions"],
    }


def _decision(model: Served) -> dict[str, Any]:
    """Return the field that a model with a decision answers beside the prediction."""
    found = decision_of(model.model)
    return {} if found is None else {"decision": {"description": found.sentence}}


def _post(model: Served, summary: str, key: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{key}"}, "minItems": 1}
    body = {"type": "object", "properties": {"rows": rows}, "required": ["rows"], "additionalProperties": False}
    example = {"rows": [example_row(model.schema)]}
    faults = {
        "400": "the body is no such JSON",
        "413": "too much at once",
        "415": "no JSON",
        "422": "the rows do not fit",
    }
    return {
        "tags": [model.name],
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {
            "200": {"description": "one answer per row", "content": {"application/json": {"schema": answer}}},
            **{status: _problem(text) for status, text in faults.items()},
        },
    }


def _get(tag: str, summary: str, found: str, other: tuple[str, str] | None = None) -> dict[str, Any]:
    answers = {"200": {"description": found, "content": {"application/json": {"schema": {"type": "object"}}}}}
    if other:
        answers[other[0]] = _problem(other[1])
    return {"tags": [tag], "summary": summary, "responses": answers}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


_PROBLEM = {
    "title": "What is wrong, where, and how to fix it (RFC 9457)",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "what": {"type": "string"},
        "where": {"type": "string"},
        "fix": {"type": "string"},
    },
    "required": ["type", "title", "status", "what"],
}
