"""Pictures of a page at 1280, 400 and 320 pixels, light and dark, to look at.

`python docs/screenshot.py report.html shots/` needs a Chromium.
It also says whether the page scrolls sideways, and fails if it does.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = (1280, 400, 320)
QUIET = (
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "hide-scrollbars",
)
QUIET += ("disable-component-update", "disable-sync", "allow-file-access-from-files", "headless")
# A window cannot be narrower than about 500 pixels: the page stands in a frame of the wished width.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="f" src="{page}" style="border:0;width:{width}px;height:{high}px"></iframe>
<script>f.onload = () => {{ const e = f.contentDocument.documentElement;
document.title = "needs " + e.scrollWidth + " by " + e.scrollHeight; }}</script>"""


def browse(chromium: str, page: Path, scheme: int, *options: str) -> str:
    """Open a page without a window (scheme 0 is dark, 1 light) and return its content as text."""
    with tempfile.TemporaryDirectory() as profile:
        flags = [f"--{name}" for name in QUIET] + [f"--user-data-dir={profile}"]
        flags += [f"--blink-settings=preferredColorScheme={scheme}", *options, page.resolve().as_uri()]
        done = subprocess.run([chromium, *flags], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def main(page: Path, folder: Path) -> int:
    """Make the pictures; return how many widths scroll sideways."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium on the path")
    folder.mkdir(parents=True, exist_ok=True)
    n_wide = 0
    for width in WIDTHS:
        frame = folder / f"frame-{width}.html"
        frame.write_text(FRAME.format(page=page.resolve().as_uri(), width=width, high=900))
        content = browse(chromium, frame, 1, "--dump-dom", "--virtual-time-budget=3000")
        needs = [int(size) for size in re.findall(r"<title>needs (\d+) by (\d+)", content)[0]]
        print(f"{width} pixels: needs {needs[0]} by {needs[1]}")
        n_wide += needs[0] > width
        frame.write_text(FRAME.format(page=page.resolve().as_uri(), width=width, high=needs[1]))
        for scheme, name in ((1, "light"), (0, "dark")):
            picture = (folder / f"{width}-{name}.png").resolve()
            browse(chromium, frame, scheme, f"--window-size={max(width, 500)},{needs[1]}", f"--screenshot={picture}")
        frame.unlink()
    return n_wide


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
