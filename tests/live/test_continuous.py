"""A live comparison measures group by group until all cases are decided, and keeps its data when a process fails."""

import signal
from collections import Counter
from math import inf
from types import SimpleNamespace

import pytest
import standins
from standins import EPOCH, WHOLE, Clock

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live import continuous, groups, members, processes
from autoenc_bench.live.continuous import CASES, DECIDED, FAILED, INTERRUPTED, SPENT, TRIES, bounded
from autoenc_bench.live.groups import Group
from autoenc_bench.live.processes import Process, SuiteFailedError
from autoenc_bench.plugin.messages import Ended
from autoenc_bench.verdicts import status
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.interim import SequentialComparison

SEEDED = "experiment[digits-fused-seed0]"
OTHER = "encode[digits-bulk]"
NOISY = {"spread": 0.05, "apart": 0.03}
EXIT, KILL, HANG, PRINT = ("exit", "kill", "hang", "print")


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that advances as the processes would take time."""
    return Clock(monkeypatch)


@pytest.fixture
def live(tmp_path, monkeypatch):
    """Return a function that measures stand-ins: (last analysis, all analyses); no process may be left at the end."""
    monkeypatch.setattr(members, "TICK", 0.02)
    monkeypatch.setattr(processes, "TICK", 0.02)

    def measure(budget=600.0, progress=lambda *_: None, **given):
        shown = standins.measure(standins.sides(tmp_path, **given), tmp_path, budget, progress)
        return shown[-1], shown

    yield measure
    assert standins.left(tmp_path) == []


@pytest.fixture
def ctrl_c():
    """Let an interrupt raise KeyboardInterrupt, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def outcomes(analysis):
    """Return each case's outcome of time, or of its error where it has no time."""
    return {one.case: (one.time or one.error).outcome for one in analysis.comparison.verdicts}


def visits(folder, case):
    """Count by (side, pair) how often processes ran a case."""
    return Counter(
        (side, pair) for what, side, pair, name in standins.logged(folder) if (what, name) == ("visit", case)
    )


def counted(folder):
    """Count by (side, pair, case) how often processes ran the instrumentation pass."""
    return Counter((side, pair, case) for what, side, pair, case in standins.logged(folder) if what == "count")


# Verdicts


@pytest.mark.parametrize(("ratio", "outcome"), [(1.3, Outcome.REGRESSED), (0.7, Outcome.IMPROVED)])
def test_change(live, ratio, outcome):
    """A slower head is found long before the budget is spent, as is a faster one, and measuring ends."""
    analysis, shown = live(head={"ratio": ratio})
    assert outcomes(analysis)[EPOCH] is outcome
    assert analysis.ended == DECIDED
    assert analysis.groups <= 4
    assert analysis.open == frozenset()
    assert [one.ended for one in shown[:-1]] == [""] * (len(shown) - 1)
    assert [one.groups for one in shown] == list(range(1, len(shown) + 1))
    assert analysis.measured.startswith(f"{2 * analysis.groups} pairs of processes in ")
    assert analysis.measured.endswith(f" s, until {DECIDED}")


def test_no_change(live):
    """Equal sides end as unchanged, also where rounds vary by more than the limit, because a pair varies together."""
    analysis, _ = live(both={"noise": 0.5})
    assert outcomes(analysis) == {EPOCH: Outcome.UNCHANGED, WHOLE: Outcome.UNCHANGED}
    assert analysis.ended == DECIDED
    assert analysis.comparison.lost == {}


@pytest.mark.usefixtures("clock")
def test_errors_cost_one_run_each(live, tmp_path):
    """A whole experiment runs in the first group, in one process per side, and that decides its error."""
    analysis, _ = live(head={"error": 6.0}, both=NOISY, budget=180.0)
    assert analysis.groups > 1
    assert {one.case: one for one in analysis.comparison.verdicts}[WHOLE].error.outcome is Outcome.REGRESSED
    assert visits(tmp_path, SEEDED) == {("base", "1-1"): 1, ("head", "1-1"): 1}


