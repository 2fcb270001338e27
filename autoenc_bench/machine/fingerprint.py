"""What ran the suite: the machine, and what of the context does not depend on a run.

A fact that cannot be read is ``None``. No host name, user or path is kept.
"""

import gc
import hashlib
import platform
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

import cpuinfo
import msgspec
import numpy as np
import psutil

from autoenc_bench.records.description import cpu_name
from autoenc_bench.records.record import BACKENDS, Machine

PATIENCE = 30  # seconds that NVIDIA's tool may take
UNKNOWN = (
    "{}, so the machine's accelerators are unknown; it gets another machine id, and its times are not compared with "
    "those of runs in which they are known"
)
NO_NAME = re.compile(r"\[.*\]|ERR!|N/A", re.IGNORECASE)  # what that tool says instead of a name
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

T = TypeVar("T")


def readable(read: Callable[[], T]) -> T | None:
    """Return what can be read, and ``None`` for what cannot: systems refuse such things in too many ways to list."""
    try:
        return read()
    except Exception:
        return None


def cpu_model() -> str | None:
    """Return the CPU's name as in pytest-benchmark's record; it takes about a second to find out."""
    return readable(lambda: cpuinfo.get_cpu_info()["brand_raw"])


def arm_part(proc: Path = Path("/proc/cpuinfo"), board: Path = Path("/proc/device-tree/model")) -> str | None:
    """Return ARM cores, which nobody else names, by the numbers of their designer and part, and by the board."""
    told, kinds = ("implementer", "part", "variant", "revision"), set()
    for core in proc.read_text().split("\n\n"):
        known = dict(re.findall(r"^CPU (\w+)\s*: (\w+)", core, re.MULTILINE))
        if "part" in known:
            kinds.add(" ".join(["ARM", *(f"{name} {known[name]}" for name in told if name in known)]))
    model = readable(board.read_text) if kinds else None
    return ", ".join([*sorted(kinds), *([model.strip("\0 \n")] if model else [])]) or None


def tracer() -> str | None:
    """Return what watches calls, lines or allocations here, as coverage and debuggers do, if anything does."""
    hooks = [hook for hook in (sys.gettrace(), sys.getprofile()) if hook]
    modules = [getattr(hook, "__module__", None) or type(hook).__module__ for hook in hooks]
    found = {str(module).partition(".")[0] for module in modules}
    if monitoring := getattr(sys, "monitoring", None):  # since Python 3.12
        found |= {tool for number in range(6) if (tool := monitoring.get_tool(number))}
    if tracemalloc.is_tracing():
        found.add("tracemalloc")
    return ", ".join(sorted(found)) or None


def identify(cpu: str | None, devices: Sequence[str]) -> Machine:
    """Collect the facts that make the machine, and their hash; ``devices`` are the backend's accelerators.

    Memory is rounded to GiB, since kernels keep some of it to themselves.
    """
    facts = {
        "cpu": cpu_name(cpu) or readable(arm_part),
        "physical_cores": readable(lambda: psutil.cpu_count(logical=False)),
        "logical_cores": readable(psutil.cpu_count),
        "memory_gib": readable(lambda: round(psutil.virtual_memory().total / 2**30)),
        "accelerators": accelerators(devices),
        "architecture": platform.machine() or None,
        "system": platform.system() or None,
    }
    return msgspec.convert({"id": machine_id(facts), **facts}, Machine)


def machine_id(facts: Mapping[str, object]) -> str:
    """Hash a machine's facts, in whatever order they come, to twelve hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(dict(facts), order="sorted")).hexdigest()[:12]


class Driver(NamedTuple):
    """What NVIDIA's driver says of its accelerators."""

    names: list[str] | None  # ``None`` where it could not tell
    version: str | None = None
    problem: str = ""  # why it could not


@cache
def nvidia() -> Driver:
    """Ask NVIDIA's driver for its accelerators, once a process; without its tool there are none."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Driver(None, problem=f"nvidia-smi did not answer within {PATIENCE} s")
    except OSError:
        return Driver([])
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if any("no devices were found" in line.lower() for line in [*lines, *done.stderr.splitlines()]):
        return Driver([])
    if done.returncode:
        said = next(iter([*done.stderr.split("\n"), *lines]), "").strip()
        return Driver(None, problem=f"nvidia-smi failed with status {done.returncode}{f': {said}' if said else ''}")
    devices = [[part.strip() for part in line.split(",")] for line in lines]
    named = [device for device in devices if not NO_NAME.fullmatch(device[0])]
    versions = [version for _, *rest in named for version in rest if not NO_NAME.fullmatch(version)]
    return Driver(sorted(name for name, *_ in named), next(iter(versions), None))


def accelerators(devices: Sequence[str]) -> list[str] | None:
    """List the machine's accelerators: those of NVIDIA's driver, whoever may use them, else the backend's.

    ``None`` where the driver could not tell and the backend sees none: a machine with accelerators is not taken for
    one without.
    """
    names = nvidia().names
    return sorted(names or devices) or (None if names is None else [])


def libraries(backend: str) -> dict[str, str]:
    """Return the versions of Python and of the libraries that the timings of a backend depend on."""
    names = ("keras", *BACKENDS[backend], "numpy", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def blas() -> str:
    """Return the name of the BLAS that NumPy was built with."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{library['name']} {library['version']}"


def interpreter() -> str | None:
    """Return in words how Python runs otherwise than usual, ``None`` where it does not."""
    gil, jit = getattr(sys, "_is_gil_enabled", lambda: True), getattr(sys, "_jit", None)
    trampolines = getattr(sys, "is_stack_trampoline_active", lambda: False)
    modes = {
        "development mode": sys.flags.dev_mode,
        f"optimize {sys.flags.optimize}": sys.flags.optimize,
        "debug build": hasattr(sys, "gettotalrefcount"),
        "no GIL": not gil(),
        "JIT": jit is not None and jit.is_enabled(),
        "perf trampolines": trampolines(),
        "garbage collection off": not gc.isenabled(),
    }
    return ", ".join(mode for mode, is_on in modes.items() if is_on) or None


def huge_pages(file: Path = HUGE_PAGES) -> str | None:
    """Return when Linux backs memory with huge pages, ``None`` where programs must ask for it, as is usual."""
    chosen = re.search(r"\[(\w+)\]", file.read_text())
    return chosen[1] if chosen and chosen[1] != "madvise" else None


def cpu_limit(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the CPUs that the control groups of this process grant it at most; ``None`` without a limit.

    Read are ``cpu.max`` (version 2) or ``cpu.cfs_*_us`` (version 1) of the group and of all above it.
    """
    limits = []
    for line in proc.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            base = root / "cpu" if controllers else root
            group = base / path.lstrip("/")
            limits += [_quota(folder) for folder in (group, *group.parents) if folder.is_relative_to(base)]
    return min((limit for limit in limits if limit is not None), default=None)


def _quota(group: Path) -> float | None:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        if (group / names[0]).exists():
            quota, period = " ".join((group / name).read_text() for name in names).split()
            return None if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    return None
