"""A machine keeps its id whatever its clock and load do; another machine has another; facts name nobody."""

import getpass
import os
import platform
import sys
import tracemalloc

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.machine import fingerprint

MODEL = "A CPU @ 2.60GHz"
anything = st.none() | st.floats(0, 1e6) | st.builds(OSError)
facts = st.fixed_dictionaries(
    {
        "cpu": st.sampled_from([None, "A CPU", "B CPU"]),
        "logical_cores": st.integers(1, 4),
        "accelerators": st.lists(st.sampled_from(["A GPU", "B GPU"]), max_size=2).map(sorted),
    }
)


def giving(value):
    """Return a function that gives the value, or raises it."""

    def read(*_args, **_keywords):
        if isinstance(value, Exception):
            raise value
        return value

    return read


@given(clock=anything, load=anything, temperature=anything, times=anything)
def test_id_is_stable(clock, load, temperature, times):
    """Whatever clock, load and sensors read, or when nothing can be read, the machine is the same."""
    before = fingerprint.identify(MODEL, ["A GPU"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "cpu_freq", giving(clock))
        patch.setattr(os, "getloadavg", giving(load if isinstance(load, Exception) else (load, 0, 0)))
        patch.setattr(psutil, "sensors_temperatures", giving(temperature), raising=False)
        patch.setattr(psutil, "cpu_times", giving(times))
        assert fingerprint.identify(MODEL, ["A GPU"]) == before
        fingerprint.conditions(fingerprint.readings(), fingerprint.readings())


def test_id_is_repeatable():
    """Asked again, the same machine gives the same facts and the same id."""
    assert fingerprint.identify(MODEL, []) == fingerprint.identify(MODEL, [])


@given(facts, facts)
def test_ids_differ_as_facts_do(one, other):
    """Two machines share an id just when all their facts are equal, in whatever order they are listed."""
    ids = [fingerprint.machine_id(dict(reversed(found.items()))) for found in (one, other)]
    assert ids[0] == fingerprint.machine_id(one)
    assert (ids[0] == ids[1]) == (one == other)
    assert len(ids[0]) == 12


@pytest.mark.parametrize(
    ("name", "value"), [("cpu_count", 1_000), ("virtual_memory", type("Memory", (), {"total": 2**50}))]
)
def test_another_machine(monkeypatch, name, value):
    """Other cores or another memory make another machine, and so do another CPU or GPU."""
    here = fingerprint.identify(MODEL, [])
    assert here.id != fingerprint.identify("B CPU", []).id
    assert here.id != fingerprint.identify(MODEL, ["A GPU"]).id
    monkeypatch.setattr(psutil, name, giving(value))
    assert here.id != fingerprint.identify(MODEL, []).id


def test_what_cannot_be_read_is_none(monkeypatch):
    """A system that tells nothing fails no run."""
    for name in ("cpu_count", "virtual_memory", "cpu_freq", "cpu_times"):
        monkeypatch.setattr(psutil, name, giving(RuntimeError("no")))
    monkeypatch.setattr(os, "getloadavg", giving(OSError("no")), raising=False)
    monkeypatch.setattr(psutil, "sensors_temperatures", giving(AttributeError("no")), raising=False)
    monkeypatch.setattr(fingerprint.cpuinfo, "get_cpu_info", giving(Exception("no")))
    machine = fingerprint.identify(fingerprint.cpu_model(), [])
    assert (machine.cpu, machine.physical_cores, machine.logical_cores, machine.memory_gib) == (None,) * 4
    assert set(fingerprint.readings().values()) == {None}
    told = fingerprint.conditions(fingerprint.readings(), fingerprint.readings())
    assert told == {
        "clock_mhz": [None, None],
        "load": [None, None],
        "temperature_c": [None, None],
        "steal": None,
    }


def test_facts_are_anonymous():
    """The facts hold what identifies the kind of machine, but no host name, user or path."""
    machine = fingerprint.identify(fingerprint.cpu_model(), [])
    assert machine.logical_cores >= 1
    assert machine.memory_gib >= 1
    said = " ".join(map(str, msgspec.structs.astuple(machine)))
    assert os.sep not in said
    assert getpass.getuser() not in said.split()
    assert not platform.node() or platform.node() not in said.split()


def test_steal():
    """Steal is the share of the CPU time between two readings; a system that does not count it gives none."""
    begin = dict.fromkeys(("clock_mhz", "load", "temperature_c")) | {"cpu_seconds": 10.0, "stolen_seconds": 1.0}
    end = {**begin, "cpu_seconds": 20.0, "stolen_seconds": 3.5, "load": 0.5}
    assert fingerprint.conditions(begin, end)["steal"] == 0.25
    assert fingerprint.conditions(begin, end)["load"] == [None, 0.5]
    assert fingerprint.conditions({**begin, "stolen_seconds": None}, end)["steal"] is None
    assert fingerprint.conditions(end, end)["steal"] is None


def test_temperature(monkeypatch):
    """The temperature is that of the hottest core; fans and disks do not count."""
    reading = type("Reading", (), {})
    sensors = {"nvme": [90.0], "coretemp": [40.0, 55.5]}
    made = {name: [reading() for _ in values] for name, values in sensors.items()}
    for name, values in sensors.items():
        for held, value in zip(made[name], values, strict=True):
            held.current = value
    monkeypatch.setattr(psutil, "sensors_temperatures", giving(made), raising=False)
    assert fingerprint.readings()["temperature_c"] == 55.5


def test_accelerators(monkeypatch, tmp_path):
    """NVIDIA's driver names the accelerators, so every backend agrees; without it the backend's names count."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fingerprint.accelerators(["TPU", "A GPU"]) == ["A GPU", "TPU"]
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho B GPU\necho A GPU\n")
    driver.chmod(0o755)
    assert fingerprint.accelerators([]) == ["A GPU", "B GPU"]
    driver.write_text("#!/bin/sh\necho 'no devices were found'\nexit 6\n")
    assert fingerprint.accelerators([]) == []


def test_libraries():
    """The versions are those that Python and the packages state, and NumPy's BLAS has a name."""
    assert fingerprint.libraries("tensorflow")["python"] == platform.python_version()
    assert set(fingerprint.libraries("tensorflow")) >= {"keras", "numpy", "tensorflow"}
    assert fingerprint.blas()


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("OMP_NUM_THREADS", "4", "4"),
        ("TF_XLA_FLAGS", "--tf_xla_auto_jit=2", "--tf_xla_auto_jit=2"),
        ("XLA_FLAGS", "--xla_dump_to=/home/me/x --xla_cpu=1", "--xla_dump_to=<path> --xla_cpu=1"),
        ("LD_PRELOAD", "/usr/lib/libtcmalloc.so", "<path>"),
        ("XLA_FLAGS", r"--to=C:\Users\me --on=~/x", "--to=<path> --on=<path>"),
        ("TF_CPP_MIN_LOG_LEVEL", "3", None),
        ("TF_VAR_password", "secret", None),  # Terraform's
        ("TF_CLI_CONFIG_FILE", "/etc/tf", None),
        ("KMP_DUPLICATE_LIB_OK", "True", None),
        ("TF_CONFIG", '{"cluster": "a-host:1"}', None),
        ("JAX_COORDINATOR_ADDRESS", "a-host:1", None),
        ("HOME", "/home/me", None),
        ("MY_OMP_NUM_THREADS", "1", None),
    ],
)
def test_tuning(name, value, kept):
    """What tunes libraries is kept, without its paths; logging, hosts and all else are not."""
    assert fingerprint.tuning({name: value}) == ({} if kept is None else {name: kept})


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}, None),
        ("0::/\n", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"}, 2.0),
        ("0::/a\n", {}, None),
        ("4:cpu,cpuacct:/a\n0::/\n", {"cpu/a/cpu.cfs_quota_us": "50000", "cpu/a/cpu.cfs_period_us": "100000"}, 0.5),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("5:cpuset:/\n", {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, None),
    ],
)
def test_cpu_limit(tmp_path, groups, files, limit):
    """The limit is the tightest quota of the process's groups, of either version."""
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text)
    assert fingerprint.cpu_limit(tmp_path / "cgroup", tmp_path / "fs") == limit


