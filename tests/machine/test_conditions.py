"""What makes times unsteady is seen before a run, said with what to do about it, and recorded."""

import os
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import giving

from autoenc_bench.machine import conditions
from autoenc_bench.machine.conditions import Preflight, Use, preflight

QUIET = Preflight("performance", False, False, 0.0, 0.5, Use(1, 0), Use(3, 0))
anything = st.none() | st.floats(0, 1e6) | st.builds(OSError)
CPU = {"user": 0.0, "nice": 0.0, "system": 0.0, "idle": 0.0, "iowait": 0.0, "irq": 0.0, "softirq": 0.0, "steal": 0.0}


@given(clock=anything, load=anything, temperature=anything, times=anything)
def test_whatever_can_be_read(clock, load, temperature, times):
    """Whatever clock, load and sensors read, or when nothing can be read, there are conditions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "cpu_freq", giving(clock))
        patch.setattr(os, "getloadavg", giving(load if isinstance(load, Exception) else (load, 0, 0)))
        patch.setattr(psutil, "sensors_temperatures", giving(temperature), raising=False)
        patch.setattr(psutil, "cpu_times", giving(times))
        read = conditions.readings([0])
        assert set(conditions.during(read, read)) == {"clock_mhz", "load", "temperature_c", "steal", "throttled"}


def test_what_cannot_be_read_is_none(monkeypatch, tmp_path):
    """A system that tells nothing fails no run, and nothing is said of it."""
    for name in ("cpu_freq", "cpu_times", "virtual_memory", "sensors_battery", "sensors_temperatures"):
        monkeypatch.setattr(psutil, name, giving(RuntimeError("no")), raising=False)
    monkeypatch.setattr(os, "getloadavg", giving(OSError("no")), raising=False)
    assert set(conditions.readings([0], tmp_path).values()) == {None}
    seen = preflight([0], tmp_path, tmp_path / "pressure", lambda: None)
    assert seen == Preflight(None, None, None, None, None, None, None)
    assert set(seen.facts.values()) == {None}
    assert not list(seen.warnings())


def test_steal():
    """Steal is the share of the CPU time between two readings; a system that does not count it gives none."""
    names = ("clock_mhz", "load", "temperature_c", "throttled")
    begin = dict.fromkeys(names) | {"cpu_seconds": 10.0, "stolen_seconds": 1.0}
    end = {**begin, "cpu_seconds": 20.0, "stolen_seconds": 3.5, "load": 0.5}
    assert conditions.during(begin, end)["steal"] == 0.25
    assert conditions.during(begin, end)["load"] == [None, 0.5]
    assert conditions.during({**begin, "stolen_seconds": None}, end)["steal"] is None
    assert conditions.during(end, end)["steal"] is None


def test_temperature(monkeypatch):
    """The temperature is that of the hottest core; fans and disks do not count."""
    sensors = {"nvme": [90.0], "coretemp": [40.0, 55.5]}
    made = {name: [SimpleNamespace(current=value) for value in values] for name, values in sensors.items()}
    monkeypatch.setattr(psutil, "sensors_temperatures", giving(made), raising=False)
    assert conditions.readings([0])["temperature_c"] == 55.5


@pytest.fixture
def cpus(tmp_path):
    """Return a function that writes what Linux shows of its CPUs, by paths."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path

    return write


def test_throttled(cpus):
    """How often heat slowed the measuring cores down during a run is the difference of what Linux counts."""
    folder = cpus(cpu0__thermal_throttle__core_throttle_count=3, cpu1__thermal_throttle__core_throttle_count=5)
    begin = conditions.readings([0, 1], folder)
    assert begin["throttled"] == 8
    assert conditions.readings([0, 2], folder)["throttled"] is None
    cpus(cpu1__thermal_throttle__core_throttle_count=9)
    assert conditions.during(begin, conditions.readings([0, 1], folder))["throttled"] == 4


