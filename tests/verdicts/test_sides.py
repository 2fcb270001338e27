"""The runs of a side are gathered into cases, the seeds of an experiment into one case."""

import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.records import loading
from autoenc_bench.records.record import Benchmark
from autoenc_bench.verdicts import sides
from autoenc_bench.verdicts.counts import Usage


def gather(folder, **changes):
    """Gather one run of two seeds; ``changes`` are fields of both, by seed."""
    entries = []
    for seed, seconds in ((0, 1.0), (1, 4.0)):
        own = {name: values[seed] for name, values in changes.items()}
        entries.append(recordings.benchmark(recordings.whole("digits", seed=seed, **own), seconds, rounds=1))
    path = recordings.save(folder, recordings.content(entries=entries))
    (observed,) = sides.gather([loading.read_record(path, pictured=False)]).cases.values()
    return observed


def test_largest_peak(tmp_path):
    """The peak of a run is the largest of its seeds."""
    peaks = [msgspec.structs.replace(recordings.MEMORY, peak=peak) for peak in (2.0**30, 2.0**29)]
    for place, order in enumerate((peaks, peaks[::-1])):
        assert gather(tmp_path / str(place), memory=order).memory == [pytest.approx(np.log(2.0**30))]


def test_usage_of_each_seed(tmp_path):
    """Each seed's CPU seconds are a share of its own round."""
    assert gather(tmp_path, cpu=[[0.5], [2.0]]).usage == [Usage(0.5, None), Usage(0.5, None)]


def test_no_usage_without_rounds():
    """Without rounds in the record, the usage is unknown."""
    whole = msgspec.convert(recordings.benchmark(recordings.whole("digits", cpu=[0.5]), 1.0, rounds=1), Benchmark)
    assert sides._usage(whole) == Usage(0.5, None)
    timing = msgspec.structs.replace(whole.stats, data=None)
    assert sides._usage(msgspec.structs.replace(whole, stats=timing)) is None


OLDER = {"family": 6, "model": 79, "stepping": 0, "l3_cache_size": 2**25}


@pytest.fixture
def side(tmp_path):
    """Return a function that makes a side of records with one machine id, each on a CPU of the given kind."""

    def make(*kinds):
        sources = []
        for number, kind in enumerate(kinds):
            found = recordings.content(("digits",))
            found["machine_info"]["cpu"] |= kind
            sources.append(loading.read_record(recordings.save(tmp_path, found, f"kind-{number}"), pictured=False))
        return sides.gather(sources)

    return make


@pytest.mark.parametrize(
    ("base", "head", "differs"),
    [
        (OLDER, OLDER, ""),
        (OLDER, OLDER | {"model": 85}, "family 6 model 79 stepping 0 L3 32 MiB) → 0123456789ab (family 6 model 85"),
        (OLDER, OLDER | {"l3_cache_size": 2**26}, "L3 32 MiB) → 0123456789ab (family 6 model 79 stepping 0 L3 64 MiB)"),
        (OLDER, {}, ""),
        (OLDER, {"family": 6}, ""),
    ],
)
def test_kinds_of_own_records(side, base, head, differs):
    """One machine id with two kinds of CPU is two machines; a part that one record lacks does not count."""
    found = sides.compare_contexts(side(base).context, side(head).context, ())
    assert differs in found.forbidden
    assert bool(found.forbidden) == bool(differs)
    assert found.facts == ({"machine"} if differs else set())
    allowed = sides.compare_contexts(side(base).context, side(head).context, {"machine"})
    assert (allowed.forbidden, differs in allowed.allowed) == ("", True)


def test_kinds_within_a_side(side):
    """All runs of a side must be of one kind, as far as they name it."""
    assert side({}, {"family": 6}, OLDER).context.kind["model"] == "79"
    with pytest.raises(ValueError, match="are on one side, but differ in machine"):
        side({}, OLDER, OLDER | {"stepping": 1})
