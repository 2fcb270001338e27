"""Kinds of cores are read from Linux, and a core of the fastest kind measures."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.machine import cores, threads

SPEEDS = {"capacity": "cpu_capacity", "clock": "cpufreq/cpuinfo_max_freq"}


@pytest.fixture
def devices(tmp_path):
    """Return a function that writes files as in /sys/devices: named kinds, or a speed for each core."""

    def write(named=(), **speeds):
        for name, text in dict(named).items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "cpus").write_text(f"{text}\n")
        for name, values in speeds.items():
            for core, value in enumerate(values):
                file = tmp_path / f"system/cpu/cpu{core}" / SPEEDS[name]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{value}\n")
        (tmp_path / "system/cpu/cpufreq").mkdir(parents=True, exist_ok=True)  # not a core
        return tmp_path

    return write


def chosen(devices, usable, count=1):
    """Return the cores on which a run would measure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cores, "kinds", lambda: original(devices))
        return threads.choose(count, usable)


original = cores.kinds


@pytest.mark.parametrize(
    ("files", "usable", "best", "kind"),
    [
        ({"named": {"cpu_core": "0-11", "cpu_atom": "12-19"}}, range(20), 11, "performance"),  # 12900H
        ({"named": {"cpu_core": "0-7", "cpu_atom": "8-15"}}, range(16), 7, "performance"),  # 1260P
        ({"named": {"cpu_core": "0-7", "cpu_atom": "8-15"}}, range(8, 16), 15, "efficiency"),  # by taskset
        ({"named": {"cpu_core": "0-3", "cpu_atom": ""}}, range(4), 3, None),  # efficiency cores are off
        ({"capacity": [1024] * 4 + [400] * 4}, range(8), 3, "capacity 1024"),
        ({"capacity": [400] * 4 + [700] * 3 + [1024]}, range(8), 7, "capacity 1024"),  # phones and boards
        ({"capacity": [400] * 4 + [1000, 1024]}, range(6), 5, "capacity 1024"),
        ({"capacity": [1024, 1024], "clock": [3e6, 1e6]}, range(2), 1, None),  # capacities count where they are
        ({"clock": [4.8e6] * 4 + [3.4e6] * 4}, range(8), 3, "4.8 GHz"),
        ({"clock": [5.1e6, 5.1e6, 4.9e6, 4.7e6]}, range(4), 3, None),  # favoured cores are of one kind
        ({}, range(4), 3, None),
    ],
)
def test_fastest(devices, files, usable, best, kind):
    """The last usable core of the fastest kind measures, and its kind is known if there are several."""
    folder = devices(**files)
    assert chosen(folder, list(usable)) == [best]
    assert cores.kind_of([best], cores.kinds(folder)) == kind


def test_more_than_there_are_of_a_kind(devices):
    """If the fastest kind has too few cores, cores of the next kind are added, and both kinds are named."""
    folder = devices(named={"cpu_core": "0-1", "cpu_atom": "2-5"})
    three = chosen(folder, list(range(6)), 3)
    assert sorted(three) == [0, 1, 5]
    assert cores.kind_of(three, cores.kinds(folder)) == "efficiency, performance"


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=16))
def test_kinds_are_at_least_a_tenth_apart(speeds):
    """The fastest core of a kind is more than a tenth slower than the fastest core of the kind before."""
    grouped = cores._grouped(dict(enumerate(speeds)), "{!r}")
    tops = [max(speed for core, speed in enumerate(speeds) if grouped[core] == kind) for kind in grouped.values()]
    for faster, slower in pairwise(tops):
        assert slower == faster or slower < cores.LIKE * faster


@pytest.mark.parametrize(("text", "expected"), [("0-3,8\n", [0, 1, 2, 3, 8]), ("5", [5]), ("\n", [])])
def test_numbers(text, expected):
    """Lists of cores are read in the form in which Linux writes them."""
    assert cores.numbers(text) == expected
