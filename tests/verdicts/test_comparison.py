"""Two sets of records give one verdict per case, and a command that ends with the right status."""

import json
from dataclasses import replace
from math import inf

import histories
import numpy as np
import pytest
import recordings
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench import cli, exit_codes
from autoenc_bench.records import case, loading
from autoenc_bench.verdicts import comparison, errors, limits, sides, status, tables
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.intervals import Interval

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
MIRROR = {Outcome.REGRESSED: Outcome.IMPROVED, Outcome.IMPROVED: Outcome.REGRESSED}


def side(folder, times, **changes):
    """Write a side's records, one per time, and read them."""
    contents = [histories.content(day, time, **changes) for day, time in enumerate(times)]
    histories.write(folder, contents)
    return [loading.read(path, pictured=False) for path in sorted(folder.glob("*.json"))]


def noisy(level, runs=8, seed=0):
    """Draw times around a level, 1 % apart."""
    return [float(level * np.exp(value)) for value in np.random.default_rng(seed).normal(0, 0.01, runs)]


def by_case(found):
    """Give verdicts by their case."""
    return {verdict.case: verdict for verdict in found.verdicts}


def both(tmp_path, base, head, **changes):
    """Compare sides of these times; ``changes`` are the head's."""
    return comparison.compare(side(tmp_path / "base", base), side(tmp_path / "head", head, **changes))


def test_slower(tmp_path):
    """A tenth more time is a regression, of time alone."""
    found = by_case(both(tmp_path, noisy(0.2), noisy(0.22, seed=1)))[EPOCH]
    assert found.time.outcome is Outcome.REGRESSED
    assert found.memory.outcome is Outcome.UNCHANGED
    assert found.error is None
    assert found.joined == "worse"


def test_the_same_again(tmp_path):
    """Runs of one thing are unchanged, in time and error."""
    found = by_case(both(tmp_path, noisy(0.2, 12), noisy(0.2, 12, seed=1)))
    assert {verdict.joined for verdict in found.values()} == {"unchanged"}
    assert found[WHOLE].error.interval.estimate == 0


def test_undecided_says_what_it_sees(tmp_path):
    """Runs that spread cannot tell 4 %, and the table says which change they could have told."""
    found = both(tmp_path, [0.2, 0.22, 0.18], [0.208, 0.23, 0.19])
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNDECIDED
    assert "undecided, detectable +" in tables.text(found)


@pytest.mark.parametrize(("base", "head", "decided"), [(1, 1, False), (2, 7, False), (3, 3, True), (8, 1, True)])
def test_no_verdict_without_a_spread(tmp_path, base, head, decided):
    """Three runs a side, or eight of one, tell how far times spread; fewer get no verdict, however far apart."""
    found = both(tmp_path, noisy(0.2, base), noisy(2.0, head))
    judged = by_case(found)[EPOCH].time
    assert (judged.outcome is Outcome.REGRESSED) is decided
    assert ("undecided (needs 3 runs a side)" in tables.text(found)) is not decided
    assert status.of(found).code == (exit_codes.REGRESSED if decided else exit_codes.UNDECIDED)


def test_notes_of_a_live_comparison(tmp_path):
    """The table says how it was measured, and what giving up means where a case was given up; else neither."""
    found = both(tmp_path, [0.2] * 3, [0.2] * 3)
    given_up = replace(found.verdicts[0].time, reason="stopped for futility")
    live = replace(found, verdicts=[replace(found.verdicts[0], time=given_up)])
    assert "\n3 runs in 1 s\n" in tables.text(live, "3 runs in 1 s")
    assert "stopped for futility: the pairs differ too much" in tables.text(live)
    assert "stopped for futility" not in tables.text(found)
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
    """Time and error have one word together."""
    found = both(tmp_path, noisy(0.2), noisy(time, seed=1), error=error)
    assert by_case(found)[WHOLE].joined == joined


