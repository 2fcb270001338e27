"""The suite's options, and the configuration of a run that they make together."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autoenc_bench.backends import selection
from autoenc_bench.catalogue import experiments
from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.catalogue.scales import SCALES, Scale
from autoenc_bench.distributed import runtime
from autoenc_bench.distributed.runtime import Distribution
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.machine import threads
from autoenc_bench.records.places import BASELINES
from autoenc_bench.records.record import BACKENDS

if TYPE_CHECKING:
    from autoenc_bench.verdicts.baseline import Baseline


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """How a run was configured, after its options were checked together."""

    scale: Scale  # as adapted to the backend
    seeds: int
    threads: int | None  # None: all
    experiments: tuple[str, ...]
    distribution: Distribution | None
    baseline: "Baseline | None"
    storage: Path | None  # None: pytest-benchmark saves to Elasticsearch, not to files
    record_name: str
    measures_roofs: bool


CONFIGURATION = pytest.StashKey[Configuration]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options. pytest-benchmark's own options keep their meaning."""
    add = parser.getgroup("autoenc-bench").addoption
    scale = (
        "set the size of the run; smoke: each case once, on small data; standard (default): whole experiments with the "
        "trainer fused, and short timed rounds; notebook: whole experiments also with fit, and longer timed rounds"
    )
    add("--scale", choices=tuple(SCALES), default="standard", help=scale)
    add("--seeds", metavar="N", help="run whole experiments once for each seed 0 ... N-1 (default: 1; notebook: 3)")
    cores = "pin the run to N cores (default: 1); all: use every core without pinning (default with --coordinator)"
    add("--threads", metavar="N|all", help=cores)
    backend = "compute with this backend of Keras (default: the variable KERAS_BACKEND, else tensorflow)"
    add("--backend", choices=tuple(BACKENDS), help=backend)
    add("--experiment", metavar="NAME", action="append", default=[], help="run only the experiment NAME (repeatable)")
    rows = "train streamed experiments, which do not keep their rows in memory, on N rows (default: 10,000,000)"
    add("--rows", metavar="N", help=rows)
    baseline = (
        "compare this run with saved records, and fail if something regressed; NAME is a name given to "
        "--benchmark-save, a folder or a file"
    )
    add("--baseline", metavar="NAME", help=baseline)
    missing = "with --baseline, accept cases that one side did not measure; a case that fails still fails the run"
    add("--allow-missing", action="store_true", help=missing)
    limit = "with --baseline, set the largest allowed change; EXPR: time:5%% or mnist:error:0.5%% (repeatable)"
    add("--fail-on", metavar="EXPR", action="append", default=[], help=limit)
    devices = "train on N devices of this process, which are virtual on a CPU (runs only test_scaling.py; needs jax)"
    add("--devices", metavar="N", help=devices)
    coordinator = "train in several processes; HOST:PORT: the address of process 0, or auto if JAX knows the cluster"
    add("--coordinator", metavar="HOST:PORT", help=coordinator)
    add("--num-processes", metavar="N", help="with --coordinator, train in N processes")
    process = "with --coordinator, run as process I of 0 ... N-1; process 0 writes the record"
    add("--process-id", metavar="I", help=process)
    add("--gzip", action="store_true", help="compress the saved record")
    add("--no-roofs", action="store_true", help="do not measure the machine's maximum rates (its roofs)")
    add("--no-report", action="store_true", help="do not write a report to reports/ at the end")


