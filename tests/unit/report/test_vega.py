"""Charts as Vega-Lite specifications."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mantic.report.blocks import Axis, Chart, Report, Series
from mantic.report.html import article, page
from mantic.report.markup import Place
from mantic.report.tokens import TOKENS
from mantic.report.vega import spec_block, to_vega

EVIL = "</script><script>alert(1)</script> datum.x \u2028 😀 \ud800"
LABELS = ("one", "two", "three")
CHARTS = {
    "line": Chart("line", "t", "s", (Series("a", (1.0, 2.0, 1.5), (0.0, 1.0, 2.0), (0.5, 1, 1), (2.0, 3, 2)),)),
    "points": Chart("points", "t", "s", (Series("a", (1.0, 2.0), (3.0, 4.0)),)),
    "histogram": Chart("histogram", "t", "s", (Series("a", (3.0, 4.0), (0.0, 1.0, 2.0)),)),
    "bar": Chart("bar", "t", "s", (Series("a", (1.0, -2.0, 3.0)),), Axis("x", labels=LABELS)),
    "box": Chart("box", "t", "s", (Series("a", (1.0, 2.0, 3.0, 4.0, 5.0)),)),
    "waterfall": Chart("waterfall", "t", "s", (Series("a", (1.0, -0.5, 0.25)),), Axis(labels=LABELS)),
    "heat": Chart("heat", "t", "s", x=Axis(labels=LABELS), y=Axis(labels=LABELS), matrix=((1, -2, 3),) * 3),
}


def _rows(chart: Chart) -> list[dict[str, Any]]:
    spec = to_vega(chart)
    assert spec is not None
    found: list[dict[str, Any]] = spec["data"]["values"]
    return found


@pytest.mark.parametrize("kind", CHARTS)
def test_each_kind_has_marks_that_are_reached_and_say_their_values(kind):
    spec = to_vega(CHARTS[kind])

    assert any(layer.get("name", "").startswith("hit") for layer in spec["layer"])
    assert all(row["told"].strip() for row in spec["data"]["values"])
    json.dumps(spec, allow_nan=False)


def test_the_values_are_those_of_the_chart():
    line = _rows(CHARTS["line"])

    assert [(row["x"], row["y"], row["low"], row["high"]) for row in line] == [
        (0.0, 1.0, 0.5, 2.0), (1.0, 2.0, 1.0, 3.0), (2.0, 1.5, 1.0, 2.0),
    ]  # fmt: skip
    assert line[0]["told"] == "a\nplace: 0\nvalue: 1 (0.5 to 2.0)"
    assert [(row["x"], row["x2"], row["y"]) for row in _rows(CHARTS["histogram"])] == [(0, 1, 3), (1, 2, 4)]
    assert [(row["at"], row["y"]) for row in _rows(CHARTS["bar"])] == [(0, 1.0), (1, -2.0), (2, 3.0)]
    assert [(row["before"], row["y"]) for row in _rows(CHARTS["waterfall"])] == [
        (1.0, 1.0), (1.0, 0.5), (0.5, 0.75), (0.75, 0.75),
    ]  # fmt: skip
    assert [row["value"] for row in _rows(CHARTS["heat"])][:3] == ["1", "-2", "3"]


def test_a_share_is_said_in_per_cent_and_a_place_by_its_name():
    shares = replace(CHARTS["bar"], y=Axis("rows", "share"), series=(Series("", (0.25, 0.5, 0.25)),))
    days = replace(CHARTS["line"], x=Axis("day", labels=LABELS))

    assert _rows(shares)[1]["told"] == "x: two\nrows: 50 %"
    assert _rows(days)[2]["told"].splitlines()[1] == "day: three"


@pytest.mark.parametrize("kind", CHARTS)
def test_words_from_outside_are_data_and_never_part_of_an_expression(kind):
    chart, axis = CHARTS[kind], Axis(EVIL, EVIL, labels=(EVIL,) * 3)
    series = tuple(replace(one, name=EVIL, texts=(EVIL,) * 3) for one in chart.series * 2)

    spec = to_vega(replace(chart, title=EVIL, sentence=EVIL, series=series, x=axis, y=axis))

    said = [text for text in _texts(spec, ("filter", "expr", "labelExpr")) if "alert" in text]
    block = spec_block(replace(chart, series=series, x=axis, y=axis))
    assert said == []
    assert block.count("<") == 2  # its own two tags
    assert block.isascii()


def _texts(part: Any, names: tuple[str, ...], *, inside: bool = False) -> list[str]:
    """Return all texts under these names, wherever they stand."""
    if isinstance(part, dict):
        return [text for name, one in part.items() for text in _texts(one, names, inside=inside or name in names)]
    if isinstance(part, list):
        return [text for one in part for text in _texts(one, names, inside=inside)]
    return [part] if inside and isinstance(part, str) else []


def test_what_vega_reads_as_an_expression_is_found_by_the_test_above():
    assert _texts(to_vega(CHARTS["line"]), ("filter", "expr", "labelExpr"))


@pytest.mark.parametrize("kind", CHARTS)
def test_every_colour_is_a_variable_of_the_page(kind):
    text = json.dumps(to_vega(CHARTS[kind]))

    assert "#" not in text
    assert any(f"var(--{token.name})" in text for token in TOKENS)


def test_two_named_series_can_be_put_aside_and_one_cannot():
    two = replace(CHARTS["line"], series=(Series("a", (1.0, 2.0)), Series("b", (2.0, 1.0), is_reference=True)))

    assert to_vega(CHARTS["line"])["usermeta"]["series"] == []
    assert to_vega(two)["usermeta"]["series"] == [["a", "var(--accent)", False], ["b", "var(--reference)", True]]


def test_only_an_axis_with_many_points_can_be_stretched():
    long = Series("a", tuple(map(float, range(40))))

    ends = to_vega(replace(CHARTS["line"], series=(long,)))["usermeta"]["ends"]

    assert ends[0] <= 0 < 39 <= ends[1]
    assert "ends" not in to_vega(CHARTS["line"])["usermeta"]


def test_gaps_stay_gaps_and_many_points_stay_few_bytes():
    rng = np.random.default_rng(0)
    cloud = Series("a", tuple(rng.normal(size=20_000)), tuple(rng.normal(size=20_000)))

    assert [row["y"] for row in _rows(replace(CHARTS["line"], series=(Series("a", (1.0, math.nan, 2.0)),)))] == [
        1,
        None,
        2,
    ]
    assert len(_rows(Chart("points", "t", "s", (cloud,)))) == 700
    assert len(_rows(Chart("line", "t", "s", (cloud,)))) <= 301


@pytest.mark.parametrize("kind", [*CHARTS, "picture"])
def test_a_chart_without_values_has_no_specification(kind):
    assert to_vega(Chart(kind, "t", "s")) is None
    assert spec_block(Chart(kind, "t", "s")) == ""


def test_only_a_page_that_asks_for_it_holds_specifications():
    report = Report("t", (CHARTS["line"],))

    assert "m-spec" not in page(report)
    assert article(report, Place(2, "part", behind=spec_block))[1].count('class="m-spec"') == 1
