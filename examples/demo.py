"""The walk that `make demo` takes: profile, fit, report, serve, one prediction over HTTP.

Each step is the command that a person would type, shown before it runs. Everything it makes lies in the folder `demo`.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mantic
from mantic.core.settings import StudioSettings

OUT = Path("demo")
WEATHER_TARGET = "weather"


def main() -> None:
    """Take the walk; any step that fails ends it with that step's exit code."""
    options = _options()
    started = time.monotonic()
    OUT.mkdir(exist_ok=True)
    table, target = (options.data, options.target) if options.data else (_weather(), WEATHER_TARGET)
    if not target:
        sys.exit("which column shall be predicted?\n  fix:   make demo DATA=my.csv TARGET=column")

    model, report = OUT / f"{target}.mantic", OUT / "report.html"
    _say("1  What is in the table, and what is wrong with it?")
    _mantic("profile", table, "--out", OUT / "profile.html")
    _say(f"2  Learn to predict '{target}', within {options.budget}")
    _mantic("fit", table, "--target", target, "--budget", options.budget, "--out", model, "--report", report)
    _say("3  The report: how good it is, where it fails, how it was made")
    print(f"open  {report.resolve().as_uri()}")
    _say("4  Serve the model, and ask it over HTTP")
    with _served(model) as address:
        row = _first_row(table, target)
        _post(f"{address}/v1/models/{model.stem}/predict", {"rows": [row]})
    _say("5  The same in the browser, from a file to a running model: Studio")
    own = f"MANTIC_STORE_URL={shlex.quote(str(OUT / 'store'))}"
    print(f"$ {own} {shlex.quote(str(Path(sys.executable).with_name('mantic')))} studio")
    print(f"opens http://127.0.0.1:{StudioSettings().port}, where this model stands already")
    print(f"\nThe walk took {time.monotonic() - started:.0f} s. All that it made lies in {OUT.resolve()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", default="", help="a table of your own (default: the weather of Seattle, 2012 to 2015)"
    )
    parser.add_argument("--target", default="", help="the column to predict")
    parser.add_argument("--budget", default="20s")
    return parser.parse_args()


def _weather() -> Path:
    """Return the path of a real table that an installed package carries; the package is not imported."""
    spec = importlib.util.find_spec("vega_datasets")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the demo's table is not installed\n  fix:   pip install 'mantic[demo]'")
    return Path(spec.submodule_search_locations[0]) / "_data" / "seattle-weather.csv"


def _command(*parts: object) -> list[str]:
    print(f"\n$ mantic {shlex.join(str(part) for part in parts)}", flush=True)
    beside = Path(sys.executable).with_name("mantic")
    start = [str(beside)] if beside.exists() else [sys.executable, "-m", "mantic.cli.main"]
    return [*start, *(str(part) for part in parts)]


def _mantic(*parts: object) -> None:
    own = os.environ | {"MANTIC_STORE_URL": str(OUT / "store")}  # not among the models of whoever tries it
    code = subprocess.run(_command(*parts), check=False, env=own).returncode
    if code:
        sys.exit(code)


@contextlib.contextmanager
def _served(model: Path) -> Iterator[str]:
    """Serve a model on a free port of this machine; stop the server at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(_command("serve", model, "--port", port)) as server:
        try:
            _wait_until_ready(server, address)
            yield address
        finally:
            server.terminate()


def _wait_until_ready(server: "subprocess.Popen[bytes]", address: str, *, seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if server.poll() is not None:
            sys.exit(server.returncode or 1)
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"the server was not ready after {seconds:.0f} s")


def _first_row(table: object, target: str) -> dict[str, object]:
    """Return the first row without its target, as JSON has it; any table that mantic reads will do."""
    row = mantic.read(str(table)).row(0, named=True)
    return {name: value for name, value in row.items() if name != target}


def _post(address: str, body: object) -> None:
    text = json.dumps(body, ensure_ascii=False, default=str)
    print(f"\n$ curl -X POST {address} -H 'content-type: application/json' -d {shlex.quote(text)}")
    request = urllib.request.Request(address, text.encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            print(json.dumps(json.load(answer), indent=2, ensure_ascii=False))
    except urllib.error.HTTPError as error:
        sys.exit(f"the server answered {error.code}: {error.read().decode(errors='replace')}")


def _say(sentence: str) -> None:
    print(f"\n\033[1m{sentence}\033[0m" if sys.stdout.isatty() else f"\n{sentence}", flush=True)


if __name__ == "__main__":
    main()
