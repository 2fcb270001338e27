"""Two sets of records give one verdict per case, for time, memory, error and counts."""

import json
from dataclasses import replace
from math import inf

import histories
import numpy as np
import pytest
import recordings
from histories import both, by_case, noisy, side_of
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench import exit_codes
from autoenc_bench.records import case, loading
from autoenc_bench.verdicts import comparison, errors, limits, sides, status, tables
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.intervals import Interval

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
MIRROR = {Outcome.REGRESSED: Outcome.IMPROVED, Outcome.IMPROVED: Outcome.REGRESSED}


def of_seeds(folder, means=None, seconds=None, references=None):
    """Write and read a record of a whole experiment; each seed may have a mean error, a time and a reference time."""
    entries = []
    for seed in means or seconds:
        changes = {"error": recordings.error(means[seed], 0.5)} if means else {}
        whole = recordings.whole("digits", seed=seed, **changes)
        entries.append(recordings.benchmark(whole, (seconds or {}).get(seed, 1.0), rounds=1))
        if references and seed in references:
            entries[-1]["extra_info"]["autoenc"]["reference"] = [references[seed]]
        elif references:
            del entries[-1]["extra_info"]["autoenc"]["reference"]
    return [loading.read_record(recordings.save(folder, recordings.content(entries=entries)), pictured=False)]


def test_slower(tmp_path):
    """10 % more time is a regression of time alone."""
    found = by_case(both(tmp_path, noisy(0.2), noisy(0.22, seed=1)))[EPOCH]
    assert found.time.outcome is Outcome.REGRESSED
    assert found.memory.outcome is Outcome.UNCHANGED
    assert found.error is None
    assert found.joined == "worse"


def test_the_same_again(tmp_path):
    """Runs of the same code are unchanged in time and error."""
    found = by_case(both(tmp_path, noisy(0.2, 12), noisy(0.2, 12, seed=1)))
    assert {verdict.joined for verdict in found.values()} == {"unchanged"}
    assert found[WHOLE].error.interval.estimate == 0


def test_undecided_shows_what_is_detectable(tmp_path):
    """Noisy runs leave 4 % undecided, and the table shows the smallest detectable change."""
    found = both(tmp_path, [0.2, 0.22, 0.18], [0.208, 0.23, 0.19])
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNDECIDED
    assert "undecided, detectable from " in tables.text(found)


@pytest.mark.parametrize(("base", "head", "decided"), [(1, 1, False), (2, 7, False), (3, 3, True), (8, 1, True)])
def test_no_verdict_without_a_spread(tmp_path, base, head, decided):
    """Three runs on each side, or eight on one, show the spread of times; fewer get no verdict on time."""
    found = both(tmp_path, noisy(0.2, base), noisy(2.0, head))
    judged = by_case(found)[EPOCH].time
    assert (judged.outcome is Outcome.REGRESSED) is decided
    assert ("undecided (needs 3 runs a side)" in tables.text(found)) is not decided
    assert status.of(found).code == (exit_codes.REGRESSED if decided else exit_codes.UNDECIDED)


def test_notes_of_a_live_comparison(tmp_path):
    """The table states how it was measured."""
    found = both(tmp_path, [0.2] * 3, [0.2] * 3)
    assert "\n3 runs in 1 s\n" in tables.text(found, "3 runs in 1 s")
    answer = tables.text(found).partition("case ")[0]
    assert [line.partition(":")[0] for line in answer.split("\n") if line] == ["time", "error", "memory", "base"]


@pytest.mark.parametrize(
    ("time", "error", "joined"),
    [
        (0.1, 5.0, "better"),
        (0.1, 5.5, "faster but less accurate"),
        (0.4, 4.5, "slower but more accurate"),
        (0.4, 5.0, "worse"),
        (0.2, 5.5, "worse"),
        (0.2, 4.5, "better"),
    ],
)
def test_joined(tmp_path, time, error, joined):
    """Time and error are joined in one word, or two if they contradict each other."""
    found = both(tmp_path, noisy(0.2), noisy(time, seed=1), error=error)
    assert by_case(found)[WHOLE].joined == joined


