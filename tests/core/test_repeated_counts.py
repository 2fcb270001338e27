"""What is counted of training and of calls is the same in every process, and another program has another identity."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PLAIN = """
import json
import sys
from dataclasses import replace

import keras
import msgspec

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core import data, training
from autoenc_bench.core.models import build


def counts():
    for name, trainers in (("crude-simple", ("fit", "fused")), ("crude-simple-streamed", ("fused",))):
        experiment = replace(find(name), rows=555)  # with a partial last batch
        split = data.load(experiment.data, rows=555, features=experiment.features, seed=0)
        for trainer in trainers:
            ready = training.prepare(experiment, trainer, split, seed=0)
            yield f"{name} {trainer}", ready.count(split.rows)
    inference = training.Inference(build(experiment, seed=0))
    rows = split.sample().test
    yield "encode", inference.count("encode", rows)
    yield "decode", inference.count("decode", inference.encode(rows))
    yield "reconstruct", inference.count("reconstruct", rows)


json.dump({name: msgspec.to_builtins(counted.counts) for name, counted in counts()}, sys.stdout)
"""

# Training on a loss that multiplies once more.
CHANGED = PLAIN.replace(
    "def counts",
    """class Loss(keras.losses.BinaryCrossentropy):
    def call(self, original, reconstruction):
        return 1.5 * super().call(original, reconstruction)


keras.losses.BinaryCrossentropy = Loss


def counts""",
)
COMPILED = ("crude-simple fused", "crude-simple-streamed fused")
CALLS = ("encode", "decode", "reconstruct")


def start(backend, script, seed, cache):
    """Start a process that counts, whose hashes of strings and whose kept texts are its own."""
    own = {"PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(cache / seed)}
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", **own}
    return subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def counted(request, tmp_path_factory):
    """Count in two processes, in one whose training does more, and in one that finds the first one's texts."""
    if request.param == "jax":
        pytest.importorskip("jax")
    cache, outputs = tmp_path_factory.mktemp("cache"), []
    for runs in (((PLAIN, "1"), (PLAIN, "2")), ((CHANGED, "3"), (PLAIN, "1"))):
        processes = [start(request.param, script, seed, cache) for script, seed in runs]
        outputs += [process.communicate()[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
    return [json.loads(output) for output in outputs]


def test_two_processes(counted):
    """Processes of the same code count the same, whatever is trained and called, and whoever compiled it first."""
    one, other, _, again = counted
    assert set(one) == {"crude-simple fit", *COMPILED, *CALLS}
    for name in one:
        assert one[name] == other[name], name
        assert one[name] == again[name], name


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
    plain, _, changed, _ = counted
    identities, others = (
        {name: [program["identity"] for program in known[name]["programs"]] for name in (*COMPILED, *CALLS)}
        for known in (plain, changed)
    )
    for name in COMPILED:
        assert all(one != other for one, other in zip(identities[name], others[name], strict=True))
    assert {name: identities[name] for name in CALLS} == {name: others[name] for name in CALLS}
