"""Say what environment variables and other settings do to times, each beside runs without it.

    python docs/studies/settings.py --turns 3

Each process is pinned to one core. It prepares a small experiment on one backend, times its first epoch, and then, in
short rounds that alternate: a steady epoch of ``fused`` and of ``fit``, a loop of plain Python, and the reference
workload. Processes with and without settings alternate too. Ratios are to the plain processes before and after, given
as the median of all turns, with the smallest and the largest. The table goes to standard output as
Markdown, and ../context.md keeps one.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tabulate import tabulate

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.machine import variables

ROUNDS = 9
KINDS = {"fused": "`fused`", "fit": "`fit`", "python": "Python", "reference": "reference", "first": "first call"}
AT_ONCE = 6  # settings between two plain processes


@dataclass(frozen=True)
class Setting:
    """One setting: variables, and options of the interpreter."""

    variables: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    keras: dict[str, Any] = field(default_factory=dict)  # of keras.json
    backend: str = "jax"

    def __str__(self) -> str:
        named = [f"{name}={'FOLDER' if name in CACHES else value}" for name, value in self.variables.items()]
        files = [f"keras.json: {json.dumps(self.keras)}"] if self.keras else []
        return f"`{' '.join([*named, *self.options, *files])}`"

    @property
    def treated(self) -> str:
        """Return what a run does with it."""
        try:
            variables.refuse(self.variables)
        except InvalidInputError:
            return "refused"
        if self.variables.keys() & CACHES:
            return "recorded; the cache is switched off"
        recorded = variables.tuning(self.variables).keys() == self.variables.keys()
        facts = "interpreter" if self.options else "keras_settings" if self.keras else ""
        return f"recorded as `{facts}`" if facts else "recorded" if recorded else "not recorded"


CACHES = {"JAX_COMPILATION_CACHE_DIR"}


def settings(folder: str) -> list[Setting]:
    """List what is tried; ``folder`` is for caches."""
    jax = [
        *({"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}, {"NUMPY_MADVISE_HUGEPAGE": "0"}),
        *({"OPENBLAS_CORETYPE": "Prescott"}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"OPENBLAS_VERBOSE": "2"}),
        *({"ONEDNN_MAX_CPU_ISA": "SSE41"}, {"DNNL_MAX_CPU_ISA": "SSE41"}, {"ATEN_CPU_CAPABILITY": "default"}),
        *({"XLA_FLAGS": "--xla_cpu_use_thunk_runtime=false"}, {"XLA_FLAGS": "--xla_backend_optimization_level=0"}),
        *({"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}, {"JAX_ENABLE_X64": "1"}, {"JAX_DEBUG_NANS": "1"}),
        *({"JAX_CPU_ENABLE_ASYNC_DISPATCH": "0"}, {"JAX_DEFAULT_PRNG_IMPL": "rbg"}, {"JAX_LOG_COMPILES": "1"}),
        {"JAX_COMPILATION_CACHE_DIR": folder, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"},
        *({"NPROC": "8"}, {"KERAS_MAX_STEPS_PER_EPOCH": "2"}, {"SKLEARN_ASSUME_FINITE": "1"}),
        *({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}, {"MALLOC_ARENA_MAX": "1"}, {"MALLOC_PERTURB_": "165"}),
        *({"LD_BIND_NOW": "1"}, {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F"}),
        *({"PYTHONDEVMODE": "1"}, {"PYTHONMALLOC": "malloc"}, {"PYTHONMALLOC": "debug"}, {"PYTHONHASHSEED": "0"}),
        *({"PYTHONTRACEMALLOC": "1"}, {"PYTHONOPTIMIZE": "1"}, {"PYTHONPERFSUPPORT": "1"}),
        *({"PYTHONFAULTHANDLER": "1"}, {"PYTHONNODEBUGRANGES": "1"}, {"PYTHONDONTWRITEBYTECODE": "1"}),
    ]
    tensorflow = [
        *({"TF_ENABLE_ONEDNN_OPTS": "0"}, {"ONEDNN_MAX_CPU_ISA": "SSE41"}, {"ONEDNN_VERBOSE": "1"}),
        *({"TF_XLA_FLAGS": "--tf_xla_auto_jit=2"}, {"TF_NUM_INTEROP_THREADS": "4"}, {"TF_CPP_MAX_VLOG_LEVEL": "1"}),
        {"TF_CPP_MIN_LOG_LEVEL": "0"},
    ]
    return [
        *map(Setting, jax),
        *(Setting(options=options) for options in (("-X", "dev"), ("-O",))),
        *(Setting(keras=config) for config in ({"epsilon": 1e-3}, {"image_data_format": "channels_first"})),
        *(Setting(known, backend="tensorflow") for known in tensorflow),
    ]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3, help="processes of each setting (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only settings whose name has this in it")
    parser.add_argument("--child", metavar="BACKEND", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.child)))
        return
    with TemporaryDirectory() as folder:
        tried = [one for one in settings(folder) if given.only in str(one)]
        ratios: dict[int, list[dict[str, float]]] = {id(one): [] for one in tried}
        with suppress(KeyboardInterrupt):  # what was measured by then is printed
            for turn in range(given.turns):
                for chunk in chunks(tried):
                    print(f"turn {turn + 1} of {given.turns}: {chunk[0]}, …", file=sys.stderr, flush=True)
                    for one, found in zip(chunk, compare(chunk), strict=True):
                        ratios[id(one)].append(found)
    rows = [[str(one), one.backend, *cells(ratios[id(one)]), one.treated] for one in tried if ratios[id(one)]]
    print(tabulate(rows, ["setting", "backend", *KINDS.values(), "in a run"], tablefmt="github"))


def chunks(tried: list[Setting]) -> Iterator[list[Setting]]:
    """Take the settings of one backend a few at a time."""
    for _, group in groupby(tried, key=lambda one: one.backend):
        while chunk := list(islice(group, AT_ONCE)):
            yield chunk


def compare(chunk: list[Setting]) -> list[dict[str, float]]:
    """Measure each setting once, between two plain processes; return the ratios of its times to theirs."""
    plain = Setting(backend=chunk[0].backend)
    before, found, after = start(plain), [start(one) for one in chunk], start(plain)
    usual = {kind: (before[kind] + after[kind]) / 2 for kind in KINDS}
    return [{kind: times[kind] / usual[kind] for kind in KINDS if times} for times in found]


def cells(ratios: list[dict[str, float]]) -> list[str]:
    """Return each kind's median ratio, with its ends; nothing for a process that failed."""
    if not all(ratios):
        return ["fails", *[""] * (len(KINDS) - 1)]
    told = []
    for kind in KINDS:
        values = [one[kind] for one in ratios]
        told.append(f"{median(values):.2f} ({min(values):.2f} – {max(values):.2f})")
    return told