@pytest.mark.usefixtures("clock")
def test_what_is_closed_is_visited_no_more(live, tmp_path):
    """A decided case is not visited again while another one is still measured."""
    both = {"cases": (EPOCH, "build[digits-x]", OTHER), "noisy": OTHER}
    analysis, shown = live(both=both, head={"ratio": 1.3}, budget=120.0)
    closed = next(one.groups for one in shown if EPOCH not in one.open)
    assert closed < analysis.groups
    assert {int(pair[0]) for _, pair in visits(tmp_path, EPOCH)} == set(range(1, closed + 1))
    assert {int(pair[0]) for _, pair in visits(tmp_path, OTHER)} == set(range(1, analysis.groups + 1))


def test_the_most_telling_first(live, tmp_path):
    """Steady epochs and errors come first, because they are the most informative for their time."""
    cases = ("untouched_fit[digits-fused]", "first_call[digits-fused]", "build[digits-x]", OTHER, EPOCH)
    live(both={"cases": cases})
    order = dict.fromkeys(
        case for what, side, pair, case in standins.logged(tmp_path) if (what, pair) == ("round", "1-1")
    )
    assert tuple(order) == (EPOCH, OTHER, "build[digits-x]", "first_call[digits-fused]", "untouched_fit[digits-fused]")


def test_new_and_missing_cases(live):
    """A case that only the head has is new, one that only the base has is missing, and measuring waits for neither."""
    analysis, _ = live(base={"cases": (EPOCH, OTHER)}, head={"cases": ("epoch[digits-other]", OTHER)})
    assert analysis.ended == DECIDED
    assert outcomes(analysis) == {"epoch[digits-other]": Outcome.NEW, EPOCH: Outcome.MISSING, OTHER: Outcome.UNCHANGED}


def test_new_case_that_fails(live):
    """A case that only the head has, and that fails there, is reported as the head's."""
    faults = [{"do": "failed", "case": EPOCH}]
    analysis, _ = live(base={"cases": [OTHER]}, head={"cases": (EPOCH, OTHER), "faults": faults})
    assert analysis.comparison.lost[EPOCH].startswith("the head, code of the head, cannot run")


def test_only_errors(live):
    """Where only whole experiments are selected, their errors are compared, and no rounds are interleaved."""
    analysis, _ = live(both={"cases": [SEEDED]}, head={"error": 6.0})
    assert {one.case: one.error.outcome for one in analysis.comparison.verdicts} == {WHOLE: Outcome.REGRESSED}
    assert analysis.ended == DECIDED


def test_what_differs_is_under_test(live):
    """Another version of Keras on one side is reported as what the comparison tests."""
    analysis, _ = live(head={"ratio": 1.3, "context": {"keras": "3.2"}})
    assert analysis.comparison.tested == "keras 3.1 → 3.2"
    assert outcomes(analysis)[EPOCH] is Outcome.REGRESSED


def test_base_that_cannot_run_a_case(live):
    """A case of the head's benchmarks that fails on the base is refused, because it would pass as new."""
    faults = [{"do": "failed", "case": EPOCH}]
    with pytest.raises(
        RunFailedError, match=r"the base, code of the base, cannot run epoch\[digits-fused\]: Attribute"
    ):
        live(base={"faults": faults}, both={"cases": (EPOCH, OTHER, SEEDED)})


def test_base_that_cannot_run_any(live):
    """The reason is also reported where no other case is measured."""
    with pytest.raises(
        RunFailedError, match=r"the base, code of the base, cannot run epoch\[digits-fused\]: Attribute"
    ):
        live(base={"faults": [{"do": "failed", "case": EPOCH}]})


