"""The facts of a run have units, and missing ones are unknown."""

import msgspec
import recordings

from autoenc_bench.report.facts import facts, roofs


def test_facts():
    """Machine, roofs, context and conditions are listed in this order."""
    pairs = facts(recordings.RUN)
    assert pairs[0] == ("machine", "0123456789ab")
    values = dict(pairs)
    assert values["cpu"] == "A CPU"
    assert values["memory"] == "8 GiB"
    assert values["accelerators"] == "none"
    assert values["compute roof"] == "100 GFLOP/s"
    assert (values["threads"], values["pinned"]) == ("1", "yes")
    assert values["clock"] == "2,600 MHz"
    assert values["load"] == "0.5 – 1"
    assert values["temperature"] == "unknown"
    assert values["core numbers"] == "1"


def test_missing_facts():
    """A missing fact is unknown, but no limit means none, and no threads means all."""
    run = msgspec.structs.replace(
        recordings.RUN,
        machine=msgspec.structs.replace(recordings.MACHINE, cpu=None, memory_gib=None),
        context={"threads": None, "pinned": False, "cpu_limit": None, "blas": None, "XLA_FLAGS": "a=1_2"},
        roofs=None,
    )
    values = dict(facts(run))
    assert (values["cpu"], values["memory"], values["blas"]) == ("unknown",) * 3
    assert (values["threads"], values["cpu limit"], values["pinned"]) == ("all", "no limit", "no")
    assert values["XLA_FLAGS"] == "a=1_2"
    assert not [name for name in values if "roof" in name]


def test_roofs():
    """Roofs have their units, and one that was not measured is unknown."""
    assert roofs(recordings.ROOFS) == [
        ("compute", "100 GFLOP/s"),
        ("memory", "10 GB/s"),
        ("exponentials", "1 billion/s"),
        ("dispatch", "50 µs per call"),
    ]
    assert roofs(msgspec.structs.replace(recordings.ROOFS, flops=None))[0] == ("compute", "unknown")
