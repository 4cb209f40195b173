"""A report as JSON."""

import json
import math

import pytest

from mantic.core.errors import ArtifactError
from mantic.report.blocks import Alert, Chart, Grid, Group, Number, Report, Series, Text
from mantic.report.json_form import FORMAT, from_json, to_json


def test_a_report_of_every_kind_of_block_comes_back_equal():
    blocks = (
        Text("a", "code"),
        Number("b", 1.5, low=math.inf, high=-math.inf),
        Grid(("x",), ((None,), (True,), ("nan",), (2,), (2.0,))),
        Chart("line", "c", "d", (Series("e", (1.0, 2.0), is_reference=True),)),
        Alert("stop", "code", "what", column="f"),
        Group("g", (Group("h", (Text("i"),)),), fold=True),
    )
    report = Report("t", blocks, facts={"a": [1, None, {"$float": "nan"}], "b": {"$dict": {"$x": 1}}})

    assert from_json(to_json(report)) == report


def test_nan_survives_and_the_text_stays_strict_json():
    text = to_json(Report("t", (Number("n", math.nan),), facts={"x": math.nan}))

    json.loads(text, parse_constant=pytest.fail)
    again = from_json(text)
    assert math.isnan(again.blocks[0].value)
    assert math.isnan(again.facts["x"])


@pytest.mark.parametrize(
    "body",
    [
        {"blocks": [{"block": "script", "body": "x"}]},
        {"blocks": [{"block": ["text"], "body": "x"}]},
        {"blocks": [{"block": "text", "body": "x", "style": "loud"}]},
        {"blocks": [{"block": "text", "body": ["x"]}]},
        {"blocks": [{"block": "text"}]},
        {"blocks": [{"block": "text", "body": "x", "extra": 1}]},
        {"blocks": [{"block": "number", "label": "x", "value": True}]},
        {"blocks": "text"},
        {"facts": []},
        {"facts": {"$float": "nan"}},
    ],
)
def test_what_no_report_has_is_refused_with_its_place(body):
    with pytest.raises(ArtifactError, match="no report"):
        from_json(json.dumps({"format": FORMAT, "title": "t"} | body))


@pytest.mark.parametrize("text", ["", "[]", "{}", "{" * 100_000, "[" * 100_000, '{"format": NaN}', "1" * 5000])
def test_what_is_no_report_at_all_is_refused(text):
    with pytest.raises(ArtifactError):
        from_json(text)


def test_groups_without_end_are_refused_in_both_directions():
    group = Group("g")
    for _ in range(40):
        group = Group("g", (group,))
    deep = json.dumps({"format": FORMAT, "title": "t", "facts": json.loads('{"a":' * 60 + "1" + "}" * 60)})

    with pytest.raises(ArtifactError, match="nested"):
        to_json(Report("t", (group,)))
    with pytest.raises(ArtifactError, match="nested"):
        from_json(deep)
