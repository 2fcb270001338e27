"""What was so while a run measured: recorded, never compared, and said before measuring where it is bad.

Each reading that the system does not give is ``None``.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import sleep
from typing import NamedTuple

import psutil

from autoenc_bench.formatting import few, share
from autoenc_bench.machine.cores import numbers
from autoenc_bench.machine.fingerprint import readable
from autoenc_bench.records.record import Fact

CPUS = Path("/sys/devices/system/cpu")
PRESSURE = Path("/proc/pressure/memory")
SENSORS = ("coretemp", "k10temp", "cpu_thermal", "zenpower")
SAMPLE = 0.3  # seconds for which others' use of the cores is watched
BUSY = 0.1  # share of a core that others may use before it is said
STALLED = 0.01  # share of the last ten seconds in which processes waited for memory, likewise
FREE = 0.05  # share of memory that should be available
MEMORY = "stop programs that use a lot of memory"
STEADY = ("performance",)  # governors that hold the clock

Facts = dict[str, Fact | list[Fact]]


def readings(cores: Sequence[int], cpus: Path = CPUS) -> dict[str, float | None]:
    """Read what changes from moment to moment; two of them make a run's conditions."""
    return {
        "clock_mhz": readable(lambda: psutil.cpu_freq().current),
        "load": readable(lambda: os.getloadavg()[0]),
        "temperature_c": readable(_temperature),
        "cpu_seconds": readable(lambda: float(sum(psutil.cpu_times()))),
        "stolen_seconds": readable(lambda: float(psutil.cpu_times().steal)),
        "throttled": readable(lambda: float(sum(_throttled(core, cpus) for core in cores))) if cores else None,
    }


def _temperature() -> float:
    sensors = psutil.sensors_temperatures()
    return max(float(sensor.current) for name in SENSORS for sensor in sensors.get(name, ()))


def _throttled(core: int, cpus: Path) -> int:
    """Return how often a core was slowed down since the system began, for it was too hot."""
    return int((cpus / f"cpu{core}/thermal_throttle/core_throttle_count").read_text())


def during(begin: Mapping[str, float | None], end: Mapping[str, float | None]) -> Facts:
    """Return what was so during a run, from the readings at its begin and end.

    ``steal`` is the share of all CPU time that the hypervisor gave to others, ``throttled`` how often heat slowed the
    cores down.
    """
    stolen, spent = ((end[name] or 0.0) - (begin[name] or 0.0) for name in ("stolen_seconds", "cpu_seconds"))
    known = begin["stolen_seconds"] is not None and spent > 0
    names = ("clock_mhz", "load", "temperature_c")
    pairs: Facts = {name: [begin[name], end[name]] for name in names}
    before, after = begin["throttled"], end["throttled"]
    throttled = None if before is None or after is None else int(after - before)
    return {**pairs, "steal": stolen / spent if known else None, "throttled": throttled}


class Use(NamedTuple):
    """Which share of a core was used by others than this process."""

    core: int
    share: float