@pytest.mark.parametrize("do", ["failed", "skipped"])
def test_head_that_cannot_run_a_case(live, tmp_path, do):
    """A case that fails on the head is missing with the reason, and is not visited again."""
    analysis, _ = live(head={"faults": [{"do": do, "case": EPOCH}]}, both={"cases": (EPOCH, OTHER)})
    verdict = {one.case: one for one in analysis.comparison.verdicts}[EPOCH]
    reason = f"{do} in all 2 runs of the head: AttributeError: no such thing"
    assert (verdict.time.outcome, verdict.time.reason) == (Outcome.MISSING, reason)
    assert {pair[0] for _, pair in visits(tmp_path, EPOCH)} == {"1"}
    assert analysis.ended == DECIDED


def test_skipped_by_both(live):
    """A case that neither side can run is reported, and measuring does not wait for it."""
    analysis, _ = live(both={"faults": [{"do": "skipped", "case": EPOCH}], "cases": (EPOCH, OTHER)})
    reason = f"the base, code of the base, cannot run {EPOCH}: AttributeError: no such thing"
    assert analysis.comparison.lost == {EPOCH: reason}
    assert analysis.ended == DECIDED


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("side", ["base", "head"])
def test_failed_in_a_later_group(live, side):
    """A case that fails after it was measured is reported, beside its earlier measurements and those of others."""
    faults = [{"do": "failed", "case": EPOCH, "pair": "2-1"}]
    analysis, _ = live(both={**NOISY, "cases": (EPOCH, OTHER)}, **{side: {"faults": faults}}, budget=200.0)
    assert analysis.groups > 1
    reason = f"the {side}, code of the {side}, cannot run {EPOCH}: AttributeError: no such thing"
    assert analysis.comparison.lost == {EPOCH: reason}
    assert reason in status.of(analysis.comparison).reason


# Instrumentation


@pytest.mark.usefixtures("clock")
def test_counted_once(live, tmp_path):
    """One base and one head run the instrumentation pass, in the first group, and never for a whole experiment."""
    analysis, _ = live(both={**NOISY, "cases": (EPOCH, OTHER, SEEDED)}, budget=180.0)
    assert analysis.groups > 1
    assert counted(tmp_path) == {(side, "1-1", case): 1 for side in ("base", "head") for case in (EPOCH, OTHER)}


def test_counted_by_another_group(live, tmp_path):
    """Where the first group is lost, the next one runs the instrumentation pass."""
    faults = [{"do": KILL, "case": EPOCH, "turns": True, "pair": "1-2"}]
    analysis, _ = live(head={"faults": faults}, both={"cases": (EPOCH, OTHER)})
    assert EPOCH in analysis.comparison.lost
    assert {one.case: one.counts.outcome for one in analysis.comparison.verdicts} == {OTHER: Outcome.UNCHANGED}
    assert {key for key in counted(tmp_path) if key[2] == OTHER} == {(side, "2-1", OTHER) for side in ("base", "head")}


@pytest.mark.parametrize(
    ("head", "outcome", "cause"),
    [
        ({}, Outcome.UNCHANGED, "counts are equal, so the cause is the runtime"),
        ({"calls": 4}, Outcome.CHANGED, "Python's calls changed: +1 calls in a step: model:step 4 × instead of 3"),
        ({"program": "another"}, Outcome.CHANGED, "the program changed: the same instructions with other shapes"),
    ],
)
def test_counts(live, tmp_path, head, outcome, cause):
    """Counts are judged, and they are the cause of a time that changed."""
    analysis, _ = live(head={"ratio": 1.3, **head})
    (verdict,) = (one for one in analysis.comparison.verdicts if one.case == EPOCH)
    assert verdict.counts.outcome is outcome
    assert verdict.explained.startswith(cause)
    kept = {side: (tmp_path / f"store/why/{side}/{EPOCH}/program-1.txt").read_text() for side in ("base", "head")}
    assert (kept["base"] == kept["head"]) is ("program" not in head)


