"""The machine and the run of a record in words, also for records of plain pytest-benchmark."""

import re
from collections.abc import Mapping
from typing import Any

from autoenc_bench.formatting import count
from autoenc_bench.records.record import Fact, Run

WORDS_FOR_UNKNOWN = ("", "-", "unknown", "none", "n/a", "not available")
CPU_KIND = ("family", "model", "stepping")  # CPUs of one name may differ in these
CACHES = {"L2": "l2_cache_size", "L3": "l3_cache_size"}
UNITS = {"": 1, "K": 2**10, "M": 2**20}


class MachineInfo:
    """The facts that pytest-benchmark notes about a machine. Each part may be missing, or of any type."""

    def __init__(self, noted: Any) -> None:
        self._noted = noted if isinstance(noted, dict) else {}
        cpu = self._noted.get("cpu")
        self._cpu = cpu if isinstance(cpu, dict) else {}

    @property
    def cpu(self) -> str | None:
        """Return the CPU's name, which older versions call ``brand``."""
        return cpu_name(self._cpu.get("brand_raw")) or cpu_name(self._cpu.get("brand"))

    @property
    def kind(self) -> dict[str, str]:
        """Return the facts of py-cpuinfo that distinguish CPUs of one name: family, model, stepping and caches."""
        facts = {name: _number(self._cpu.get(name)) for name in CPU_KIND}
        facts |= {level: _size(self._cpu.get(key)) for level, key in CACHES.items()}
        return {name: value for name, value in facts.items() if value is not None}

    @property
    def facts(self) -> dict[str, Fact]:
        """Return the facts beside the CPU that times depend on."""
        cores = self._cpu.get("count")
        facts: dict[str, Fact] = {"cores": cores} if isinstance(cores, int) else {}
        pairs = {"system": ("system", "machine"), "python": ("python_implementation", "python_version")}
        return facts | {name: fact for name, keys in pairs.items() if (fact := self._joined(*keys))}

    def __str__(self) -> str:
        """Return all known facts except the number of cores, in one line."""
        facts = [str(fact) for name, fact in self.facts.items() if name != "cores"]
        return " · ".join(filter(None, [self._joined("node"), self.cpu, *facts]))

    def _joined(self, *keys: str) -> str:
        return " ".join(str(self._noted[key]) for key in keys if self._noted.get(key))


def _number(value: object) -> str | None:
    """Return a whole number as text, ``None`` for anything else. Versions of py-cpuinfo have a number or a text."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    return text if re.fullmatch(r"\d{1,18}", text) else None


def _size(value: object) -> str | None:
    """Return the size of a cache with its unit. Versions of py-cpuinfo have bytes or a text such as 256 KiB."""
    parts = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)\s*([KM]?)(?:i?B)?", str(value), re.IGNORECASE)
    if not parts:
        return None
    size = float(parts[1]) * UNITS[parts[2].upper()]
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"


def cpu_kind(kind: Mapping[str, str]) -> str:
    """Return the kind of a CPU in words."""
    return " ".join(f"{name} {value}" for name, value in kind.items())


def cpu_name(name: object) -> str | None:
    """Return the name of a CPU, ``None`` if it is a word for an unknown CPU."""
    text = name.strip() if isinstance(name, str) else ""
    return None if text.lower() in WORDS_FOR_UNKNOWN else text


def run_setting(run: Run) -> str:
    """Return machine, devices, backend, threads, scale and versions of a run, separated by ``·``."""
    machine, context = run.machine, run.context
    threads, pinned = context.get("threads"), " pinned" if context.get("pinned") else ""
    devices, processes = context.get("devices"), context.get("processes")
    kind = "virtual device" if context.get("virtual_devices") else "device"
    shared = f", {count(devices, kind)}" if devices and processes else ""
    split = f" in {processes} processes" if shared and processes != 1 else ""
    parts = (
        f"{machine.cpu or 'unnamed CPU'}, {count(machine.logical_cores, 'core')}",
        f"{machine.memory_gib} GiB, {machine.system} {machine.architecture}",
        f"machine {machine.id}",
        f"{context.get('backend')} on {context.get('device')}{shared}{split}",
        ("all threads" if threads is None else count(threads, "thread")) + pinned,
        f"scale {run.scale}, {count(run.seeds, 'seed')}",
        ", ".join(f"{name} {version}" for name, version in versions(context).items()),
    )
    return " · ".join(filter(None, parts))


def versions(context: Mapping[str, Fact]) -> dict[str, str]:
    """Return the versions of the backend and of the other packages that times depend on."""
    packages = dict.fromkeys([str(context.get("backend")), "keras", "python", "numpy", "scikit-learn"])
    return {name: str(context[name]) for name in packages if name in context}
