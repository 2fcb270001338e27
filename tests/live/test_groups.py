"""Two pairs of processes are interleaved in a balanced order, and all end together when one of them fails."""

import os
from collections import Counter
from itertools import cycle, islice, pairwise
from math import inf

import pytest
import standins
from standins import EPOCH, FILE, SECONDS

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live import groups, members, processes
from autoenc_bench.live.groups import CYCLES, PLACES, SIDE_OF_PLACE, Group
from autoenc_bench.live.processes import Suite, SuiteFailedError
from autoenc_bench.plugin.messages import Item
from autoenc_bench.records import loading

WHOLE = "experiment[digits-fused-seed0]"


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Return a function that makes a group of stand-ins; no process may be left at the end."""
    monkeypatch.setattr(members, "TICK", 0.02)

    def make(**given):
        return Group(standins.sides(tmp_path, **given), ("-k", "x"), tmp_path / "store", "1", lambda: None)

    yield make
    assert standins.left(tmp_path) == []


def places(order):
    """Return the places of rounds as the processes logged them: 0 and 1 are a pair, and so are 2 and 3."""
    return [2 * (int(pair[-1]) - 1) + (side == "head") for what, side, pair, _ in order if what == "round"]


def check_balance(order):
    """Check that the order of rounds is balanced over sides and places."""
    following = Counter(pairwise(order))
    assert len({following[0, 1], following[1, 0], following[2, 3], following[3, 2]}) == 1
    assert not any(one == other for one, other in following)
    for place in PLACES:  # the first of a pair follows both places of the other pair equally often
        others = {0: (2, 3), 1: (0, 1)}[place // 2]
        assert following[others[0], place] == following[others[1], place] > 0
    before = Counter(
        (SIDE_OF_PLACE[one], SIDE_OF_PLACE[other]) for one, other in pairwise(order) if one // 2 != other // 2
    )
    assert before[0, 0] + before[1, 0] == before[0, 1] + before[1, 1]
    assert before[0, 0] == before[1, 0]
    assert before[0, 1] == before[1, 1]


def outcomes(results):
    """Return how a case ended in each process."""
    return [ended.outcome for ended in results.ended.values()]


def test_cycles():
    """A pair's two follow each other in either order equally often, no place twice in a row, all once in a cycle."""
    assert all(sorted(one) == [0, 1, 2, 3] for one in CYCLES)
    turns = [place for one in islice(cycle(CYCLES), 3 * len(CYCLES)) for place in one]
    check_balance([*turns, turns[0]])
    for number in range(4):  # in each position equally often
        assert Counter(one[number // 2 * 2] % 2 for one in CYCLES) == {0: 2, 1: 2}


def test_turns(group, tmp_path):
    """The processes run their rounds in the order of the cycles, as many as requested and one to warm up."""
    with group() as both:
        both.start()
        visit = both.interleave(FILE + EPOCH, 7, SECONDS)
    order = places(standins.logged(tmp_path))
    assert order == [place for one in 2 * CYCLES for place in one]
    check_balance([*order, order[0]])
    assert outcomes(visit) == ["passed"] * 4
    assert [len(one.times) for one in visit.ended.values()] == [7, 7, 7, 7]
    assert visit.background == 0.0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not pin")
@pytest.mark.parametrize("measuring", [0, -1])
def test_cores(group, tmp_path, measuring):
    """Pairs are prepared on different cores, and measured on the head's, also if the base's code chooses another."""
    cores = sorted(os.sched_getaffinity(0))
    with group(base={"core": -1 - measuring}, head={"core": measuring}) as both:
        both.start()
        both.run(FILE + EPOCH, range(4), 1, 60.0, {})
        used = [set(process.cpu_affinity()) for process in standins.running(tmp_path)]
        assert {frozenset(one) for one in used} == {frozenset([core]) for core in cores[:2]}
        both.interleave(FILE + EPOCH, 8, SECONDS)
        assert [process.cpu_affinity() for process in standins.running(tmp_path)] == [[cores[measuring]]] * 4


def test_pairs_are_made_of_both_sides(group):
    """Each pair has a record of either side, with the pair's name and its interleaved rounds."""
    with group() as both:
        both.start()
        both.interleave(FILE + EPOCH, 8, SECONDS)
        paths = both.end()
    runs = [loading.read_record(path, pictured=False).record for path in paths]
    assert [run.autoenc.pair for run in runs] == ["store-1-1", "store-1-1", "store-1-2", "store-1-2"]
    assert [path.parents[2].name for path in paths] == ["base", "head", "base", "head"]
    assert [len(run.benchmarks[0].stats.times) for run in runs] == [8] * 4
    assert [len(run.benchmarks[0].extra_info.autoenc.between) for run in runs] == [8] * 4


def test_alone(group, tmp_path):
    """A case whose time does not count runs in the requested places only, without interleaving."""
    with group() as both:
        both.start()
        visit = both.run(FILE + WHOLE, [0, 1], 0, 60.0, {})
    ran = [(side, pair, case) for what, side, pair, case in standins.logged(tmp_path) if what == "visit"]
    assert sorted(ran) == [("base", "1-1", WHOLE), ("head", "1-1", WHOLE)]
    assert sorted(visit.ended) == [0, 1]
    assert outcomes(visit) == ["passed"] * 2


def test_cases(group):
    """Each side has its own list of cases."""
    with group(head={"cases": ["epoch[digits-other]"]}) as both:
        both.start()
        base, head = both.cases
    assert set(base) == {FILE + EPOCH, FILE + WHOLE}
    assert set(head) == {f"{FILE}epoch[digits-other]"}
    assert base[FILE + EPOCH] == Item(f"test_{EPOCH}", "epoch")


@pytest.mark.parametrize("do", ["failed", "skipped"])
def test_failing_case(group, do):
    """A case that fails in one process is finished by the others, and the next one can be visited."""
    with group(head={"faults": [{"do": do, "pair": "1-2", "round": 3, "case": EPOCH}]}) as both:
        both.start()
        visit = both.interleave(FILE + EPOCH, 8, SECONDS)
        again = both.run(FILE + WHOLE, range(4), 0, 60.0, {})
    assert outcomes(visit) == ["passed", "passed", "passed", do]
    assert [len(one.times) for one in visit.ended.values()] == [8, 8, 8, 0]
    assert visit.ended[3].reason == "AttributeError: no such thing"
    assert outcomes(again) == ["passed"] * 4


def test_background(group):
    """A process that computes while it waits for its round is noticed."""
    with group(head={"between": 1000.0}) as both:
        both.start()
        assert both.interleave(FILE + EPOCH, 8, SECONDS).background > groups.BACKGROUND


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("exit", "could not run the suite: out of luck"),
        ("kill", "was killed by SIGKILL, as when memory runs out"),
        ("hang", "sent no reply for 60 s"),
        ("print", "printed more than 0 MB"),
    ],
)
def test_one_ends(group, tmp_path, monkeypatch, do, reason):
    """A process that ends or hangs ends its group, with the side and the reason."""
    monkeypatch.setattr(processes, "OUTPUT", 100_000)
    monkeypatch.setattr(processes, "monotonic", lambda: inf if standins.hangs(tmp_path) else 0.0)
    with group(head={"faults": [{"do": do, "turns": True, "round": 3}]}) as both:
        both.start()
        with pytest.raises(SuiteFailedError, match=f"^the head, code of the head, {reason}$"):
            both.interleave(FILE + EPOCH, 8, SECONDS)


