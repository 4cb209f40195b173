"""Whether a process that was noted is still there."""

import json
import subprocess
import sys

from mantic.core.process import is_there

_NOTE = """
import json, sys
from mantic.core.process import this_process
print(json.dumps(this_process()), flush=True)
sys.stdin.read()
"""


def test_a_process_is_there_until_it_is_killed_and_then_it_is_not():
    with subprocess.Popen([sys.executable, "-c", _NOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        noted = json.loads(other.stdout.readline())
        was_there = is_there(noted)
        other.kill()
        other.wait()

    assert (was_there, is_there(noted)) == (True, False)


def test_a_killed_process_that_nobody_asked_for_is_gone_too():
    other = subprocess.Popen([sys.executable, "-c", _NOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    noted = json.loads(other.stdout.readline())
    other.kill()
    for _ in range(200):
        if is_there(noted) is False:
            break
        subprocess.run([sys.executable, "-c", ""], check=True)

    assert is_there(noted) is False
    other.communicate()


def test_what_says_nothing_is_told_nothing_of():
    assert is_there({}) is None
    assert is_there({"host": "elsewhere", "pid": 1, "born": "long ago"}) is None