def test_limits_of_the_user(tmp_path):
    """A limit of the user replaces that of the experiment."""
    base, head = (
        side_of(tmp_path / "base", noisy(0.2)),
        side_of(tmp_path / "head", noisy(0.22, seed=1)),
    )
    found = comparison.compare(base, head, limits.parse(["digits:time:15%"], ["digits"]))
    assert by_case(found)[EPOCH].time.outcome is not Outcome.REGRESSED


@pytest.mark.parametrize("change", [{"machine": histories.OTHER}, {"keras": "3.2"}, {"XLA_FLAGS": "--fast"}])
def test_incomparable(tmp_path, change):
    """On another machine or in another context only errors are judged, and the status is 2."""
    found = both(tmp_path, noisy(0.2), noisy(0.4, seed=1), **change)
    verdict = by_case(found)[WHOLE]
    assert verdict.time.outcome is Outcome.INCOMPARABLE
    assert verdict.time.reason
    assert verdict.error.outcome is Outcome.UNCHANGED
    assert status.of(found).code == 2


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("keras", {"keras": "3.2"}),
        ("env", {"XLA_FLAGS": "--fast"}),
        ("backend", {"backend": "jax", "jax": "0.10", "tensorflow": None}),
    ],
)
def test_across(tmp_path, part, change):
    """A part of the context that is under test may differ."""
    base, head = (
        side_of(tmp_path / "base", noisy(0.2)),
        side_of(tmp_path / "head", noisy(0.4, seed=1), **change),
    )
    assert by_case(comparison.compare(base, head, across=[part]))[EPOCH].time.outcome is Outcome.REGRESSED
    with pytest.raises(LookupError, match="unknown part 'colour'; choose from env, "):
        comparison.compare(base, head, across=["colour"])


@pytest.mark.parametrize(
    ("name", "referenced"), [("keras", True), ("XLA_FLAGS", True), ("numpy", False), ("OMP_PROC_BIND", False)]
)
def test_what_moves_the_reference_workload(tmp_path, name, referenced):
    """If the sides differ in a fact that moves the reference workload, times are compared as measured."""
    base = side_of(tmp_path / "base", [0.2] * 3, **{name: "a"})
    head = side_of(tmp_path / "head", [0.4] * 3, reference=0.02, **{name: "b"})
    found = comparison.compare(base, head, across=["env" if name.isupper() else name])
    assert found.referenced is referenced
    estimate = by_case(found)[EPOCH].time.interval.estimate
    assert estimate == pytest.approx(0 if referenced else np.log(2))


def test_seeds_are_one_case(tmp_path):
    """The seeds of an experiment are one case, whose time is their geometric mean."""
    (result,) = sides.gather(of_seeds(tmp_path, seconds={0: 1.0, 1: 4.0})).cases.values()
    assert result.times(result.seeds) == [pytest.approx(np.log(2))]


def test_seeds_without_a_reference(tmp_path):
    """If one seed has no reference workload, the case's times are compared as measured."""
    base = of_seeds(tmp_path / "base", seconds={0: 1.0, 1: 1.0}, references={0: 0.01})
    head = of_seeds(tmp_path / "head", seconds={0: 1.0, 1: 1.0}, references={0: 0.02})
    assert by_case(comparison.compare(base, head))[WHOLE].time.interval.estimate == 0


def test_another_scale(tmp_path):
    """At another scale nothing is comparable."""
    found = both(tmp_path, [0.2], [0.2], scale="smoke")
    assert found.unlike == "scale standard → smoke"
    assert {held.outcome for held in by_case(found)[WHOLE].judgements.values()} == {Outcome.INCOMPARABLE}


def test_one_side_of_two_contexts(tmp_path):
    """Records of one side must share one context."""
    mixed = [*side_of(tmp_path / "a", [0.2]), *side_of(tmp_path / "b", [0.2], keras="3.2")]
    with pytest.raises(ValueError, match="are on one side, but differ in machine, scale or context"):
        comparison.compare(mixed, mixed)


def test_memory_of_another_selection(tmp_path):
    """If the processes ran different cases, memory is incomparable, and time is not."""
    content = histories.content(0)
    del content["benchmarks"][1]
    head = histories.side(tmp_path / "head", [content] * 3)
    verdict = by_case(comparison.compare(side_of(tmp_path / "base", [0.2] * 3), head))[EPOCH]
    assert (verdict.memory.outcome, verdict.time.outcome) == (Outcome.INCOMPARABLE, Outcome.UNCHANGED)
    assert verdict.memory.reason == "other cases ran in the process"


