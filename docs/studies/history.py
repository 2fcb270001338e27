"""How well history finds changes, and what a large one costs: ``python docs/studies/history.py [detect|large]``.

``detect`` plants a 10 % step into timelines with 3 % noise and counts what is found, and what is found in flat ones.
``large`` writes 1,000 records of 60 cases into a temporary folder and runs the command on it, as a whole process.
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

from autoenc_bench.core.metrics import statistics
from autoenc_bench.history import change_points

NOISE, STEP, SHARE = 0.03, 0.1, 0.05
EXPERIMENTS = ("crude-simple", "crude-complex", *(f"features-{n}" for n in (2, 4, 8, 16, 32)), "mnist", "digits")
RUNS, MACHINES = 1000, 3


def timeline(seed, length, *, at=None, outliers=False):
    """Make times with lognormal noise, a step from run ``at`` on, and slow runs of a heavy tail where asked."""
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
    """List 60 cases: name, phase, experiment, seconds, rounds, whether scored."""
    for experiment in EXPERIMENTS:
        for name, seconds, rounds in (
            ("build", 0.01, 5),
            ("first_call-fit", 2.0, 1),
            ("epoch-fit", 1.0, 5),
            ("epoch-fused", 0.2, 20),
            ("encode-bulk", 0.02, 50),
            ("experiment-fused-seed0", 5.0, 1),
        ):
            phase, _, variant = name.partition("-")
            yield f"test_{phase}[{experiment}{'-' * bool(variant)}{variant}]", phase, experiment, seconds, rounds
    for name in ("decode-one", "decode-bulk", "encode-one", "reconstruct-bulk", "score", "data"):
        phase, _, variant = name.partition("-")
        yield f"test_{phase}[mnist{'-' * bool(variant)}{variant}]", phase, "mnist", 0.003, 30


def scored(mean, seed):
    """Make an error as a run records it, with its 400-bin histograms."""
    import msgspec

    found = msgspec.to_builtins(statistics(np.random.default_rng(seed).gamma(60, mean / 60, 20_000)))
    stick = {"mean": 1.1 * mean, "std": 0.5, "mean_squared": 0.1}
    extremes = [{"index": index, "error": 0.5 * mean + index} for index in range(10)]
    return {
        "absolute": found,
        "mean_squared": found,
        "psnr": found,
        "best": extremes,
        "worst": extremes,
        "yardsticks": {"constant mean": stick, "PCA": {**stick, "components": 2}},
    }


def machine(number):
    """Make a machine's facts."""
    return {
        "id": f"{number:012x}",
        "cpu": f"CPU model {number}",
        "physical_cores": 2,
        "logical_cores": 2 + 2 * number,
        "memory_gib": 8,
        "accelerators": [],
        "architecture": "x86_64",
        "system": "Linux",
    }


def record(number, rng, known):
    """Make the content of one record: the machines take turns, a library changes once, a case slows down once."""
    host = number % MACHINES
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * number)
    benchmarks = []
    for name, phase, experiment, seconds, rounds in known["cases"]:
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
            case["error"] = known["errors"][experiment]  # the same seed gives the same errors, run after run
        stats = {
            "min": min(times),
            "median": float(np.median(times)),
            "rounds": rounds,
            "iterations": 1,
            "data": times,
            "mean": float(np.mean(times)),
            "stddev": float(np.std(times)),
        }
        benchmarks.append(
            {"name": name, "fullname": f"benchmarks/{name}", "stats": stats, "extra_info": {"autoenc": case}}
        )
    context = {"backend": "tensorflow", "device": "CPU", "threads": 1, "pinned": True, "python": "3.11.7"}
    context |= {"keras": "3.11.0" if number < 0.3 * RUNS else "3.12.0"}
    run = {
        "schema_version": known["schema"],
        "suite_version": "0.1.0",
        "scale": "standard",
        "seeds": 1,
        "machine": machine(host),
        "context": context,
        "conditions": {"load": [0.5, 1.0]},
        "roofs": {"version": 1, "flops": 1e11, "bytes": 1e10, "exponentials": 1e9, "dispatch": 5e-5},
        "skipped": [],
        "failed": [],
    }
    return {
        "machine_info": {"system": "Linux", "cpu": {"brand_raw": f"CPU model {host}"}},
        "commit_info": {"id": f"{number * 2654435761 % 2**32:08x}" * 5, "branch": "main", "dirty": False},
        "benchmarks": benchmarks,
        "datetime": day.isoformat(),
        "version": "5.3.1",
        "autoenc": run,
    }


def write(folder):
    """Write the records into a folder, as the suite writes them."""
    from autoenc_bench.records import record

    rng = np.random.default_rng(0)
    errors = {name: scored(5.0 + place, place) for place, name in enumerate(EXPERIMENTS)}
    known = {"cases": list(cases()), "errors": errors, "schema": record.SCHEMA_VERSION}
    for number in range(RUNS):
        (folder / f"{number:04}_standard.json").write_text(json.dumps(record(number, rng, known), indent=1))
    return len(known["cases"])


def large():
    """Print what the command takes: seconds and peak resident memory of the whole process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = write(folder)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        print(f"{RUNS} records of {held} cases, {size:,.0f} MiB")
        for options in ([], ["--format", "json"], ["--out", f"{name}/out"]):
            begin = perf_counter()
            subprocess.run(
                [sys.executable, "-m", "autoenc_bench.cli", "history", name, *options], check=True, capture_output=True
            )
            taken = perf_counter() - begin
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
            print(f"{' '.join(['history', *options])}: {taken:.1f} s, at most {peak:,.0f} MiB so far", flush=True)


if __name__ == "__main__":
    {"detect": detect, "large": large}[sys.argv[1] if len(sys.argv) > 1 else "detect"]()
