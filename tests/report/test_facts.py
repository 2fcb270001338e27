"""What ran the suite is told in words, with units, and what is unknown is called so."""

import msgspec
import recordings

from autoenc_bench.report.facts import facts, roofs


def test_facts():
    """Machine, roofs, context and conditions are told in order."""
    told = facts(recordings.RUN)
    assert told[0] == ("machine", "0123456789ab")
    known = dict(told)
    assert known["cpu"] == "A CPU"
    assert known["memory"] == "8 GiB"
    assert known["accelerators"] == "none"
    assert known["compute roof"] == "100 GFLOP/s"
    assert (known["threads"], known["pinned"]) == ("1", "yes")
    assert known["clock"] == "2,600 MHz"
    assert known["load"] == "0.5 – 1"
    assert known["temperature"] == "unknown"
    assert known["cores"] == "1"


def test_missing_facts():
    """A missing fact is unknown, but no limit means none, and no threads means all."""
    run = msgspec.structs.replace(
        recordings.RUN,
        machine=msgspec.structs.replace(recordings.MACHINE, cpu=None, memory_gib=None),
        context={"threads": None, "pinned": False, "cpu_limit": None, "blas": None, "XLA_FLAGS": "a=1_2"},
        roofs=None,
    )
    known = dict(facts(run))
    assert (known["cpu"], known["memory"], known["blas"]) == ("unknown",) * 3
    assert (known["threads"], known["cpu limit"], known["pinned"]) == ("all", "no limit", "no")
    assert known["XLA_FLAGS"] == "a=1_2"
    assert not [name for name in known if "roof" in name]


def test_roofs():
    """Roofs have their units, and one that was not measured is unknown."""
    assert roofs(recordings.ROOFS) == [
        ("compute", "100 GFLOP/s"),
        ("memory", "10 GB/s"),
        ("exponentials", "1 billion/s"),
        ("dispatch", "50 µs per call"),
    ]
    assert roofs(msgspec.structs.replace(recordings.ROOFS, flops=None))[0] == ("compute", "unknown")
