"""Charts as SVG."""

import base64
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mantic.report.blocks import Axis, Chart, Series
from mantic.report.svg import figure, to_svg

HOSTILE = (
    '<script>alert("1")</script>',
    "$\\frac{1}{$",
    "😀 日本語 \x00\x1b[31m\ud800\uffff",
    "long " * 100,
    "\u2801\u2802\u2803",
)


def _chart(kind: str) -> Chart:
    labels = ("one", "two", "three")
    charts = {
        "line": Chart("line", "t", "s", (Series("a", (1.0, 2.0, 1.5), (0.0, 1.0, 2.0), (0.5, 1, 1), (2.0, 3, 2)),)),
        "bar": Chart("bar", "t", "s", (Series("a", (1.0, -2.0, 3.0)),), Axis("x", labels=labels)),
        "points": Chart("points", "t", "s", (Series("a", (1.0, 2.0), (3.0, 4.0)),)),
        "histogram": Chart("histogram", "t", "s", (Series("a", (3.0, 4.0), (0.0, 1.0, 2.0)),)),
        "box": Chart("box", "t", "s", (Series("a", (1.0, 2.0, 3.0, 4.0, 5.0)),)),
        "waterfall": Chart("waterfall", "t", "s", (Series("a", (1.0, -0.5, 0.25)),), Axis(labels=labels)),
        "heat": Chart("heat", "t", "s", x=Axis(labels=labels), y=Axis(labels=labels), matrix=((1, 2, 3),) * 3),
        "picture": Chart("picture", "t", "s", picture=_png()),
    }
    return charts[kind]


def _png() -> str:
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, "png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


KINDS = ("line", "bar", "points", "histogram", "box", "waterfall", "heat", "picture")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_small_image_with_words_that_never_changes(kind):
    chart = replace(_chart(kind), sentence="It <rises>.")

    text = to_svg(chart)

    root = ElementTree.fromstring(text)
    assert (root.get("role"), root.get("aria-label"), root[0].text) == ("img", "It <rises>.", "It <rises>.")
    assert root.get("viewBox").startswith("0 0 440 ")
    assert text == to_svg(chart)
    assert len(text) < 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_loads_nothing_and_leaks_no_style(kind):
    text = to_svg(_chart(kind)).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert "http" not in text
    assert "<style" not in text
    assert "<script" not in text


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "picture"])
def test_every_colour_is_a_variable_of_the_page(kind):
    without_variables = re.sub(r"var\(--\w+, #\w{6}\)", "", to_svg(_chart(kind)))

    assert not re.findall(r"#[0-9a-f]{6}\b", without_variables)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "picture"])
@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_shown_as_words(kind, words):
    chart, axis = _chart(kind), Axis(words, words, labels=(words,) * 3)
    series = tuple(replace(one, name=words) for one in chart.series * 2)

    text = to_svg(replace(chart, title=words, sentence=words, series=series, x=axis, y=axis))

    ElementTree.fromstring(text)
    assert "<script" not in text


def test_letters_that_the_drawing_font_lacks_come_back_as_they_were():
    assert "日本語" in to_svg(replace(_chart("bar"), x=Axis(labels=("日本語", "😀", "a"))))


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_without_values_says_so(kind):
    assert "no " in to_svg(Chart(kind, "t", "s"))


def test_many_points_stay_a_small_drawing():
    rng = np.random.default_rng(0)
    cloud = Series("a", tuple(rng.normal(size=20_000)), tuple(rng.normal(size=20_000)))

    assert len(to_svg(Chart("points", "t", "s", (cloud,)))) < 45_000
    assert len(to_svg(Chart("line", "t", "s", (cloud,)))) < 20_000


@pytest.mark.parametrize(
    "address", ["https://example.org/a.png", "data:image/svg+xml;base64,PHN2Zy8+", "data:image/png;base64,AAAA"]
)
def test_a_picture_that_could_load_or_run_something_is_left_out(address):
    assert "<image" not in to_svg(Chart("picture", "t", "s", picture=address))


def test_the_figure_can_be_restyled_and_settings_stay_as_they_were():
    before = dict(matplotlib.rcParams)

    drawn = figure(_chart("bar"))

    assert len(drawn.axes) == 1
    assert dict(matplotlib.rcParams) == before
