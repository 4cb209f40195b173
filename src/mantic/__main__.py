"""``python -m mantic``: the command line, for an environment whose programs are not on the path."""

from mantic.cli.main import entry

if __name__ == "__main__":
    entry()
