"""Rows and answers in other forms than JSON: one object per line, and Arrow."""

import io
import json
import struct
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import mantic
from mantic.serve.app import House, make_asgi
from mantic.serve.question import Limits

ROW = {"age": 30, "plan": "basic", "since": "2023-05-01", "is_member": True}
PREDICT = "/v1/models/churn/predict"
LINES, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def ask(churn, asker):
    return asker(make_asgi({"churn": churn()}, House(Limits(max_rows=20, max_bytes=20_000))))


@pytest.fixture(scope="module")
def send(ask):
    def post(content: bytes, media: str, *, accept: str | None = None) -> Any:
        headers = {"Content-Type": media} | ({"Accept": accept} if accept else {})
        return ask("POST", PREDICT, content=content, headers=headers)

    return post


def lines_of(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def stream_of(frame: pl.DataFrame, **options: Any) -> bytes:
    data = io.BytesIO()
    frame.write_ipc_stream(data, **options)
    return data.getvalue()


def frame_of(*rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows))


def test_one_row_per_line_gives_one_answer_per_line(send):
    answer = send(lines_of(ROW, ROW | {"age": 60}) + b"\n\n", LINES)

    assert answer.headers["content-type"] == LINES
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"prediction": "yes", "probability": {"no": 0.3, "yes": 0.7}},
        {"prediction": "no", "probability": {"no": 0.6, "yes": 0.4}},
    ]
    assert answer.headers["x-mantic-version"] == "0123456789ab"
    assert answer.headers["x-mantic-warnings"] == "0"


def test_an_arrow_stream_gives_an_arrow_stream(send):
    answer = send(stream_of(frame_of(ROW, ROW | {"age": None})), ARROW)

    assert answer.headers["content-type"] == ARROW
    frame = pl.read_ipc_stream(answer.content)
    assert frame.columns == ["prediction", "probability.no", "probability.yes"]
    assert frame.row(0) == ("yes", 0.3, 0.7)
    assert frame.height == 2


def test_what_comes_in_one_form_may_go_out_in_another(send):
    assert send(lines_of(ROW), LINES, accept="application/json").json()["warnings"] == []
    assert send(lines_of(ROW), LINES, accept="text/html, application/json;q=0.9").json()["model"] == "churn"
    assert send(json.dumps({"rows": [ROW]}).encode(), "application/json", accept=LINES).text.count("\n") == 1
    assert pl.read_ipc_stream(send(lines_of(ROW), LINES, accept=ARROW).content).height == 1
    assert send(lines_of(ROW), LINES, accept="image/png").headers["content-type"] == LINES


def test_the_same_rows_get_the_same_answers_in_every_form(churn_like, churn_like_new, asker):
    options: dict[str, Any] = {"budget": "1 trial", "learners": ["boosting"], "params": {"boosting.rounds": 20}}
    model = mantic.Classifier(**options).fit(churn_like, "churned")
    ask = asker(make_asgi({"churn": model}))
    frame = churn_like_new.drop("churned", "customer").head(30)
    rows = json.loads(frame.write_json())

    plain = ask("POST", PREDICT, json={"rows": rows}).json()["predictions"]
    lines = ask("POST", PREDICT, content=lines_of(*rows), headers={"Content-Type": LINES}).text.splitlines()
    arrow = ask("POST", PREDICT, content=stream_of(frame), headers={"Content-Type": ARROW}).content

    chances = np.array([one["probability"]["yes"] for one in plain])
    np.testing.assert_allclose([json.loads(line)["probability"]["yes"] for line in lines], chances, atol=1e-12)
    np.testing.assert_allclose(pl.read_ipc_stream(arrow)["probability.yes"], chances, atol=1e-12)


def test_unknown_columns_and_categories_are_counted_in_every_form(send):
    odd = ROW | {"plan": "gold", "shoe": 1}

    found = [
        send(lines_of(odd), LINES, accept="application/json"),
        send(stream_of(frame_of(odd)), ARROW, accept="application/json"),
        send(json.dumps({"rows": [odd]}).encode(), "application/json"),
    ]

    for answer in found:
        assert [one["code"] for one in answer.json()["warnings"]] == ["unknown_column", "unknown_category"]
    assert send(lines_of(odd), LINES).headers["x-mantic-warnings"] == "2"


