"""The OpenAPI document of a server, made from the schemas of its models."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mantic.core.schema import Column, Kind, Schema
from mantic.serve.example import about_column, example_of, example_row
from mantic.serve.job_document import job_paths
from mantic.serve.metrics import MEDIA as METRICS_MEDIA
from mantic.serve.problem import problem_document
from mantic.serve.served import Served, decision_of

_JSON_TYPE: Mapping[Kind, str] = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}
_N_LEVELS = 20  # how many levels are named as examples


def openapi(models: Sequence[Served], *, version: str) -> dict[str, Any]:
    """Return the document: two addresses per model, each with the model's own row as its schema, and the common ones.

    Parameters
    ----------
    version : of mantic.
    """
    paths: dict[str, Any] = {
        "/v1/models": {"get": _get("models", "List the models", "every model with its version", _REFUSED)},
        "/healthz": {"get": _get("health", "Say whether the process lives", "it lives", {})},
        "/metrics": {"get": _metrics()},
        "/readyz": {"get": _get("health", "Say whether models can be asked", "they can", {"503": "not yet"})},
    }
    paths |= {"/v1/feedback": {"post": _feedback()}, **job_paths(models)}
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for place, model in enumerate(models):
        key = f"Row{place + 1}" if len(models) > 1 else "Row"
        schemas[key] = row_schema(model.schema, title=f"A row for {model.name}")
        address = f"/v1/models/{quote(model.name)}"
        paths[address] = {
            "get": _get(model.name, "Describe the model", "its task, columns, metrics and version", _REFUSED)
        }
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
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _KEYS},
    }


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
    example = example_of(column)
    return done if example is None else done | {"examples": [example]}


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
        "forecast": {
            "prediction": number | {"description": "the mean"},
            "median": number,
            "quantiles": {"type": "object", "additionalProperties": number, "description": "by their probability"},
            "over_capacity": number | {"description": "probability of more than the capacity, where one is watched"},
            "basis": {"type": "string", "description": "what the answer comes from, where a series is not known"},
        },
    }
    identity = {"type": "string", "description": "by which /v1/feedback finds it, where predictions are kept"}
    one = {"type": "object", "properties": kinds[model.task] | _decision(model) | {"id": identity}}
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
        "408": "the body takes too long to come",
        "413": "too much at once",
        "415": "a form that is not known",
        "422": "the rows do not fit",
        **_LATE,
    }
    return {
        "tags": [model.name],
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {
            "200": {"description": "one answer per row", "content": {"application/json": {"schema": answer}}},
            **{status: problem_document(text) for status, text in faults.items()},
        },
    }


def _feedback() -> dict[str, Any]:
    value = {"type": ["string", "number", "boolean", "null"], "description": "what was true"}
    one = {"type": "object", "properties": {"id": {"type": "string"}, "value": value}, "required": ["id", "value"]}
    outcomes = {"type": "array", "items": one, "minItems": 1}
    body = {
        "type": "object", "properties": {"outcomes": outcomes}, "required": ["outcomes"], "additionalProperties": False,
    }  # fmt: skip
    kept = {"type": "object", "properties": {"kept": {"type": "integer"}}, "required": ["kept"]}
    faults = {
        "400": "the body is no such JSON",
        "408": "the body takes too long to come",
        "404": "nothing is kept here",
        "413": "too much at once",
        "415": "a form that is not known",
        "503": "it cannot be kept now",
        **_LATE,
    }
    return {
        "tags": ["feedback"],
        "summary": "Say how predictions turned out; a later word replaces an earlier one",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "they are kept", "content": {"application/json": {"schema": kept}}},
            **{status: problem_document(text) for status, text in faults.items()},
        },
    }


def _get(tag: str, summary: str, found: str, faults: Mapping[str, str]) -> dict[str, Any]:
    answers = {"200": {"description": found, "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {
        "tags": [tag], "summary": summary,
        "responses": answers | {status: problem_document(text) for status, text in faults.items()},
    }  # fmt: skip


def _metrics() -> dict[str, Any]:
    found = _get("health", "Say what the server counts, for Prometheus", "counters as text", _REFUSED)
    found["responses"]["200"]["content"] = {METRICS_MEDIA: {"schema": {"type": "string"}}}
    return found


_REFUSED = {
    "401": "an API key is needed, where the server asks for keys",
    "403": "the API key is not for this",
    "429": "too much is asked; Retry-After says when to come again",
}
_LATE = {**_REFUSED, "504": "the deadline of the header X-Mantic-Deadline-Ms has passed"}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API key, where the server asks for keys"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}
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
