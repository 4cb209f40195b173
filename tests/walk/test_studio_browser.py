"""Studio in a real browser: from a file to an answer by mouse and by keyboard; no barrier, no error, none outside."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.chromium import BROWSER, FLAGS, needed
from tests.server_process import StudioProcess

WIDE = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  return [...document.querySelectorAll('main *')]
    .filter((one) => one.getBoundingClientRect().right > most).map((one) => one.outerHTML.slice(0, 100)).slice(0, 5);
}"""
WIDTHS = (320, 768, 1280)
pytestmark = needed


@dataclass
class Sitting:
    """A page of a browser in which somebody is signed in, and what went wrong in it."""

    page: Any
    base: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(f"{self.base}{address}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Studio in a store of its own; give the link that it prints."""
    studio = StudioProcess(tmp_path_factory.mktemp("studio") / "store")
    yield studio.address
    studio.end()


@pytest.fixture(scope="module")
def context(address: str) -> Iterator[Any]:
    """Return a browser in which somebody has signed in by the link."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play, play.chromium.launch(executable_path=BROWSER, args=list(FLAGS)) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(address)
        page.close()
        yield context


@pytest.fixture
def sitting(context: Any, address: str) -> Iterator[Sitting]:
    """Return a new page; at the end there was no error in it, and nothing was asked of anybody outside."""
    base = address.partition("/setup")[0]
    found = Sitting(context.new_page(), base)
    found.page.on("console", lambda told: found.errors.append(told.text) if told.type == "error" else None)
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    found.page.on("request", lambda asked: found.outside.append(asked.url) if not _is_ours(asked.url, base) else None)
    yield found
    found.page.close()
    assert found.errors == []
    assert found.outside == []


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, churn_like: pl.DataFrame) -> Path:
    """Write a table; return its path."""
    path = tmp_path_factory.mktemp("table") / "churn.csv"
    churn_like.drop("customer", "note").write_csv(path)
    return path


@pytest.fixture(scope="module")
def model(context: Any, address: str, table: Path) -> str:
    """Take the journey by mouse, once; return the address of the model's version."""
    base = address.partition("/setup")[0]
    page = context.new_page()
    page.goto(f"{base}/new")
    page.set_input_files("#file", str(table))
    page.get_by_role("link", name="Ask a question").click()
    page.get_by_text("churned", exact=True).click()
    page.locator("#sentence").wait_for()
    page.locator("#pace").fill("0")
    page.get_by_role("button", name="Train for 10s").click()
    page.wait_for_url("**/runs/*")
    page.reload()  # nothing is lost by it
    page.get_by_role("link", name="See the report").click(timeout=120_000)
    page.wait_for_url("**/report")
    found = page.url.removeprefix(base).removesuffix("/report")
    page.close()
    return str(found)


@pytest.fixture(scope="module")
def forecast(context: Any, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Take the journey to a forecast of series and their sums by mouse, once; return the addresses of its screens."""
    base = address.partition("/setup")[0]
    path = tmp_path_factory.mktemp("series") / "sales.csv"
    _sales().write_csv(path)
    page = context.new_page()
    page.goto(f"{base}/new")
    page.set_input_files("#file", str(path))
    page.get_by_role("link", name="Ask a question").click()
    page.get_by_text("sold", exact=True).click()
    page.locator("#sentence").wait_for()
    page.get_by_label("As", exact=True).select_option("forecast")
    page.get_by_role("group", name="Columns that tell series apart").get_by_label("store").check()
    page.get_by_text("for each of 14 series by store").wait_for()
    page.get_by_text("More: sums").click()
    page.get_by_role("group", name="Forecast the sums").get_by_label("store").check()
    page.get_by_text("and for their sums over store").wait_for()
    page.locator("#pace").fill("0")
    question = page.url.removeprefix(base)
    page.get_by_role("button", name="Train for 10s").click()
    page.get_by_role("link", name="See the report").click(timeout=120_000)
    page.wait_for_url("**/report")
    model = page.url.removeprefix(base).removesuffix("/report")
    page.close()
    found = {"a forecast": f"{model}/forecast", "its question": question, "its report": f"{model}/report"}
    found |= {"several series": f"{model}/forecast?series=store", "no series": f"{model}/forecast?series=nowhere"}
    name = model.rpartition("/")[0]
    return found | {"its watch": f"{name}/watch", "its deploy": f"{name}/deploy"}


def _sales() -> pl.DataFrame:
    days = pl.date_range(date(2024, 1, 1), date(2024, 3, 31), eager=True).alias("day")
    chance = np.random.default_rng(0)
    parts = [
        pl.DataFrame([days]).with_columns(store=pl.lit(f"store {number:02}"), sold=chance.poisson(20, len(days)))
        for number in range(14)
    ]
    return pl.concat(parts)


@pytest.fixture
def screens(model: str, forecast: dict[str, str], sitting: Sitting) -> dict[str, str]:
    """Return the address of every screen, by its name."""
    sitting.open("/")
    name = model.rpartition("/")[0]
    places = {"home": "/", "new": "/new", "report": f"{model}/report", "try": f"{model}/try", "watch": f"{name}/watch"}
    places["deploy"] = f"{name}/deploy"
    for screen, beginning in (("data", "/drafts/"), ("training", "/runs/")):
        places[screen] = sitting.page.locator(f'a[href^="{beginning}"]').last.get_attribute("href")
    places |= {"question": f"{places['data']}/question", "compare": f"{name}/compare?a=1&b=1"}
    places |= {f"settings {word}": f"/settings/{word}" for word in ("people", "keys", "sources", "audit", "backup")}
    return places | forecast


def test_the_journey_to_a_forecast_ends_with_the_series_that_was_looked_for(
    forecast: dict[str, str], sitting: Sitting
) -> None:
    page = sitting.page
    sitting.open(forecast["a forecast"])

    page.get_by_label("Series", exact=True).fill("07")
    page.get_by_role("button", name="Show it").click()

    page.get_by_text("store 07: the forecast ends at").first.wait_for()
    page.get_by_role("link", name="Next").click()
    page.get_by_text("store 08: the forecast ends at").first.wait_for()
    assert page.get_by_role("link", name="Download all 15 series").is_visible()


def test_the_journey_by_mouse_ends_in_an_answer(model: str, sitting: Sitting) -> None:
    sitting.open(f"{model}/try")
    slider = sitting.page.locator("input[type=range]").first
    before = sitting.page.locator("#answer").inner_text()

    slider.fill(slider.get_attribute("min"))
    slider.dispatch_event("input")

    sitting.page.wait_for_function("(text) => document.getElementById('answer').innerText !== text", arg=before)
    assert "Why" in sitting.page.locator("#answer").inner_text()


def test_the_journey_by_mouse_ends_in_a_deployed_prediction_and_back(model: str, sitting: Sitting) -> None:
    page = sitting.page
    sitting.open(f"{model}/report")
    page.get_by_role("link", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Deploy version 1").click()
    page.get_by_text("Version 1 answers.").wait_for()
    page.get_by_text("Measured here a moment ago").wait_for()
    page.get_by_label("Who will use it").fill("web shop")
    page.get_by_role("button", name="Make a key").click()

    answer = _ask_as_shown(page)
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("heading", name="Not deployed").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Version 1 answers.").wait_for()

    assert answer["predictions"][0]["prediction"] in ("yes", "no")
    assert answer["predictions"][0]["id"]


def test_the_journey_by_keyboard_alone(model: str, sitting: Sitting) -> None:
    page, press = sitting.page, sitting.page.keyboard.press
    sitting.open("/new")
    _tab_to(page, "Wines")
    press("Enter")
    page.get_by_role("link", name="Ask a question").wait_for()
    _tab_to(page, "Ask a question")
    press("Enter")
    page.wait_for_url("**/question")
    page.locator("input[name=target]").first.focus()  # from here on arrows choose
    for _ in range(30):
        press("ArrowUp")
        page.wait_for_timeout(150)
        if page.locator("input[name=target]:checked").first.get_attribute("value") == "cultivar":
            break
    page.locator("#sentence").wait_for()
    _tab_to(page, "Train for", most=120)
    press("Enter")
    page.wait_for_url("**/runs/*")
    page.get_by_role("button", name="Stop and keep the best").wait_for()
    page.get_by_text("Best so far", exact=True).wait_for(timeout=120_000)  # what is stopped earlier has no model
    _tab_to(page, "Stop and keep the best")
    press("Enter")

    page.get_by_role("link", name="See the report").wait_for(timeout=120_000)
    _tab_to(page, "See the report")
    press("Enter")
    page.wait_for_url("**/models/wines/1/report")
    _tab_to(page, "Deploy")
    press("Enter")
    page.wait_for_url("**/models/wines/deploy")
    _tab_to(page, "Deploy version 1")
    press("Enter")
    page.get_by_text("Version 1 answers.").wait_for()
    page.get_by_label("Who will use it").wait_for()
    _tab_to_field(page, "who")
    page.keyboard.type("a keyboard")
    press("Enter")
    page.locator("#secret").wait_for()
    assert _ask_as_shown(page)["model"] == "wines"


def test_no_screen_has_a_barrier_in_either_theme(screens: dict[str, str], sitting: Sitting) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = {}
    for theme in ("light", "dark"):
        sitting.page.emulate_media(color_scheme=theme)
        for name, place in screens.items():
            sitting.open(place)
            faults = Axe().run(sitting.page).response["violations"]
            if faults:
                found[f"{name}, {theme}"] = [(one["id"], one["nodes"][0]["html"][:200]) for one in faults]

    assert not found, "\n".join(f"{screen}: {fault}" for screen, faults in found.items() for fault in faults)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_screen_is_wider_than_the_window(screens: dict[str, str], sitting: Sitting, width: int) -> None:
    sitting.page.set_viewport_size({"width": width, "height": 800})
    wide = {}
    for name, place in screens.items():
        sitting.open(place)
        if found := sitting.page.evaluate(WIDE):
            wide[name] = found

    assert wide == {}


def _ask_as_shown(page: Any) -> dict[str, Any]:
    """Run the call in Python that the page shows, as it stands there, but print the whole answer."""
    page.locator("#secret").wait_for()
    text = page.get_by_label("The call in Python").text_content()
    whole = text.replace("['predictions'][0])", ")").replace("print(json.load(", "print(json.dumps(json.load(") + ")"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _tab_to_field(page: Any, identity: str, *, most: int = 60) -> None:
    """Press Tab until a field has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == identity:
            return
    raise AssertionError(f"'{identity}' is not reached by the keyboard")


def _is_ours(url: str, base: str) -> bool:
    return url.startswith((base, "data:"))


def _tab_to(page: Any, words: str, *, most: int = 60) -> None:
    """Press Tab until what has the focus says so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if words in page.evaluate("document.activeElement.innerText || document.activeElement.value || ''"):
            return
    raise AssertionError(f"'{words}' is not reached by the keyboard")
