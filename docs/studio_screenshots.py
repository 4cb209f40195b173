"""Picture every screen of Studio, light and dark: ``python docs/studio_screenshots.py [FOLDER]`` (build/screenshots).

Runs `mantic studio` on a store of its own, takes the journey on an example table, and opens each screen in Chromium.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

BROWSER = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SIZES = {"": (1280, 900), "-phone": (390, 844)}


def journey(page: Any, base: str, shoot: Any) -> dict[str, str]:
    """Go from an example to a model; return the addresses of the screens that there are now."""
    page.goto(f"{base}/new")
    page.get_by_text("Breast tumours").click()
    page.get_by_role("link", name="Ask a question").wait_for()
    data = page.url.removeprefix(base)
    page.get_by_role("link", name="Ask a question").click()
    page.get_by_text("diagnosis", exact=True).click()
    page.locator("#sentence").wait_for()
    page.locator("#pace").fill("2")
    page.get_by_role("button", name="Train for 30s").click()
    page.wait_for_url("**/runs/*")
    run = page.url.removeprefix(base)
    page.get_by_text("So far").wait_for()
    page.wait_for_timeout(8_000)  # until some were tried
    shoot("training-live")
    page.get_by_role("link", name="See the report").click(timeout=120_000)
    page.wait_for_url("**/report")
    model = page.url.removeprefix(base).removesuffix("/report")
    name = model.rpartition("/")[0]
    page.get_by_role("link", name="Deploy").click()
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_timeout(1_000)
    return {
        "home": "/", "new": "/new", "data": data, "question": f"{data}/question", "training": run,
        "report": f"{model}/report", "try": f"{model}/try", "deploy": f"{name}/deploy", "watch": f"{name}/watch",
        "people": "/settings/people", "keys": "/settings/keys", "audit": "/settings/audit",
    }  # fmt: skip


def main() -> None:
    """Make the pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        own = os.environ | {"MANTIC_STORE_URL": f"{place}/store"}
        command = [sys.executable, "-m", "mantic.cli.main", "studio", "--port", "0", "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own) as process:
            assert process.stdout is not None
            said = ""
            while (link := re.search(r"open (\S+)", said)) is None:
                said += process.stdout.readline()
            base = link.group(1).partition("/setup")[0]
            with sync_playwright() as play, play.chromium.launch(executable_path=BROWSER, args=list(FLAGS)) as browser:
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(link.group(1))
                screens = journey(page, base, lambda name: page.screenshot(path=folder / f"{name}.png"))
                for theme in ("light", "dark"):
                    page.emulate_media(color_scheme=theme)
                    for ending, (width, height) in SIZES.items():
                        page.set_viewport_size({"width": width, "height": height})
                        for name, address in screens.items():
                            page.goto(f"{base}{address}", wait_until="networkidle" if name != "training" else "load")
                            page.wait_for_timeout(300)
                            page.screenshot(path=folder / f"{name}-{theme}{ending}.png")
            process.terminate()
    print(f"{len(list(folder.glob('*.png')))} pictures lie in {folder}")


if __name__ == "__main__":
    main()