def test_limits_of_ones_own(tmp_path):
    """What somebody asked for replaces the experiment's limit."""
    base, head = side(tmp_path / "base", noisy(0.2)), side(tmp_path / "head", noisy(0.22, seed=1))
    found = comparison.compare(base, head, limits.parse(["digits:time:15%"], ["digits"]))
    assert by_case(found)[EPOCH].time.outcome is not Outcome.REGRESSED


@pytest.mark.parametrize("change", [{"machine": histories.OTHER}, {"keras": "3.2"}, {"XLA_FLAGS": "--fast"}])
def test_incomparable(tmp_path, change):
    """On another machine or in another context only the error is judged, and the status is 2."""
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
    base, head = side(tmp_path / "base", noisy(0.2)), side(tmp_path / "head", noisy(0.4, seed=1), **change)
    assert by_case(comparison.compare(base, head, across=[part]))[EPOCH].time.outcome is Outcome.REGRESSED
    with pytest.raises(LookupError, match="unknown part 'colour'; choose from env, "):
        comparison.compare(base, head, across=["colour"])


@pytest.mark.parametrize(
    ("name", "referenced"), [("keras", True), ("XLA_FLAGS", True), ("numpy", False), ("OMP_PROC_BIND", False)]
)
def test_what_moves_the_reference_workload(tmp_path, name, referenced):
    """Across what the reference workload runs on as well, times are compared as measured."""
    base = side(tmp_path / "base", [0.2] * 3, **{name: "a"})
    head = side(tmp_path / "head", [0.4] * 3, reference=0.02, **{name: "b"})
    found = comparison.compare(base, head, across=["env" if name.isupper() else name])
    assert found.referenced is referenced
    estimate = by_case(found)[EPOCH].time.interval.estimate
    assert estimate == pytest.approx(0 if referenced else np.log(2))


def test_seeds_are_one_case(tmp_path):
    """The seeds of an experiment are one case, whose time is their geometric mean."""
    entries = [
        recordings.benchmark(recordings.whole("digits", seed=seed), seconds, rounds=1)
        for seed, seconds in ((0, 1.0), (1, 4.0))
    ]
    path = recordings.save(tmp_path, recordings.content(entries=entries))
    (observed,) = sides.gather([loading.read(path)]).cases.values()
    assert observed.times(observed.seeds) == [pytest.approx(np.log(2))]


def test_seeds_without_a_reference(tmp_path):
    """Where one seed's time has no reference workload beside it, the case's times are compared as measured."""
    runs = []
    for name, reference in (("base", 0.01), ("head", 0.02)):
        entries = [
            recordings.benchmark(recordings.whole("digits", seed=seed), 1, rounds=1, reference=reference)
            for seed in (0, 1)
        ]
        del entries[1]["extra_info"]["autoenc"]["reference"]
        path = recordings.save(tmp_path / name, recordings.content(entries=entries))
        runs.append([loading.read(path, pictured=False)])
    assert by_case(comparison.compare(*runs))[WHOLE].time.interval.estimate == 0


def test_another_scale(tmp_path):
    """Another scale is other work: nothing of it is compared."""
    found = both(tmp_path, [0.2], [0.2], scale="smoke")
    assert found.unlike == "scale standard → smoke"
    assert {held.outcome for held in by_case(found)[WHOLE].judgements.values()} == {Outcome.INCOMPARABLE}


def test_one_side_of_two_contexts(tmp_path):
    """Records of one side must belong together."""
    mixed = [*side(tmp_path / "a", [0.2]), *side(tmp_path / "b", [0.2], keras="3.2")]
    with pytest.raises(ValueError, match="are on one side, but differ in machine, scale or context"):
        comparison.compare(mixed, mixed)


def test_control(tmp_path):
    """Where every other run of the base differs from the rest, no change of time counts."""
    base = [0.2 if place % 2 else 0.3 for place in range(12)]
    found = both(tmp_path, [*noisy(0.2, 1), *base], noisy(0.6, 12))
    assert EPOCH in found.control
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNDECIDED
    assert "control failed" in tables.text(found)


