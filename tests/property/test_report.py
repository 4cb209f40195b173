"""Whatever a report holds, it can be kept and drawn."""

import math
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from mantic.report.blocks import Axis, Chart, Grid, Number, Report, Series, Text
from mantic.report.html import page
from mantic.report.json_form import from_json, to_json
from mantic.report.numbers import brief, say, say_alike
from mantic.report.svg import to_svg

floats = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1e300, -1e300, 5e-324, 1.0])
ends = st.lists(floats, max_size=8).map(tuple)
words = st.text(st.characters(), max_size=20)
axes = st.builds(
    Axis, words, st.sampled_from(["", "share", "kg"]), st.booleans(), st.lists(words, max_size=6).map(tuple)
)
series = st.builds(
    Series, words, ends, st.just(()) | ends, ends, ends, st.lists(words, max_size=4).map(tuple), st.booleans()
)
kinds = st.sampled_from(["line", "bar", "points", "histogram", "box", "heat", "waterfall", "picture"])
charts = st.builds(
    Chart,
    kinds,
    words,
    words,
    st.lists(series, max_size=3).map(tuple),
    axes,
    axes,
    st.lists(ends, max_size=4).map(tuple),
    horizontal=st.booleans(),
)
cells = words | floats | st.integers() | st.booleans() | st.none()
grids = st.lists(st.tuples(cells, cells), max_size=4).map(lambda rows: Grid(("a", "b"), tuple(rows), bars=("b",)))
numbers = st.builds(Number, words, floats | words, words, st.none() | floats, st.none() | floats, words)
facts = st.recursive(
    floats | words | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.sampled_from(["$float", "$dict"]), inner, max_size=2)
    ),
    max_leaves=6,
)
reports = st.builds(
    Report,
    words,
    st.lists(charts | grids | numbers | st.builds(Text, words), max_size=3).map(tuple),
    words,
    st.dictionaries(words, facts, max_size=3),
)


@given(reports)
def test_any_report_comes_back_from_json_as_it_was(report):
    assert repr(from_json(to_json(report))) == repr(report)  # repr, because NaN differs from itself


@settings(max_examples=150)
@given(charts)
def test_any_chart_is_drawn_as_valid_svg_without_a_warning(chart):
    text = to_svg(chart)

    ElementTree.fromstring(text)
    assert "nan" not in text.replace(chart.title, "").lower() or any("nan" in part.lower() for part in _words(chart))


@settings(max_examples=25)
@given(reports)
def test_any_report_makes_a_page(report):
    assert page(report).endswith("</html>\n")


@given(st.lists(floats, min_size=1, max_size=6), st.sampled_from(["", "share", "p", "kg"]))
def test_any_number_can_be_said(values, unit):
    assert all(say(value, unit) for value in values)
    assert all(say_alike(values))
    known = [value for value in values if math.isfinite(value) and abs(value) <= 1e300]
    assert len(brief(known, unit)) == len(known)


def _words(chart: Chart) -> list[str]:
    parts = [chart.sentence, chart.x.label, chart.y.label, *chart.x.labels, *chart.y.labels]
    return parts + [text for one in chart.series for text in (one.name, *one.texts)]