def test_node_ids(tmp_path):
    """Node ids are kept by the names in verdicts, so that a case can run again."""
    comparison = standins.comparison(standins.sides(tmp_path, both={"cases": (EPOCH, SEEDED)}), tmp_path)
    comparison.measure(lambda _: None)
    assert comparison.nodeids == {EPOCH: standins.FILE + EPOCH, WHOLE: standins.FILE + SEEDED}


# Budget


@pytest.mark.usefixtures("clock")
def test_time_spent(live):
    """No group begins that would end after the budget; cases that are open then are undecided."""
    analysis, shown = live(both=NOISY, budget=100.0)
    assert analysis.ended == SPENT
    assert analysis.groups > 1
    assert analysis.seconds <= 100.0 < analysis.seconds + analysis.next_group
    assert analysis.open == {EPOCH}
    assert outcomes(analysis)[EPOCH] is Outcome.UNDECIDED
    assert [one.ended for one in shown[:-1]] == [""] * (len(shown) - 1)


@pytest.mark.parametrize("budget", [75.0, 60.0])
@pytest.mark.usefixtures("clock")
def test_the_budget_is_kept(live, budget):
    """No group begins that would end after the budget, also when its cases get more rounds than before."""
    analysis, _ = live(both=NOISY, budget=budget)
    assert analysis.seconds <= budget


@pytest.mark.usefixtures("clock")
def test_the_last_look(live, monkeypatch):
    """The analysis after the budget is spent is the final one, and may spend the remaining error rate."""
    last = []
    original = SequentialComparison.analyse

    def look(self, *arguments, **options):
        last.append(options["last"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(SequentialComparison, "analyse", look)
    live(both=NOISY, budget=100.0)
    assert last == [False] * (len(last) - 1) + [True]
    assert len(last) > 1


@pytest.mark.usefixtures("clock")
def test_unreached(live):
    """Cases that the budget was too small for are reported as such."""
    cases = (EPOCH, *(f"encode[digits-{number}]" for number in range(5)))
    analysis, _ = live(both={"cases": cases}, budget=Clock.STARTING + 20)
    assert analysis.ended == SPENT
    measured = {one.case for one in analysis.comparison.verdicts}
    assert EPOCH in measured
    assert analysis.comparison.lost == dict.fromkeys(sorted({*cases} - measured), "the time was too short")
    assert analysis.comparison.lost


@pytest.mark.usefixtures("clock")
def test_too_little_time(live):
    """Where the budget is spent before anything was measured there is no verdict, and a message says what to do."""
    with pytest.raises(RunFailedError, match=r"^the time was spent before anything was measured; give more with --bu"):
        live(budget=1.0)


@pytest.mark.parametrize(("budget", "expected"), [(1.9, []), (2.1, [4]), (10.1, [24]), (600.0, [60])])
def test_rounds_within_the_budget(tmp_path, monkeypatch, budget, expected):
    """A case has as many rounds as fit into the remaining budget, beside the warm-up; where few fit, it has none."""
    monkeypatch.setattr(continuous, "monotonic", lambda: 0.0)
    visits, results = [], groups.Results(dict.fromkeys(range(4), Ended("passed", times=[0.1])), 0.0)
    group = SimpleNamespace(
        sharing=1, run=lambda *_: results, interleave=lambda _case, rounds, _usual: visits.append(rounds) or results
    )
    comparison = standins.comparison(standins.sides(tmp_path), tmp_path, budget)
    monkeypatch.setattr(continuous, "FIRST", 60 * 0.1 * 4)
    assert comparison._visit(group, "a case", EPOCH)
    assert visits == expected


@pytest.mark.parametrize(("wanted", "rounds"), [(0.0, 8), (8.9, 8), (10.1, 12), (59.0, 60), (1e9, 60)])
def test_bounded(wanted, rounds):
    """The number of rounds lets each process come equally often in each position, within limits."""
    assert bounded(wanted) == rounds


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("samples", [True, False])
def test_samples(tmp_path, monkeypatch, samples):
    """Changed cases are sampled, within a share of the budget, unless samples are switched off."""
    profile, within = Group.profile, []
    monkeypatch.setattr(Group, "profile", lambda *given: within.append(given[2]) or profile(*given))
    comparison = standins.comparison(standins.sides(tmp_path, head={"ratio": 1.3}), tmp_path)
    comparison.samples = samples
    activities = []
    comparison.progress = lambda activity, _: activities.append(activity)
    comparison.measure(lambda _: None)
    assert ("profile" in {what for what, *_ in standins.logged(tmp_path)}) == samples
    assert (activities[-1] == "sampling what changed") == samples
    assert within == [pytest.approx(continuous.SAMPLING * 600)] * samples


# Failures


@pytest.mark.parametrize("turns", [False, True], ids=["rehearsal", "turns"])
@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (EXIT, "could not run the suite: out of luck"),
        (KILL, "was killed by SIGKILL, as when memory runs out"),
        (PRINT, "printed more than 0 MB"),
    ],
)
def test_a_case_that_ends_its_process(live, monkeypatch, tmp_path, do, reason, turns):
    """A case in which a process dies is reported as lost; other processes measure the rest."""
    monkeypatch.setattr(processes, "OUTPUT", 100_000)
    faults = [{"do": do, "case": EPOCH, "turns": turns, "pair": "1-2"}]
    analysis, _ = live(head={"faults": faults}, both={"cases": (EPOCH, OTHER, SEEDED)})
    assert analysis.comparison.lost == {EPOCH: f"the head, code of the head, {reason}"}
    assert outcomes(analysis) == {OTHER: Outcome.UNCHANGED, WHOLE: Outcome.UNCHANGED}
    assert analysis.ended == DECIDED
    assert {pair[0] for _, pair in visits(tmp_path, EPOCH)} == {"1"}
    assert {pair[0] for _, pair in visits(tmp_path, OTHER)} >= {"2"}