@dataclass(frozen=True)
class Preflight:
    """What was so just before a run on some cores."""

    governor: str | None  # of the cores' clocks
    turbo: bool | None
    on_battery: bool | None
    memory_stalled: float | None  # share of the last ten seconds in which some process waited for memory
    memory_available: float | None  # share
    others: Use | None  # the measuring core that others used most,
    sibling: Use | None  # and the core that shares its parts with one of these (SMT)

    @property
    def facts(self) -> Facts:
        """Return what a record holds of it."""
        return {
            "governor": self.governor,
            "turbo": self.turbo,
            "on_battery": self.on_battery,
            "memory_stalled": self.memory_stalled,
            "others": self.others and self.others.share,
            "sibling": self.sibling and self.sibling.share,
        }

    def warnings(self) -> Iterator[str]:
        """Say in a line each what makes times unsteady, and what to do about it."""
        if self.governor and self.governor not in STEADY:
            mend = "keep it high with 'cpupower frequency-set --governor performance'"
            yield f"CPU governor {self.governor}: the clock speed changes with the load; {mend}"
        if self.turbo:
            effect = "the clock speed depends on the temperature and on the other cores"
            mend = "in /sys/devices/system/cpu, write 1 to intel_pstate/no_turbo or 0 to cpufreq/boost"
            yield f"turbo is on: {effect}; for steadier times switch it off ({mend})"
        if self.on_battery:
            yield "power: the machine runs on its battery, which may lower the clock; plug it in"
        if (self.memory_stalled or 0.0) > STALLED:
            waited = f"processes waited for memory during {share(self.memory_stalled or 0.0)} of the last ten seconds"
            yield f"memory: {waited}; {MEMORY}"
        elif self.memory_available is not None and self.memory_available < FREE:
            yield f"memory: only {share(self.memory_available)} of it is available; {MEMORY}"
        if self.others and self.others.share > BUSY:
            mend = "stop them, or compare revisions with 'autoenc-bench continuous', which works in spite of such load"
            yield f"load: other processes use {share(self.others.share)} of core {self.others.core}; {mend}"
        if self.sibling and self.sibling.share > BUSY:
            core, busy = self.sibling.core, share(self.sibling.share)
            mend = f"stop the programs on core {core}, or switch SMT off"
            yield f"SMT: core {core} is {busy} busy, and it is on the same physical core as a measuring core; {mend}"


def preflight(
    cores: Sequence[int], cpus: Path = CPUS, pressure: Path = PRESSURE, watch: Callable[[], object] | None = None
) -> Preflight:
    """Look at the machine before a run on these cores; ``watch`` passes the time in which others' use is seen."""
    siblings = sorted({sibling for core in cores for sibling in _siblings(core, cpus)} - set(cores))
    used = readable(lambda: _used([*cores, *siblings], watch or (lambda: sleep(SAMPLE)))) or {}

    def most(of: Sequence[int]) -> Use | None:
        return max((Use(core, used[core]) for core in of if core in used), key=lambda use: use.share, default=None)

    governors = sorted({name for core in cores if (name := readable(partial(_governor, core, cpus)))})
    battery = readable(lambda: psutil.sensors_battery())
    memory = readable(lambda: psutil.virtual_memory())
    return Preflight(
        governor=few(governors) or None,
        turbo=_turbo(cpus),
        on_battery=None if battery is None else not battery.power_plugged,
        memory_stalled=readable(lambda: _stalled(pressure.read_text())),
        memory_available=memory.available / memory.total if memory else None,
        others=most(cores),
        sibling=most(siblings),
    )


def _siblings(core: int, cpus: Path) -> list[int]:
    return readable(lambda: numbers((cpus / f"cpu{core}/topology/thread_siblings_list").read_text())) or []


def _governor(core: int, cpus: Path) -> str:
    return (cpus / f"cpu{core}/cpufreq/scaling_governor").read_text().strip()


def _turbo(cpus: Path) -> bool | None:
    """Return whether cores may run above their nominal clock; Intel's driver says when they may not."""
    files = (cpus / "intel_pstate/no_turbo", "0"), (cpus / "cpufreq/boost", "1")
    known = [text.strip() == on for file, on in files if (text := readable(file.read_text))]
    return known[0] if known else None


def _stalled(text: str) -> float:
    """Read the share of the last ten seconds, from a line such as ``some avg10=0.12 avg60=…`` in per cent."""
    some = next(line for line in text.splitlines() if line.startswith("some "))
    return float(some.split("avg10=")[1].split()[0]) / 100


def _used(cores: Sequence[int], watch: Callable[[], object]) -> dict[int, float]:
    """Return which share of each core was used while this process did nothing but watch."""
    before = psutil.cpu_times(percpu=True)
    watch()
    after = psutil.cpu_times(percpu=True)
    shares = {}
    for core in cores:
        passed = sum(after[core][:8]) - sum(before[core][:8])  # without guests' times, which user times hold already
        idle = sum(getattr(after[core], name, 0.0) - getattr(before[core], name, 0.0) for name in ("idle", "iowait"))
        shares[core] = max(0.0, 1 - idle / passed) if passed > 0 else 0.0
    return shares
