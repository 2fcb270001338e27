"""What is counted of training and of calls is the same in every process, and another program has another identity."""

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


def prepared(known):
    name, trainer = known.split()
    experiment = replace(find(name), rows=555)  # with a partial last batch
    split = sources.load(experiment.data, rows=555, features=experiment.features, seed=0)
    return training.prepare(experiment, trainer, split, seed=0)


def training_counts():
    for known in ("crude-simple fit", *COMPILED):
        ready = prepared(known)
        yield known, ready.count(ready.split.rows)


def program_counts():  # without training, which would compile once more
    for known in COMPILED:
        ready = prepared(known)
        yield known, call_counts.of_calls(lambda: None, ready.programs(ready.split.rows))


def inference_counts():
    experiment = replace(find("crude-simple"), rows=555)
    rows = sources.load(experiment.data, rows=555, features=experiment.features, seed=0).test
    inference = training.Inference(build(experiment, seed=0))
    yield "encode", inference.count("encode", rows)
    yield "decode", inference.count("decode", inference.encode(rows))
    yield "reconstruct", inference.count("reconstruct", rows)


found = []
for what, cache in json.loads(sys.argv[1]):
    os.environ["XDG_CACHE_HOME"] = cache
    if what == "changed":
        keras.losses.BinaryCrossentropy = Loss
    counts = [*(training_counts() if what == "training" else program_counts()), *inference_counts()]
    found.append({name: msgspec.to_builtins(counted.counts) for name, counted in counts})
json.dump(found, sys.stdout)
"""
COMPILED = ("crude-simple fused", "crude-simple-streamed fused")
CALLS = ("encode", "decode", "reconstruct")


def count(backend, seed, *runs):
    """Count in a process whose hashes of strings are its own; each run is what is counted, and the folder of texts."""
    environment = {**os.environ, **QUICK, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", SCRIPT, json.dumps(runs)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def counted(request, shared):
    """Count in two processes; in the second also training that does more, and before it what the first one kept.

    Only texts of TensorFlow's programs are kept.
    """
    if request.param == "jax":
        pytest.importorskip("jax")

    def make(folder):
        first, second = str(folder / "first"), str(folder / "second")
        one = count(request.param, "1", ("training", first))
        kept = sorted(path.name for path in folder.glob("first/**/*.gz"))
        assert bool(kept) == (request.param == "tensorflow")
        again = [("programs", first)] if kept else []
        others = count(request.param, "2", ("training", second), *again, ("changed", second))
        assert sorted(path.name for path in folder.glob("first/**/*.gz")) == kept, "some were made anew"
        return [*one, *others]

    return shared(f"counts-{request.param}", make)[1]


def test_two_processes(counted):
    """Processes of the same code count the same, in all training and calls, and whichever of them compiled it first."""
    one, other, *kept, _ = counted
    assert set(one) == {"crude-simple fit", *COMPILED, *CALLS}
    assert one == other
    for again in kept:
        assert set(again) == {*COMPILED, *CALLS}
        for name in again:
            assert one[name]["programs"] == again[name]["programs"], name


def test_what_is_counted(counted):
    """Compiled epochs have a program whose steps lie in a loop, Keras's fit has calls in each step, and calls both."""
    known = counted[0]
    assert [len(known[name]["programs"]) for name in COMPILED] == [1, 3]  # of a stream: a step, the rest's, validation
    for name in COMPILED:
        assert known[name]["programs"][0]["loops"]["flops"] > 0
    assert "programs" not in known["crude-simple fit"]
    assert sum(known["crude-simple fit"]["calls"]["step"].values()) > 100
    for name in CALLS:
        assert [program["once"]["instructions"]["dot"] > 0 for program in known[name]["programs"]] == [True]
        assert set(known[name]["calls"]) == {"call"}


def test_one_operation_more(counted):
    """A step that multiplies once more is another program; what does not train is the same."""
    plain, *_, changed = counted
    identities, others = (
        {name: [program["identity"] for program in known[name]["programs"]] for name in (*COMPILED, *CALLS)}
        for known in (plain, changed)
    )
    for name in COMPILED:
        assert all(one != other for one, other in zip(identities[name], others[name], strict=True))
    assert {name: identities[name] for name in CALLS} == {name: others[name] for name in CALLS}