def test_nothing_in_common(tmp_path):
    """Sides without a common case, or errors without a common seed, are not compared."""
    content = histories.content(0)
    content["benchmarks"] = [content["benchmarks"][0]]
    content["benchmarks"][0]["name"] = "test_epoch[digits-other]"
    seed = histories.content(0)
    seed["benchmarks"][1]["extra_info"]["autoenc"]["seed"] = 1
    base = side_of(tmp_path / "base", [0.2])
    for name, other, reason in (
        ("case", content, "the two sides have no case in common"),
        ("seed", seed, f"time is incomparable in {WHOLE}: no seed in common"),
    ):
        head = histories.side(tmp_path / name, [other])
        ended = status.of(comparison.compare(base, head))
        assert ended.code == exit_codes.NOT_COMPARED
        assert ended.reason.startswith(reason)


def test_document(tmp_path):
    """The JSON states what is under test and how it was measured, and has null for a ratio that is not finite."""
    changes = {"keras": "3.2"}
    base, head = (
        side_of(tmp_path / "base", [0.2] * 3),
        side_of(tmp_path / "head", [0.2] * 3, **changes),
    )
    found = comparison.compare(base, head, across=["keras"])
    compared = json.loads(tables.document(found, status.of(found), "3 runs in 1 s"))
    assert (compared["status"], compared["result"]) == status.of(found)
    assert (compared["unlike"], compared["tested"], compared["measured"]) == ("", "keras 3.1 → 3.2", "3 runs in 1 s")
    found = comparison.compare(base, head)
    refused = json.loads(tables.document(found, status.of(found)))
    assert (refused["unlike"], refused["tested"]) == ("keras 3.1 → 3.2", "")
    assert refused["verdicts"][0]["time"]["ratio"] is None
    endless = comparison.decide(Interval(inf, inf, inf, 0.0, (1, 1)), 0.01)
    found = replace(comparison.compare(base, base), verdicts=[comparison.Verdict("case", None, endless)])
    assert json.loads(tables.document(found, status.of(found)))["verdicts"][0]["time"]["ratio"] is None


def test_new_and_missing(tmp_path):
    """A case that one side lacks is named, with the head's reason."""
    base = side_of(tmp_path / "base", [0.2] * 3)
    content = histories.content(0, 0.2)
    content["benchmarks"][0]["name"] = "test_epoch[digits-other]"
    content["autoenc"]["failed"] = [{"case": EPOCH, "reason": "AssertionError: worse"}]
    head = histories.side(tmp_path / "head", [content] * 3)
    found = comparison.compare(base, head)
    assert by_case(found)["epoch[digits-other]"].time.outcome is Outcome.NEW
    assert by_case(found)[EPOCH].time.outcome is Outcome.MISSING
    assert f"missing: {EPOCH}: failed in all 3 runs of the head: AssertionError: worse" in tables.text(found)
    assert status.of(found).code == 2
    assert status.of(found, allow_missing=True).code == 0


def test_what_ran_on_neither_side(tmp_path):
    """A case that both sides skipped is named with its reason; the status is 0 only with --allow-missing."""
    base = side_of(tmp_path / "base", [0.2] * 3, skipped=recordings.RUN.skipped)
    found = comparison.compare(base, base)
    reason = "skipped in all 3 runs of each side: the data is missing"
    assert f"not measured: experiment[mnist-fused-seed0]: {reason}" in tables.text(found)
    assert status.of(found).code == exit_codes.NOT_COMPARED
    assert status.of(found, allow_missing=True).code == exit_codes.PASSED


def test_what_one_side_lost(tmp_path):
    """A case that one side could not run makes the status 2, whichever side it is."""
    base = side_of(tmp_path / "base", [0.2] * 3)
    content = histories.content(0, skipped=[recordings.record.NotRun(EPOCH, "no time")])
    del content["benchmarks"][0]
    fewer = histories.side(tmp_path / "fewer", [content] * 3)
    for sides_ in ((base, fewer), (fewer, base)):
        assert status.of(comparison.compare(*sides_)).code == exit_codes.NOT_COMPARED
        assert status.of(comparison.compare(*sides_), allow_missing=True).code == exit_codes.PASSED


