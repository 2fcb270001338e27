"""The suite's options, checked as they are parsed, and the configuration that a run goes by."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from autoenc_bench import backends
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

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a run of the suite goes by, once its options are known to make sense together."""

    scale: Scale  # on the backend that runs
    seeds: int
    threads: int | None  # None: all
    experiments: tuple[str, ...]
    is_selection: bool  # somebody named the experiments
    distribution: Distribution | None
    baseline: "Baseline | None"
    storage: Path | None  # None: pytest-benchmark keeps the records elsewhere than in files
    record_name: str
    measures_roofs: bool
    draws_report: bool


CONFIGURATION = pytest.StashKey[Configuration]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare this suite's options; pytest-benchmark's keep their meaning beside them."""
    add = parser.getgroup("autoenc-bench").addoption
    scales = (
        "smoke: everything once on small data, in seconds; standard (default): whole experiments by the fused trainer, "
        "slices for the timed rounds; notebook: everything at full size, fit included"
    )
    add("--scale", choices=tuple(SCALES), default="standard", help=scales)
    seeds = "whole experiments run once per seed 0 ... N-1 (default: 1; notebook: 3)"
    add("--seeds", metavar="N", type=_whole("seeds"), help=seeds)
    cores = "cores to use and pin to (default: 1), or all, not pinned (default where processes train together)"
    add("--threads", metavar="N|all", type=_checked(lambda text: threads.parse(text) or "all"), help=cores)
    keras = "what Keras computes with (default: KERAS_BACKEND, else tensorflow)"
    add("--backend", choices=tuple(BACKENDS), help=keras)
    add("--experiment", metavar="NAME", action="append", default=[], help="only this experiment (repeatable)")
    rows = "of streamed experiments, which need no memory for them (default: 10,000,000)"
    add("--rows", metavar="N", type=_whole("rows"), help=rows)
    baseline = (
        "hold this run against saved records, and fail when something regressed: a name given to --benchmark-save, "
        "a folder or a file"
    )
    add("--baseline", metavar="NAME", help=baseline)
    limit = "another limit for --baseline, such as time:5%% or mnist:error:0.5%% (repeatable)"
    missing = "let the run, or the baseline, lack cases that were skipped, failed or are gone"
    add("--allow-missing", action="store_true", help=missing)
    add("--fail-on", metavar="EXPR", action="append", default=[], help=limit)
    devices = "train on so many devices of this process (test_scaling.py alone, needs jax); a CPU's are virtual"
    add("--devices", metavar="N", type=_whole("devices"), help=devices)
    coordinator = "train in several processes: where process 0 runs, or auto where JAX knows the cluster"
    add("--coordinator", metavar="HOST:PORT", help=coordinator)
    processes = "how many processes --coordinator waits for"
    add("--num-processes", metavar="N", type=_whole("number of processes", 2), help=processes)
    process = "this one of them: 0 ... N-1; 0 writes the record"
    add("--process-id", metavar="I", type=_whole("process id", 0), help=process)
    add("--no-roofs", action="store_true", help="do not measure what the machine can do at most")
    add("--no-report", action="store_true", help="write no report to reports/ at the end")


def _whole(name: str, least: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        digits = text.replace("_", "").replace(",", "")
        if not digits.isdecimal() or int(digits) < least:
            raise InvalidInputError(f"{name} {text!r}; give a whole number of at least {least}")
        return int(digits)

    return _checked(read)


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let argparse show the sentence of an error, which it would replace by one of its own."""

    def parse(text: str) -> T:
        try:
            return read(text)
        except InvalidInputError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from problem

    return parse


