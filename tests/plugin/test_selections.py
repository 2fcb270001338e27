"""A steady case is steady under every selection and option, or the run is refused."""

import pytest
from suite_runs import LEAN, TIMING, fork_suite

from autoenc_bench.records import loading

pytestmark = pytest.mark.slow

# Registers a small experiment, sets its number of rounds, and writes down each case that compiled in its rounds.
WATCHING = """
import os
from dataclasses import replace
from pathlib import Path

import jax
from pytest_benchmark.stats import Stats

import autoenc_bench
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.instruments import reference_workload as reference

rounds, smoke = int(os.environ["ROUNDS"]), SCALES["smoke"]
training = {name: replace(timed, rounds=rounds) for name, timed in smoke.training.items()}
SCALES["smoke"] = replace(smoke, rounds=rounds, training=training)
autoenc_bench.register(autoenc_bench.Experiment(
    name="tiny", data="uniform", rows=300, features=4, encoder=(2,), decoder=(4,), epochs=2, batch_size=50,
    mean_error=(0, 9)))
compiled, seconds, update = [], reference.seconds, Stats.update

def compiling(event, duration, **_):
    if "backend_compile" in event:
        compiled.append(event)

def beginning():
    value = seconds()
    compiled.clear()
    return value

def timed(self, duration):
    if compiled:
        with Path("compiled").open("a") as file:
            file.write(os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split()[0] + "\\n")
    compiled.clear()
    return update(self, duration)

if "CACHE" in os.environ:  # as JAX_COMPILATION_CACHE_DIR asks for it before JAX is loaded
    jax.config.update("jax_compilation_cache_dir", os.environ["CACHE"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.monitoring.register_event_duration_secs_listener(compiling)
reference.seconds, Stats.update = beginning, timed
"""
FIRST = {"test_first_call[tiny-fit]", "test_first_call[tiny-fused]"}


@pytest.fixture
def select(tmp_path):
    """Return a function that runs the small experiment: the run, and the cases that compiled while timed."""
    (tmp_path / "watching.py").write_text(WATCHING)

    def select(rounds, *arguments):
        chosen = ("-p", "watching", "--scale=smoke", "--experiment=tiny", "--no-roofs", "--no-report")
        variables = {**LEAN, "PYTHONPATH": str(tmp_path), "ROUNDS": str(rounds)}
        run = fork_suite(tmp_path, *TIMING, *chosen, *arguments, **variables)
        noted = tmp_path / "compiled"
        return run, set(noted.read_text().split()) if noted.exists() else set()

    return select


@pytest.mark.parametrize(
    ("rounds", "arguments"),
    [
        (1, ()),
        (1, ("-k", "epoch")),
        (3, ("-k", "epoch")),
        (1, ("-k", "first_call")),
        (1, ("-k", "reconstruct and one")),
        (3, ("--benchmark-autosave", "--benchmark-min-rounds=9", "--benchmark-warmup=off", "-k", "epoch and fused")),
    ],
)
def test_selections(select, rounds, arguments):
    """Only a first call compiles while it is timed, alone or with other cases, in one round or several."""
    run, compiled = select(rounds, *arguments)
    assert run.status == 0, run.out
    benchmarks = loading.read_record(run.record).record.benchmarks
    names = {benchmark.name for benchmark in benchmarks}
    assert names
    assert compiled == FIRST & names
    for benchmark in benchmarks:
        once = benchmark.name.startswith(("test_first_call", "test_experiment", "test_untouched"))
        assert benchmark.stats.rounds == len(benchmark.extra_info.autoenc.reference) == (1 if once else rounds)


def test_no_cache_of_programs(select, tmp_path, monkeypatch):
    """A first call compiles even if JAX has a cache of programs: the cache is neither written nor read."""
    monkeypatch.setenv("CACHE", str(tmp_path / "programs"))
    run, compiled = select(1, "-k", "first_call and fused")
    assert run.status == 0, run.out
    assert compiled == {"test_first_call[tiny-fused]"}
    assert not list((tmp_path / "programs").rglob("*"))


def test_profiled(select, tmp_path):
    """With pytest-benchmark's profile, which runs a case once more, and compressed, rounds and files are the same."""
    own = f"--benchmark-json={tmp_path / 'own.json'}"
    run, compiled = select(3, "--benchmark-cprofile=cumtime", own, "--gzip", "-k", "epoch and fused")
    assert compiled == set()
    assert "cProfile (time in s)" in run.out
    assert run.record.name.endswith(".json.gz")
    json_file, record = (loading.read_record(path).record for path in (tmp_path / "own.json", run.record))
    (benchmark,), (recorded,) = json_file.benchmarks, record.benchmarks
    assert benchmark.stats == recorded.stats
    assert benchmark.extra_info == recorded.extra_info
    assert recorded.extra_info.autoenc.counts
    assert len(recorded.stats.data) == len(recorded.extra_info.autoenc.reference) == 3
    assert json_file.autoenc.context == record.autoenc.context


def test_timing_off(select):
    """With timing off, each case runs once, also one of several rounds."""
    run, _ = select(3, "--benchmark-disable", "-k", "epoch or build or one")
    assert run.status == 0, run.out
    assert "nothing was timed, so no record was saved" in run.out
    assert " rows, not timed" in run.out


def test_timing_on(select):
    """The option --benchmark-enable overrides --benchmark-disable, as in pytest-benchmark."""
    run, _ = select(1, "--benchmark-disable", "--benchmark-enable", "-k", "build")
    assert len(loading.read_record(run.record).record.benchmarks) == 1
