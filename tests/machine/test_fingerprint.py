"""Two machines share an id if and only if their facts are equal, and the facts contain no names."""

import gc
import getpass
import os
import platform
import subprocess
import sys
import tracemalloc

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import giving

from autoenc_bench.machine import fingerprint

MODEL = "A CPU @ 2.60GHz"
facts = st.fixed_dictionaries(
    {
        "cpu": st.sampled_from([None, "A CPU", "B CPU"]),
        "logical_cores": st.integers(1, 4),
        "accelerators": st.lists(st.sampled_from(["A GPU", "B GPU"]), max_size=2).map(sorted),
    }
)


def test_id_is_repeatable():
    """A second reading of a machine returns the same facts and the same id."""
    assert fingerprint.identify(MODEL, []) == fingerprint.identify(MODEL, [])


@given(facts, facts)
def test_ids_differ_as_facts_do(first, second):
    """Two machines share an id if and only if all their facts are equal; the order does not matter."""
    ids = [fingerprint.machine_id(dict(reversed(facts.items()))) for facts in (first, second)]
    assert ids[0] == fingerprint.machine_id(first)
    assert (ids[0] == ids[1]) == (first == second)
    assert len(ids[0]) == 12


@pytest.mark.parametrize(
    ("name", "value"), [("cpu_count", 1_000), ("virtual_memory", type("Memory", (), {"total": 2**50}))]
)
def test_another_machine(monkeypatch, name, value):
    """A machine with other cores, memory, CPU or GPU has another id."""
    here = fingerprint.identify(MODEL, [])
    assert here.id != fingerprint.identify("B CPU", []).id
    assert here.id != fingerprint.identify(MODEL, ["A GPU"]).id
    monkeypatch.setattr(psutil, name, giving(value))
    assert here.id != fingerprint.identify(MODEL, []).id


def test_what_cannot_be_read_is_none(monkeypatch):
    """A system that reports nothing fails no run."""
    for name in ("cpu_count", "virtual_memory"):
        monkeypatch.setattr(psutil, name, giving(RuntimeError("no")))
    monkeypatch.setattr(fingerprint.cpuinfo, "get_cpu_info", giving(Exception("no")))
    machine = fingerprint.identify(fingerprint.cpu_model(), [])
    assert (machine.cpu, machine.physical_cores, machine.logical_cores, machine.memory_gib) == (None,) * 4


