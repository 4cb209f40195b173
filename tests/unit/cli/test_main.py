import shlex
import subprocess
import sys

import pytest

from mantic.cli import main as module
from mantic.cli.main import VERBS, main


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_every_verb(mantic, words):
    done = mantic(*words)

    assert done.code == 0
    assert all(f"  {verb}" in done.out for verb in VERBS)
    assert all(len(line) <= 100 for line in done.out.splitlines())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_its_options_are_for(mantic, verb):
    done = mantic(verb, "--help")

    assert done.code == 0
    assert done.out.startswith(f"usage: mantic {verb}")
    assert "examples:" in done.out


def test_the_version_is_one_line(mantic):
    assert mantic("--version").out.startswith("mantic 0.")


def test_the_package_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "mantic", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("mantic 0.")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["ft"], "mantic fit"),
        (["fit", "a.csv", "--target", "b", "--bugdet", "5s"], "did you mean --budget?"),
        (["fit", "a.csv"], "--help"),
        (["fit", "a.csv", "--target", "b", "--set", "C=1"], "--help"),
        (["fit", "a.csv", "--target", "b", "--seed", "one"], "--help"),
        (["predict", "a.mantic", "b.csv", "--out", "c.docx"], ".csv"),
        (["profile", "a.csv", "--out", "none/a.html"], "mkdir"),
    ],
)
def test_a_mistake_is_three_lines_and_exit_code_2(mantic, words, hint):
    done = mantic(*words)

    assert done.code == 2
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("  where: ")
    assert lines[2].startswith("  fix:   ")
    assert hint in lines[2]


def test_a_bug_keeps_its_traceback_and_asks_for_a_report(monkeypatch):
    monkeypatch.setattr(module, "_help", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError) as caught:
        main(["--help"])

    assert "bug in mantic" in caught.value.__notes__[0]


def test_ctrl_c_before_there_is_anything_to_keep_is_130(mantic, monkeypatch):
    def interrupt() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_help", interrupt)

    assert mantic("--help").code == 130


def test_a_reader_that_goes_away_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m mantic.cli.main learners --json | head -c 10"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert done.stderr == ""
