"""Conditions of a run: readings that explain times and are never compared, and warnings before measuring.

A reading is ``None`` if the system does not give it.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

from autoenc_bench.formatting import few, share
from autoenc_bench.machine.cores import numbers
from autoenc_bench.machine.fingerprint import or_none
from autoenc_bench.records.record import Fact

CPUS = Path("/sys/devices/system/cpu")
PRESSURE = Path("/proc/pressure/memory")
SENSORS = ("coretemp", "k10temp", "cpu_thermal", "zenpower")
SAMPLE = 0.3  # seconds in which the use of the cores is sampled
BUSY = 0.1  # share of a core's time that other processes may use without a warning
STALLED = 0.01  # share of the last ten seconds in which processes may wait for memory without a warning
FREE = 0.05  # share of memory below which a warning is given
STEADY = ("performance",)  # governors that keep the clock speed

Facts = dict[str, Fact | list[Fact]]


def readings(cores: Sequence[int], cpus: Path = CPUS) -> dict[str, float | None]:
    """Return what changes from moment to moment; two of these make a run's conditions."""
    throttle_counts = [cpus / f"cpu{core}/thermal_throttle/core_throttle_count" for core in cores]
    return {
        "clock_mhz": or_none(lambda: psutil.cpu_freq().current),
        "load": or_none(lambda: os.getloadavg()[0]),
        "temperature_c": or_none(_temperature),
        "cpu_seconds": or_none(lambda: float(sum(psutil.cpu_times()))),
        "stolen_seconds": or_none(lambda: float(psutil.cpu_times().steal)),
        "throttled": or_none(lambda: sum(float(file.read_text()) for file in throttle_counts)) if cores else None,
    }


def _temperature() -> float:
    sensors = psutil.sensors_temperatures()
    return max(float(sensor.current) for name in SENSORS for sensor in sensors.get(name, ()))


def during(begin: Mapping[str, float | None], end: Mapping[str, float | None]) -> Facts:
    """Return the conditions of a run, from the readings at its begin and end.

    ``steal`` is the share of all CPU time that the hypervisor gave to other guests; ``throttled`` counts how often heat
    slowed the cores down.
    """

    def growth(name: str) -> float | None:
        before, after = begin[name], end[name]
        return None if before is None or after is None else after - before

    stolen, spent, throttled = map(growth, ("stolen_seconds", "cpu_seconds", "throttled"))
    return {
        **{name: [begin[name], end[name]] for name in ("clock_mhz", "load", "temperature_c")},
        "steal": stolen / spent if stolen is not None and spent and spent > 0 else None,
        "throttled": None if throttled is None else int(throttled),
    }


class Use(NamedTuple):
    """The share of a core's time that other processes used."""

    core: int
    share: float


@dataclass(frozen=True)
class Preflight:
    """The conditions just before a run on some cores."""

    governor: str | None  # of the cores' clocks
    turbo: bool | None
    on_battery: bool | None
    memory_stalled: float | None  # share of the last ten seconds in which some process waited for memory
    memory_available: float | None  # share
    others: Use | None  # of the measuring core that other processes used most
    sibling: Use | None  # of the busiest core that shares a physical core with a measuring one (SMT)

    @property
    def facts(self) -> Facts:
        """Return the part that a record keeps."""
        facts: Facts = {name: getattr(self, name) for name in ("governor", "turbo", "on_battery", "memory_stalled")}
        return facts | {name: use and use.share for name, use in (("others", self.others), ("sibling", self.sibling))}

    def warnings(self) -> Iterator[str]:
        """Yield a line for each condition that makes times unsteady, with a remedy."""
        if self.governor and self.governor not in STEADY:
            remedy = "keep it high with 'cpupower frequency-set --governor performance'"
            yield f"CPU governor {self.governor}: the clock speed changes with the load; {remedy}"
        if self.turbo:
            effect = "the clock speed depends on the temperature and on the other cores"
            remedy = "in /sys/devices/system/cpu, write 1 to intel_pstate/no_turbo or 0 to cpufreq/boost"
            yield f"turbo is on: {effect}; for steadier times switch it off ({remedy})"
        if self.on_battery:
            yield "power: the machine runs on its battery, which may lower the clock speed; plug it in"
        remedy = "stop programs that use a lot of memory"
        if (self.memory_stalled or 0.0) > STALLED:
            stalled = share(self.memory_stalled or 0.0)
            yield f"memory: processes waited for memory during {stalled} of the last ten seconds; {remedy}"
        elif self.memory_available is not None and self.memory_available < FREE:
            yield f"memory: only {share(self.memory_available)} of it is available; {remedy}"
        if self.others and self.others.share > BUSY:
            remedy = "stop them, or compare revisions with 'autoenc-bench continuous', which allows for such load"
            yield f"load: other processes use {share(self.others.share)} of core {self.others.core}; {remedy}"
        if self.sibling and self.sibling.share > BUSY:
            core, busy = self.sibling.core, share(self.sibling.share)
            remedy = f"stop the programs on core {core}, or switch SMT off"
            yield f"SMT: core {core} is {busy} busy, and shares a physical core with a measuring core; {remedy}"


def preflight(cores: Sequence[int], cpus: Path = CPUS, pressure: Path = PRESSURE) -> Preflight:
    """Return the conditions on these cores; takes ``SAMPLE`` seconds, in which this process sleeps."""
    shares = or_none(lambda: [round(busy / 100, 3) for busy in psutil.cpu_percent(SAMPLE, percpu=True)]) or []
    lists = (_text(cpus / f"cpu{core}/topology/thread_siblings_list") for core in cores)
    siblings = {sibling for text in lists for sibling in numbers(text)} - {*cores}

    def most_used(some: Sequence[int]) -> Use | None:
        uses = [Use(core, shares[core]) for core in some if core < len(shares)]
        return max(uses, key=lambda use: use.share, default=None)

    governors = {_text(cpus / f"cpu{core}/cpufreq/scaling_governor") for core in cores} - {""}
    battery = or_none(lambda: psutil.sensors_battery())
    memory = or_none(lambda: psutil.virtual_memory())
    stalled = re.search(r"^some avg10=([\d.]+)", _text(pressure), re.MULTILINE)
    no_turbo, boost = _text(cpus / "intel_pstate/no_turbo"), _text(cpus / "cpufreq/boost")  # of Intel's driver, others'
    return Preflight(
        governor=few(sorted(governors)) or None,
        turbo=no_turbo == "0" if no_turbo else boost == "1" if boost else None,
        on_battery=None if battery is None else not battery.power_plugged,
        memory_stalled=float(stalled[1]) / 100 if stalled else None,
        memory_available=memory.available / memory.total if memory else None,
        others=most_used(cores),
        sibling=most_used(sorted(siblings)),
    )


def _text(file: Path) -> str:
    """Return a file's text without white space around it, empty if it cannot be read."""
    return or_none(lambda: file.read_text().strip()) or ""