def start(setting: Setting) -> dict[str, float]:
    """Measure in a process with a setting, pinned to the last core; return its medians, nothing where it failed."""
    with TemporaryDirectory() as home:
        if setting.keras:
            with open(os.path.join(home, "keras.json"), "w") as file:  # noqa: PTH118, PTH123 - a study is one file
                json.dump(setting.keras, file)
        plain = {name: value for name, value in os.environ.items() if not variables.tuning({name: value})}
        usual = {
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERAS_BACKEND": setting.backend,
            "KERAS_HOME": home,
        }
        command = [sys.executable, *setting.options, __file__, "--child", setting.backend]
        done = subprocess.run(
            command, env={**plain, **usual, **setting.variables}, capture_output=True, text=True, check=False
        )
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not answers:
        print(f"{setting}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr, flush=True)
        return {}
    return dict(json.loads(answers[-1]))


def measure(backend: str) -> dict[str, float]:
    """Time one process's rounds; return the median seconds of each kind."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    from autoenc_bench import backends
    from autoenc_bench.catalogue.experiments import EXPERIMENTS
    from autoenc_bench.core import data, models, training
    from autoenc_bench.instruments import reference_workload as reference

    assert backends.name() == backend
    experiment = EXPERIMENTS["digits"]
    split = data.load(experiment.data, rows=experiment.rows, features=experiment.features, seed=0)
    options = {"batch_size": experiment.batch_size, "seed": 0}
    fused = training.Fused(models.build(experiment, 0), split, **options)
    began = perf_counter()
    fused.train(1)
    first = perf_counter() - began
    fit = training.Fit(models.build(experiment, 0), split, **options)
    fit.train(1)
    calls = {
        "fused": lambda: fused.train(5),
        "fit": lambda: fit.train(1, rows=320),
        "python": lambda: sum(number % 7 for number in map(int, map(str, range(40_000)))),
        "reference": reference.seconds,
    }
    times: dict[str, list[float]] = {kind: [] for kind in calls}
    for _ in range(ROUNDS):
        for kind, call in calls.items():
            began = perf_counter()
            call()
            times[kind].append(perf_counter() - began)
    return {**{kind: median(values) for kind, values in times.items()}, "first": first}


if __name__ == "__main__":
    main()