def test_control_is_strict(tmp_path):
    """A side that differs from itself by what one of many slow runs may do does not fail the control."""
    noise = np.linspace(-0.02, 0.02, 6)
    base = [float(0.2 * np.exp(value)) for pair in zip(noise, noise + 0.045, strict=True) for value in pair]
    found = both(tmp_path, base, base)
    one_sided = comparison.ALPHAS["time"] / 2  # of two cases
    halves = np.log(base[::2]), np.log(base[1::2])
    assert comparison.difference(*(half.tolist() for half in halves), one_sided, 1).low > 0
    assert found.control == ""


@pytest.mark.parametrize(("runs", "note"), [(2, False), (3, True), (5, True), (6, False)])
def test_no_control(tmp_path, runs, note):
    """A table says where no case had runs enough for the control; without a verdict on time there is none to say."""
    found = tables.text(both(tmp_path, noisy(0.2, runs), noisy(0.2, runs, seed=1)))
    assert (f"no control: it needs 6 runs on a side, and no case has more than {runs} runs" in found) == note


def test_a_control_of_one_side(tmp_path):
    """Eight recorded runs are compared with themselves, whatever a single run of the head is compared with."""
    assert "no control" not in tables.text(both(tmp_path, noisy(0.2, 8), [0.2]))


def test_memory_of_another_selection(tmp_path):
    """A process that ran other cases as well has another peak: memory is incomparable, and time is not."""
    content = histories.content(0)
    del content["benchmarks"][1]
    histories.write(tmp_path / "head", [content] * 3)
    head = [loading.read(path, pictured=False) for path in (tmp_path / "head").glob("*.json")]
    verdict = by_case(comparison.compare(side(tmp_path / "base", [0.2] * 3), head))[EPOCH]
    assert (verdict.memory.outcome, verdict.time.outcome) == (Outcome.INCOMPARABLE, Outcome.UNCHANGED)
    assert verdict.memory.reason == "other cases ran in the process"


def test_nothing_in_common(tmp_path):
    """Sides without a case in common, or an error without a seed in common, were not compared."""
    content = histories.content(0)
    content["benchmarks"] = [content["benchmarks"][0]]
    content["benchmarks"][0]["name"] = "test_epoch[digits-other]"
    seed = histories.content(0)
    seed["benchmarks"][1]["extra_info"]["autoenc"]["seed"] = 1
    base = side(tmp_path / "base", [0.2])
    for name, other, reason in (
        ("case", content, "the two sides have no case in common"),
        ("seed", seed, f"time is incomparable in {WHOLE}: no seed in common"),
    ):
        histories.write(tmp_path / name, [other])
        head = [loading.read(path, pictured=False) for path in (tmp_path / name).glob("*.json")]
        ended = status.of(comparison.compare(base, head))
        assert ended.code == exit_codes.NOT_COMPARED
        assert ended.reason.startswith(reason)


def test_document(tmp_path):
    """A document says what is under test, how it was measured, and null for a ratio that is not finite."""
    changes = {"keras": "3.2"}
    base, head = side(tmp_path / "base", [0.2] * 3), side(tmp_path / "head", [0.2] * 3, **changes)
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
    """A case that one side lacks is named, with the reason that the head gives for it."""
    base = side(tmp_path / "base", [0.2] * 3)
    content = histories.content(0, 0.2)
    content["benchmarks"][0]["name"] = "test_epoch[digits-other]"
    content["autoenc"]["failed"] = [{"case": EPOCH, "reason": "AssertionError: worse"}]
    histories.write(tmp_path / "head", [content] * 3)
    head = [loading.read(path, pictured=False) for path in (tmp_path / "head").glob("*.json")]
    found = comparison.compare(base, head)
    assert by_case(found)["epoch[digits-other]"].time.outcome is Outcome.NEW
    assert by_case(found)[EPOCH].time.outcome is Outcome.MISSING
    assert f"missing: {EPOCH}: failed in all 3 runs of the head: AssertionError: worse" in tables.text(found)
    assert status.of(found).code == 2
    assert status.of(found, allow_missing=True).code == 0