@pytest.fixture
def patience(monkeypatch, tmp_path):
    """Raise TimeoutError once for each process that hangs, and at no other time."""
    check, ended = Process.check, Counter()

    def check_by_events(process, _until):
        check(process, inf)
        hanging = Counter(side for what, side, *_ in standins.logged(tmp_path) if what == "hang")
        if ended[process.suite.name] < hanging[process.suite.name]:
            ended[process.suite.name] += 1
            raise TimeoutError

    monkeypatch.setattr(Process, "check", check_by_events)


@pytest.mark.usefixtures("patience")
def test_a_case_that_hangs(live):
    """A process that sends no reply for much longer than usual counts as dead."""
    faults = [{"do": HANG, "case": EPOCH, "turns": True, "pair": "1-1", "round": 5}]
    analysis, _ = live(base={"faults": faults}, both={"cases": (EPOCH, OTHER)})
    assert EPOCH in analysis.comparison.lost
    assert "the base, code of the base, sent no reply for" in analysis.comparison.lost[EPOCH]
    assert outcomes(analysis) == {OTHER: Outcome.UNCHANGED}


@pytest.mark.usefixtures("clock")
def test_lost_in_a_later_group(live):
    """Measurements from before a case ended its process still count, and other cases are measured further."""
    faults = [{"do": KILL, "case": EPOCH, "turns": True, "pair": "2-1"}]
    analysis, _ = live(both={**NOISY, "cases": (EPOCH, OTHER)}, head={"faults": faults}, budget=200.0)
    assert analysis.groups > 1
    known = {one.case: one.time.interval.runs for one in analysis.comparison.verdicts}
    assert known == {EPOCH: (2, 2), OTHER: (2 * analysis.groups, 2 * analysis.groups)}
    assert "SIGKILL" in analysis.comparison.lost[EPOCH]


