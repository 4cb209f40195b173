"""The page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mantic.core.errors import SettingsError
from mantic.report.blocks import Alert, Axis, Chart, Grid, Group, Number, Report, Series, Text
from mantic.report.html import fragment, page, save
from mantic.report.tokens import TOKENS

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
CHART = Chart("bar", EVIL, EVIL, (Series(EVIL, (1.0, 2.0), texts=(EVIL, EVIL)),), Axis(EVIL, EVIL, labels=(EVIL, "b")))
HOSTILE = Report(
    EVIL,
    (
        Text(EVIL, "verdict"),
        Text(EVIL, "code"),
        Number(EVIL, EVIL, EVIL, note=EVIL),
        Alert("stop", EVIL, EVIL, EVIL, EVIL, EVIL),
        Grid((EVIL, "n"), ((EVIL, 1),), EVIL, EVIL, bars=("n",)),
        Group(EVIL, (CHART,), EVIL, columns=2),
    ),
    EVIL,
)


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("render", [page, fragment])
def test_hostile_words_become_no_markup_anywhere(render):
    tags = _Tags(render(HOSTILE))

    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in tags.seen}
    assert not [name for _, attributes in tags.seen for name in attributes if name.startswith("on")]
    assert tags.open == []


@pytest.mark.parametrize("render", [page, fragment])
def test_nothing_is_loaded_from_anywhere(render):
    text = render(HOSTILE).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert not re.findall(r"https?:|@import|url\((?!#)", text)


def test_the_page_forbids_itself_everything_but_its_own_styles():
    tags = _Tags(page(HOSTILE)).seen

    policy = next(attributes["content"] for tag, attributes in tags if attributes.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert ("html", {"lang": "en"}) in tags


def test_the_verdict_stands_first_and_alerts_are_sorted_by_weight():
    alerts = tuple(Alert(level, level, f"it is a {level}") for level in ("note", "stop", "warning"))

    text = page(Report("t", (*alerts, Text("Use it.", "verdict"))))

    places = [text.index(words) for words in ("Use it.", "it is a stop", "it is a warning", "it is a note")]
    assert places == sorted(places)


def test_every_link_of_the_contents_leads_somewhere_on_a_long_page():
    tags = _Tags(page(Report("t", tuple(Group(f"part {n}", (Text("x"),)) for n in range(5))))).seen

    links = [attributes["href"][1:] for tag, attributes in tags if tag == "a"]
    assert len(links) == 6
    assert set(links) <= {attributes.get("id") for _, attributes in tags}


def test_a_chart_has_its_figures_in_a_closed_table_beside_it():
    tags = _Tags(page(Report("t", (CHART,)))).seen

    assert ("details", {}) in tags
    assert [tag for tag, _ in tags].count("td") == 6


def test_headings_leave_no_level_out():
    tags = _Tags(page(Report("t", (Group("a", (Group("b", (Group("c"),)),)),)))).seen

    assert [tag for tag, _ in tags if re.fullmatch(r"h\d", tag)] == ["h1", "h2", "h3", "h4"]


def test_a_fragment_styles_nothing_outside_itself():
    style = re.search(r"<style>(.*?)</style>", fragment(Report("t")), re.DOTALL)[1]

    selectors = re.findall(r"(?m)^ ?([^\s@}&/][^{]*?) \{", style)
    assert selectors
    assert all("mantic" in selector or ".m-" in selector for selector in selectors)


@pytest.mark.parametrize("suffix", [".html", ".json"])
def test_a_report_is_saved_whole(tmp_path, suffix):
    path = HOSTILE.save(tmp_path / f"report{suffix}")

    assert path.read_text("utf-8")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        save(HOSTILE, path)

    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["report.pdf", "report", "absent/report.html"])
def test_another_ending_or_an_absent_folder_is_refused(tmp_path, name):
    with pytest.raises(SettingsError):
        save(HOSTILE, tmp_path / Path(name))


def _light(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_keep_their_contrast_in_light_and_dark(scheme):
    value = {token.name: _light(getattr(token, scheme)) for token in TOKENS}
    least = {"reference": 3.0, "third": 3.0, "fourth": 3.0} | dict.fromkeys(
        ("ink", "muted", "accent", "second", "stop", "warning"), 4.5
    )

    for name, ratio in least.items():
        for ground in ("page", "surface"):
            high, low = max(value[name], value[ground]), min(value[name], value[ground])
            assert (high + 0.05) / (low + 0.05) >= ratio, (name, ground)


def test_no_two_tokens_look_the_same_in_a_drawing():
    assert len({token.light for token in TOKENS}) == len(TOKENS)