def test_what_ran_on_neither_side(tmp_path):
    """A case that was skipped on both sides is named with its reason, and is no pass unless that is allowed."""
    base = side(tmp_path / "base", [0.2] * 3, skipped=recordings.RUN.skipped)
    found = comparison.compare(base, base)
    reason = "skipped in all 3 runs of each side: nobody has the data"
    assert f"not measured: experiment[mnist-fused-seed0]: {reason}" in tables.text(found)
    assert status.of(found).code == exit_codes.NOT_COMPARED
    assert status.of(found, allow_missing=True).code == exit_codes.PASSED


def test_what_one_side_lost(tmp_path):
    """A case that the base could not run is not simply new."""
    base = side(tmp_path / "base", [0.2] * 3)
    content = histories.content(0, skipped=[recordings.record.NotRun(EPOCH, "no time")])
    del content["benchmarks"][0]
    histories.write(tmp_path / "fewer", [content] * 3)
    fewer = [loading.read(path, pictured=False) for path in (tmp_path / "fewer").glob("*.json")]
    for sides_ in ((base, fewer), (fewer, base)):
        assert status.of(comparison.compare(*sides_)).code == exit_codes.NOT_COMPARED
        assert status.of(comparison.compare(*sides_), allow_missing=True).code == exit_codes.PASSED


levels = st.lists(st.floats(0.1, 0.4), min_size=1, max_size=7)


@given(base=levels, head=levels, error=st.sampled_from([4.5, 4.99, 5.0, 5.03, 6.0]))
def test_mirrored(tmp_path_factory, base, head, error):
    """A side against itself differs by exactly nothing; swapped sides mirror every verdict."""
    folder = tmp_path_factory.mktemp("sides")
    ours, theirs = side(folder / "ours", base), side(folder / "theirs", head, error=error)
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
    """Mean, σ and upper quantiles count; float noise does not; what is not finite is worse than anything."""
    found = errors.intervals([(statistics(), statistics(**head))] * 2, 1e-4, 0.0005)
    joint = errors.combine({which: comparison.decide(interval, 0.01) for which, interval in found.items()})
    assert (joint.outcome, joint.reason) == (outcome, reason)
    if head.get("mean", 5.0) is None:
        assert joint.interval.estimate == inf


def test_seeds_are_paired(tmp_path):
    """Errors are compared seed by seed; a seed that one side lacks counts for nothing."""
    runs = []
    for name, means in (("base", {0: 5.0, 1: 6.0, 2: 7.0}), ("head", {1: 6.0, 2: 7.0})):
        entries = [
            recordings.benchmark(recordings.whole("digits", seed=seed, error=recordings.error(mean, 0.5)), 1, rounds=1)
            for seed, mean in means.items()
        ]
        path = recordings.save(tmp_path / name, recordings.content(entries=entries))
        runs.append([loading.read(path, pictured=False)])
    found = by_case(comparison.compare(*runs))
    assert list(found) == [WHOLE]
    assert found[WHOLE].error.interval.runs == (2, 2)
    assert found[WHOLE].error.interval.estimate == 0


