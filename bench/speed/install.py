"""How large an install is: every file of mantic's core dependencies, and of theirs, as this environment has them."""

import importlib.metadata
import json
import re
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

SOURCES = Path(__file__).resolve().parents[2] / "src" / "mantic"


def closure(root: str) -> dict[str, int]:
    """Return bytes by distribution for all that installing `root` without extras brings."""
    sizes: dict[str, int] = {}
    waiting = [(root, frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in sizes and not extras:
            continue
        found = importlib.metadata.distribution(name)
        sizes[key] = _n_bytes(found)
        for text in found.requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or any(
                wanted.marker.evaluate(default_environment() | {"extra": extra}) for extra in (extras or {""})
            ):
                waiting.append((wanted.name, frozenset(wanted.extras)))
    return sizes


def _n_bytes(distribution: importlib.metadata.Distribution) -> int:
    files = (distribution.locate_file(path) for path in distribution.files or [])
    own = distribution.metadata["Name"] == "mantic"  # may be installed as a link to its sources
    paths = [path for path in SOURCES.rglob("*") if "__pycache__" not in path.parts] if own else [*files]
    return sum(path.stat().st_size for path in paths if path.is_file())  # type: ignore[attr-defined]


def main() -> None:
    """Print the sum and the largest."""
    sizes = closure("mantic")
    megabytes = {name: size / 1e6 for name, size in sizes.items()}
    largest = sorted(megabytes, key=lambda name: -megabytes[name])[:8]
    print(
        json.dumps(
            {
                "name": "core install",
                "value": round(sum(megabytes.values()), 1),
                "unit": "MB",
                "n_distributions": len(sizes),
                "largest": {name: round(megabytes[name], 1) for name in largest},
            }
        )
    )


if __name__ == "__main__":
    main()
