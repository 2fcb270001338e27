"""A measuring context says on what a process measures, and changes only with what changes times."""

import getpass
import json
import os
import platform
import subprocess
import sys

import pytest

from autoenc_bench.core import clock
from autoenc_bench.machine import reference

CODE = """
import json, os, sys
from autoenc_bench.machine.context import MeasuringContext
contexts = []
for threads, environment in json.loads(sys.argv[1]):
    os.environ.update(environment)
    contexts.append(MeasuringContext(threads))
    for name in environment:
        del os.environ[name]
told = []
for context in contexts:
    context.enter()
    survey = context.survey("A CPU", None)
    told.append([survey.context, survey.conditions, str(context)])
print(json.dumps(told))
"""
TUNED = {"OMP_NUM_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "1", "XLA_FLAGS": ""}
WANTED = ((None, TUNED), (1, {}), (1, {"OMP_NUM_THREADS": "2"}))  # all threads first: a pinned process stays pinned


@pytest.fixture(scope="module")
def contexts():
    """Return context, conditions and words of all threads when tuned, one thread, and one thread when tuned."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(WANTED)],
        env={name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "XLA_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_context(contexts):
    """The context names software, threads and limits, and no host, user or path."""
    context, conditions, words = contexts[1]
    assert context["backend"] == "tensorflow"
    assert context["python"] == platform.python_version()
    assert (context["threads"], context["precision"]) == (1, "float32")
    assert context["reference"] == reference.VERSION  # times in units of another one are not comparable
    assert context["clock"] == clock.VERSION  # nor are times by another clock
    assert context["usable_cores"] == len(os.sched_getaffinity(0))
    assert (context["pinned"], conditions["cores"]) == (True, [max(os.sched_getaffinity(0))])
    assert words.startswith("tensorflow ")
    assert "1 thread pinned to core" in words
    said = f"{context} {conditions}"
    assert os.sep not in said
    assert not {getpass.getuser(), platform.node()} & set(said.split())


@pytest.mark.slow
def test_context_of_all_threads(contexts):
    """Another thread setting is another context, and so is a variable that tunes; what limits threads is not both."""
    (context, conditions, words), (one, _, _), (tuned, _, _) = contexts
    assert (context["threads"], context["pinned"], conditions["cores"]) == (None, False, [])
    assert (context["OMP_NUM_THREADS"], context["XLA_FLAGS"]) == ("2", "")
    assert "all threads" in words
    assert {name for name in {*context, *one} if context.get(name, "") != one.get(name, "")} == {
        "threads",
        "pinned",
        "OMP_NUM_THREADS",
    }
    assert tuned == one
