"""Charts and tables of Studio in a real browser: hover, keys, filters, print; nothing that the policy forbids."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.chromium import BROWSER, FLAGS, needed
from tests.server_process import StudioProcess

from mantic.core.settings import read_settings
from mantic.store.predictions import Prediction
from mantic.studio.studio import open_studio
from mantic.tasks.classify import Classifier

PLACES = {
    "report": "/models/churn/1/report",
    "compare": "/models/churn/compare?a=1&b=2",
    "watch": "/models/churn/watch?look=1",
}
THEMES = ("light", "dark")
WATCH_POLICY = """window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));"""
DRAWN = """() => [...document.querySelectorAll('figure[data-live]')].filter((one) => one.checkVisibility())
  .every((one) => one.dataset.ready)"""
WITHOUT_INTERPRETER = """try {
  new vega.View(vega.parse({ signals: [{ name: 'a', update: '1 + 1' }] })).run();
  window.said = 'it ran';
} catch (error) { window.said = error.name; }"""  # as a script of the page: what a test evaluates, no policy forbids
CURVE = "figure:has(figcaption:has-text('How far down to look'))"
pytestmark = needed


@dataclass
class Sitting:
    """A page of a browser in which somebody is signed in, and what went wrong in it."""

    page: Any
    base: str
    faults: list[str] = field(default_factory=list)

    def open(self, name: str) -> None:
        """Open a screen, and scroll until every chart is drawn."""
        self.page.goto(f"{self.base}{PLACES[name]}")
        for figure in self.page.locator("figure[data-live]").all():
            if figure.is_visible():
                figure.scroll_into_view_if_needed()
        self.page.wait_for_function(DRAWN)

    def tip(self) -> str:
        """Return the values that are shown beside a mark; empty where none are."""
        shown = self.page.locator(".m-tip:visible")
        return str(shown.inner_text()) if shown.count() else ""

    def told(self, figure: str) -> list[str]:
        """Return what the marks of a chart have to say."""
        block = "(one) => JSON.parse(one.querySelector('.m-spec').textContent).data.values.map((row) => row.told)"
        found: list[str] = self.page.locator(figure).evaluate(block)
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, churn_like: pl.DataFrame) -> Path:
    """Make a store with two versions of a model, of which the first has answered rows; return its place."""
    folder = tmp_path_factory.mktemp("charts")
    settings = read_settings({"store.url": str(folder / "store")}, environ={}, folder=folder)
    table = churn_like.drop("customer")
    now = datetime.now(UTC)
    with open_studio(settings) as studio:
        for learner in ("linear", "tree"):
            model = Classifier(budget="1 trial", learners=[learner]).fit(table, "churned")
            studio.store.models.register(model, "churn")
        rows = table.drop("churned").head(300)
        guesses, labels = model.predict_proba(rows), [str(one) for one in model.classes_]
        studio.store.predictions.append(
            Prediction(
                "churn", 1 + place % 2, row,
                {"prediction": labels[guess.argmax()], "probability": dict(zip(labels, guess.tolist(), strict=True))},
                at=(now - timedelta(days=5 * (1 - place / 300))).isoformat(),
            )
            for place, (row, guess) in enumerate(zip(rows.to_dicts(), guesses, strict=True))
        )  # fmt: skip
    return folder / "store"


@pytest.fixture(scope="module")
def address(store: Path) -> Iterator[str]:
    """Run Studio; give the link that it prints."""
    studio = StudioProcess(store)
    yield studio.address
    studio.end()


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[tuple[Any, Any]]:
    """Return a browser and what it keeps of who has signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play, play.chromium.launch(executable_path=BROWSER, args=list(FLAGS)) as opened:
        context = opened.new_context()
        page = context.new_page()
        page.goto(address)
        yield opened, context.storage_state()