def test_facts_are_anonymous():
    """The facts contain no host name, user or path."""
    machine = fingerprint.identify(fingerprint.cpu_model(), [])
    assert machine.logical_cores >= 1
    assert machine.memory_gib >= 1
    recorded = " ".join(map(str, msgspec.structs.astuple(machine)))
    assert os.sep not in recorded
    assert not {getpass.getuser(), platform.node()} & set(recorded.split())


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """Return a function that replaces nvidia-smi by a script, and returns what the driver reports then."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def read(script):
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
        fingerprint.nvidia.cache_clear()
        return fingerprint.nvidia()

    yield read
    fingerprint.nvidia.cache_clear()


@pytest.mark.parametrize(
    ("script", "names", "version"),
    [
        ("echo B GPU, 570.1; echo A GPU, 570.1", ["A GPU", "B GPU"], "570.1"),
        ("echo A GPU", ["A GPU"], None),
        ("echo A GPU, '[N/A]'", ["A GPU"], None),
        ("echo No devices were found", [], None),
        ("echo No devices were found; exit 6", [], None),
        ("echo No devices were found >&2; exit 6", [], None),
        ("echo '[Unknown Error], [Unknown Error]'", [], None),
        ("echo 'ERR!, 570.1'; echo A GPU, 570.1", ["A GPU"], "570.1"),
        ("true", [], None),
    ],
)
def test_driver(driver, script, names, version):
    """The driver's names take precedence over the backend's; its words for errors are no names."""
    assert driver(script) == fingerprint.Driver(names, version)
    assert fingerprint.accelerators(["TPU"]) == (names or ["TPU"])
    assert fingerprint.accelerators([]) == names


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo no driver >&2; exit 18", "nvidia-smi failed with status 18: no driver"),
        ("echo the reason; exit 9", "nvidia-smi failed with status 9: the reason"),
        ("exit 9", "nvidia-smi failed with status 9"),
        ("exec sleep 600", "nvidia-smi did not answer within 0.2 s"),
    ],
)
def test_driver_that_fails(driver, monkeypatch, script, problem):
    """If nvidia-smi fails or hangs, the problem is reported, and the id differs from those with and without a GPU."""
    monkeypatch.setattr(fingerprint, "PATIENCE", 0.2)
    ids = [fingerprint.identify(MODEL, ["A GPU"]).id]
    driver("true")
    ids.append(fingerprint.identify(MODEL, []).id)
    assert driver(script) == fingerprint.Driver(None, problem=problem)
    assert fingerprint.accelerators([]) is None
    assert fingerprint.accelerators(["A GPU"]) == ["A GPU"]
    assert fingerprint.identify(MODEL, []).id not in ids


def test_no_driver(monkeypatch, tmp_path):
    """Without nvidia-smi the accelerators are those of the backend, and no problem is reported."""
    monkeypatch.setenv("PATH", str(tmp_path))
    fingerprint.nvidia.cache_clear()
    assert fingerprint.nvidia() == fingerprint.Driver([])
    assert fingerprint.accelerators(["TPU", "A GPU"]) == ["A GPU", "TPU"]
    fingerprint.nvidia.cache_clear()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], None),
        (["-X", "dev"], "development mode"),
        (["-O"], "optimize 1"),
        (["-OO"], "optimize 2"),
    ],
)
def test_interpreter(options, expected):
    """Unusual modes of Python are named; the usual mode is not."""
    code = "from autoenc_bench.machine import fingerprint; print(fingerprint.interpreter())"
    done = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)


def test_garbage_collection():
    """Garbage collection that is off is an unusual mode."""
    gc.disable()
    try:
        assert "garbage collection off" in fingerprint.interpreter().split(", ")
    finally:
        gc.enable()
    assert "garbage collection off" not in (fingerprint.interpreter() or "")


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("always [madvise] never\n", None),
        ("[always] madvise never\n", "always"),
        ("always madvise [never]\n", "never"),
    ],
)
def test_huge_pages(tmp_path, text, mode):
    """The setting of huge pages is a fact if it is not madvise."""
    (tmp_path / "enabled").write_text(text)
    assert fingerprint.huge_pages(tmp_path / "enabled") == mode


def test_libraries():
    """The versions are those of Python and the packages, and NumPy's BLAS has a name."""
    assert fingerprint.libraries("tensorflow")["python"] == platform.python_version()
    assert set(fingerprint.libraries("tensorflow")) >= {"keras", "numpy", "tensorflow"}
    assert fingerprint.blas()


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
    """The limit is the smallest quota of the process's control groups, of either version."""
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
    """ARM cores are named by designer, part and board; without a part they have no name."""
    (tmp_path / "cpuinfo").write_text("\n".join(CORE.format(place, part) for place, part in enumerate(parts)))
    if board:
        (tmp_path / "model").write_text(board)
    assert fingerprint.arm_part(tmp_path / "cpuinfo", tmp_path / "model") == name


@pytest.mark.parametrize("cpu", [None, "unknown", "-", ""])
def test_cpu_without_a_name(monkeypatch, cpu):
    """If py-cpuinfo knows no name, the kernel's numbers replace it; without these the name is None."""
    monkeypatch.setattr(fingerprint, "arm_part", lambda: "ARM part 1")
    first = fingerprint.identify(cpu, [])
    monkeypatch.setattr(fingerprint, "arm_part", lambda: "ARM part 2")
    assert first.cpu == "ARM part 1"
    assert fingerprint.identify(cpu, []).id != first.id
    monkeypatch.setattr(fingerprint, "arm_part", giving(OSError()))
    assert fingerprint.identify(cpu, []).cpu is None


@pytest.mark.parametrize("setter", [sys.settrace, sys.setprofile])
def test_tracer(setter):
    """A tool that traces calls or lines is named by its module; tracing of allocations is reported as well."""
    before = sys.gettrace(), sys.getprofile()
    setter(giving(None))
    try:
        assert giving.__module__ in fingerprint.tracer().split(", ")
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    tracemalloc.start()
    try:
        assert "tracemalloc" in fingerprint.tracer().split(", ")
    finally:
        tracemalloc.stop()
    assert "tracemalloc" not in (fingerprint.tracer() or "")