@pytest.mark.parametrize(
    ("files", "cores", "governor", "turbo"),
    [
        ({"cpu1__cpufreq__scaling_governor": "powersave", "intel_pstate__no_turbo": 0}, [1], "powersave", True),
        ({"cpu1__cpufreq__scaling_governor": "performance", "intel_pstate__no_turbo": 1}, [1], "performance", False),
        ({"cpu0__cpufreq__scaling_governor": "ondemand", "cpufreq__boost": 1}, [1], None, True),
        (
            {"cpu0__cpufreq__scaling_governor": "a", "cpu1__cpufreq__scaling_governor": "b", "cpufreq__boost": 0},
            [0, 1],
            "a, b",
            False,
        ),
        ({}, [0], None, None),
    ],
)
def test_clock(cpus, files, cores, governor, turbo):
    """The governor is that of the measuring cores; turbo is said by Intel's driver or by the system."""
    seen = preflight(cores, cpus(**files), watch=lambda: None)
    assert (seen.governor, seen.turbo) == (governor, turbo)


def test_others(cpus, monkeypatch):
    """While this process waits, whatever uses the measuring core, and its sibling, is of others."""
    folder = cpus(cpu1__topology__thread_siblings_list="1,3", cpu3__topology__thread_siblings_list="1,3")
    times = [SimpleTimes(**CPU) for _ in range(4)]
    monkeypatch.setattr(psutil, "cpu_times", lambda **_: list(times))

    def pass_time():
        times[0] = SimpleTimes(**{**CPU, "user": 1.0})
        times[1] = SimpleTimes(**{**CPU, "user": 0.2, "steal": 0.1, "idle": 0.6, "iowait": 0.1})
        times[3] = SimpleTimes(**{**CPU, "system": 0.5, "idle": 0.5})

    seen = preflight([1], folder, watch=pass_time)
    assert seen.others == (1, pytest.approx(0.3))
    assert seen.sibling == (3, pytest.approx(0.5))


class SimpleTimes(tuple):
    """A tuple of CPU times with names, as psutil has it."""

    def __new__(cls, **times):
        made = super().__new__(cls, times.values())
        made.__dict__.update(times)
        return made


def test_memory(tmp_path, monkeypatch):
    """Memory is short where processes wait for it, or little of it is available."""
    lines = "some avg10=12.50 avg60=1.00 avg300=0 total=5\nfull avg10=0.00 avg60=0 avg300=0 total=0\n"
    (tmp_path / "memory").write_text(lines)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1, total=4))
    seen = preflight([0], tmp_path, tmp_path / "memory", lambda: None)
    assert (seen.memory_stalled, seen.memory_available) == (0.125, 0.25)


@pytest.mark.parametrize(("battery", "on_battery"), [(None, None), (True, False), (False, True)])
def test_power(monkeypatch, tmp_path, battery, on_battery):
    """A machine without a battery has none to run on."""
    found = None if battery is None else SimpleNamespace(power_plugged=battery)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: found, raising=False)
    assert preflight([0], tmp_path, watch=lambda: None).on_battery is on_battery


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({}, None),
        (
            {"governor": "powersave"},
            "CPU governor powersave: the clock speed changes with the load; keep it high with 'cpupower ",
        ),
        ({"turbo": True}, "turbo is on: the clock speed depends on the temperature and on the other cores; for"),
        ({"on_battery": True}, "power: the machine runs on its battery, which may lower the clock; plug it in"),
        ({"memory_stalled": 0.12}, "memory: processes waited for memory during 12 % of the last ten seconds; stop"),
        ({"memory_available": 0.04}, "memory: only 4 % of it is available; stop programs that use a lot of memory"),
        ({"others": Use(1, 0.4)}, "load: other processes use 40 % of core 1; stop them, or compare revisions with "),
        (
            {"sibling": Use(3, 0.5)},
            "SMT: core 3 is 50 % busy, and it is on the same physical core as a measuring core; stop",
        ),
    ],
)
def test_warnings(bad, said):
    """Each bad condition is one line that says what it does to times, and what to do; good ones say nothing."""
    warnings = list(replace(QUIET, **bad).warnings())
    assert len(warnings) == (said is not None)
    assert all(warning.startswith(said) for warning in warnings)
