"""A run of the suite is judged against a baseline, which is read before the run begins."""

import histories
import msgspec
import pytest
import recordings

from autoenc_bench import exit_codes
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.verdicts.baseline import Baseline


@pytest.fixture
def store(tmp_path):
    """Save runs: eight of a baseline, a slower one, and one that lacks a case."""
    fewer = histories.content(0)
    del fewer["benchmarks"][1:]
    histories.write(tmp_path / "good", [histories.content(day) for day in range(8)])
    histories.write(tmp_path / "new", [histories.content(9, 0.4), fewer])
    return tmp_path


SLOWER, FEWER = "0001_standard.json", "0002_standard.json"


def everything(case, experiment):
    """Select every case, as a run without selection options does."""
    return bool(case and experiment)


def epochs(case, _):
    """Select the cases of a run with ``-k epoch``."""
    return case.startswith("epoch")


def test_slower(store):
    """A slower run ends as regressed, unless the change is within the given limit."""
    comparison, ended = Baseline("good", [], [store]).judge(store / "new" / SLOWER, everything)
    assert ended.code == exit_codes.REGRESSED
    assert len(comparison.base.sources) == 8
    _, ended = Baseline("good", ["time:200%"], [store]).judge(store / "new" / SLOWER, everything)
    assert ended.code == exit_codes.PASSED


@pytest.mark.parametrize(("selected", "code"), [(everything, exit_codes.NOT_COMPARED), (epochs, exit_codes.PASSED)])
def test_selected(store, selected, code):
    """A run may lack cases that were not selected; other cases only with --allow-missing."""
    baseline = Baseline("good", [], [store])
    assert baseline.judge(store / "new" / FEWER, selected)[1].code == code
    assert baseline.judge(store / "new" / FEWER, selected, allow_missing=True)[1].code == exit_codes.PASSED


def test_what_the_baseline_skipped(store):
    """A case that the baseline skipped is reported as not measured only if the run selected it."""
    skipped = [recordings.record.NotRun("encode[digits-bulk]", "no time")]
    histories.write(store / "fewer", [histories.content(day, skipped=skipped) for day in range(8)])
    histories.write(store / "same", [histories.content(9)])
    baseline, path = Baseline("fewer", [], [store]), store / "same" / SLOWER
    assert baseline.judge(path, lambda case, _: "encode" not in case)[1].code == exit_codes.PASSED
    _, ended = baseline.judge(path, lambda *_: True)
    reason = "skipped in all 8 runs of the base: no time; to accept that, add --allow-missing"
    assert ended == (exit_codes.NOT_COMPARED, f"not measured: encode[digits-bulk]: {reason}")


def test_refused(store):
    """A name without records and an invalid limit are refused before anything is measured."""
    with pytest.raises(NotFoundError, match="unsaved: no such record"):
        Baseline("unsaved", [], [store])
    with pytest.raises(InvalidInputError, match="limit 'time'"):
        Baseline("good", ["time"], [store])


def test_read_before(store):
    """Records that are saved under the baseline's name during the run do not count."""
    baseline = Baseline("good", [], [store])
    histories.write(store / "good", [histories.content(0, 0.4)] * 3)
    assert baseline.judge(store / "new" / SLOWER, everything)[1].code == exit_codes.REGRESSED


def test_left_out(store):
    """An unreadable file in the baseline's folder is named, and the other records count."""
    (store / "good" / "foreign.json").write_text("[]")
    baseline = Baseline("good", [], [store])
    (left_out,) = baseline.left_out
    assert left_out.startswith(f"left out {store / 'good' / 'foreign.json'}: not a readable record: ")
    assert baseline.judge(store / "new" / SLOWER, everything)[1].code == exit_codes.REGRESSED


def here(scale="standard", machine=recordings.MACHINE, **context):
    """Make the block of a run that begins, in the context of the baseline or in another one."""
    context = {**recordings.RUN.context, **context}
    return msgspec.structs.replace(recordings.RUN, scale=scale, machine=machine, context=context)


def test_several_contexts(store):
    """Only the records in the run's context count; the number of others and the nearest are reported."""
    others = [histories.content(0, 0.1, keras="3.2"), histories.content(1, 0.1, keras="3.2", tensorflow="2.3", x=1)]
    others += [histories.content(2, 0.1, machine=histories.OTHER, scale="smoke")]
    histories.write(store / "mixed" / "others", others)
    histories.write(store / "mixed", [histories.content(day) for day in range(8)])
    baseline = Baseline(str(store / "mixed"), [], [])
    left_out = baseline.choose(here())
    assert left_out == "left out of the baseline: 3 records in another context, such as keras 3.2 → 3.1"
    assert baseline.left_out == [left_out]
    comparison, ended = baseline.judge(store / "new" / SLOWER, everything)
    assert ended.code == exit_codes.REGRESSED
    assert len(comparison.base.sources) == 8


def test_one_context(store):
    """If all records are in the run's context, all count and nothing is reported."""
    baseline = Baseline("good", [], [store])
    assert baseline.choose(here()) == ""
    assert baseline.left_out == []
    assert baseline.judge(store / "new" / SLOWER, everything)[1].code == exit_codes.REGRESSED


UNNAMED = msgspec.structs.replace(recordings.MACHINE, cpu=None)


@pytest.mark.parametrize(
    ("run", "differs"),
    [
        (here(keras="3.2", threads=None), "keras 3.1 → 3.2; threads 1 → all"),
        (here(scale="smoke"), "scale standard → smoke"),
        (here(machine=histories.OTHER), "machine 0123456789ab → ba9876543210"),
        (here(machine=UNNAMED), "machine 0123456789ab → unknown"),
        (here(XLA_FLAGS="a\n::b"), r"XLA_FLAGS absent → a\n::b"),
    ],
)
def test_no_record_of_the_context(store, run, differs):
    """If no record is in the run's context, the run is refused and the difference is named."""
    with pytest.raises(InvalidInputError) as raised:
        Baseline("good", [], [store]).choose(run)
    found = "baseline 'good': 8 records, none in the context of this run"
    mend = "run in that context, or save a baseline in this one"
    for part in (f"{found}; the nearest differs in ", *differs.split("; "), f"; {mend}"):
        assert part in str(raised.value)
