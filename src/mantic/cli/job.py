"""The process of a job: `python -m mantic.cli.job [PLUGIN.py ...]`, started by a server in the folder of the job."""

import sys
from pathlib import Path
from typing import Any

from mantic.core.lazy import lighten
from mantic.serve.job_work import close_doors, take_limits, work


def main(plugins: list[str]) -> None:
    """Answer the job in the working folder."""
    limits = take_limits()
    if not plugins:
        lighten()
    from mantic.cli.words import load_plugins
    from mantic.tasks.base import load

    def load_alone(path: Path) -> Any:
        """Load the model; what is read after it comes from strangers."""
        model = load(path)
        close_doors()
        return model

    load_plugins(plugins)
    work(limits, load_alone)


if __name__ == "__main__":
    main(sys.argv[1:])
