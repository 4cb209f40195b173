"""A server whose model is switched: `python switching.py MODEL N` does it N times after a line on standard input."""

import sys
import threading
import time
from pathlib import Path

import mantic
from mantic.serve.run import serve
from mantic.serve.shelf import Golden, Shelf


def main() -> None:
    """Serve until stopped; say when the switches are done."""
    path, n = Path(sys.argv[1]), int(sys.argv[2])
    versions = [mantic.load(path), mantic.load(path)]
    for number, version in enumerate(versions):
        version.version_ = f"version-{number}"
    shelf = Shelf({path.stem: versions[0]})
    row = versions[0].background_.head(1).to_dicts()[0]
    known = versions[0].predict_proba_one(row)
    golden = [Golden(row, {"probability": {str(name): float(chance) for name, chance in known.items()}})]

    def switch() -> None:
        sys.stdin.readline()
        started = time.perf_counter()
        for number in range(n):
            shelf.switch(path.stem, versions[number % 2], golden=golden)
        print(f"switched {n} {time.perf_counter() - started:.2f}", flush=True)

    threading.Thread(target=switch, daemon=True).start()
    serve(shelf, port=0)


if __name__ == "__main__":
    main()
