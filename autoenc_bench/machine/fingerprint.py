"""What ran the suite: the machine, the context that must match for times to compare, and what was so just then.

A fact that cannot be read is ``None``. No host name, user or path is kept.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import cpuinfo
import msgspec
import numpy as np
import psutil

from autoenc_bench.records.loading import named
from autoenc_bench.records.record import BACKENDS, Fact, Machine

# Environment variables that change how fast the same program is, by prefix or by name. Terraform shares TF_, and keeps
# secrets there, so TensorFlow's are told by their next word.
TUNING = re.compile(
    r"(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|VECLIB|XLA|JAX|TORCH|PYTORCH|MALLOC)_\w+"
    r"|TF_(AUTOTUNE|CUDA|CUDNN|DETERMINISTIC|DISABLE|ENABLE|FORCE|GPU|MKL|NUM|ONEDNN|OVERRIDE|SYNC|USE|XLA)_\w+"
    r"|CUDA_(VISIBLE_DEVICES|DEVICE_ORDER|LAUNCH_BLOCKING)|NVIDIA_TF32_OVERRIDE|GLIBC_TUNABLES|LD_PRELOAD"
    r"|PYTHON(HASHSEED|MALLOC|OPTIMIZE|_GIL)"
)
# Of these, what names hosts, and what libraries set themselves when they are loaded.
SILENT = re.compile(r"JAX_COORDINATOR_\w+|\w*(HOST|ADDRESS)\w*|KMP_(DUPLICATE_LIB_OK|INIT_AT_FORK)")
PATH = re.compile(r"(?<![\w.])(~|[A-Za-z]:)?[/\\][^\s,;:]*")
SENSORS = ("coretemp", "k10temp", "cpu_thermal", "zenpower")

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
        "cpu": named(cpu) or readable(arm_part),
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


def accelerators(devices: Sequence[str]) -> list[str]:
    """List the machine's accelerators: those of NVIDIA's driver, whoever may use them, else the backend's."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    output = readable(lambda: subprocess.run(query, capture_output=True, text=True, timeout=30, check=True).stdout)
    names = [line.strip() for line in (output or "").splitlines() if line.strip()]
    return sorted(names or devices)


def libraries(backend: str) -> dict[str, str]:
    """Return the versions of Python and of the libraries that the timings of a backend depend on."""
    names = ("keras", *BACKENDS[backend], "numpy", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def blas() -> str:
    """Return the name of the BLAS that NumPy was built with."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{library['name']} {library['version']}"


def tuning(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that tune numerical libraries; paths in them are left out."""
    names = [name for name in sorted(environment) if TUNING.fullmatch(name) and not SILENT.fullmatch(name)]
    return {name: PATH.sub("<path>", environment[name]) for name in names}


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


def readings() -> dict[str, float | None]:
    """Read what changes from moment to moment; two of them make a run's conditions."""
    return {
        "clock_mhz": readable(lambda: psutil.cpu_freq().current),
        "load": readable(lambda: os.getloadavg()[0]),
        "temperature_c": readable(_temperature),
        "cpu_seconds": readable(lambda: float(sum(psutil.cpu_times()))),
        "stolen_seconds": readable(lambda: float(psutil.cpu_times().steal)),
    }


def _temperature() -> float:
    sensors = psutil.sensors_temperatures()
    return max(float(sensor.current) for name in SENSORS for sensor in sensors.get(name, ()))


def conditions(begin: Mapping[str, float | None], end: Mapping[str, float | None]) -> dict[str, Fact | list[Fact]]:
    """Return what was so during a run, from the readings at its begin and end: recorded, never compared.

    ``steal`` is the share of all CPU time that the hypervisor gave to others.
    """
    stolen, spent = ((end[name] or 0.0) - (begin[name] or 0.0) for name in ("stolen_seconds", "cpu_seconds"))
    known = begin["stolen_seconds"] is not None and spent > 0
    names = ("clock_mhz", "load", "temperature_c")
    pairs: dict[str, Fact | list[Fact]] = {name: [begin[name], end[name]] for name in names}
    return {**pairs, "steal": stolen / spent if known else None}
