"""The command line: finds the verb, loads its file, and says what went wrong in three lines."""

import time

_STARTED = time.monotonic()  # a fit's budget counts from here, with all that is loaded later

import contextlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from importlib import import_module  # noqa: E402

from mantic.core.errors import ManticError, SettingsError  # noqa: E402

# verb -> what stands behind it, what it does; the file of that name is loaded when the verb is used
VERBS = {
    "profile": ("DATA", "what is in a table and what is wrong with it"),
    "fit": ("DATA --target COLUMN", "learn to predict a column, within a time budget"),
    "predict": ("MODEL DATA", "answer rows that have no answer yet"),
    "evaluate": ("MODEL DATA", "score a model on rows with known answers"),
    "explain": ("MODEL DATA", "why it answers a row as it does"),
    "decide": ("MODEL --cost COSTS", "from which probability to act, and what that is worth"),
    "replay": ("MODEL DATA", "repeat what a timed search did, and compare"),
    "serve": ("MODEL", "answer over HTTP"),
    "studio": ("", "from a file to a running model in the browser"),
    "models": ("", "what the store keeps; show, compare, promote, roll back, export"),
    "runs": ("", "what was worked on, and how it went"),
    "predictions": ("NAME", "what a served model has answered, and how it turned out"),
    "outcomes": ("DATA --value COLUMN", "say how predictions turned out"),
    "keys": ("", "keys that sign models, and whom one trusts"),
    "backup": ("FILE", "everything that the store keeps, in one file"),
    "restore": ("FILE --to FOLDER", "a backup, into an empty place"),
    "verify": ("[FILE]", "look at every byte of the store, or of a backup"),
    "api-keys": ("new|list|revoke", "who may ask a server"),
    "learners": ("", "what can be tried, what it is good for, what it costs"),
    "settings": ("", "every setting, its value and where it comes from"),
}

_MENDABLE, _STOPPED, _PIPE_CLOSED = 2, 130, 141


def entry() -> None:
    """Run the command line and leave with its exit code.

    Leaves at once: taking the libraries apart again costs seconds on a busy machine, and all files are closed by now.
    """
    if not any(word.startswith("--plugin") for word in sys.argv):  # what the user's own code loads must be whole
        from mantic.core.lazy import lighten

        lighten()
    code = main(sys.argv[1:], started=_STARTED)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(words: Sequence[str], *, started: float | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    words : what was typed after `mantic`.
    started : when the process began, on `time.monotonic`; now when absent.

    Returns
    -------
    The exit code: 0 done, 2 something that the user can mend, 130 stopped by Ctrl-C. A bug keeps its traceback.
    """
    started = time.monotonic() if started is None else started
    try:
        code = _dispatch(list(words), started)
        sys.stdout.flush()
        return code
    except ManticError as error:
        print(f"error: {error}", file=sys.stderr)
        return _MENDABLE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return _STOPPED
    except BrokenPipeError:  # whoever read our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except Exception as error:
        error.add_note(
            "This is a bug in mantic. Please report it with these lines and the output of 'mantic --version'."
        )
        raise


def _dispatch(words: list[str], started: float) -> int:
    verb, rest = (words[0], words[1:]) if words else ("--help", [])
    if verb in ("--help", "-h", "help"):
        print(_help())
        return 0
    if verb in ("--version", "-V"):
        print(_version())
        return 0
    if verb not in VERBS:
        from difflib import get_close_matches

        near = get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean 'mantic {near[0]}'? " if near else ""
        raise SettingsError(f"there is no verb '{verb}'", where="mantic", fix=f"{hint}known are: {', '.join(VERBS)}")
    module = import_module(f"mantic.cli.{verb.replace('-', '_')}")
    parser, rest = module.parser().choose(rest)
    if "-h" in rest or "--help" in rest:
        print(parser.format_help(), end="")
        return 0
    options = parser.parse_args(rest)
    options.started = started
    return int(module.run(options))


def _help() -> str:
    width = max(len(f"{verb} {what}") for verb, (what, _) in VERBS.items())
    lines = [f"  {f'{verb} {what}':<{width}}   {about}" for verb, (what, about) in VERBS.items()]
    return "\n".join(
        [
            "mantic: from a raw table to a served prediction that can be trusted",
            "",
            *lines,
            "",
            "A walk:",
            "  mantic profile churn.csv --out profile.html",
            "  mantic fit churn.csv --target churned --budget 60s --report report.html",
            "  mantic predict churn.mantic new.csv --out answers.csv",
            "  mantic serve churn.mantic",
            "",
            "DATA is a file (CSV, JSON, Parquet, Arrow, Excel; packed too), a folder, a database address, or - .",
            "'mantic VERB --help' says more; 'mantic --version' says which one this is.",
        ]
    )


def _version() -> str:
    import platform

    from mantic import __version__

    return f"mantic {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"


if __name__ == "__main__":
    entry()
