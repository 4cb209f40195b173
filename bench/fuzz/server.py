"""Ask the server what its OpenAPI document allows and what it forbids, in process: ``python bench/fuzz/server.py``.

Schemathesis makes the requests from the document of three servers (open, with keys, with feedback kept in a store);
bodies of every form with something changed in them come on top. Nothing of it may be answered with 5xx, with what the
document does not name, or late.
"""

import argparse
import asyncio
import io
import json
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import requests
import schemathesis
from choices import TEXTS, Choices, damaged, odd_json, odd_value
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from made_models import table
from schemathesis import GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from mantic.serve.app import House, make_asgi
from mantic.serve.keyring import Grant
from mantic.store.store import open_store
from mantic.tasks.base import load

_NAMES = {"churn": "classify-boosting", "rent": "regress-linear"}
_MEDIA = (
    "application/json", "application/json; charset=latin-1", "application/x-ndjson", "text/plain", "", "x/y",
    "application/vnd.apache.arrow.stream", "application/problem+json",
)  # fmt: skip
_CHECKS = [
    checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance,
    checks.response_headers_conformance,
]  # fmt: skip
_KEY = "k" * 20
_EXPLAINED = 20  # requests for reasons are so many times rarer: each costs as much as many predictions


@dataclass
class Tally:
    """What came back."""

    n: Counter[str] = field(default_factory=Counter)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    slowest: float = 0.0
    slowest_case: str = ""

    def note(self, kind: str, place: str, told: str) -> None:
        """Keep a finding, once for each place."""
        one = self.found.setdefault(f"{kind}: {place}", {"kind": kind, "place": place, "told": told[:600], "count": 0})
        one["count"] += 1