# A member that cannot be started leaves its socket and output to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_start(tmp_path):
    """A missing interpreter is refused, and processes that had started are ended."""
    base, head = standins.sides(tmp_path, base={"faults": [{"do": "hang", "case": "starting"}]})
    gone = Suite(name="head", description="x", folder=tmp_path, python=tmp_path / "gone")
    with pytest.raises(RunFailedError, match=r"the suite could not be started: .*No such file"):
        Group((base, gone), (), tmp_path / "store", "1", lambda: None)
    assert standins.left(tmp_path) == []
    assert head.python.exists()


def test_jumped(group, monkeypatch):
    """A clock that was set, or a machine that slept, is noticed; a small drift is not."""
    with group() as both:
        assert both.clock_jump == 0.0
        now = groups.time()
        monkeypatch.setattr(groups, "time", lambda: now + 3600)
        assert both.clock_jump == pytest.approx(3600, abs=60)
        monkeypatch.setattr(groups, "time", lambda: now - 3600)
        assert both.clock_jump == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(("cores", "sharing"), [([0, 1, 2, 3, 4], 2), ([0, 1], 2), ([0, 1, 2], 2), ([0], 4), ([], 1)])
def test_sharing(group, monkeypatch, cores, sharing):
    """A pair shares a core, and both pairs share an only one; without pinning none is shared."""
    monkeypatch.setattr(members, "usable_cores", lambda: cores)
    with group() as both:
        assert both.sharing == sharing