def test_more_seeds_would_decide(tmp_path):
    """An error that is undecided says how many seeds would decide it."""
    runs = []
    for name, means in (("base", (5.0, 6.0)), ("head", (5.15, 6.19))):
        entries = [
            recordings.benchmark(recordings.whole("digits", seed=seed, error=recordings.error(mean, 0.5)), 1, rounds=1)
            for seed, mean in enumerate(means)
        ]
        path = recordings.save(tmp_path / name, recordings.content(entries=entries))
        runs.append([loading.read(path, pictured=False)])
    found = comparison.compare(*runs)
    error = by_case(found)[WHOLE].error
    assert (error.outcome, error.reason) == (Outcome.UNDECIDED, "4 seeds would decide")
    assert "(4 seeds would decide)" in tables.text(found)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Lay out saved runs: base, the same again, a slower one and a worse one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name, times, error in (("base", noisy(0.2), 5.0), ("same", noisy(0.2, seed=1), 5.0), ("one", [0.2], 5.0)):
        side(tmp_path / name, times, error=error)
    side(tmp_path / "slower", noisy(0.3, seed=1))
    wild = [histories.content(day, time) for day, time in enumerate(noisy(0.2))]
    for found, factor in zip(wild, (0.8, 1.3, 0.9, 1.2, 1, 0.7, 1.1, 1), strict=True):
        found["benchmarks"][0] = histories.content(0, 0.2 * factor)["benchmarks"][0]
    histories.write(tmp_path / "wild", wild)
    side(tmp_path / "worse", noisy(0.2, seed=1), error=6.0)
    side(tmp_path / "elsewhere", noisy(0.2, seed=1), machine=histories.OTHER)
    return tmp_path


