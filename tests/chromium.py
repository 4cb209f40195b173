"""The browser in which pages are opened, and how it is started."""

import os
from pathlib import Path

import pytest

BROWSER = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-dev-shm-usage",
)  # fmt: skip
needed = pytest.mark.skipif(
    not Path(BROWSER).exists() and "CI" not in os.environ, reason="there is no Chromium (make system-test installs it)"
)