@pytest.mark.usefixtures("clock")
def test_nothing_left_but_what_is_lost(live, tmp_path):
    """Where the last open case is lost, no further group starts."""
    faults = [{"do": KILL, "case": EPOCH, "turns": True, "pair": "2-1"}]
    analysis, _ = live(both=NOISY, head={"faults": faults}, budget=600.0)
    assert analysis.groups == 1
    assert {pair[0] for what, _, pair, _ in standins.logged(tmp_path) if what == "start"} == {"1", "2"}


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (EXIT, "could not run the suite: out of luck"),
        (KILL, "was killed by SIGKILL"),
        (HANG, "sent no reply for 300 s"),
    ],
)
@pytest.mark.usefixtures("patience")
def test_no_start(live, do, reason):
    """A side that cannot start is refused with the reason."""
    with pytest.raises(RunFailedError, match=f"^the head, code of the head, {reason}"):
        live(head={"faults": [{"do": do, "case": "starting", "pair": "1-2"}]})


@pytest.mark.usefixtures("clock")
def test_no_start_later(live):
    """Earlier measurements are judged also when a later group cannot start."""
    analysis, _ = live(both=NOISY, head={"faults": [{"do": EXIT, "case": "starting", "pair": "2-2"}]}, budget=100.0)
    assert analysis.groups >= 1
    assert analysis.notes[0] == "a group was dropped: the head, code of the head, could not run the suite: out of luck"


@pytest.mark.usefixtures("patience")
def test_hangs_to_the_end(live, clock, monkeypatch):
    """A case that hangs until the budget is spent is lost; earlier measurements are judged."""
    faults = [{"do": HANG, "case": EPOCH, "turns": False, "pair": "2-1"}]
    run = Group.run

    def wait(group, *arguments):
        try:
            return run(group, *arguments)
        except SuiteFailedError:
            clock.now = 1e6
            raise

    monkeypatch.setattr(Group, "run", wait)
    analysis, _ = live(both=NOISY, head={"faults": faults}, budget=600.0)
    assert (analysis.groups, analysis.ended) == (1, DECIDED)
    assert analysis.comparison.lost[EPOCH].startswith("the head, code of the head, sent no reply for")


def test_clock_jump(live, monkeypatch, tmp_path):
    """A group during which the machine slept is dropped, and a note reports it."""
    original = groups.time
    offset = {"by": 0.0}
    monkeypatch.setattr(groups, "time", lambda: original() + offset["by"])
    interleave = Group.interleave

    def jump(self, *arguments):
        if not offset["by"]:
            offset["by"] = 3600.0
        return interleave(self, *arguments)

    monkeypatch.setattr(Group, "interleave", jump)
    analysis, _ = live(head={"ratio": 1.3})
    assert analysis.notes == ("a group was dropped because the clock jumped by 3600 s",)
    assert analysis.measured.endswith(analysis.notes[0])
    assert outcomes(analysis)[EPOCH] is Outcome.REGRESSED
    pairs = {source.record.autoenc.pair[-3:] for source in analysis.comparison.base.sources}
    assert not pairs & {"1-1", "1-2"}
    assert visits(tmp_path, SEEDED)["base", "2-1"] == 1  # again, because it was dropped too


@pytest.mark.usefixtures("clock")
def test_background(live):
    """A process that computes while it waits for its round is noted once, with its case."""
    analysis, _ = live(head={"between": 1000.0}, both=NOISY, budget=60.0)
    (note,) = analysis.notes
    assert note.startswith(f"in {EPOCH} a process used up to ")
    assert note.endswith("% of a core between its rounds")


# Interrupts


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_in_a_visit(live, tmp_path):
    """A Ctrl-C during interleaved rounds keeps what the group has measured, and reports it."""
    faults = [{"do": "interrupt", "case": "encode[digits-bulk]", "turns": True, "round": 3, "pair": "1-2"}]
    analysis, shown = live(both={"cases": (EPOCH, OTHER)}, head={"ratio": 1.3, "faults": faults})
    assert analysis.ended == INTERRUPTED
    assert (analysis.groups, len(shown)) == (1, 1)
    assert EPOCH in outcomes(analysis)
    assert OTHER not in outcomes(analysis)
    assert len(list((tmp_path / "store").rglob("*.json"))) == 4