CLAIM = "nothing regressed; a change of 3 % in time, 10 % in memory, 1 % in error would have been detected"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["base", "same"], 0, CLAIM),
        (["base", "base"], 0, CLAIM),
        (["base", "slower"], 1, f"regressed: {EPOCH}, {WHOLE}"),
        (["base", "slower", "--fail-on", "time:60%"], 0, "nothing regressed; a change of 60 % in time, 10 % in memory"),
        (["base", "worse"], 1, f"regressed: {WHOLE}"),
        (["base", "elsewhere"], 2, "times are incomparable: machine 0123456789ab → ba9876543210"),
        (["base", "nobody"], 2, "nobody: no such record"),
        (["base", "same", "--fail-on", "speed:3%"], 2, "limit 'speed:3%'; give time, memory, error"),
        (["base", "same", "--across", "colour"], 2, "unknown part 'colour'"),
        (["base", "wild", "--strict"], 3, f"undecided: {EPOCH}"),
        (["base", "wild"], 0, f"{CLAIM}; but in {EPOCH} only a change of "),
        (
            ["one", "one"],
            3,
            "no case was decided in time: too few runs to measure their spread; record 3 runs",
        ),
    ],
)
def test_compare(stored, capsys, arguments, code, said):
    """Each end has its status, and its reason on standard error; what was not compared prints no table."""
    before = {path: path.stat().st_mtime_ns for path in stored.rglob("*")}
    assert cli.main(["compare", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.err.startswith(f"autoenc-bench: {said}")
    assert printed.err.count("\n") == 1
    assert (EPOCH in printed.out) == (code != 2 or "incomparable" in said)
    assert {path: path.stat().st_mtime_ns for path in stored.rglob("*")} == before


def test_formats(stored, capsys, monkeypatch):
    """JSON reads back whole, Markdown is appended to a job's page."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(stored / "job.md"))
    assert cli.main(["compare", "base", "slower", "--format", "json"]) == 1
    written = json.loads(capsys.readouterr().out)
    first = written["verdicts"][0]
    assert (first["case"], first["joined"], first["memory"]["outcome"]) == (EPOCH, "worse", "unchanged")
    assert first["time"]["low"] < first["time"]["ratio"] < first["time"]["high"]
    assert written["head"]["files"][0].startswith("slower/")
    page = (stored / "job.md").read_text()
    assert "of `0000" in page
    result = f"regressed: {EPOCH}, {WHOLE}"
    assert (written["status"], written["result"]) == (1, result)
    assert page.startswith(f"# autoenc-bench compare\n\n`{result}`\n\ntime regressed in `epoch[digits-fused]`")
    assert "| `epoch[digits-fused]`" in page


def test_a_page_that_cannot_be_written(stored, capsys, monkeypatch):
    """The verdict stands when a job's page cannot show it."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(stored))
    assert cli.main(["compare", "base", "slower"]) == 1
    printed = capsys.readouterr()
    assert "cannot be written" in printed.err
    assert EPOCH in printed.out


SPEEDS = (0.2, 0.31, 0.24, 0.36, 0.27, 0.22)  # seconds of a round, of the machine in each pair's stretch of time


def turns(folder, speeds, slowdown=0.0, rounds=12, seed=0, name="pair-{}", **context):
    """Write a side's records of a live comparison, one per pair and its speed; whole experiments took no turns."""
    random, contents = np.random.default_rng(seed), []
    for number, speed in enumerate(speeds):
        times = (speed * (1 + slowdown) * np.exp(random.normal(0, 0.01, rounds))).tolist()
        found = histories.content(number, **context)
        found["autoenc"]["pair"] = name and name.format(number)
        epoch = found["benchmarks"][0]
        epoch["stats"] |= recordings.plain("test", times)["stats"]
        epoch["extra_info"]["autoenc"] |= {"between": [0.01] * rounds, "reference": [0.01] * rounds}
        contents.append(found)
    histories.write(folder, contents)
    return [loading.read(path, pictured=False) for path in sorted(folder.glob("*.json"))]


def both_turned(tmp_path, speeds=SPEEDS, slowdown=0.05, names=("pair-{}", "pair-{}")):
    """Compare sides that took turns, in pairs that either side calls by these names."""
    base = turns(tmp_path / "base", speeds, name=names[0])
    return comparison.compare(base, turns(tmp_path / "head", speeds, slowdown, seed=1, name=names[1]))


def test_turns(tmp_path):
    """A slowdown is found in pairs that each ran at another speed of the machine, which hides it between runs."""
    found = both_turned(tmp_path / "turns")
    time = by_case(found)[EPOCH].time
    assert time.outcome is Outcome.REGRESSED
    assert time.interval.estimate == pytest.approx(np.log(1.05), abs=0.01)
    assert time.interval.runs == (6, 6)
    assert time.paired.pairs == 6
    assert found.control == ""
    assert status.of(found) == (exit_codes.REGRESSED, f"regressed: {EPOCH}")
    apart = by_case(both_turned(tmp_path / "apart", names=(None, None)))[EPOCH].time
    assert (apart.outcome, apart.paired) == (Outcome.UNDECIDED, None)


def test_equal_turns(tmp_path):
    """Pairs of equal processes are unchanged, whatever the machine did."""
    found = both_turned(tmp_path, slowdown=0.0)
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNCHANGED
    assert status.of(found).code == exit_codes.PASSED


def test_turns_are_their_own_control(tmp_path):
    """A machine that was slow in every other pair makes no side differ from itself, as it does with runs of no pair."""
    speeds = (0.2, 0.3) * 6
    assert both_turned(tmp_path / "turns", speeds).control == ""
    assert EPOCH in both_turned(tmp_path / "apart", speeds, names=(None, None)).control


def test_turns_with_themselves(tmp_path):
    """A side that took turns, compared with itself, differs by nothing, and passes."""
    base = turns(tmp_path, SPEEDS)
    found = comparison.compare(base, base)
    assert by_case(found)[EPOCH].time.interval.estimate == 0
    assert status.of(found).code == exit_codes.PASSED


def test_needed_pairs(tmp_path):
    """What a few pairs leave undecided says how many would do; what is decided needs none."""
    few, many = (both_turned(tmp_path / str(number), SPEEDS[:number], 0.06) for number in (2, 6))
    undecided, decided = (by_case(one)[EPOCH].time for one in (few, many))
    assert undecided.outcome is Outcome.UNDECIDED
    assert 2 < undecided.needed < inf
    assert (decided.outcome, decided.needed) == (Outcome.REGRESSED, None)


def test_took_no_turns(tmp_path):
    """A whole experiment of a live comparison has an error and no time, in whatever form that is shown."""
    found = both_turned(tmp_path)
    whole = by_case(found)[WHOLE]
    assert (whole.time, whole.error.outcome, whole.joined) == (None, Outcome.UNCHANGED, "unchanged")
    (row,) = [line for line in tables.text(found).split("\n") if line.startswith(WHOLE)]
    assert row.split()[1:3] == ["unchanged", "–"]
    assert f"`{WHOLE}`" in tables.markdown(found, "result")
    whole_document = json.loads(tables.document(found, status.of(found)))
    (written,) = [one for one in whole_document["verdicts"] if one["case"] == WHOLE]
    assert (written["time"], written["error"]["outcome"], written["joined"]) == (None, "unchanged", "unchanged")


@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.IMPROVED, Outcome.UNDECIDED, Outcome.INCOMPARABLE])
def test_joined_without_time(outcome):
    """The joined outcome of a case without a time is that of its error."""
    joined = {Outcome.REGRESSED: "worse", Outcome.IMPROVED: "better"}
    memory, error = comparison.Judgement(Outcome.UNCHANGED), comparison.Judgement(outcome)
    verdict = comparison.Verdict("case", None, memory=memory, error=error)
    assert verdict.joined == joined.get(outcome, str(outcome))