def configure(config: pytest.Config) -> Configuration:
    """Return the configuration that pytest's options ask for; raise InvalidInputError or NotFoundError."""
    option = config.option
    if not hasattr(option, "benchmark_timer"):
        loads = "add -p pytest_benchmark.plugin where PYTEST_DISABLE_PLUGIN_AUTOLOAD or -p no:benchmark keeps it out"
        raise InvalidInputError(f"pytest-benchmark is not loaded, which times the cases; {loads}")
    if option.benchmark_timer != "time.perf_counter":
        raise InvalidInputError(f"timer {option.benchmark_timer!r}; the suite has a clock of its own, so name none")
    if option.benchmark_enable:
        option.benchmark_disable = False  # as pytest-benchmark takes the two together
    if option.turns is not None:
        _check_for_live(option)
    if option.benchmark_disable_gc:
        reason = "real training runs with Python's garbage collection on, so the cases are measured with it on"
        raise InvalidInputError(f"--benchmark-disable-gc is not allowed: {reason}; remove the option")
    backend = backends.choose(option.backend)
    scale = SCALES[option.scale].on(backend)
    distribution = runtime.parse(option.devices, option.coordinator, option.num_processes, option.process_id)
    if distribution is None and (
        option.markexpr == "distributed" or any("test_scaling" in argument for argument in config.args)
    ):
        raise InvalidInputError(
            "test_scaling.py needs several devices: --backend jax, and --devices N or --coordinator"
        )
    named = dict.fromkeys(option.experiment or (runtime.EXPERIMENTS if distribution else EXPERIMENTS))
    chosen_threads = option.threads or (1 if option.coordinator is None else "all")
    # Elasticsearch stays pytest-benchmark's business.
    in_files = not option.benchmark_storage.startswith("elasticsearch")
    folder = Path(os.path.expanduser(option.benchmark_storage.removeprefix("file://")))  # noqa: PTH111 - it never fails
    if in_files:
        option.benchmark_storage = f"file://{folder}"  # pytest-benchmark expands nothing
    return Configuration(
        scale=scale,
        seeds=option.seeds or scale.seeds,
        threads=None if chosen_threads == "all" else int(chosen_threads),
        experiments=_resized([experiments.find(name) for name in named], option.rows, scale),
        is_selection=bool(option.experiment),
        distribution=distribution,
        baseline=_baseline(option, folder),
        storage=folder if in_files else None,
        record_name=option.benchmark_save or option.scale,
        measures_roofs=not (option.no_roofs or option.benchmark_disable),
        draws_report=not option.no_report,
    )


def _check_for_live(option: Any) -> None:
    """Raise InvalidInputError for options with which a live comparison can measure nothing."""
    if option.benchmark_disable:
        raise InvalidInputError("a live comparison times its cases; remove --benchmark-disable")
    if getattr(option, "numprocesses", None):
        raise InvalidInputError("a live comparison starts its own processes; remove -n")


def _resized(chosen: Sequence[Experiment], rows: int | None, scale: Scale) -> tuple[str, ...]:
    """Return the experiments to run, the streamed ones with as many rows as were asked for."""
    if rows is not None and not any(experiment.is_streamed for experiment in chosen):
        streamed = ", ".join(experiment.name for experiment in EXPERIMENTS.values() if experiment.is_streamed)
        raise InvalidInputError(f"rows {rows} for no streamed experiment; choose from {streamed}")
    if rows is not None and not scale.full_size:
        raise InvalidInputError(f"rows {rows} with --scale {scale.name}, which has sizes of its own; leave out one")
    return tuple(
        (experiments.resize(experiment, rows) if rows and experiment.is_streamed else experiment).name
        for experiment in chosen
    )


def _baseline(option: Any, folder: Path) -> "Baseline | None":
    if option.baseline is not None:
        from autoenc_bench.verdicts.baseline import Baseline  # here, for only a run with a baseline compares

        return Baseline(option.baseline, option.fail_on, (folder, BASELINES))
    if option.allow_missing:
        raise InvalidInputError("--allow-missing without a baseline; name one with --baseline")
    if option.fail_on:
        raise InvalidInputError(f"limit {option.fail_on[0]!r} without a baseline; name one with --baseline")
    return None
