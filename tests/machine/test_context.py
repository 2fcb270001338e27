"""A setting says on what a process measures, and its context changes only with what changes times."""

import getpass
import os
import platform
import subprocess
import sys

import msgspec
import pytest

from autoenc_bench.machine import reference

CODE = """
import json, os, sys
from autoenc_bench.machine.context import MeasuringContext
setting = MeasuringContext(json.loads(sys.argv[1]))
setting.enter()
found = setting.survey("A CPU", None)
print(json.dumps([found.context, found.conditions, str(setting)]))
"""


def told(threads, **environment):
    """Return context, conditions and words of a setting in a process of its own."""
    command = [sys.executable, "-c", CODE, "null" if threads is None else str(threads)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=120
    )
    return msgspec.json.decode(done.stdout)


@pytest.fixture(scope="module")
def one():
    """Return what a setting of one thread tells."""
    return told(1, TF_CPP_MIN_LOG_LEVEL="3")


def test_context(one):
    """The context names software, threads and limits, and no host, user or path."""
    context, conditions, words = one
    assert context["backend"] == "tensorflow"
    assert context["python"] == platform.python_version()
    assert (context["threads"], context["precision"]) == (1, "float32")
    assert context["reference"] == reference.VERSION  # times in units of another one are not comparable
    assert context["usable_cores"] == len(os.sched_getaffinity(0))
    assert (context["pinned"], conditions["cores"]) == (True, [max(os.sched_getaffinity(0))])
    assert words.startswith("tensorflow ")
    assert "1 thread pinned to core" in words
    said = f"{context} {conditions}"
    assert os.sep not in said
    assert not {getpass.getuser(), platform.node()} & set(said.split())


def test_context_of_all_threads(one):
    """Another thread setting is another context, and so is a variable that tunes; what limits threads is not both."""
    context, conditions, words = told(None, OMP_NUM_THREADS="2", TF_CPP_MIN_LOG_LEVEL="1", XLA_FLAGS="")
    assert (context["threads"], context["pinned"], conditions["cores"]) == (None, False, [])
    assert (context["OMP_NUM_THREADS"], context["XLA_FLAGS"]) == ("2", "")
    assert "all threads" in words
    changed = {name for name in {*context, *one[0]} if context.get(name, "") != one[0].get(name, "")}
    assert changed == {"threads", "pinned", "OMP_NUM_THREADS"}
    assert told(1, OMP_NUM_THREADS="2")[0] == one[0]