levels = st.lists(st.floats(0.1, 0.4), min_size=1, max_size=7)


@given(base=levels, head=levels, error=st.sampled_from([4.5, 4.99, 5.0, 5.03, 6.0]))
def test_mirrored(tmp_path_factory, base, head, error):
    """A side compared with itself differs by exactly nothing; swapped sides mirror every verdict."""
    folder = tmp_path_factory.mktemp("sides")
    ours, theirs = side_of(folder / "ours", base), side_of(folder / "theirs", head, error=error)
    there, back = comparison.compare(ours, theirs), comparison.compare(theirs, ours)
    for one, other in zip(there.verdicts, back.verdicts, strict=True):
        for kind, judgement in one.judgements.items():
            mirrored = other.judgements[kind]
            assert mirrored.outcome is MIRROR.get(judgement.outcome, judgement.outcome)
            assert mirrored.interval.estimate == -judgement.interval.estimate
    for verdict in comparison.compare(ours, ours).verdicts:
        for judgement in verdict.judgements.values():
            assert judgement.interval.estimate == 0
            assert judgement.outcome not in MIRROR


def statistics(**changes):
    """Make the statistics of an error."""
    known = {"mean": 5.0, "std": 1.0, "quantiles": {"0.95": 6.0, "0.99": 7.0}, "counts": []}
    return case.Statistics(**{**known, **changes})


@pytest.mark.parametrize(
    ("head", "outcome", "reason"),
    [
        ({}, Outcome.UNCHANGED, ""),
        ({"mean": 5.0 * (1 + 1e-5)}, Outcome.UNCHANGED, ""),
        ({"mean": 5.2}, Outcome.REGRESSED, ""),
        ({"mean": 4.8}, Outcome.IMPROVED, ""),
        ({"std": 1.2}, Outcome.REGRESSED, "σ"),
        ({"quantiles": {"0.95": 6.0, "0.99": 7.7}}, Outcome.REGRESSED, "99 % quantile"),
        ({"mean": 4.8, "std": 1.2}, Outcome.UNDECIDED, "mean improved, σ regressed"),
        ({"mean": None, "std": None, "quantiles": {}}, Outcome.REGRESSED, ""),
    ],
)
def test_errors(head, outcome, reason):
    """Mean, σ and upper quantiles count; rounding does not; an error that is not finite is worse than any other."""
    found = errors.intervals([(statistics(), statistics(**head))] * 2, 1e-4, 0.0005)
    joint = errors.combine({which: comparison.decide(interval, 0.01) for which, interval in found.items()})
    assert (joint.outcome, joint.reason) == (outcome, reason)
    if head.get("mean", 5.0) is None:
        assert joint.interval.estimate == inf


def test_seeds_are_paired(tmp_path):
    """Errors are compared seed by seed; a seed that one side lacks does not count."""
    base = of_seeds(tmp_path / "base", means={0: 5.0, 1: 6.0, 2: 7.0})
    found = by_case(comparison.compare(base, of_seeds(tmp_path / "head", means={1: 6.0, 2: 7.0})))
    assert list(found) == [WHOLE]
    assert found[WHOLE].error.interval.runs == (2, 2)
    assert found[WHOLE].error.interval.estimate == 0


@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.IMPROVED, Outcome.UNDECIDED, Outcome.INCOMPARABLE])
def test_joined_without_time(outcome):
    """The joined outcome of a case without a time is that of its error."""
    joined = {Outcome.REGRESSED: "worse", Outcome.IMPROVED: "better"}
    memory, error = comparison.Judgement(Outcome.UNCHANGED), comparison.Judgement(outcome)
    verdict = comparison.Verdict("case", None, memory=memory, error=error)
    assert verdict.joined == joined.get(outcome, str(outcome))


def test_plain_records(tmp_path):
    """Records of plain pytest-benchmark are compared too, by time alone."""
    path = recordings.save_plain(tmp_path)
    found = comparison.compare([loading.read_record(path)], [loading.read_record(path)])
    assert [verdict.case for verdict in found.verdicts] == ["fast", "slow"]
    assert found.verdicts[0].time.interval.estimate == 0
    assert found.verdicts[0].error is None