CORE = "processor\t: {}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: {}\n"


@pytest.mark.parametrize(
    ("parts", "board", "name"),
    [
        (["0xd0c", "0xd0c"], None, "ARM implementer 0x41 part 0xd0c variant 0x3"),
        (["0xd0c"], "A Board\0", "ARM implementer 0x41 part 0xd0c variant 0x3, A Board"),
        (
            ["0xd05", "0xd0b"],
            None,
            "ARM implementer 0x41 part 0xd05 variant 0x3, ARM implementer 0x41 part 0xd0b variant 0x3",
        ),
        ([], "A Board", None),
    ],
)
def test_arm_part(tmp_path, parts, board, name):
    """ARM cores are named by their designer, part and board; of what tells no part there is no name."""
    (tmp_path / "cpuinfo").write_text("\n".join(CORE.format(place, part) for place, part in enumerate(parts)))
    if board:
        (tmp_path / "model").write_text(board)
    assert fingerprint.arm_part(tmp_path / "cpuinfo", tmp_path / "model") == name


@pytest.mark.parametrize("cpu", [None, "unknown", "-", ""])
def test_machines_that_nobody_names(monkeypatch, cpu):
    """Where py-cpuinfo knows no name, the kernel's numbers tell two machines apart; without them the name is none."""
    monkeypatch.setattr(fingerprint, "arm_part", lambda: "ARM part 1")
    one = fingerprint.identify(cpu, [])
    monkeypatch.setattr(fingerprint, "arm_part", lambda: "ARM part 2")
    assert one.cpu == "ARM part 1"
    assert fingerprint.identify(cpu, []).id != one.id
    monkeypatch.setattr(fingerprint, "arm_part", giving(OSError()))
    assert fingerprint.identify(cpu, []).cpu is None


@pytest.mark.parametrize("setter", [sys.settrace, sys.setprofile])
def test_tracer(setter):
    """What watches calls or lines of Python is named by its module; tracing of allocations is seen as well."""
    before = sys.gettrace(), sys.getprofile()
    setter(giving(None))
    try:
        assert __name__.partition(".")[0] in fingerprint.tracer().split(", ")
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    tracemalloc.start()
    try:
        assert "tracemalloc" in fingerprint.tracer().split(", ")
    finally:
        tracemalloc.stop()
    assert "tracemalloc" not in (fingerprint.tracer() or "")
