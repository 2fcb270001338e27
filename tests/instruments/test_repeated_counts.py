"""Counts of training and of calls are equal in all processes, and another program has another identity."""

import json
import os
import subprocess
import sys

import pytest
from suite_runs import QUICK

pytestmark = pytest.mark.slow

SCRIPT = """
import json
import os
import sys
from dataclasses import replace

import keras
import msgspec

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core import training
from autoenc_bench.core.data import sources
from autoenc_bench.instruments import call_counts
from autoenc_bench.core.models import build

COMPILED = ("crude-simple fused", "crude-simple-streamed fused")


class Loss(keras.losses.BinaryCrossentropy):
    def call(self, original, reconstruction):
        return 1.5 * super().call(original, reconstruction)  # multiplies once more


def prepared(case):
    name, trainer = case.split()
    experiment = replace(find(name), rows=555)  # with a partial last batch
    split = sources.load(experiment.data, rows=555, features=experiment.features, seed=0)
    return training.prepare(experiment, trainer, split, seed=0)


def training_counts():
    for case in ("crude-simple fit", *COMPILED):
        ready = prepared(case)
        yield case, ready.count(ready.split.rows)


def program_counts():  # without training, which would compile again
    for case in COMPILED:
        ready = prepared(case)
        yield case, call_counts.of_calls(lambda: None, ready.programs(ready.split.rows))


def inference_counts():
    experiment = replace(find("crude-simple"), rows=555)
    rows = sources.load(experiment.data, rows=555, features=experiment.features, seed=0).test
    inference = training.Inference(build(experiment, seed=0))
    yield "encode", inference.count("encode", rows)
    yield "decode", inference.count("decode", inference.encode(rows))
    yield "reconstruct", inference.count("reconstruct", rows)


results = []
for what, cache in json.loads(sys.argv[1]):
    os.environ["XDG_CACHE_HOME"] = cache
    if what == "changed":
        keras.losses.BinaryCrossentropy = Loss
    counts = [*(training_counts() if what == "training" else program_counts()), *inference_counts()]
    results.append({name: msgspec.to_builtins(counted.counts) for name, counted in counts})
json.dump(results, sys.stdout)
"""
COMPILED = ("crude-simple fused", "crude-simple-streamed fused")
CALLS = ("encode", "decode", "reconstruct")


def count(backend, seed, *runs):
    """Count in a process with this seed for hashes of strings; a run is what to count, and the cache folder."""
    environment = {**os.environ, **QUICK, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", SCRIPT, json.dumps(runs)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def counted(request, shared):
    """Count in two processes; in the second one also from the first one's cache, and a program that does more.

    Only texts of TensorFlow's programs are cached.
    """
    if request.param == "jax":
        pytest.importorskip("jax")

    def make(folder):
        first, second = str(folder / "first"), str(folder / "second")
        counts = count(request.param, "1", ("training", first))
        cached = sorted(path.name for path in folder.glob("first/**/*.gz"))
        assert bool(cached) == (request.param == "tensorflow")
        again = [("programs", first)] if cached else []
        counts += count(request.param, "2", ("training", second), *again, ("changed", second))
        assert sorted(path.name for path in folder.glob("first/**/*.gz")) == cached, "some texts were made again"
        return counts

    return shared(f"counts-{request.param}", make)[1]


def test_two_processes(counted):
    """Processes with the same code have equal counts, also from programs that another process cached."""
    first, second, *from_cache, _ = counted
    assert set(first) == {"crude-simple fit", *COMPILED, *CALLS}
    assert first == second
    for counts in from_cache:
        assert set(counts) == {*COMPILED, *CALLS}
        for name in counts:
            assert first[name]["programs"] == counts[name]["programs"], name


def test_what_is_counted(counted):
    """A compiled epoch has a program with its steps in a loop, fit has calls in each step, inference has both."""
    counts = counted[0]
    assert [len(counts[name]["programs"]) for name in COMPILED] == [1, 3]  # of a stream: a step, the rest's, validation
    for name in COMPILED:
        assert counts[name]["programs"][0]["loops"]["flops"] > 0
    assert "programs" not in counts["crude-simple fit"]
    assert sum(counts["crude-simple fit"]["calls"]["step"].values()) > 100
    for name in CALLS:
        assert [program["once"]["instructions"]["dot"] > 0 for program in counts[name]["programs"]] == [True]
        assert set(counts[name]["calls"]) == {"call"}


def test_one_operation_more(counted):
    """A step that multiplies once more is another program; inference keeps its program."""
    plain, *_, changed = counted
    before, after = (
        {name: [program["identity"] for program in counts[name]["programs"]] for name in (*COMPILED, *CALLS)}
        for counts in (plain, changed)
    )
    for name in COMPILED:
        assert all(old != new for old, new in zip(before[name], after[name], strict=True))
    assert {name: before[name] for name in CALLS} == {name: after[name] for name in CALLS}