def configure(config: pytest.Config) -> Configuration:
    """Return the configuration of a run; raise InvalidInputError or NotFoundError for options that it cannot use."""
    option = config.option
    _check_timing(option)
    backend = selection.choose(option.backend)
    scale = SCALES[option.scale].on(backend)
    distribution = runtime.parse(
        _whole(option.devices, "devices"),
        option.coordinator,
        _whole(option.num_processes, "number of processes", least=2),
        _whole(option.process_id, "process id", least=0),
    )
    if distribution is None and (option.markexpr == "distributed" or any("test_scaling" in arg for arg in config.args)):
        raise InvalidInputError(
            "test_scaling.py needs several devices: --backend jax, and --devices N or --coordinator"
        )
    names = dict.fromkeys(option.experiment or (runtime.EXPERIMENTS if distribution else EXPERIMENTS))
    chosen = [experiments.find(name) for name in names]
    in_files = not option.benchmark_storage.startswith("elasticsearch")
    folder = Path(os.path.expanduser(option.benchmark_storage.removeprefix("file://")))  # noqa: PTH111 - it never fails
    if in_files:
        option.benchmark_storage = f"file://{folder}"  # pytest-benchmark does not expand ~
    return Configuration(
        scale=scale,
        seeds=_whole(option.seeds, "seeds") or scale.seeds,
        threads=threads.parse(option.threads or ("1" if option.coordinator is None else "all")),
        experiments=_resize(chosen, _whole(option.rows, "rows"), scale),
        distribution=distribution,
        baseline=_baseline(option, folder),
        storage=folder if in_files else None,
        record_name=option.benchmark_save or option.scale,
        measures_roofs=not (option.no_roofs or option.benchmark_disable),
    )


def _check_timing(option: Any) -> None:
    """Raise InvalidInputError for options with which pytest-benchmark would not time, or time something else."""
    if not hasattr(option, "benchmark_timer"):
        advice = "add -p pytest_benchmark.plugin if PYTEST_DISABLE_PLUGIN_AUTOLOAD or -p no:benchmark keeps it out"
        raise InvalidInputError(f"pytest-benchmark is not loaded, which times the cases; {advice}")
    if option.benchmark_timer != "time.perf_counter":
        raise InvalidInputError(f"timer {option.benchmark_timer!r}; the suite has a clock of its own, so name none")
    if option.benchmark_disable_gc:
        reason = "real training runs with Python's garbage collection on, so the cases are measured with it on"
        raise InvalidInputError(f"--benchmark-disable-gc is not allowed: {reason}; remove the option")
    if option.benchmark_enable:
        option.benchmark_disable = False  # pytest-benchmark too prefers --benchmark-enable
    if option.turns is not None and option.benchmark_disable:
        raise InvalidInputError("a live comparison times its cases; remove --benchmark-disable")
    if option.turns is not None and getattr(option, "numprocesses", None):
        raise InvalidInputError("a live comparison starts its own processes; remove -n")


def _whole(text: str | None, name: str, least: int = 1) -> int | None:
    """Read a whole number such as 10_000 or 10,000, None if the option was not given."""
    if text is None:
        return None
    digits = text.replace("_", "").replace(",", "")
    if not digits.isdecimal() or int(digits) < least:
        raise InvalidInputError(f"{name} {text!r}; give a whole number of at least {least}")
    return int(digits)


def _resize(chosen: list[Experiment], rows: int | None, scale: Scale) -> tuple[str, ...]:
    """Return the names of the experiments to run, the streamed ones with the number of rows that was given."""
    if rows is None:
        return tuple(experiment.name for experiment in chosen)
    if not any(experiment.is_streamed for experiment in chosen):
        streamed = ", ".join(experiment.name for experiment in EXPERIMENTS.values() if experiment.is_streamed)
        raise InvalidInputError(f"rows {rows} for no streamed experiment; choose from {streamed}")
    if not scale.full_size:
        raise InvalidInputError(f"rows {rows} with --scale {scale.name}, which has sizes of its own; leave out one")
    return tuple((experiments.resize(each, rows) if each.is_streamed else each).name for each in chosen)


def _baseline(option: Any, folder: Path) -> "Baseline | None":
    if option.baseline is not None:
        from autoenc_bench.verdicts.baseline import Baseline  # imported here because other runs compare nothing

        return Baseline(option.baseline, option.fail_on, (folder, BASELINES))
    if option.allow_missing:
        raise InvalidInputError("--allow-missing without a baseline; name one with --baseline")
    if option.fail_on:
        raise InvalidInputError(f"limit {option.fail_on[0]!r} without a baseline; name one with --baseline")
    return None
