"""How long a start takes: processor time of ``import mantic`` and of ``mantic --help``, Python itself taken off."""

import json
import resource
import statistics
import subprocess
import sys

STARTS = {
    "python": [sys.executable, "-c", "pass"],
    "import mantic": [sys.executable, "-c", "import mantic"],
    "mantic --help": [sys.executable, "-m", "mantic.cli.main", "--help"],
    "import mantic, Classifier": [sys.executable, "-c", "import mantic; mantic.Classifier"],
}


def cpu_milliseconds(command: list[str]) -> float:
    """Return user and system time of one child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the median of several starts."""
    rounds = 3 if "--quick" in sys.argv else 11
    medians = {
        name: statistics.median(cpu_milliseconds(command) for _ in range(rounds)) for name, command in STARTS.items()
    }
    for name, median in medians.items():
        own = median if name == "python" else median - medians["python"]
        print(json.dumps({"name": name, "value": round(own, 1), "unit": "ms CPU", "rounds": rounds}), flush=True)


if __name__ == "__main__":
    main()
