"""Measure how well history finds changes, and what a large one costs: ``history.py detect|large``.

``detect`` puts a 10 % step into timelines with 3 % noise, and counts how often the package's search finds it, and how
often it finds a change in a flat timeline. ``large`` writes 1,000 records of 60 cases into a temporary folder, and runs
``autoenc-bench history`` on them as a whole process. history.md has the results.
"""

import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np

from autoenc_bench.history import change_points

EXAMPLE = Path(__file__).parents[1] / "example" / "0001_digits.json"  # a real record
NOISE, STEP, SHARE = 0.03, 0.1, 0.05
EXPERIMENTS = ("crude-simple", "crude-complex", *(f"features-{n}" for n in (2, 4, 8, 16, 32)), "mnist", "digits")
PHASES = (  # phase, variant, seconds, rounds
    ("build", "", 0.01, 5),
    ("first_call", "-fit", 2.0, 1),
    ("epoch", "-fit", 1.0, 5),
    ("epoch", "-fused", 0.2, 20),
    ("encode", "-bulk", 0.02, 50),
    ("experiment", "-fused-seed0", 5.0, 1),
)
INFERENCE = ("decode-one", "decode-bulk", "encode-one", "reconstruct-bulk", "score", "data")
RUNS, MACHINES = 1000, 3


def timeline(seed, length, *, at=None, outliers=False):
    """Return times with lognormal noise, a step from run ``at`` on, and slow runs of a heavy tail if wanted."""
    rng = np.random.default_rng([seed, length, outliers])
    logs = rng.normal(0, NOISE, length)
    if outliers:
        hit = rng.random(length) < SHARE
        logs[hit] += np.minimum(0.05 + 0.1 * np.abs(rng.standard_t(2, hit.sum())), 2)
    logs[length if at is None else at :] += np.log1p(STEP)
    return np.exp(logs).tolist()


def detect(repeats=1000):
    """Print the shares of steps found within one run, and of flat timelines with a change."""
    for outliers in (False, True):
        for length in (20, 50, 100, 1000):
            found = alone = false = 0
            for seed in range(repeats):
                at = int(np.random.default_rng([seed, 7]).integers(5, length - 4))
                stepped = change_points.find(timeline(seed, length, at=at, outliers=outliers), 0.01)
                places = [change.index - at for change in stepped]
                found += any(abs(place) <= 1 for place in places)
                alone += len(places) == 1 and abs(places[0]) <= 1
                false += bool(change_points.find(timeline(seed + repeats, length, outliers=outliers), 0.01))
            shares = (f"{100 * number / repeats:.1f} %" for number in (found, alone, false))
            print(f"outliers {outliers!s:5} runs {length:4}: found, and nothing else, false:", *shares, flush=True)


def cases():
    """Yield 60 cases: name, phase, experiment, seconds, rounds."""
    for experiment in EXPERIMENTS:
        for phase, variant, seconds, rounds in PHASES:
            yield f"test_{phase}[{experiment}{variant}]", phase, experiment, seconds, rounds
    for name in INFERENCE:
        phase, dash, variant = name.partition("-")
        yield f"test_{phase}[mnist{dash}{variant}]", phase, "mnist", 0.003, 30


def record(number, rng):
    """Return the content of one record: machines alternate, a library changes once, one case becomes slower once."""
    content = json.loads(EXAMPLE.read_text())
    error = next(one["extra_info"]["autoenc"]["error"] for one in content["benchmarks"] if "experiment" in one["name"])
    host = number % MACHINES
    content["datetime"] = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * number)).isoformat()
    content["commit_info"] |= {"id": f"{number * 2654435761 % 2**32:08x}" * 5, "dirty": False}
    content["autoenc"] |= {"scale": "standard", "skipped": [], "failed": []}
    content["autoenc"]["machine"] |= {"id": f"{host:012x}", "cpu": f"CPU model {host}"}
    content["autoenc"]["context"]["keras"] = "3.11.0" if number < 0.3 * RUNS else "3.12.0"
    content["benchmarks"] = []
    for name, phase, experiment, seconds, rounds in cases():
        speed = rng.lognormal(0, 0.05)
        slower = 1.1 if number > 0.6 * RUNS and name == "test_epoch[mnist-fused]" else 1.0
        usual = seconds * (1 + host) * speed * slower * rng.lognormal(0, NOISE)
        times = (usual * rng.lognormal(0, 0.02, rounds)).tolist()
        case = {
            "experiment": experiment,
            "phase": phase,
            "backend": "tensorflow",
            "seed": 0,
            "rows": 1000,
            "reference": (0.01 * speed * rng.lognormal(0, 0.01, rounds)).tolist(),
            "memory": {"before": 5e8, "peak": 6e8 * float(rng.lognormal(0, 0.004)), "accelerator": None},
        }
        if phase not in ("build", "data", "first_call", "score"):
            case["work"] = {"flops": 1e9 * seconds, "bytes": 1e8 * seconds, "exponentials": 1e7 * seconds, "calls": 10}
        if phase == "experiment":
            case["error"] = error  # the same seed has the same errors in every run
        stats = {"min": min(times), "median": float(np.median(times)), "rounds": rounds, "data": times}
        benchmark = {"name": name, "fullname": f"benchmarks/{name}", "stats": stats, "extra_info": {"autoenc": case}}
        content["benchmarks"].append(benchmark)
    return content


def large():
    """Print the seconds and the peak resident memory of the whole command."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(RUNS):
            (folder / f"{number:04}_standard.json").write_text(json.dumps(record(number, rng), indent=1))
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        print(f"{RUNS} records of {len(list(cases()))} cases, {size:,.0f} MiB")
        for options in ([], ["--format", "json"], ["--out", f"{name}/out"]):
            begin = perf_counter()
            command = [sys.executable, "-m", "autoenc_bench.cli", "history", name, *options]
            subprocess.run(command, check=True, capture_output=True)
            seconds, peak = perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
            print(f"{' '.join(['history', *options])}: {seconds:.1f} s, at most {peak:,.0f} MiB so far", flush=True)


if __name__ == "__main__":
    {"detect": detect, "large": large}[sys.argv[1] if len(sys.argv) > 1 else "detect"]()
