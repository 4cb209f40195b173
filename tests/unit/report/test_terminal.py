"""The report in a terminal."""

import io

from mantic.report.blocks import Alert, Chart, Grid, Group, Number, Report, Text
from mantic.report.terminal import show

REPORT = Report(
    "Churn – ‘a’",
    (
        Number("score", 0.85, low=0.8, high=0.9),
        Alert("warning", "w", "careful \x1b[31m[red]x[/red]", "why", "fix"),
        Text("Use it …", "verdict"),
        Group("Tables", (Grid(("name", "n"), (("a" * 200, 1), ("日本", None)), "title", "note"),)),
        Group("Pictures", (Chart("line", "t", "s"),)),
    ),
)


def test_the_verdict_comes_first_and_charts_are_left_out():
    file = io.StringIO()

    show(REPORT, 80, file=file)

    text = file.getvalue()
    assert text.index("Use it") < text.index("0.850") < text.index("WARNING")
    assert "Pictures" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_words_from_outside_neither_steer_nor_colour_the_terminal():
    file = io.StringIO()

    show(REPORT, 80, file=file)

    assert "\x1b" not in file.getvalue()
    assert "[red]x[/red]" in file.getvalue()


def test_a_terminal_that_knows_only_ascii_gets_only_ascii():
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")

    show(REPORT, 60, file=file)

    file.flush()
    assert b"Use it ..." in raw.getvalue()
