"""A session of a live comparison runs what it is asked for, and its rounds take turns with those of others."""

import os
import sys
from types import SimpleNamespace

import pytest
from suite_runs import ROOT, run_suite

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.gate.live.checkouts import Checkout
from autoenc_bench.gate.live.groups import STILL, Group
from autoenc_bench.plugin import turns
from autoenc_bench.records import reading

EPOCH = "epoch[digits-fused]"
CHOSEN = ("--backend=jax", "--scale=smoke", "--experiment=digits", "-k", "epoch and fused")


def kept(folder):
    """Return the names of the files that explain the epoch, by sides."""
    return [{path.name for path in (folder / "live" / "why" / side / EPOCH).iterdir()} for side in ("base", "head")]


@pytest.mark.slow
def test_group(tmp_path):
    """Four real sessions list their case, prepare it, count where asked to, take turns, save, and are sampled."""
    both = [
        Checkout(
            name=name, description="this", folder=ROOT, python=sys.executable, environment={"PYTHONPATH": str(ROOT)}
        )
        for name in ("base", "head")
    ]
    with Group(both, ("benchmarks/", *CHOSEN), tmp_path / "live", "1", lambda: None) as group:
        group.start()
        assert [list(facts.values()) for facts in group.cases] == [
            [{"phase": "epoch", "trainer": "fused", "name": f"test_{EPOCH}"}]
        ] * 2
        (case,) = group.cases[0]
        rehearsal = group.alone(case, range(4), 1, 300.0, dict.fromkeys((0, 3), "counts"))
        assert rehearsal.passed
        assert [len(one["times"]) for one in rehearsal.outcomes] == [1] * 4
        visit = group.visit(case, 8, rehearsal.outcomes[0]["times"][0])
        assert visit.passed
        assert visit.restless < 10 * STILL  # other tests may run meanwhile
        paths = group.end()
        assert kept(tmp_path) == [{"program-1.txt"}] * 2
        group.profile(case, 300.0)
    assert kept(tmp_path) == [{"program-1.txt", "profile.txt"}] * 2
    records = [reading.read(path)[0] for path in paths]
    assert [(one.autoenc.side, one.autoenc.pair) for one in records] == [
        ("base", "live-1-1"),
        ("head", "live-1-1"),
        ("base", "live-1-2"),
        ("head", "live-1-2"),
    ]
    for record, outcome in zip(records, visit.outcomes, strict=True):
        (benchmark,) = record.benchmarks
        noted = benchmark.extra_info.autoenc
        assert benchmark.name == f"test_{EPOCH}"
        assert benchmark.stats.times == outcome["times"]
        assert len(outcome["times"]) == len(noted.between) == len(noted.cpu) == 8
        others = 3 * sum(benchmark.stats.times)
        assert 0 <= sum(noted.between) < others / 2
        assert noted.reference is None
        assert record.autoenc.roofs is None
        if hasattr(os, "sched_getaffinity"):  # all measured on one core, whichever they were prepared on
            assert record.autoenc.conditions["cores"] == [max(os.sched_getaffinity(0))]
            assert record.autoenc.context["usable_cores"] == len(os.sched_getaffinity(0))
        assert not record.autoenc.skipped
        assert not record.autoenc.failed
    counts = [record.benchmarks[0].extra_info.autoenc.counts for record in records]
    assert counts[1:3] == [None, None]
    assert counts[0] == counts[3]  # of the rehearsal, also after a visit that did not count
    assert len(counts[0].programs) == 1


def test_facts():
    """A case is listed with its phase and trainer; one without any axes, which will fail, with its phase alone."""
    axes = SimpleNamespace(params={"experiment": "digits", "trainer": "fused"})
    case = SimpleNamespace(name=f"test_{EPOCH}", originalname="test_epoch", callspec=axes)
    assert turns._facts(case) == {"phase": "epoch", "trainer": "fused", "name": f"test_{EPOCH}"}
    case = SimpleNamespace(name="test_mine", originalname="test_mine")
    assert turns._facts(case) == {"phase": "mine", "trainer": None, "name": "test_mine"}


@pytest.mark.slow
def test_alone(tmp_path):
    """Without others, a run has the rounds and the reference workload that it always had, and no pair."""
    done = run_suite(tmp_path, *CHOSEN, "--no-roofs", "--no-report", "--benchmark-save=mine")
    assert done.status == 0, done.out
    record = reading.read(done.record)[0]
    (benchmark,) = record.benchmarks
    noted = benchmark.extra_info.autoenc
    assert noted.between is None
    assert len(noted.reference) == len(benchmark.stats.times) == 1  # as the scale says
    assert (record.autoenc.pair, record.autoenc.side) == (None, None)


@pytest.mark.slow
def test_what_cannot_be_collected(tmp_path):
    """A file of cases that cannot be imported stops a session, as it stops any other run."""
    broken = tmp_path / "test_broken.py"
    broken.write_text("from autoenc_bench.core import nothing_of_that_name\n")
    side = Checkout(
        name="base", description="this", folder=ROOT, python=sys.executable, environment={"PYTHONPATH": str(ROOT)}
    )
    options = ("benchmarks/", str(broken), *CHOSEN)
    made = Group([side, side], options, tmp_path / "live", "1", lambda: None)
    with made as group, pytest.raises(RunFailedError, match="nothing_of_that_name"):
        group.start()


@pytest.mark.slow
def test_broken(tmp_path):
    """A session that ends by an error of its own has not saved, and tells why."""
    (tmp_path / "broken.py").write_text("def pytest_runtest_logstart():\n    raise OSError('no space')\n")
    environment = {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    side = Checkout(name="base", description="this", folder=ROOT, python=sys.executable, environment=environment)
    options = ("benchmarks/", "-p", "broken", *CHOSEN)
    with Group([side, side], options, tmp_path / "live", "1", lambda: None) as group:
        group.start()
        (case,) = group.cases[0]
        with pytest.raises(RunFailedError, match=r"the base, this, could not run the suite: OSError: no space"):
            group.alone(case, range(4), 1, 300.0, {})