def test_interrupted_between_visits(live):
    """A Ctrl-C while a case is prepared has the same effect."""

    def progress(activity, _):
        if activity == f"group 2: {EPOCH}":
            raise KeyboardInterrupt

    analysis, _ = live(both=NOISY, progress=progress)
    assert analysis.ended == INTERRUPTED
    assert outcomes(analysis)[EPOCH] is Outcome.UNDECIDED


@pytest.mark.parametrize("when", ["starting", "saving"])
def test_interrupted_in_a_later_group(live, when):
    """A Ctrl-C while a group starts or saves drops that group, and reports the earlier ones."""

    def progress(activity, _):
        if activity == f"group 2: {when}":
            raise KeyboardInterrupt

    analysis, _ = live(both={**NOISY, "faults": [{"do": "nap", "case": when}]}, progress=progress)
    assert (analysis.ended, analysis.groups) == (INTERRUPTED, 1)
    assert analysis.comparison.lost == {}


@pytest.mark.parametrize("when", ["starting", EPOCH])
def test_interrupted_before_anything(live, when):
    """A Ctrl-C before anything was measured is reported as that."""

    def progress(activity, _):
        if activity == f"group 1: {when}":
            raise KeyboardInterrupt

    with pytest.raises(RunFailedError, match=r"^it was interrupted before anything was measured$"):
        live(both={"faults": [{"do": "nap", "case": "starting"}]}, progress=progress)


def test_interrupted_and_then_failed(live):
    """A failure after a Ctrl-C, in a group that is no longer needed, is not reported as a side that cannot run."""
    faults = [{"do": "nap", "case": "starting"}, {"do": "kill", "case": "saving"}]

    def progress(activity, _):
        if activity == "group 1: starting":
            raise KeyboardInterrupt

    with pytest.raises(RunFailedError, match=r"^it was interrupted before anything was measured"):
        live(both={"faults": faults}, progress=progress)


def test_interrupted_while_a_look_is_shown(tmp_path):
    """A Ctrl-C between two groups ends with the measurements so far."""
    shown = []

    def show(analysis):
        shown.append(analysis)
        if len(shown) == 1:
            raise KeyboardInterrupt

    analysis = standins.comparison(standins.sides(tmp_path, both=NOISY), tmp_path).measure(show)
    assert [one.ended for one in shown] == ["", INTERRUPTED]
    assert analysis is shown[-1]
    assert analysis.groups == 1


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_twice(live):
    """A second Ctrl-C while the interrupted group saves drops that group, and leaves no process behind."""
    activities = []

    def progress(activity, _):
        activities.append(activity)
        if activity in (f"group 1: {OTHER}", "group 1: saving"):
            raise KeyboardInterrupt

    with pytest.raises(RunFailedError, match=r"^it was interrupted before anything was measured"):
        live(both={"cases": (EPOCH, OTHER), "faults": [{"do": "nap", "case": "saving"}]}, progress=progress)
    assert activities[-1] == "group 1: saving"


def test_what_runs_by_default():
    """Steady epochs and fused whole experiments are selected by default."""
    assert CASES == "epoch and not untouched or experiment and fused"


@pytest.mark.usefixtures("clock")
def test_processes_that_keep_failing(live):
    """After several lost groups, measuring ends, with the measurements so far."""
    faults = [{"do": EXIT, "case": "starting", "pair": f"{number}-1"} for number in range(2, 20)]
    analysis, _ = live(both=NOISY, head={"faults": faults}, budget=6000.0)
    assert analysis.ended == FAILED
    assert analysis.groups == 1
    assert len(analysis.notes) == TRIES + 1
    assert outcomes(analysis)[EPOCH] is Outcome.UNDECIDED
