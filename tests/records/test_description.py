"""A record is described in one line: the machine, the devices, the processes that share them, and versions."""

import histories
import msgspec
import pytest
import recordings

from autoenc_bench.records import description, loading

CPU = "tensorflow on CPU"


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({}, CPU),
        ({"devices": 2}, CPU),  # a record of one process does not name the processes
        ({"devices": 1, "processes": 1}, f"{CPU}, 1 device"),
        ({"devices": 2, "processes": 1}, f"{CPU}, 2 devices"),
        ({"devices": 2, "processes": 2}, f"{CPU}, 2 devices in 2 processes"),
        ({"devices": 4, "processes": 2, "virtual_devices": True}, f"{CPU}, 4 virtual devices in 2 processes"),
    ],
)
def test_setting(context, words):
    """The setting names the number of devices if the record does, and the number of processes if there are several."""
    run = msgspec.structs.replace(recordings.RUN, context={**recordings.RUN.context, **context})
    assert description.run_setting(run).split(" · ") == [
        "A CPU, 2 cores",
        "8 GiB, Linux x86_64",
        "machine 0123456789ab",
        words,
        "1 thread pinned",
        "scale standard, 1 seed",
        "tensorflow 2.2, keras 3.1",
    ]


@pytest.mark.parametrize("name", ["", " ", "-", "unknown", "Unknown", " UNKNOWN ", "none", "n/a", None, 7, ["A CPU"]])
def test_unknown_cpus(name):
    """A word for an unknown CPU is no name."""
    assert description.cpu_name(name) is None


def test_cpu_name():
    """Any other text is the name of a CPU, without the spaces around it."""
    assert description.cpu_name(" A CPU ") == "A CPU"


@pytest.mark.parametrize(
    ("info", "machine"),
    [
        ({"cpu": {"brand_raw": "A CPU"}}, "A CPU"),
        ({"cpu": {"brand": "A CPU"}}, "A CPU"),  # of older versions
        ({"cpu": {"brand_raw": "unknown", "brand": "A CPU"}}, "A CPU"),
        ({"cpu": {"brand_raw": "unknown"}}, None),
        ({"cpu": {"count": 2}}, None),
        ({"cpu": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_machine_of_a_plain_record(tmp_path, info, machine):
    """The machine of a plain record is its CPU, whose field has another name in older versions."""
    found = recordings.content(run=None, entries=[recordings.plain("test_a", [1.0])])
    source = loading.read_record(recordings.save(tmp_path, {**found, "machine_info": info}))
    assert source.machine == source.machine_info.cpu == machine


@pytest.mark.parametrize(("cpu", "machine"), [("A CPU", "0123456789ab"), ("-", None), (None, None)])
def test_machine_of_this_suite(tmp_path, cpu, machine):
    """The machine of a record of this suite is its id, unless the CPU is unknown."""
    found = histories.content(0, machine=msgspec.structs.replace(recordings.MACHINE, cpu=cpu))
    assert loading.read_record(recordings.save(tmp_path, found)).machine == machine


def test_facts(tmp_path):
    """The facts are this suite's context, or the cores, system and Python that pytest-benchmark notes."""
    ours = loading.read_record(recordings.save(tmp_path))
    assert ours.facts == recordings.RUN.context
    found = recordings.content(run=None, entries=[recordings.plain("test_a", [1.0])])
    found["machine_info"] |= {"machine": "x86_64", "python_implementation": "CPython", "python_version": "3.11.7"}
    found["machine_info"]["cpu"]["count"] = 8
    plain = loading.read_record(recordings.save(tmp_path, found))
    assert plain.facts == {"cores": 8, "system": "Linux x86_64", "python": "CPython 3.11.7"}
    assert plain.setting == "a-host · A CPU · Linux x86_64 · CPython 3.11.7 · pytest-benchmark 5.3.1"
    bare = loading.read_record(recordings.save(tmp_path, {**found, "machine_info": {"cpu": {"count": "8"}}}))
    assert (bare.facts, bare.setting) == ({}, "pytest-benchmark 5.3.1")