def test_one_pair(tmp_path):
    """One pair alone decides no time, and is shown without an interval, also as JSON."""
    found = both_turned(tmp_path, SPEEDS[:1], 0.5)
    time = by_case(found)[EPOCH].time
    assert (time.outcome, time.interval.high) == (Outcome.UNDECIDED, inf)
    assert "inf" not in tables.text(found)
    ended = status.of(found)
    assert ended.code == exit_codes.UNDECIDED
    written = json.loads(tables.document(found, ended))["verdicts"][0]["time"]
    assert (written["outcome"], written["spread"], written["low"], written["high"]) == ("undecided", None, None, None)


def test_pairs_of_other_names(tmp_path):
    """Where no pair is on both sides, runs are compared as runs of no pair are, and only for what took turns."""
    for speeds in (SPEEDS, (0.2,) * 6):
        found = by_case(both_turned(tmp_path / f"{speeds[1]}", speeds, names=("pair-{}", "another-{}")))
        apart = by_case(both_turned(tmp_path / f"{speeds[1]}-apart", speeds, names=(None, None)))
        ours, theirs = (one[EPOCH].time.interval for one in (found, apart))
        assert (ours.estimate, ours.spread, ours.runs) == (theirs.estimate, theirs.spread, theirs.runs)
        assert found[EPOCH].time.paired is None
        assert found[WHOLE].time is None
    assert found[EPOCH].time.outcome is Outcome.REGRESSED


def test_some_pairs_in_common(tmp_path):
    """Pairs of which one process is not there count for nothing."""
    base, head = turns(tmp_path / "base", SPEEDS), turns(tmp_path / "head", SPEEDS, 0.05, seed=1)
    found = comparison.compare(base[1:], head[:-1])
    time = by_case(found)[EPOCH].time
    assert (time.outcome, time.interval.runs) == (Outcome.REGRESSED, (4, 4))


def test_pairs_of_other_contexts(tmp_path):
    """Processes of unlike contexts are incomparable, whatever their pairs are called, unless that is under test."""
    base = turns(tmp_path / "base", SPEEDS)
    head = turns(tmp_path / "head", SPEEDS, 0.05, seed=1, keras="3.2")
    time, tested = (by_case(comparison.compare(base, head, across=across))[EPOCH].time for across in ((), ["keras"]))
    assert (time.outcome, time.paired) == (Outcome.INCOMPARABLE, None)
    assert tested.outcome is Outcome.REGRESSED


def test_plain_records(tmp_path):
    """Records of plain pytest-benchmark are compared as well, by time alone."""
    path = recordings.save_plain(tmp_path)
    found = comparison.compare([loading.read(path)], [loading.read(path)])
    assert [verdict.case for verdict in found.verdicts] == ["fast", "slow"]
    assert found.verdicts[0].time.interval.estimate == 0
    assert found.verdicts[0].error is None