@pytest.fixture
def sitting(browser: tuple[Any, Any], address: str) -> Iterator[Sitting]:
    """Return a new page; at the end there was no error in it, and nothing that the policy forbids."""
    opened, state = browser
    context = opened.new_context(storage_state=state, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    base = address.partition("/setup")[0]
    found = Sitting(context.new_page(), base)
    found.page.add_init_script(WATCH_POLICY)
    found.page.on("console", lambda told: found.faults.append(told.text) if told.type in ("error", "warning") else None)
    found.page.on("pageerror", lambda error: found.faults.append(str(error)))
    found.page.on(
        "request", lambda asked: None if asked.url.startswith((base, "data:")) else found.faults.append(asked.url)
    )
    yield found
    violations = found.page.evaluate("window.violations")
    context.close()
    assert found.faults == []
    assert violations == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_mark_under_the_pointer_says_its_values(sitting: Sitting, theme: str) -> None:
    sitting.page.emulate_media(color_scheme=theme)
    sitting.open("report")
    plot = sitting.page.locator(f"{CURVE} .m-plot")
    area = plot.bounding_box()

    plot.hover(position={"x": area["width"] / 2, "y": area["height"] / 2})
    sitting.page.mouse.move(*_middle_of_a_mark(sitting, CURVE))

    assert sitting.tip() in sitting.told(CURVE)
    assert sitting.tip().startswith("model\nrows looked at, highest first: ")
    sitting.page.mouse.move(5, 5)
    assert sitting.tip() == ""


def test_arrow_keys_move_along_the_marks_and_are_read_out(sitting: Sitting) -> None:
    sitting.open("report")
    figure, press = sitting.page.locator(CURVE), sitting.page.keyboard.press
    ours = [one for one in sitting.told(CURVE) if one.startswith("model")]

    _tab_into(sitting, figure.locator(".m-plot"))
    first = sitting.tip()
    press("ArrowRight")
    second = sitting.tip()
    press("End")

    assert [first, second, sitting.tip()] == [ours[0], ours[1], ours[-1]]
    assert figure.locator("[role=status]").inner_text() == ours[-1].replace("\n", ", ")
    press("Escape")
    assert sitting.tip() == ""


def test_an_interval_is_drawn_as_a_band(sitting: Sitting) -> None:
    sitting.open("report")

    band = sitting.page.locator("figure:has(figcaption:has-text('Can the probabilities')) .m-plot .mark-area path")

    assert band.bounding_box()["height"] > 40


def test_rows_of_bars_and_cells_are_walked_as_they_lie(sitting: Sitting) -> None:
    sitting.open("report")
    bars, cells = (
        f"figure:has(figcaption:has-text('{title}'))" for title in ("What it depends on", "What is taken for")
    )

    _tab_into(sitting, sitting.page.locator(f"{bars} .m-plot"))
    sitting.page.keyboard.press("ArrowDown")
    assert sitting.tip() == sitting.told(bars)[1]

    _tab_into(sitting, sitting.page.locator(f"{cells} .m-plot"))
    for key, place in (("ArrowRight", 1), ("ArrowDown", 3), ("ArrowLeft", 2), ("ArrowUp", 0)):
        sitting.page.keyboard.press(key)
        assert sitting.tip() == sitting.told(cells)[place]


def test_a_version_is_put_aside_and_brought_back(sitting: Sitting) -> None:
    sitting.open("compare")
    lines = sitting.page.locator(f"{CURVE} .m-plot path[stroke='var(--accent)'], {CURVE} .m-plot .mark-line path")
    before = lines.count()
    button = sitting.page.locator(CURVE).get_by_role("button", name="churn/1")

    button.press("Enter")
    sitting.page.wait_for_function(
        "([css, n]) => document.querySelectorAll(css).length < n", arg=[".m-plot .mark-line path", 99]
    )

    assert button.get_attribute("aria-pressed") == "false"
    assert lines.count() < before
    sitting.page.mouse.move(*_middle_of_a_mark(sitting, CURVE))
    assert sitting.tip().startswith("churn/2")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert lines.count() == before


def test_an_axis_is_stretched_by_dragging_and_by_keys(sitting: Sitting) -> None:
    sitting.open("report")
    figure = sitting.page.locator(CURVE)
    whole = figure.get_by_role("button", name="Show all")
    before = _ticks(figure)
    figure.locator(".m-plot").scroll_into_view_if_needed()
    area = figure.locator(".m-plot").bounding_box()
    middle = area["y"] + area["height"] / 2

    sitting.page.mouse.move(area["x"] + 120, middle)
    sitting.page.mouse.down()
    sitting.page.mouse.move(area["x"] + 200, middle, steps=5)
    sitting.page.mouse.up()
    whole.wait_for()
    assert _ticks(figure) != before
    whole.click()
    whole.wait_for(state="hidden")
    assert _ticks(figure) == before

    sitting.page.keyboard.press("+")
    whole.wait_for()
    sitting.page.keyboard.press("0")
    whole.wait_for(state="hidden")
    assert _ticks(figure) == before


def test_a_table_is_sorted_and_filtered(sitting: Sitting) -> None:
    sitting.open("report")
    sitting.page.locator("summary", has_text="The worst failures").click()
    table = sitting.page.locator(".m-grid", has=sitting.page.get_by_role("columnheader", name="predicted"))
    column = table.locator("tbody tr:not([hidden]) td:first-child")
    n_rows = column.count()

    table.get_by_role("button", name="row").click()
    numbers = [int(text.replace(",", "")) for text in column.all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert table.get_by_role("columnheader", name="row").get_attribute("aria-sort") == "descending"

    table.locator("summary", has_text="Filter").click()
    table.get_by_label("Find").fill(str(numbers[0]))
    assert 1 <= column.count() < n_rows
    table.get_by_label("Find").fill("no row says this")
    assert column.count() == 0
    assert table.get_by_role("status").inner_text() == f"0 of {n_rows} rows"


def test_charts_that_arrive_later_answer_too(sitting: Sitting) -> None:
    sitting.open("watch")
    sitting.page.get_by_role("link", name="Pictures of plan").click()
    sitting.page.locator("#pictures figure:has(figcaption:has-text('plan, lately'))[data-ready]").wait_for()

    sitting.page.mouse.move(*_middle_of_a_mark(sitting, "figure:has(figcaption:has-text('plan, lately'))"))

    assert "rows: " in sitting.tip()


def test_paper_shows_the_drawings(sitting: Sitting) -> None:
    sitting.open("report")
    live, drawings = sitting.page.locator(".m-live:visible"), sitting.page.locator("figure > svg:visible")
    assert live.count() >= 4
    assert drawings.count() == 0

    sitting.page.emulate_media(media="print")

    assert live.count() == 0
    assert drawings.count() >= 4
    assert sitting.page.locator(".bar:visible, .m-filter:visible").count() == 0
    assert sitting.page.pdf().startswith(b"%PDF")


def test_without_scripts_the_drawings_are_there(browser: tuple[Any, Any], address: str) -> None:
    opened, state = browser
    context = opened.new_context(storage_state=state, java_script_enabled=False)
    page = context.new_page()
    page.goto(address.partition("/setup")[0] + PLACES["report"])

    assert page.locator("figure > svg:visible").count() >= 4
    context.close()


def test_the_policy_forbids_code_from_texts_and_the_charts_need_none(sitting: Sitting) -> None:
    sitting.open("report")
    sitting.page.route(
        "**/probe.js", lambda route: route.fulfill(body=WITHOUT_INTERPRETER, content_type="text/javascript")
    )

    sitting.page.add_script_tag(url=f"{sitting.base}/static/probe.js")

    assert (
        sitting.page.evaluate("window.said") == "EvalError"
    )  # without the interpreter Vega would make functions from texts, and is refused
    assert sitting.page.evaluate("window.violations.splice(0)")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PLACES)
def test_drawn_charts_are_no_barrier(sitting: Sitting, name: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    sitting.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    sitting.open(name)

    faults = Axe().run(sitting.page).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in faults] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", PLACES)
def test_drawn_charts_fit_the_window(sitting: Sitting, name: str, width: int) -> None:
    sitting.page.set_viewport_size({"width": width, "height": 800})
    sitting.open(name)

    assert sitting.page.evaluate("document.documentElement.scrollWidth") <= width


def _ticks(figure: Any) -> list[str]:
    """Return the words along the level axis, whatever their order in the page."""
    return sorted(figure.locator(".m-plot .role-axis-label").first.locator("text").all_text_contents())


def _middle_of_a_mark(sitting: Sitting, figure: str) -> tuple[float, float]:
    """Return where a mark in the middle of a chart lies in the window."""
    sitting.page.locator(f"{figure} .m-plot").scroll_into_view_if_needed()
    marks = sitting.page.locator(f"{figure} .m-plot g[class*='hit'] > path")
    area = marks.nth(marks.count() // 2).bounding_box()
    return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2


def _tab_into(sitting: Sitting, plot: Any) -> None:
    """Reach a chart as the Tab key does, so that the focus is shown."""
    plot.scroll_into_view_if_needed()
    plot.evaluate("(one) => one.focus({ focusVisible: true })")
