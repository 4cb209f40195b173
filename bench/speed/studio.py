"""Studio as people meet it: a large file from drop to profile, pages as a browser paints them, many at once on Try it.

Studio runs as `mantic studio` in a store of its own. What a browser measures (largest contentful paint, the time from a
moved slider to the new answer) is measured in Debian's Chromium; page weights are what it received, uncompressed.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

N_ROWS, N_COLUMNS = 1_000_000, 30
PEOPLE, SECONDS, THINK_SECONDS = (50, 500), 20, 2.0
PAUSE_SECONDS = 3.0  # of reading, before each step
BROWSER = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, one) => sum + one.decodedBodySize, 0)"""
LARGEST = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: 'largest-contentful-paint', buffered: true });
  setTimeout(() => done(-1), 3000);
})"""
CHANGED = """() => new Promise((done) => {
  const slider = document.querySelector('input[type=range]');
  const started = performance.now();
  new MutationObserver((_, watch) => {
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - started));
  }).observe(document.getElementById('answer'), { childList: true });
  slider.value = Number(slider.min) + Math.random() * (slider.max - slider.min);
  slider.dispatchEvent(new Event('input', { bubbles: true }));
})"""


def large_file(path: Path, n_rows: int) -> Path:
    """Write a table of numbers, categories and dates with gaps."""
    chance = np.random.default_rng(0)
    columns: dict[str, Any] = {f"number {n}": chance.normal(size=n_rows).round(4) for n in range(N_COLUMNS - 10)}
    columns |= {f"whole {n}": chance.integers(0, 10 ** (n + 1), n_rows) for n in range(4)}
    columns |= {f"word {n}": chance.choice([f"level {m}" for m in range(4 ** (n + 1))], n_rows) for n in range(4)}
    days = np.datetime64("2020-01-01") + chance.integers(0, 2000, n_rows)
    frame = pl.DataFrame({**columns, "day": days, "bought": chance.choice(["yes", "no"], n_rows)})
    frame.with_columns(pl.when(pl.int_range(pl.len()) % 9 > 0).then(pl.col("number 3"))).write_csv(path)
    return path


@contextmanager
def studio(folder: Path) -> Iterator[httpx.Client]:
    """Run Studio; give a client that is signed in, with its address and token."""
    own = os.environ | {"MANTIC_STORE_URL": str(folder / "store")}
    command = [sys.executable, "-m", "mantic.cli.main", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own) as process:
        assert process.stdout is not None
        said = ""
        while (link := re.search(r"open (\S+)", said)) is None:
            said += process.stdout.readline()
        base = link.group(1).partition("/setup")[0]
        try:
            with httpx.Client(base_url=base, timeout=600) as client:
                client.get(link.group(1))
                token = re.search(r'data-csrf="([^"]+)"', client.get("/").text)
                assert token is not None
                client.headers["X-CSRF"] = token.group(1)
                yield client
        finally:
            process.terminate()


def drop(client: httpx.Client, file: Path) -> dict[str, Any]:
    """Return how long a file takes from being sent to its profile, and the slowest answer of a page meanwhile."""
    started, slowest = time.perf_counter(), 0.0
    reply = client.post("/new", content=file.read_bytes(), headers={"HX-Request": "true", "X-File-Name": file.name})
    address = reply.headers["HX-Redirect"]
    while 'id="reading"' in (page := client.get(address).text):
        asked = time.perf_counter()
        client.get("/")
        slowest = max(slowest, time.perf_counter() - asked)
        time.sleep(0.2)
    seconds = time.perf_counter() - started
    assert "Ask a question" in page, page[:2000]
    return {
        "value": round(seconds, 2),
        "slowest_page": round(slowest, 3),
        "megabytes": round(file.stat().st_size / 1e6),
    }


def model(folder: Path) -> str:
    """Keep a model of 20 columns; return the address of its Try it."""
    from mantic.store.store import open_store
    from mantic.tasks.classify import Classifier

    chance = np.random.default_rng(1)
    table = pl.DataFrame({f"number {n}": chance.normal(size=2000) for n in range(20)})
    target = np.where(table["number 0"] + table["number 1"] + chance.normal(size=2000) > 0, "yes", "no")
    fitted = Classifier(budget="3 trials", learners=["boosting"]).fit(table.with_columns(bought=target), "bought")
    with open_store(folder / "store") as store:
        store.models.register(fitted, "bought")
    return "/models/bought/1/try"


async def crowd(client: httpx.Client, address: str, *, people: int, seconds: float) -> dict[str, Any]:
    """Let people move sliders, each with a pause of two seconds on average; return how long they wait."""
    took: list[float] = []
    failed = 0
    limits = httpx.Limits(max_connections=people, max_keepalive_connections=people)
    headers = {"HX-Request": "true", "X-CSRF": client.headers["X-CSRF"]}
    until = time.perf_counter() + seconds

    async with httpx.AsyncClient(
        base_url=client.base_url, cookies=dict(client.cookies), headers=headers, limits=limits, timeout=30
    ) as asking:

        async def person(seed: int) -> None:
            nonlocal failed
            chance = np.random.default_rng(seed)
            await asyncio.sleep(chance.uniform(0, THINK_SECONDS))
            while time.perf_counter() < until:
                row = {f"row.number {n}": f"{value:.3f}" for n, value in enumerate(chance.normal(size=20))}
                asked = time.perf_counter()
                try:
                    reply = await asking.post(address, data=row)
                    failed += reply.status_code != 200 or "big" not in reply.text
                except httpx.TransportError:
                    failed += 1
                took.append(time.perf_counter() - asked)
                await asyncio.sleep(chance.uniform(0, 2 * THINK_SECONDS))

        await asyncio.gather(*map(person, range(people)))
    p50, p95, p99 = (round(1000 * float(np.quantile(took, share)), 1) for share in (0.5, 0.95, 0.99))
    return {"value": p95, "p50": p50, "p99": p99, "failed": failed, "answers": len(took)}


def painted(client: httpx.Client, addresses: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what a browser measures on pages."""
    from playwright.sync_api import sync_playwright

    base = str(client.base_url).rstrip("/")
    with sync_playwright() as play, play.chromium.launch(executable_path=BROWSER, args=list(FLAGS)) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": base} for name, value in client.cookies.items()])
        for name, address in addresses.items():
            seconds, weight = [], 0
            for _ in range(5):
                page = context.new_page()
                page.goto(f"{base}{address}", wait_until="load")
                seconds.append(page.evaluate(LARGEST) / 1000)
                weight = max(weight, page.evaluate(WEIGHT))
                page.close()
            about = {"unit": "s, median of 5 (the first without a cache)", "first": round(seconds[0], 3)}
            yield {"name": f"largest contentful paint, {name}", "value": round(float(np.median(seconds)), 3), **about}
            yield {"name": f"page weight, {name}", "value": round(weight / 1000, 1), "unit": "KB"}
        page = context.new_page()
        page.goto(f"{base}{addresses['Try it']}")
        waits = [page.evaluate(CHANGED) for _ in range(15)]
        about = {"unit": "ms from the slider to the new answer, median of 15 (40 of them wait for a hand at rest)"}
        yield {"name": "interaction, Try it", "value": round(float(np.median(waits)), 1), **about}


