"""What the OpenAPI document says of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mantic.serve.job import ANSWERS, STATES
from mantic.serve.problem import problem_document
from mantic.serve.served import Served

_REFUSALS: Mapping[str, str] = {
    "401": "an API key is needed, where the server asks for keys",
    "404": "there is no such job for this key, or this server has no jobs",
}
_TAKEN = ("text/csv", "application/x-ndjson", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")


def job_paths(models: Sequence[Served]) -> dict[str, Any]:
    """Return the addresses of jobs."""
    one, listed, done = "/v1/jobs/{id}", {"200": _json(_LIST, "the jobs")}, {"200": _json(_JOB, "the job")}
    answers = {
        "200": {"description": "one row each, in order", "content": {media: {} for media in ANSWERS.values()}},
        "409": problem_document("it is not done yet, or has failed"),
    }
    gone = {"204": {"description": "it is gone"}}
    return {f"/v1/models/{quote(model.name)}/jobs": {"post": _make(model)} for model in models} | {
        "/v1/jobs": {"get": _operation("List the jobs that the key may see", listed)},
        one: {
            "get": _operation("Say how far a job is", done) | _OF_ONE,
            "delete": _operation("Stop a job and remove it", gone) | _OF_ONE,
        },
        f"{one}/answers": {"get": _operation("Fetch the answers of a job", answers) | _OF_ONE},
    }


def _make(model: Served) -> dict[str, Any]:
    body = {media: {"schema": {"type": "string", "format": "binary"}} for media in _TAKEN}
    return _operation(
        f"Answer a whole table beside the requests: '{model.model.target_.name}' of each row",
        {
            "202": _json(_JOB, "the table is on the disk; the header Location says where to ask how far it is"),
            "400": problem_document("the body is empty, or not as long as it said"),
            "413": problem_document("the table is too long"),
            "415": problem_document("the body is no table in a form that is known"),
            "429": problem_document("too many jobs wait; Retry-After says when to come again"),
            "503": problem_document("jobs have not begun, or the model cannot be asked now"),
            "507": problem_document("the server's disk is full"),
        },
    ) | {
        "parameters": [
            _choice("format", ANSWERS, "the form of the answers; csv when absent"),
            _choice("for", ("spreadsheet",), "what a spreadsheet would take for a formula begins with an apostrophe"),
        ],
        "requestBody": {"required": True, "content": body},
    }


def _operation(summary: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    refusals = {status: problem_document(text) for status, text in _REFUSALS.items()}
    return {"tags": ["jobs"], "summary": summary, "responses": {**answers, **refusals}}


def _choice(name: str, known: Mapping[str, str] | tuple[str, ...], about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string", "enum": list(known)}, "description": about}


def _json(schema: Mapping[str, Any], about: str) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


_TEXT = {"type": "string"}
_ID = {"name": "id", "in": "path", "required": True, "schema": _TEXT | {"pattern": "^[0-9a-f]{32}$"}}
_OF_ONE = {"parameters": [_ID]}
_JOB = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "state": _TEXT | {"enum": list(STATES)},
        "model": _TEXT,
        "version": _TEXT,
        "rows": {"type": "integer", "description": "that are answered"},
        "share": {"type": "number", "description": "of the table that is answered, 0 to 1"},
        "format": _TEXT | {"enum": list(ANSWERS)},
        "created": _TEXT | {"format": "date-time"},
        "ended": {"type": ["string", "null"], "format": "date-time"},
        "warnings": {"type": "array", "items": _TEXT},
        "answers": _TEXT | {"description": "where they are, when it is done"},
        "problem": {"$ref": "#/components/schemas/Problem"},
    },
    "required": ["id", "state", "model", "version", "rows", "share"],
}
_LIST = {"type": "object", "properties": {"jobs": {"type": "array", "items": _JOB}}, "required": ["jobs"]}