@pytest.mark.parametrize("text", ["{", "[1]", "7", '{"age": NaN}', '{"age": 1, "age": 2}', "[" * 9000])
def test_a_line_that_is_no_row_is_named(text, send):
    answer = send(lines_of(ROW) + text.encode() + b"\n" + lines_of(ROW), LINES)

    assert answer.status_code == 400
    assert answer.json()["what"].startswith("line 2:")


def test_a_value_that_no_column_can_hold_is_named_in_every_form(send):
    nested = ROW | {"age": [1]}

    assert send(lines_of(nested), LINES).status_code == 422
    assert "'age' holds no numbers" in send(stream_of(frame_of(nested)), ARROW).json()["what"]
    assert send(stream_of(frame_of(ROW | {"age": "old"})), ARROW).status_code == 422
    assert send(lines_of(ROW | {"age": "old"}), LINES).status_code == 422


def test_limits_are_those_of_json(send):
    assert send(lines_of(*[ROW] * 21), LINES).status_code == 413
    assert send(stream_of(frame_of(*[ROW] * 21)), ARROW).status_code == 413
    assert send(lines_of(ROW | {"plan": "x" * 20_000}), LINES).status_code == 413
    wide = ROW | {f"c{number}": 1 for number in range(1_100)}
    assert send(lines_of(wide), LINES).status_code == 413
    assert send(b"", LINES).status_code == 422
    assert send(stream_of(frame_of(ROW).head(0)), ARROW).status_code == 422


def test_an_arrow_stream_that_would_be_larger_in_memory_is_refused(send):
    many = frame_of(*[ROW] * 5)

    assert "compressed" in send(stream_of(many, compression="zstd"), ARROW).json()["what"]
    assert "compressed" in send(stream_of(many, compression="lz4"), ARROW).json()["what"]
    nothing = pa.table({"age": pa.nulls(10**9)})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, nothing.schema) as writer:
        writer.write_table(nothing)
    answer = send(sink.getvalue(), ARROW)
    assert answer.status_code == 413
    assert "1,000,000,000 rows" in answer.json()["what"]


def test_many_rows_that_point_at_one_long_text_are_refused(send):
    data = stream_of(frame_of(*[ROW | {"plan": "x" * 3_000}] * 20).with_columns(pl.col("plan").cast(pl.Categorical)))

    assert len(data) < 20_000
    assert send(data, ARROW).status_code == 413


def test_an_arrow_file_is_no_stream(send):
    data = io.BytesIO()
    frame_of(ROW).write_ipc(data)

    assert send(data.getvalue(), ARROW).status_code == 400


@pytest.mark.parametrize("seed", range(4))
def test_damage_to_an_arrow_stream_is_an_answer_and_never_a_crash(seed, send):
    random = np.random.default_rng(seed)
    data = stream_of(frame_of(ROW, ROW | {"age": 3.5}))
    for _ in range(40):
        hurt = bytearray(data)
        for place in random.integers(0, len(hurt), random.integers(1, 4)):
            hurt[place] = random.integers(0, 256)
        hurt = hurt[: random.integers(1, len(hurt) + 1)] if random.random() < 0.3 else hurt

        assert send(bytes(hurt), ARROW).status_code in (200, 400, 413, 422)


def test_lengths_that_lie_are_an_answer(send):
    data = stream_of(frame_of(ROW))
    for place in range(0, min(len(data), 600), 4):
        for number in (-1, 2**31 - 1, -(2**31)):
            hurt = bytearray(data)
            struct.pack_into("<i", hurt, place, number)

            assert send(bytes(hurt), ARROW).status_code in (200, 400, 413, 422)


def test_a_buffer_that_says_to_be_huge_ends_no_server(send):
    content = stream_of(frame_of(*[ROW] * 7), compression="uncompressed")
    sizes = {56: 2**47, 7: 2**47}  # of the column of ages: bytes and rows
    for size, huge in sizes.items():
        changed = content.replace(struct.pack("<q", size), struct.pack("<q", huge))
        assert changed != content

        answer = send(changed, ARROW)

        assert answer.status_code in (400, 413)


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ms"), pl.Datetime("ns"), pl.Datetime("us", "Europe/Berlin")])
def test_a_date_at_the_edge_of_its_type_is_an_answer_and_never_a_crash(send, kind):
    for number in (2**31 - 1, -(2**31), 2**62, -(2**62)):
        days = pl.Series("since", [number]).cast(pl.Int32 if kind == pl.Date else pl.Int64, strict=False).cast(kind)

        answer = send(stream_of(frame_of(ROW).with_columns(days)), ARROW)

        assert answer.status_code in (200, 422)
