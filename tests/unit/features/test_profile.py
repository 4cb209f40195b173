"""A profile names what is wrong with a table, and lives through every table."""

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from mantic.core.errors import SchemaError
from mantic.features.profile import profile
from mantic.report.blocks import Chart, Group, Report

N = 400


def planted() -> pl.DataFrame:
    """Return a table with one problem of each sort."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(50, 10, N)
    far = np.where(np.arange(N) % 100 == 0, 5e4, rng.exponential(1, N))
    gaps = pl.Series(np.arange(N) % 3 == 0)
    frame = pl.DataFrame(
        {
            "key": [f"K{number}" for number in range(N)],
            "code": np.where(np.arange(N) % 50 == 0, -999.0, numbers),
            "twin": numbers,
            "twin again": numbers,
            "empty": pl.Series([None] * N, dtype=pl.String),
            "total": np.where(np.arange(N) % 40 == 0, "?", numbers.round(2).astype(str)),
            "city": rng.choice(["Bonn", "bonn ", "Köln"], N),
            "answer": rng.choice(["yes, sure", "unknown", "never"], N),
            "price": rng.choice(["$1,200", "$15", "$7.50"], N),
            "far": far,
            "half": pl.Series(numbers * 2 + rng.normal(0, 5, N)),
            "other half": pl.Series(rng.choice(["u", "v"], N)),
            "day": [date(2020, 1, 1) + timedelta(days=at) for at in range(N)],
            "us or eu": rng.choice(["01/02/2020", "03/04/2020", "05/06/2020"], N),
            "shop": [f"S{number % 60}" for number in range(N)],
            " name": rng.choice(["a", "b"], N),
            "rare": np.where(np.arange(N) < 12, "yes", "no"),
        }
    )
    return frame.with_columns(frame["half"].set(gaps, None), frame["other half"].set(gaps, None))


def found(report: Report) -> set[tuple[str, str | None]]:
    return {(problem["code"], problem["column"]) for problem in report.facts["problems"]}


@pytest.mark.parametrize(
    "problem",
    [
        ("identifier", "key"),
        ("sentinels", "code"),
        ("same", "twin again"),
        ("constant", "empty"),
        ("sentinels", "total"),
        ("number_as_text", "total"),
        ("number_as_text", "price"),
        ("sentinels", "answer"),
        ("look_alikes", "city"),
        ("outliers", "far"),
        ("missing", "half"),
        ("missing_together", "half"),
        ("time_order", "day"),
        ("ambiguous_date", "us or eu"),
        ("groups", "shop"),
        ("header", " name"),
        ("imbalance", "rare"),
    ],
)
def test_a_planted_problem_is_found(problem, quiet_run):
    assert problem in found(profile(planted(), target="rare", run=quiet_run))


def test_numbers_with_signs_are_told_though_each_is_another(quiet_run):
    frame = pl.DataFrame(
        {
            "price": [f"${1000 + 7.35 * at:,.2f}" for at in range(60)],
            "rate": [f"{1.37 * at:.2f} %" for at in range(60)],
            "key": [f"K{at}" for at in range(60)],
            "rare": ["yes", "no"] * 30,
        }
    )

    told = {column for code, column in found(profile(frame, target="rare", run=quiet_run)) if code == "number_as_text"}

    assert told == {"price", "rate"}


def test_a_clean_table_gets_no_blame(quiet_run):
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"a": rng.normal(size=500), "b": rng.random(500), "c": rng.choice(["x", "y"], 500)})

    assert found(profile(frame, target="c", run=quiet_run)) == set()


def test_copies_and_contradictions_are_counted(quiet_run):
    frame = pl.DataFrame({"a": [*range(200), 0, 1], "b": [*["x", "y"] * 100, "x", "x"]})

    report = profile(frame.with_columns(pl.col("a") * 1.5), target="b", run=quiet_run)

    said = {problem["code"]: problem["what"] for problem in report.facts["problems"]}
    assert said["duplicates"].startswith("1 row (")
    assert said["conflicts"].startswith("2 rows")


def test_one_row_is_said_as_one(quiet_run):
    report = profile(pl.DataFrame({"a": [1.5], "b": ["x"]}), run=quiet_run)

    said = json.dumps(report.facts["problems"]) + report.blocks[0].body
    assert "there is only 1 row" in said
    assert "1 rows" not in said


def test_every_problem_says_why_and_what_to_do_and_the_gravest_comes_first(quiet_run):
    problems = profile(planted(), target="rare", run=quiet_run).facts["problems"]

    assert all(problem["what"] and problem["why"] and problem["fix"] for problem in problems)
    ranks = [["stop", "warning", "note"].index(problem["level"]) for problem in problems]
    assert ranks == sorted(ranks)


def test_an_unknown_target_is_refused_with_the_nearest_name(quiet_run):
    with pytest.raises(SchemaError) as caught:
        profile(pl.DataFrame({"plan": [1]}), target="plam", run=quiet_run)

    assert caught.value.fix == "did you mean 'plan'?"


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": pl.Series([], dtype=pl.Float64)}),
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [None, None]}),
        pl.DataFrame({"a": [float("nan"), float("inf"), -float("inf")] * 20}),
        pl.DataFrame({"a": [1e300, -1e300] * 50, "b": [float(at) for at in range(100)]}),
        pl.DataFrame({"a": ["x" * 1000, "\n", "😀"] * 20, "": [1, 2, 3] * 20}),
    ],
    ids=["nothing", "no rows", "one cell", "all missing", "not finite", "huge", "odd texts"],
)
def test_a_strange_table_is_still_profiled(frame, quiet_run):
    report = profile(frame, run=quiet_run)

    assert report.facts["n_rows"] == frame.height
    json.dumps(report.facts, allow_nan=False)
    assert json.loads(report.to_json())["title"] == "Profile"


def test_a_very_wide_table_is_drawn_in_part_and_says_so(quiet_run):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.normal(size=(60, 1000)), schema=[f"c{at}" for at in range(1000)])

    report = profile(frame, run=quiet_run)

    pictures = next(block for block in report.blocks if isinstance(block, Group) and "pictures" in block.title)
    assert len(pictures.blocks) == 60
    assert "60 of 1,000" in pictures.note
    assert len(report.facts["columns"]) == 1000


def test_charts_count_every_row_that_has_a_value(quiet_run):
    frame = pl.DataFrame({"a": [1.0, 2.0, 2.0, None] * 30})

    charts = [
        block for group in profile(frame, run=quiet_run).blocks if isinstance(group, Group) for block in group.blocks
    ]

    histogram = next(chart for chart in charts if isinstance(chart, Chart) and chart.kind == "histogram")
    assert sum(histogram.series[0].y) == 90
    assert len(histogram.series[0].x) == len(histogram.series[0].y) + 1
