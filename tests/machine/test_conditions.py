"""Conditions that make times unsteady are read before a run, reported with a remedy, and recorded."""

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


@given(clock=anything, load=anything, temperature=anything, times=anything)
def test_any_reading(clock, load, temperature, times):
    """Conditions exist for any reading of clock, load and sensors, and for readings that fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "cpu_freq", giving(clock))
        patch.setattr(os, "getloadavg", giving(load if isinstance(load, Exception) else (load, 0, 0)))
        patch.setattr(psutil, "sensors_temperatures", giving(temperature), raising=False)
        patch.setattr(psutil, "cpu_times", giving(times))
        readings = conditions.readings([0])
        assert set(conditions.during(readings, readings)) == {
            "clock_mhz",
            "load",
            "temperature_c",
            "steal",
            "throttled",
        }


def test_what_cannot_be_read_is_none(monkeypatch, tmp_path):
    """A system that reports nothing fails no run, and causes no warning."""
    for name in ("cpu_freq", "cpu_times", "cpu_percent", "virtual_memory", "sensors_battery", "sensors_temperatures"):
        monkeypatch.setattr(psutil, name, giving(RuntimeError("no")), raising=False)
    monkeypatch.setattr(os, "getloadavg", giving(OSError("no")), raising=False)
    assert set(conditions.readings([0], tmp_path).values()) == {None}
    found = preflight([0], tmp_path, tmp_path / "pressure")
    assert found == Preflight(None, None, None, None, None, None, None)
    assert set(found.facts.values()) == {None}
    assert not list(found.warnings())


def test_steal():
    """Steal is its share of the CPU time between two readings, and none if the system does not count it."""
    names = ("clock_mhz", "load", "temperature_c", "throttled")
    begin = dict.fromkeys(names) | {"cpu_seconds": 10.0, "stolen_seconds": 1.0}
    end = {**begin, "cpu_seconds": 20.0, "stolen_seconds": 3.5, "load": 0.5}
    assert conditions.during(begin, end)["steal"] == 0.25
    assert conditions.during(begin, end)["load"] == [None, 0.5]
    assert conditions.during({**begin, "stolen_seconds": None}, end)["steal"] is None
    assert conditions.during(end, end)["steal"] is None


def test_temperature(monkeypatch):
    """The temperature is that of the hottest core; other sensors do not count."""
    sensors = {"nvme": [90.0], "coretemp": [40.0, 55.5]}
    made = {name: [SimpleNamespace(current=value) for value in values] for name, values in sensors.items()}
    monkeypatch.setattr(psutil, "sensors_temperatures", giving(made), raising=False)
    assert conditions.readings([0])["temperature_c"] == 55.5


@pytest.fixture(autouse=True)
def core_use(monkeypatch):
    """Return the percentages that psutil reports for the use of each core, for a test to fill."""
    percentages = []
    monkeypatch.setattr(psutil, "cpu_percent", lambda _interval, percpu: percentages if percpu else None)
    return percentages


@pytest.fixture
def cpus(tmp_path):
    """Return a function that writes files as Linux has them for its CPUs; ``__`` stands for ``/``."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path

    return write


def test_throttled(cpus):
    """Throttling is the difference of Linux's counters of the measuring cores, and none if one is missing."""
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
    """The governor is that of the measuring cores; Intel's driver or the system reports turbo."""
    found = preflight(cores, cpus(**files))
    assert (found.governor, found.turbo) == (governor, turbo)


def test_others(cpus, core_use):
    """The use of the measuring core and of its SMT sibling is that of other processes."""
    folder = cpus(cpu1__topology__thread_siblings_list="1,3", cpu3__topology__thread_siblings_list="1,3")
    core_use[:] = [100.0, 30.0, 0.0, 50.0]
    found = preflight([1], folder)
    assert (found.others, found.sibling) == ((1, 0.3), (3, 0.5))


def test_memory(tmp_path, monkeypatch):
    """Linux reports the share of time in which processes waited for memory, and the available memory."""
    lines = "some avg10=12.50 avg60=1.00 avg300=0 total=5\nfull avg10=0.00 avg60=0 avg300=0 total=0\n"
    (tmp_path / "memory").write_text(lines)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1, total=4))
    found = preflight([0], tmp_path, tmp_path / "memory")
    assert (found.memory_stalled, found.memory_available) == (0.125, 0.25)


@pytest.mark.parametrize(("battery", "on_battery"), [(None, None), (True, False), (False, True)])
def test_power(monkeypatch, tmp_path, battery, on_battery):
    """A machine runs on its battery if it has one and is not plugged in."""
    sensor = None if battery is None else SimpleNamespace(power_plugged=battery)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: sensor, raising=False)
    assert preflight([0], tmp_path).on_battery is on_battery


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        (
            {"governor": "powersave"},
            "CPU governor powersave: the clock speed changes with the load; keep it high with 'cpupower ",
        ),
        ({"turbo": True}, "turbo is on: the clock speed depends on the temperature and on the other cores; for"),
        ({"on_battery": True}, "power: the machine runs on its battery, which may lower the clock speed; plug it in"),
        ({"memory_stalled": 0.12}, "memory: processes waited for memory during 12 % of the last ten seconds; stop"),
        ({"memory_available": 0.04}, "memory: only 4 % of it is available; stop programs that use a lot of memory"),
        ({"others": Use(1, 0.4)}, "load: other processes use 40 % of core 1; stop them, or compare revisions with "),
        ({"sibling": Use(3, 0.5)}, "SMT: core 3 is 50 % busy, and shares a physical core with a measuring core; stop"),
    ],
)
def test_warnings(changes, expected):
    """Each bad condition causes one line with its effect and a remedy; good conditions cause none."""
    warnings = list(replace(QUIET, **changes).warnings())
    assert len(warnings) == (expected is not None)
    assert all(warning.startswith(expected) for warning in warnings)
