"""`mantic studio` and `mantic serve` as processes of their own: how they are started, found, ended and killed."""

import os
import re
import subprocess
import sys
from pathlib import Path


class ServerProcess:
    """A server over a store, once it has said where it is.

    Parameters
    ----------
    store : the folder of the store.
    words : behind `mantic`; any free port is taken.
    says : a pattern of what it prints when it listens, whose first group is its address.
    """

    def __init__(self, store: Path, *words: str, says: str) -> None:
        own = os.environ | {"MANTIC_STORE_URL": str(store)}
        command = [sys.executable, "-m", "mantic.cli.main", *words, "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=store.parent, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        said = ""
        while (found := re.search(says, said)) is None:
            line = self.process.stdout.readline()
            assert line, f"it ended, and said: {said}"
            said += line
        self.address = found[1]

    def end(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        self.process.communicate()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.communicate()


class StudioProcess(ServerProcess):
    """Studio over a store.

    `address` is the link that signs in, once; `base` what every address begins with.
    """

    def __init__(self, store: Path) -> None:
        super().__init__(store, "studio", "--no-browser", says=r"open (\S+)")
        self.base = self.address.partition("/setup")[0]