def journey(client: httpx.Client, file: Path, *, budget: int) -> dict[str, Any]:
    """Go from a file to a prediction by a program, reading for three seconds before each step; return how long it took.

    Parameters
    ----------
    budget : the place on the slider: 3 is 60 s.
    """
    from playwright.sync_api import sync_playwright

    base = str(client.base_url).rstrip("/")
    with sync_playwright() as play, play.chromium.launch(executable_path=BROWSER, args=list(FLAGS)) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": base} for name, value in client.cookies.items()])
        page = context.new_page()
        started = time.perf_counter()

        def read() -> None:
            page.wait_for_timeout(1000 * PAUSE_SECONDS)

        page.goto(f"{base}/new")
        page.set_input_files("#file", str(file))
        page.get_by_role("link", name="Ask a question").wait_for()
        read()
        page.get_by_role("link", name="Ask a question").click()
        page.get_by_text("churned", exact=True).click()
        page.locator("#sentence").wait_for()
        read()
        page.locator("#pace").fill(str(budget))
        read()
        page.locator("#train").click()
        page.get_by_role("link", name="See the report").click(timeout=120_000)
        page.wait_for_url("**/report")
        fitted = time.perf_counter() - started
        read()
        page.get_by_role("link", name="Deploy", exact=True).click()
        read()
        page.get_by_role("button", name="Deploy version 1").click()
        page.get_by_text("Version 1 answers.").wait_for()
        page.get_by_label("Who will use it").press_sequentially("web shop", delay=100)
        page.get_by_role("button", name="Make a key").click()
        page.locator("#secret").wait_for()
        read()
        call = page.get_by_label("The call in Python").text_content()  # as it stands there
        done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
        assert done.stdout.strip(), "the call gave no answer"
        return {"value": round(time.perf_counter() - started, 1), "to_report": round(fitted, 1)}


def churn(path: Path) -> Path:
    """Write a table of customers, half of what makes them leave being chance."""
    chance = np.random.default_rng(2)
    tenure, plan = chance.integers(0, 72, 7000), chance.choice(["basic", "plus", "pro"], 7000)
    leaves = 1 / (1 + np.exp(0.06 * tenure - (plan == "basic") + chance.normal(size=7000)))
    churned = np.where(chance.uniform(size=7000) < leaves, "yes", "no")
    pl.DataFrame(
        {"tenure": tenure, "plan": plan, "bill": chance.gamma(3, 20, 7000).round(2), "churned": churned}
    ).write_csv(path)
    return path


def main() -> None:
    """Print one line per figure."""
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        address = model(folder)
        file = large_file(folder / "large.csv", 20_000 if is_quick else N_ROWS)
        with studio(folder) as client:
            words = "drop of 1M x 30 CSV to profile on screen"
            print(json.dumps({"name": words, "unit": "s", **drop(client, file)}), flush=True)
            first = re.search(r'href="(/drafts/\w+)"', client.get("/").text)
            assert first is not None
            for figure in painted(client, {"Home": "/", "Data": first.group(1), "Try it": address}):
                print(json.dumps(figure), flush=True)
            words = "drop to deployed prediction, 3 s of reading before each step, 60 s budget"
            found = journey(client, churn(folder / "churn.csv"), budget=0 if is_quick else 3)
            print(json.dumps({"name": words, "unit": "s", **found}), flush=True)
            for people in PEOPLE[:1] if is_quick else PEOPLE:
                found = asyncio.run(crowd(client, address, people=people, seconds=3 if is_quick else SECONDS))
                print(
                    json.dumps({"name": f"{people} people at once on Try it", "unit": "ms, p95", **found}), flush=True
                )
    own = sum(file.stat().st_size for file in (Path(__file__).parents[2] / "src/mantic/studio/static").glob("*.js"))
    print(json.dumps({"name": "own JavaScript, all pages together", "value": round(own / 1000, 1), "unit": "KB"}))


if __name__ == "__main__":
    main()
