"""The machine's fingerprint, from CPU model to accelerators, and the facts of a context that no run changes.

A fact that cannot be read is ``None``. No host name, user or path is recorded.
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

PATIENCE = 30  # seconds after which nvidia-smi is stopped
UNKNOWN = (
    "{}, so the machine's accelerators are unknown; it gets another machine id, and its times are not compared with "
    "those of runs in which they are known"
)
NO_NAME = re.compile(r"\[.*\]|ERR!|N/A", re.IGNORECASE)  # what nvidia-smi prints instead of a name
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

T = TypeVar("T")


def or_none(read: Callable[[], T]) -> T | None:
    """Return what ``read`` returns, or ``None`` if it raises: systems refuse a reading in too many ways to list."""
    try:
        return read()
    except Exception:
        return None


def cpu_model() -> str | None:
    """Return the CPU's name as in pytest-benchmark's record; this takes about a second."""
    return or_none(lambda: cpuinfo.get_cpu_info()["brand_raw"])


def arm_part(proc: Path = Path("/proc/cpuinfo"), board: Path = Path("/proc/device-tree/model")) -> str | None:
    """Return a name for ARM cores, which have none: the numbers of designer and part, and the board."""
    cores = [dict(re.findall(r"^CPU (\w+)\s*: (\w+)", core, re.M)) for core in proc.read_text().split("\n\n")]
    numbers = ("implementer", "part", "variant", "revision")
    named = [[f"{name} {core[name]}" for name in numbers if name in core] for core in cores if "part" in core]
    names = sorted({" ".join(["ARM", *parts]) for parts in named})
    model = or_none(board.read_text) if names else None
    return ", ".join([*names, *([model.strip("\0 \n")] if model else [])]) or None


def identify(cpu: str | None, devices: Sequence[str]) -> Machine:
    """Return the facts that identify the machine, and their hash; ``devices`` are the backend's accelerators.

    Memory is rounded to GiB, because kernels reserve a part of it.
    """
    facts = {
        "cpu": cpu_name(cpu) or or_none(arm_part),
        "physical_cores": or_none(lambda: psutil.cpu_count(logical=False)),
        "logical_cores": or_none(psutil.cpu_count),
        "memory_gib": or_none(lambda: round(psutil.virtual_memory().total / 2**30)),
        "accelerators": accelerators(devices),
        "architecture": platform.machine() or None,
        "system": platform.system() or None,
    }
    return msgspec.convert({"id": machine_id(facts), **facts}, Machine)


def machine_id(facts: Mapping[str, object]) -> str:
    """Return a hash of a machine's facts, of twelve hexadecimal digits; their order does not matter."""
    return hashlib.sha256(msgspec.json.encode(dict(facts), order="sorted")).hexdigest()[:12]


class Driver(NamedTuple):
    """What NVIDIA's driver reports of its accelerators."""

    names: list[str] | None  # ``None`` if the driver failed
    version: str | None = None
    problem: str = ""  # why it failed


@cache
def nvidia() -> Driver:
    """Return what ``nvidia-smi`` reports, run once per process; without this tool there are no accelerators."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Driver(None, problem=f"nvidia-smi did not answer within {PATIENCE} s")
    except OSError:
        return Driver([])
    if "no devices were found" in (done.stdout + done.stderr).lower():
        return Driver([])
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).partition("\n")[0]
        return Driver(None, problem=f"nvidia-smi failed with status {done.returncode}{f': {reason}' if reason else ''}")
    devices = [line.strip().partition(", ") for line in done.stdout.splitlines()]
    names = sorted(name for name, _, _ in devices if name and not NO_NAME.fullmatch(name))
    versions = [version for _, _, version in devices if version and not NO_NAME.fullmatch(version)]
    return Driver(names, versions[0] if versions else None)


def accelerators(devices: Sequence[str]) -> list[str] | None:
    """Return NVIDIA's accelerators, else the backend's; ``None`` if the driver failed and the backend sees none."""
    names = nvidia().names
    return sorted(names or devices) or (None if names is None else [])


def libraries(backend: str) -> dict[str, str]:
    """Return the versions of Python and of the libraries that a backend's times depend on."""
    names = ("keras", *BACKENDS[backend], "numpy", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def blas() -> str:
    """Return the name and version of the BLAS that NumPy was built with."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{library['name']} {library['version']}"


def interpreter() -> str | None:
    """Return the unusual modes in which Python runs, in words; ``None`` if there are none."""
    jit = getattr(sys, "_jit", None)
    modes = {
        "development mode": sys.flags.dev_mode,
        f"optimize {sys.flags.optimize}": sys.flags.optimize,
        "debug build": hasattr(sys, "gettotalrefcount"),
        "no GIL": not getattr(sys, "_is_gil_enabled", lambda: True)(),
        "JIT": jit is not None and jit.is_enabled(),
        "perf trampolines": getattr(sys, "is_stack_trampoline_active", lambda: False)(),
        "garbage collection off": not gc.isenabled(),
    }
    return ", ".join(mode for mode, is_on in modes.items() if is_on) or None


def tracer() -> str | None:
    """Return the tools that trace calls, lines or allocations in this process, such as coverage; ``None`` for none."""
    hooks = filter(None, (sys.gettrace(), sys.getprofile()))
    tools = {str(getattr(hook, "__module__", None) or type(hook).__module__).partition(".")[0] for hook in hooks}
    if monitoring := getattr(sys, "monitoring", None):  # since Python 3.12
        tools |= {tool for number in range(6) if (tool := monitoring.get_tool(number))}
    if tracemalloc.is_tracing():
        tools.add("tracemalloc")
    return ", ".join(sorted(tools)) or None


def huge_pages(file: Path = HUGE_PAGES) -> str | None:
    """Return when Linux backs memory with huge pages; ``None`` for the usual ``madvise``: on a program's request."""
    chosen = re.search(r"\[(\w+)\]", file.read_text())
    return chosen[1] if chosen and chosen[1] != "madvise" else None


def cpu_limit(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the most CPUs that the control groups of this process grant it; ``None`` without a limit.

    The limit is in ``cpu.max`` (version 2) or ``cpu.cfs_*_us`` (version 1) of the group and of all groups above it.
    """
    limits = []
    for line in proc.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = root / ("cpu" if controllers else "") / path.lstrip("/")
        files = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if controllers else ("cpu.max",)
        for folder in (group, *group.parents):
            if folder.is_relative_to(root) and (folder / files[0]).exists():
                quota, period = " ".join((folder / file).read_text() for file in files).split()
                limits += [int(quota) / int(period)] if quota.isdecimal() else []  # neither "max" nor -1
    return min(limits, default=None)
