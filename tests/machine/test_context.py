"""A measuring context holds what a process measures on, and changes only with facts that change times."""

import getpass
import json
import os
import platform
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from autoenc_bench.backends import protocol, selection
from autoenc_bench.instruments import clock, reference_workload
from autoenc_bench.machine import context, fingerprint

CODE = """
import json, os, sys
from autoenc_bench.machine.context import MeasuringContext
contexts = []
for threads, environment in json.loads(sys.argv[1]):
    os.environ.update(environment)
    contexts.append(MeasuringContext(threads))
    for name in environment:
        del os.environ[name]
surveys = []
for context in contexts:
    context.enter()
    survey = context.survey("A CPU", None)
    surveys.append([survey.context, survey.conditions, str(context)])
print(json.dumps(surveys))
"""
TUNED = {"OMP_NUM_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "1", "XLA_FLAGS": ""}
RUNS = ((None, TUNED), (1, {}), (1, {"OMP_NUM_THREADS": "2"}))  # all threads first: a pinned process stays pinned


@pytest.fixture(scope="module")
def contexts():
    """Return facts, conditions and text of all threads with variables, one thread, and one thread with a variable."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(RUNS)],
        env={name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "XLA_"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_context(contexts):
    """The context names software, threads and limits, and no host, user or path."""
    facts, conditions, text = contexts[1]
    assert facts["backend"] == "tensorflow"
    assert facts["python"] == platform.python_version()
    assert (facts["threads"], facts["precision"]) == (1, "float32")
    assert facts["reference"] == reference_workload.VERSION  # times in units of another workload are not comparable
    assert facts["clock"] == clock.VERSION  # nor are times of another clock
    assert facts["usable_cores"] == len(os.sched_getaffinity(0))
    assert (facts["pinned"], conditions["cores"]) == (True, [max(os.sched_getaffinity(0))])
    assert text.startswith("tensorflow ")
    assert "1 thread pinned to core" in text
    recorded = f"{facts} {conditions}"
    assert os.sep not in recorded
    assert not {getpass.getuser(), platform.node()} & set(recorded.split())


@pytest.mark.slow
def test_context_of_all_threads(contexts):
    """Contexts differ by the thread setting and by tuning variables; variables that --threads sets do not count."""
    (facts, conditions, text), (pinned, _, _), (tuned, _, _) = contexts
    assert (facts["threads"], facts["pinned"], conditions["cores"]) == (None, False, [])
    assert (facts["OMP_NUM_THREADS"], facts["XLA_FLAGS"]) == ("2", "")
    assert "all threads" in text
    assert {name for name in {*facts, *pinned} if facts.get(name, "") != pinned.get(name, "")} == {
        "threads",
        "pinned",
        "OMP_NUM_THREADS",
    }
    assert tuned == pinned


@pytest.fixture
def unusual(monkeypatch):
    """Return a function that returns the facts that a context has only if they differ from the usual."""
    usual = {(fingerprint, "interpreter"): None, (fingerprint, "huge_pages"): None, (selection, "settings"): None}

    def facts(changes=(), kinds=(), accelerators=()):
        for (owner, name), value in {**usual, **dict(changes)}.items():
            monkeypatch.setattr(owner, name, lambda value=value: value)
        monkeypatch.setattr(context, "kinds", lambda: dict(kinds))
        backend = SimpleNamespace(accelerators=lambda: list(accelerators), versions=lambda: {"cuda": "12.5"})
        monkeypatch.setattr(selection, "current", lambda: backend)
        monkeypatch.setattr(fingerprint, "nvidia", lambda: fingerprint.Driver(["A GPU"], "570.1"))
        measuring = context.MeasuringContext(1)
        measuring.cores = [0]
        return measuring._unusual

    return facts


def test_as_usual(unusual):
    """A context has no such facts if all are usual, so it equals contexts from before these facts existed."""
    assert unusual() == {}


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ({"changes": {(fingerprint, "interpreter"): "development mode"}}, {"interpreter": "development mode"}),
        ({"changes": {(fingerprint, "huge_pages"): "always"}}, {"huge_pages": "always"}),
        ({"changes": {(selection, "settings"): "epsilon 0.001"}}, {"keras_settings": "epsilon 0.001"}),
        ({"kinds": {0: "performance", 1: "efficiency"}}, {"core_kind": "performance"}),
        ({"accelerators": ["A GPU"]}, {"driver": "570.1", "cuda": "12.5"}),
    ],
)
def test_unusual(unusual, arguments, facts):
    """An unusual setting is a fact of the context, so times compare only if it is equal."""
    assert unusual(**arguments) == facts


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, None),
        ({"epsilon": lambda: 1e-3}, "epsilon 0.001"),
        ({"image_data_format": lambda: "channels_first"}, "channels_first"),
        ({"is_nnx_enabled": lambda: True}, "NNX"),
    ],
)
def test_keras_settings(monkeypatch, config, expected):
    """Keras's settings are named if they differ from its defaults."""
    usual = {"epsilon": lambda: 1e-7, "image_data_format": lambda: "channels_last"}
    keras = ModuleType("keras")
    keras.config = SimpleNamespace(**{**usual, **config})
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert selection.settings() == expected


def test_packaged_versions(monkeypatch):
    """Versions of CUDA in packages are found by the packages' names, with and without a suffix for a CUDA version."""
    names = {"nvidia-cudnn-cu12": "9.1", "nvidia-cuda-runtime": "13.0", "nvidia-cublas-cu12": "12.4", "numpy": "2.0"}
    packages = [SimpleNamespace(metadata={"Name": name}, version=version) for name, version in names.items()]
    monkeypatch.setattr(protocol, "distributions", lambda: packages)
    assert protocol.packaged_versions() == {"cudnn": "9.1", "cuda": "13.0"}