@dataclass(frozen=True)
class Answer:
    """What the application said."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    seconds: float


class Asked:
    """An application, started, that is asked without a socket."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop.run_until_complete(self._start())

    async def _start(self) -> None:
        started = asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            started.set()

        await self._queue.put({"type": "lifespan.startup"})
        self._life = asyncio.ensure_future(self._app({"type": "lifespan", "state": {}}, self._queue.get, send))
        await started.wait()

    def close(self) -> None:
        """Let the application end what it began."""
        self._queue.put_nowait({"type": "lifespan.shutdown"})
        self._loop.run_until_complete(self._life)

    def ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Return the answer to a request."""
        return self._loop.run_until_complete(self._ask(method, path, headers, body))

    async def _ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(_wire(name.lower()), _wire(value)) for name, value in headers],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        started = time.perf_counter()
        await self._app(scope, receive, send)
        took = time.perf_counter() - started
        whole = b"".join(one.get("body", b"") for one in sent[1:])
        return Answer(sent[0]["status"], list(sent[0]["headers"]), whole, took)


def _wire(text: str) -> bytes:
    return text.encode("latin-1", "replace")


@dataclass(frozen=True)
class Many:
    """How many requests, from which seed, and until when."""

    n: int
    seed: int
    until: float


class OneKey:
    """A keyring of a single key."""

    def find(self, key: str) -> Grant | None:
        """Return what it allows."""
        return Grant("1", "fuzz", frozenset({"admin"})) if key == _KEY else None


def main() -> int:
    """Run the requests; return 1 when something is found."""
    options = _options()
    warnings.simplefilter("ignore")
    started, tally = time.monotonic(), Tally()
    models = {name: load(options.models / f"{file}.mantic") for name, file in _NAMES.items()}
    loop = asyncio.new_event_loop()
    with open_store(options.folder / "store") as store:
        houses = {"open": House(), "keys": House(keyring=OneKey()), "feedback": House(feedback=store.outcomes.add)}
        for place, (name, house) in enumerate(houses.items()):
            server = Asked(make_asgi(models, house), loop)
            until = started + options.seconds * (place + 1) / len(houses)
            many = Many(options.cases // len(houses) // 2, options.seed + place, until)
            _by_document(server, name, tally, many)
            _by_body(server, name, tally, many)
            server.close()
    facts = {"n": tally.n, "seconds": time.monotonic() - started}
    print(json.dumps({**facts, "slowest": tally.slowest, "slowest_case": tally.slowest_case}))
    for one in tally.found.values():
        print(json.dumps(one), flush=True)
    return int(bool(tally.found))


def _by_document(server: Asked, house: str, tally: Tally, many: Many) -> None:
    """Ask what Schemathesis makes of the document: half of it valid, half of it not."""
    headers = [("authorization", f"Bearer {_KEY}")] if house == "keys" else []
    document = json.loads(server.ask("GET", "/openapi.json", headers, b"").body)
    found = schemathesis.openapi.from_dict(document)
    operations = [one.ok() for one in found.get_all_operations()]
    weights = {one.label: _weight(one) for one in operations}
    until = (time.monotonic() + many.until) / 2
    for one in operations:
        share = weights[one.label] / sum(weights.values())
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            ask = _asker(server, house, tally, until)
            strategy = one.as_strategy(generation_mode=mode)
            run = settings(
                max_examples=max(1, int(many.n * share / 2)), phases=[Phase.generate], database=None, deadline=None,
                suppress_health_check=list(HealthCheck),
            )(given(case=strategy)(ask))  # fmt: skip
            try:
                seed(many.seed)(run)()
            except (EnoughError, Unsatisfiable):  # what has no body takes nothing that is not valid
                continue


class EnoughError(Exception):
    """The time is over."""


def _weight(operation: Any) -> float:
    if operation.method == "get":
        return 0.2
    return 1 / _EXPLAINED if operation.path.endswith("/explain") else 5


def _asker(server: Asked, house: str, tally: Tally, until: float) -> Callable[[Any], None]:
    def ask(case: Any) -> None:
        if time.monotonic() > until:
            raise EnoughError
        said = case.as_transport_kwargs(base_url="http://testserver")
        said.pop("cookies", None)
        request = requests.Request(
            **{key: said[key] for key in ("method", "url", "headers", "params", "data", "json", "files") if key in said}
        ).prepare()
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        headers = list(request.headers.items())
        if house == "keys" and tally.n["cases"] % 5:
            headers.append(("Authorization", f"Bearer {_KEY}"))
        place = f"{case.method} {case.operation.path}"
        answer = _asked(server, tally, (case.method, request.path_url, headers, body), f"{house} {place}")
        lists: dict[str, list[str]] = {}
        for name, value in answer.headers:
            lists.setdefault(name.decode(), []).append(value.decode())
        response = Response(answer.status, lists, answer.body, request, answer.seconds, verify=True)
        try:
            case.validate_response(response, checks=_CHECKS)
        except FailureGroup as error:
            for one in error.exceptions:
                tally.note("does not fit", f"{place} {answer.status} {type(one).__name__}", f"{body[:200]!r}: {one}")

    return ask


def _asked(server: Asked, tally: Tally, request: tuple[str, str, list[tuple[str, str]], bytes], place: str) -> Answer:
    """Ask, count, and keep what must not be."""
    tally.n["cases"] += 1
    try:
        answer = server.ask(*request)
    except BaseException as error:  # whatever it is, it is a finding; panics of polars are no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        line = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
        tally.note(
            "5xx",
            f"{place.split(' ', 1)[1]} {type(error).__name__} {line}",
            f"{request[2]} {request[3][:300]!r} {error}",
        )
        return Answer(500, [(b"content-type", b"application/problem+json")], b"{}", 0.0)
    tally.n[str(answer.status)] += 1
    if answer.status >= 500 and (answer.status != 504 or b"x-mantic-deadline-ms" not in str(request[2]).encode()):
        tally.note(
            "5xx",
            f"{place.split(' ', 1)[1]} {answer.status}",
            f"{request[2]} {request[3][:300]!r} {answer.body[:200]!r}",
        )
    if answer.seconds > tally.slowest:
        tally.slowest, tally.slowest_case = answer.seconds, f"{place} {request[3][:80]!r}"
    return answer


def _by_body(server: Asked, house: str, tally: Tally, many: Many) -> None:
    """Ask with bodies of every form that are nearly right."""
    decisions = random.Random(many.seed)
    for _ in range(many.n):
        if time.monotonic() > many.until:
            return
        choices = Choices(decisions.randbytes(48))
        path = choices.pick(
            (
                *["/v1/models/churn/predict"] * 9,
                *["/v1/models/rent/predict"] * 9,
                "/v1/feedback",
                "/v1/feedback",
                _path(choices),
            )
        )
        if choices.once_in(200):
            path = "/v1/models/churn/explain"
        media, body = _body(choices, is_feedback=path == "/v1/feedback")
        headers = [("content-type", media)] if media else []
        headers += [("authorization", f"Bearer {_KEY}")] if house == "keys" else []
        if choices.once_in(4):
            name = choices.pick(
                ("accept", "x-mantic-deadline-ms", "x-mantic-key", "content-length", "authorization", "host")
            )
            headers.append(
                (name, choices.pick((*_MEDIA, *TEXTS, "0", "-1", "1e9", "1000", "99999999999999", "*/*;q=0")))
            )
        method = choices.pick(("POST",) * 19 + ("GET", "HEAD", "PUT", "TRACE", "OPTIONS"))
        _asked(
            server,
            tally,
            (method, path, headers, body),
            f"{house} body {'feedback' if 'feedback' in path else 'rows'} {media}",
        )


def _path(choices: Choices) -> str:
    return choices.pick(
        (
            "/",
            "/docs",
            "/metrics",
            "/openapi.json",
            "/v1/models/",
            "//",
            "/v1/models/%00/predict",
            "/v1/models/churn/predict/",
            "/v1/models/churn%0A",
            f"/v1/models/{'x' * 3000}",
            "/v1/models/churn",
            "/docs/client.py",
            "/%ff",
            "/docs/../metrics",
        )
    )


def _body(choices: Choices, *, is_feedback: bool) -> tuple[str, bytes]:
    """Return a media type and a body; they agree most of the time."""
    if is_feedback:
        outcomes: Any = {
            "outcomes": [
                {"id": choices.pick(("01", "a" * 64, "é", "١٢")), "value": odd_value(choices)}
                for _ in range(1 + choices.below(3))
            ]
        }
        return _MEDIA[0], _json(odd_json(outcomes, choices) if choices.once_in(2) else outcomes, choices)
    kind = choices.below(3)
    rows = [_row(choices) for _ in range(choices.pick((1, 1, 1, 2, 3, 9, 40)))]
    if kind == 0:
        body: Any = {"rows": rows}
        media, content = _MEDIA[0], _json(odd_json(body, choices) if choices.once_in(4) else body, choices)
    elif kind == 1:
        media, content = _MEDIA[2], b"\n".join(_json(row, choices) for row in rows)
    else:
        media, content = _MEDIA[6], _arrow(choices)
    return choices.pick(_MEDIA) if choices.once_in(15) else media, content


def _row(choices: Choices) -> dict[str, Any]:
    row: dict[str, Any] = {"age": 41, "plan": "gold", "since": "2021-05-01", "is_member": True, "remark": "late again"}
    for _ in range(choices.below(3)):
        name = choices.pick((*row, *TEXTS)) if choices.once_in(4) else choices.pick(tuple(row))
        row[name] = odd_value(choices) if choices.once_in(2) else choices.pick(TEXTS)
    if choices.once_in(300):
        row |= {f"c{place}": place for place in range(10_000)}
    return row


def _json(value: Any, choices: Choices) -> bytes:
    content = json.dumps(value, ensure_ascii=choices.once_in(3)).encode("utf-8", "surrogatepass")
    return damaged(content, choices) if choices.once_in(6) else content


def _arrow(choices: Choices) -> bytes:
    frame = table().head(choices.pick((1, 2, 5, 60))).drop("rent", "leaves")
    name = choices.pick(frame.columns)
    casts = (
        pl.String,
        pl.Categorical,
        pl.Float32,
        pl.Int8,
        pl.UInt64,
        pl.Datetime("ns"),
        pl.Duration("ms"),
        pl.Time,
        pl.Binary,
        pl.Boolean,
        pl.Int128,
        pl.Decimal(10, 2),
        pl.List(pl.String),
        pl.Null,
    )
    if choices.once_in(2):
        kind = choices.pick(casts)
        frame = frame.with_columns(pl.Series(name, [None] * frame.height, dtype=kind))
        frame = frame.with_columns(_filled(frame[name], kind, choices))
    out = io.BytesIO()
    frame.write_ipc_stream(out, compression=choices.pick(("uncompressed",) * 8 + ("lz4", "zstd")))
    return damaged(out.getvalue(), choices) if choices.once_in(2) else out.getvalue()


def _filled(series: pl.Series, kind: Any, choices: Choices) -> pl.Series:
    """Return the column with values of its type, as extreme as they can be."""
    numbers = pl.Series(series.name, [choices.pick((0, 1, 2**62, -(2**62), 2**31, 255))] * len(series))
    try:
        if kind in (pl.String, pl.Categorical, pl.Binary):
            return pl.Series(series.name, [choices.pick([one for one in TEXTS if one != "\ud800"])] * len(series)).cast(
                kind
            )
        return numbers.cast(kind, strict=False)
    except pl.exceptions.PolarsError:
        return series


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
