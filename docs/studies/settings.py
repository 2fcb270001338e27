"""Measure what environment variables and other settings do to times: ``python docs/studies/settings.py --repeats 3``.

Each setting runs the suite's cases of ``digits`` with pytest, in a process of its own on one core, and a loop of plain
Python in another process. Every few settings, a process without settings runs before and after them. A ratio compares a
setting's times with those of these two; the table has the median of all repeats, the smallest and the largest. The last
column says what the run did with the setting. The table goes to standard output as Markdown; settings.md keeps one.
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
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tabulate import tabulate

from autoenc_bench import read_record

ROOT = Path(__file__).parents[2]
CASES = {"fused": "epoch[digits-fused]", "fit": "epoch[digits-fit]", "first": "first_call[digits-fused]"}
KINDS = {"fused": "`fused`", "fit": "`fit`", "python": "Python", "reference": "reference", "first": "first call"}
LOOP = (
    "from timeit import repeat; print(min(repeat('sum(n % 7 for n in map(int, map(str, range(40_000))))', number=5)))"
)
AT_ONCE = 6  # settings between two processes without settings


@dataclass(frozen=True)
class Setting:
    """Variables, options of the interpreter, or the content of keras.json."""

    variables: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    keras: dict[str, Any] = field(default_factory=dict)
    backend: str = "jax"

    def __str__(self) -> str:
        variables = [f"{name}={'FOLDER' if os.sep in value else value}" for name, value in self.variables.items()]
        files = [f"keras.json: {json.dumps(self.keras)}"] if self.keras else []
        return f"`{' '.join([*variables, *self.options, *files])}`"


@dataclass(frozen=True)
class Measured:
    """The seconds of each kind, and what the run did with the setting."""

    seconds: dict[str, float]
    treatment: str


def settings(folder: str) -> list[Setting]:
    """Return the settings to measure; ``folder`` is for caches."""
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
        *(Setting(variables, backend="tensorflow") for variables in tensorflow),
    ]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="processes of each setting (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only settings whose name contains this")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        chosen = [setting for setting in settings(folder) if options.only in str(setting)]
        ratios: dict[str, list[dict[str, float]]] = {}
        treatments: dict[str, str] = {}
        with suppress(KeyboardInterrupt):  # the results so far are printed
            for repeat in range(options.repeats):
                for chunk in chunks(chosen):
                    print(f"repeat {repeat + 1} of {options.repeats}: {chunk[0]}, …", file=sys.stderr, flush=True)
                    plain = Setting(backend=chunk[0].backend)
                    before, *measured, after = map(measure, (plain, *chunk, plain))
                    for setting, one in zip(chunk, measured, strict=True):
                        key = f"{setting} {setting.backend}"
                        usual = {kind: (before.seconds[kind] + after.seconds[kind]) / 2 for kind in one.seconds}
                        ratios.setdefault(key, []).append({kind: one.seconds[kind] / usual[kind] for kind in usual})
                        treatments[key] = one.treatment
    rows = [
        (str(setting), setting.backend, *(cell(ratios[key], kind) for kind in KINDS), treatments[key])
        for setting in chosen
        if (key := f"{setting} {setting.backend}") in ratios
    ]
    print(tabulate(rows, ["setting", "backend", *KINDS.values(), "in a run"], tablefmt="github"))


def chunks(chosen: list[Setting]) -> Iterator[list[Setting]]:
    """Yield the settings of one backend a few at a time."""
    for _, group in groupby(chosen, key=lambda setting: setting.backend):
        while chunk := list(islice(group, AT_ONCE)):
            yield chunk


def cell(ratios: list[dict[str, float]], kind: str) -> str:
    """Return the median ratio with its ends, and a dash if a process measured nothing."""
    values = [each[kind] for each in ratios if kind in each]
    return f"{median(values):.2f} ({min(values):.2f} – {max(values):.2f})" if len(values) == len(ratios) else "–"


def measure(setting: Setting) -> Measured:
    """Run the suite's cases and the loop with a setting."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "keras.json").write_text(json.dumps(setting.keras))
        environment = {**os.environ, "KERAS_HOME": folder, **setting.variables}
        python = [sys.executable, *setting.options]
        options = [f"--backend={setting.backend}", "--threads=1", "--experiment=digits", "--no-report", "--no-roofs"]
        options += ["-o", "filterwarnings=default"]  # pytest warns of Python's option -O
        cases = [
            "-k",
            "epoch and not untouched or first_call and fused",
            f"--benchmark-storage=file://{folder}/records",
        ]
        command = [*python, "-m", "pytest", "-q", "benchmarks/", *options, *cases, "--benchmark-save=setting"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        loop = subprocess.run([*python, "-c", LOOP], env=environment, capture_output=True, text=True, check=True)
        records = [read_record(path).record for path in Path(folder, "records").rglob("*.json")]
    if not records or done.returncode:
        return Measured({}, "refused" if "the environment variable" in done.stdout + done.stderr else "fails")
    benchmarks = {one.name.removeprefix("test_"): one for one in records[0].benchmarks}
    seconds = {kind: benchmarks[case].stats.median for kind, case in CASES.items()}
    reference = median(benchmarks[CASES["fused"]].extra_info.autoenc.reference)
    context = records[0].autoenc.context
    facts = [name for name in ("interpreter", "keras_settings") if name in context and not setting.variables]
    recorded = bool(setting.variables) and setting.variables.keys() <= context.keys()
    treatment = f"recorded as `{facts[0]}`" if facts else "recorded" if recorded else "not recorded"
    return Measured({**seconds, "python": float(loop.stdout), "reference": reference}, treatment)


if __name__ == "__main__":
    main()
