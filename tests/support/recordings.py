"""Small records: of a run of a few experiments, and of plain pytest-benchmark."""

import json

import msgspec
import numpy as np

from autoenc_bench.core.metrics import statistics
from autoenc_bench.records import case, record, storage

MACHINE = record.Machine(
    id="0123456789ab",
    cpu="A CPU",
    physical_cores=2,
    logical_cores=2,
    memory_gib=8,
    accelerators=[],
    architecture="x86_64",
    system="Linux",
)
ROOFS = record.Roofs(version=1, flops=1e11, bytes=1e10, exponentials=1e9, dispatch=5e-5)
RUN = record.Run(
    schema_version=record.SCHEMA_VERSION,
    suite_version="0.1.0",
    scale="standard",
    seeds=1,
    machine=MACHINE,
    context={
        "backend": "tensorflow",
        "device": "CPU",
        "threads": 1,
        "pinned": True,
        "keras": "3.1",
        "tensorflow": "2.2",
    },
    conditions={"clock_mhz": [2600.0, 2600.5], "load": [0.5, 1.0], "temperature_c": [None, None], "cores": [1]},
    roofs=ROOFS,
    skipped=[record.NotRun("experiment[mnist-fused-seed0]", "the data is missing")],
    failed=[],
)
SERIES = tuple(f"features-{number}" for number in (2, 4, 8, 16))
PLAIN = ("crude-simple", "crude-complex", *SERIES)
WORK = case.Work(flops=1e9, bytes=1e8, exponentials=1e7, calls=10)  # 10 ms at the compute and at the memory roof
MEMORY = case.Memory(before=2**29, peak=2**30)
SIDE = 4  # rows and columns of the pictures
SHOWN = 10


def error(mean, sigma, components=2, seed=0):
    """Return the statistics of 2,000 errors around a mean, the ten extremes, and reference values."""
    values = np.abs(np.random.default_rng(seed).normal(mean, sigma, 2000))
    extremes = [case.Extreme(index, float(value)) for index, value in enumerate(np.sort(values)[:SHOWN])]
    yardsticks = {
        "constant mean": case.ReferenceValue(1.1 * mean, sigma, 0.1),
        "PCA": case.ReferenceValue(1.05 * mean, sigma, 0.1, components),
    }
    found = statistics(values)
    return case.Error(found, found, found, extremes, extremes[::-1], yardsticks)


def whole(experiment, trainer="fused", seed=0, **changes):
    """Return the case of a whole experiment."""
    number = int(experiment.rpartition("-")[2]) if experiment.startswith("features") else 32
    sample = [round(float(value), 3) for value in np.linspace(0.01, 0.99, number)]
    curve = [case.Epoch(loss, loss, 1.5 if loss == 0.7 else 0.1) for loss in (0.7, 0.65, 0.625, 0.62, 0.62)]
    known = {
        "experiment": experiment,
        "phase": "experiment",
        "backend": "tensorflow",
        "seed": seed,
        "rows": 9000,
        "trainer": trainer,
        "epochs": 5,
        "error": error(0.01 if number == 2 else number / 4, number / 400, seed=seed),  # a code of 2 compresses no 2
        "val_loss": 0.62,
        "curve": curve,
        "sample": case.Sample(sample, [0.5] * number),
    }
    return case.Case(**{**known, **changes})


def timed(experiment, phase, rows=1000, **axes):
    """Return the case of a phase."""
    return case.Case(experiment=experiment, phase=phase, backend="tensorflow", seed=0, rows=rows, **axes)


def benchmark(case, seconds, rounds=3, reference=0.01):
    """Return the entry of a case with rounds 5 % apart, each with this time of the reference workload."""
    case = msgspec.structs.replace(case, reference=[reference] * rounds)
    axes = [case.trainer, case.batch, f"seed{case.seed}" if case.phase == "experiment" else None]
    name = f"test_{case.phase}[{'-'.join([case.experiment, *filter(None, axes)])}]"
    entry = plain(name, [seconds * (1 + 0.05 * place) for place in range(rounds)])
    return {**entry, "extra_info": {"autoenc": msgspec.to_builtins(case)}}


def plain(name, times):
    """Return the entry of a benchmark with times only."""
    stats = {"median": float(np.median(times)), "min": min(times), "rounds": len(times), "data": times}
    return {"name": name, "fullname": f"benchmarks/test_x.py::{name}", "stats": stats, "extra_info": {}}


def entries_of(experiment):
    """Yield all entries of one experiment."""
    image = {"image": (SIDE, SIDE)} if experiment == "digits" else {}
    yield benchmark(timed(experiment, "build", 1), 0.01)
    for trainer, seconds, rows in (("fit", 1.2, 1000), ("fused", 0.2, 9000)):
        yield benchmark(timed(experiment, "first_call", rows, trainer=trainer), seconds + 1, rounds=1)
        yield benchmark(timed(experiment, "epoch", rows, trainer=trainer, work=WORK, memory=MEMORY), seconds)
    yield benchmark(whole(experiment, **image), 2.0, rounds=1)
    for batch in ("bulk", "one"):
        yield benchmark(timed(experiment, "encode", batch=batch), 0.01)


def content(experiments=(*PLAIN, "digits"), run=RUN, entries=None):
    """Return the content of a record, of plain pytest-benchmark if ``run`` is ``None``."""
    made = [entry for name in experiments for entry in entries_of(name)] if entries is None else entries
    found = {
        "machine_info": {"node": "a-host", "system": "Linux", "cpu": {"brand_raw": "A CPU"}},
        "commit_info": {"id": "0123456789abcdef", "branch": "a-branch", "dirty": False},
        "benchmarks": made,
        "datetime": "2026-01-02T03:04:05.678+00:00",
        "version": "5.3.1",
    }
    return found if run is None else {**found, "autoenc": msgspec.to_builtins(run)}


def pictures(found):
    """Return the pictures of every case with an image size."""
    brackets = [entry["name"].partition("[")[2].removesuffix("]") for entry in found["benchmarks"] if _has_image(entry)]
    sheet = np.arange(2 * SHOWN * SIDE**2, dtype=np.uint8).reshape(2, SHOWN, SIDE**2)
    return {f"{name}/{which}": sheet for name in brackets for which in ("first", "best", "worst")}


def _has_image(entry):
    return entry["extra_info"].get("autoenc", {}).get("image")


def save(folder, found=None, name="small"):
    """Write a record with its pictures as a run does; return its path."""
    found = content() if found is None else found
    return storage.save(found, folder / "Linux", name, pictures(found))


def save_plain(folder):
    """Write a plain record of two benchmarks; return its path."""
    path = folder / "0001_plain.json"
    entries = [plain("test_fast", [1e-4, 1.1e-4, 1.3e-4]), plain("test_slow", [0.2, 0.21])]
    path.write_text(json.dumps(content(run=None, entries=entries)))
    return path
