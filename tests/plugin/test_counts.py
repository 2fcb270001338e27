"""The counts of a run's cases, and the files that explain them."""

import pytest

from autoenc_bench.records import loading

pytestmark = pytest.mark.slow

COUNTED = {"epoch", "encode", "decode", "reconstruct", "build", "data", "score"}
PROGRAMS = {"encode", "decode", "reconstruct"}  # and fused epochs


@pytest.fixture(scope="module")
def cases(smoke):
    """Return the cases of the smoke run, by their names."""
    assert smoke.status == 0, smoke.out
    return {
        one.name.removeprefix("test_"): one.extra_info.autoenc
        for one in loading.read_record(smoke.record).record.benchmarks
    }


def test_what_is_counted(cases):
    """Steady cases are counted; first calls, whole experiments and the untouched fit are not."""
    for name, case in cases.items():
        assert (case.counts is not None) is (case.phase in COUNTED), name
    assert {case.phase for case in cases.values() if case.counts} == COUNTED
    assert {case.trainer for case in cases.values() if case.counts and case.phase == "epoch"} == {"fit", "fused"}


def test_units(cases):
    """Training on several batches is counted by step and epoch, and everything else by call."""
    for name, case in cases.items():
        if case.counts and case.phase != "epoch":
            assert set(case.counts.calls) == {"call"}, name
    assert {"step", "epoch"} <= set(cases["epoch[crude-simple-fit]"].counts.calls)
    assert "step" not in cases["epoch[crude-simple-fused]"].counts.calls  # its steps are no calls of Python's


def test_programs(cases):
    """Compiled cases have programs; cases that Keras or NumPy runs have none."""
    for name, case in cases.items():
        if case.counts:
            is_compiled = case.phase in PROGRAMS or (case.phase, case.trainer) == ("epoch", "fused")
            assert bool(case.counts.programs) is is_compiled, name
    (program,) = cases["epoch[digits-fused]"].counts.programs
    assert program.loops.flops > 0


def test_explained(fused):
    """With --explain, each counted case, and no other, writes its programs' texts and a profile."""
    why = fused.folder / "why"
    kept = {folder.name: {path.name for path in folder.iterdir()} for folder in why.iterdir()}
    assert kept == {"build[digits]": {"profile.txt"}, "epoch[digits-fused]": {"profile.txt", "program-1.txt"}}
    assert "\nENTRY %" in (why / "epoch[digits-fused]" / "program-1.txt").read_text()
    assert "autoenc_bench" in (why / "build[digits]" / "profile.txt").read_text()
