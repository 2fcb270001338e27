"""A live comparison runs both sides by turns, leaves out what is decided, and ends for a reason that it names."""

import pytest
import standins
from standins import EPOCH, LONG, WHOLE, Suite

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.gate.live.continuous import DECIDED, GRACE, INTERRUPTED, SPENT
from autoenc_bench.gate.verdicts import Outcome
from autoenc_bench.gate.verdicts.sequential import SequentialComparison


@pytest.fixture
def live(tmp_path, monkeypatch):
    """Return a function that measures a stand-in: (last look, all looks)."""

    def measure_suite(suite, budget=300.0):
        shown = standins.measure(suite, tmp_path, monkeypatch, budget)
        return shown[-1], shown

    return measure_suite


def outcomes(look):
    """Give each case's outcome of time."""
    return {verdict.case: verdict.time.outcome for verdict in look.comparison.verdicts}


def test_by_turns(live):
    """Runs come as A B B A, so that a machine that slows down meanwhile favours nobody."""
    suite = Suite()
    live(suite)
    assert "".join(name[0] for name in suite.order).startswith("bhhbbhhb")


def test_slower(live):
    """A slower head is found long before the time is spent, and then nothing is left to do."""
    look, shown = live(Suite(ratio=1.3))
    assert outcomes(look)[EPOCH] is Outcome.REGRESSED
    assert look.ended == DECIDED
    assert look.runs < 20
    assert [one.ended for one in shown[:-1]] == [""] * (len(shown) - 1)


def test_no_change(live):
    """Equal sides end as unchanged."""
    look, _ = live(Suite())
    assert outcomes(look)[EPOCH] is Outcome.UNCHANGED
    assert look.ended == DECIDED


def test_errors_cost_one_run_each(live):
    """Whole experiments run once on each side: that decides their errors, and their times are too far apart to wait."""
    suite = Suite(error=6.0)
    look, _ = live(suite)
    assert {verdict.case: verdict for verdict in look.comparison.verdicts}[WHOLE].error.outcome is Outcome.REGRESSED
    closed = "--deselect=benchmarks/test_x.py::test_experiment[digits-fused-seed0]"
    assert [closed in options for options in suite.options[:4]] == [False, False, True, True]
    assert all(options[:2] == ["-k", "x"] for options in suite.options)


def test_time_spent(live):
    """No run begins that would end too late; what is open then is undecided, and nothing more is said."""
    suite = Suite(spread=0.05)
    look, _ = live(suite, budget=8 * LONG + 1)
    assert (look.ended, look.runs) == (SPENT, 8)
    suite = Suite(spread=0.05)
    look, _ = live(suite, budget=5 * LONG + 1)
    assert (look.ended, look.runs) == (SPENT, 5)
    assert {verdict.case: verdict for verdict in look.comparison.verdicts}[EPOCH].time.interval.runs == (2, 2)
    assert look.open == {EPOCH}
    assert outcomes(look)[EPOCH] is Outcome.UNDECIDED


def test_the_last_look(live, monkeypatch):
    """The look after the time is spent is the last one, and may spend what is left of the error rate."""
    last = []
    original = SequentialComparison.look

    def look(self, *arguments, **options):
        last.append(options["last"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(SequentialComparison, "look", look)
    live(Suite(spread=0.05), budget=8 * LONG + 1)
    assert last == [False] * (len(last) - 1) + [True]


def test_how_long_a_run_may_take(live):
    """The first run may take all the time; a later one may be late, for its time was foreseen."""
    suite = Suite(spread=0.05)
    live(suite, budget=5 * LONG + 1)
    left = [5 * LONG + 1 - place * LONG for place in range(5)]
    assert suite.seconds == [left[0], *(seconds + GRACE for seconds in left[1:])]


def test_a_run_that_hangs(live):
    """A run that does not end counts as time spent; what was there before is judged."""
    suite = Suite(ratio=2.0)

    def hang():
        raise TimeoutError

    suite.before[7] = hang
    look, _ = live(suite)
    assert (look.ended, look.runs) == (DECIDED, 6)
    assert outcomes(look)[EPOCH] is Outcome.REGRESSED


def test_interrupted(live, tmp_path):
    """A Ctrl-C keeps the records, and reports what they say."""

    def interrupt():
        raise KeyboardInterrupt

    suite = Suite()
    suite.before[6] = interrupt
    look, _ = live(suite)
    assert (look.ended, look.runs) == (INTERRUPTED, 5)
    assert outcomes(look)[EPOCH] is Outcome.UNDECIDED
    assert len(list((tmp_path / "store").rglob("*.json"))) == 5


@pytest.mark.parametrize(("number", "budget"), [(2, 1000.0), (9, LONG + 1)], ids=["interrupted", "no time"])
def test_nothing_to_compare(live, number, budget):
    """With no run of a side there is no verdict, and a sentence that says what to do."""

    def interrupt():
        raise KeyboardInterrupt

    suite = Suite()
    suite.before[number] = interrupt
    with pytest.raises(RunFailedError, match="before each side had one run; give more time with --budget"):
        live(suite, budget)


def test_base_that_cannot_run_a_case(live):
    """A case of the head's benchmarks that fails on the base is refused: it would pass as new."""
    suite = Suite()

    def fail(side, content):
        if side == "base":
            content["benchmarks"].pop(0)
            content["autoenc"]["failed"] = [{"case": EPOCH, "reason": "AttributeError: no such thing"}]

    suite.change = fail
    with pytest.raises(
        RunFailedError, match=r"the base, code of the base, cannot run epoch\[digits-fused\]: AttributeE"
    ):
        live(suite)


def test_new_and_missing_cases(live):
    """A case that the base never heard of is new, one that the head lost is missing; neither is waited for."""
    suite = Suite()

    def rename(side, content):
        for one in content["benchmarks"]:
            if side == "head" and one["name"].startswith("test_epoch"):
                one["name"] = "test_epoch[digits-other]"

    suite.change = rename
    look, _ = live(suite)
    assert look.ended == DECIDED
    assert outcomes(look)["epoch[digits-other]"] is Outcome.NEW
    assert outcomes(look)[EPOCH] is Outcome.MISSING


def test_what_differs_is_under_test(live):
    """Another version of Keras on one side is what the comparison is about."""
    suite = Suite(ratio=1.3)

    def upgrade(side, content):
        content["autoenc"]["context"]["keras"] = {"base": "3.1", "head": "3.2"}[side]

    suite.change = upgrade
    look, _ = live(suite)
    assert look.comparison.tested == "keras 3.1 → 3.2"
    assert outcomes(look)[EPOCH] is Outcome.REGRESSED
