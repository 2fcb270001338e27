"""Exit code 0 means: measured on both sides, in every run and for every seed."""

import json

import histories
import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.exit_codes import NOT_COMPARED, PASSED, REGRESSED, UNDECIDED
from autoenc_bench.records.counts import Counts
from autoenc_bench.records.record import NotRun
from autoenc_bench.verdicts import comparison, limits, status, tables
from autoenc_bench.verdicts.comparison import Outcome

EPOCH, WHOLE, SEEDS = "epoch[digits-fused]", "experiment[digits-fused]", (0, 1, 2)
FAILED = "AssertionError: the loss is not finite"


def names(experiments=("digits",)):
    """List the full names of all cases of a complete run."""
    epochs = [f"epoch[{one}-fused]" for one in experiments]
    return [*epochs, *(f"experiment[{one}-fused-seed{seed}]" for one in experiments for seed in SEEDS)]


def record(day, *, lost=None, gone=(), errors=None, counts=None, means=None, scale="standard", experiments=("digits",)):
    """Make one run's record: an epoch of each experiment, and whole experiments of three seeds.

    ``lost`` maps full names to what happened; ``gone`` are not named at all. ``errors`` are factors of a seed's errors,
    ``means`` of its mean alone.
    """
    lost, errors, entries = lost or {}, errors or {}, []
    pace = float(np.exp(np.random.default_rng(day).normal(0, 0.002)))
    for name in experiments:
        epoch = recordings.timed(name, "epoch", trainer="fused", memory=recordings.MEMORY, counts=counts)
        entries.append(recordings.benchmark(epoch, 0.2 * pace))
        for seed in SEEDS:
            error = scaled(recordings.error(5.0, 0.5, seed=seed), errors.get(seed, 1), (means or {}).get(seed, 1))
            whole = recordings.whole(name, seed=seed, error=error)
            entries.append(recordings.benchmark(whole, 2 * pace * (1 + seed / 10), rounds=1))
    run = msgspec.structs.replace(
        recordings.RUN,
        scale=scale,
        skipped=[NotRun(name, FAILED) for name, what in lost.items() if what == "skipped"],
        failed=[NotRun(name, FAILED) for name, what in lost.items() if what == "failed"],
    )
    left = [one for one in entries if one["name"].removeprefix("test_") not in {*lost, *gone}]
    broken = [one | {"stats": None} for one in entries if lost.get(one["name"].removeprefix("test_")) == "unreadable"]
    found = recordings.content(run=run, entries=[*left, *broken])
    return found | {"datetime": f"2026-01-{day + 1:02}T03:04:05+00:00"}


def scaled(error, factor, mean=1.0):
    """Scale an error, or only its mean; a mean of ``None`` is not finite."""
    values = error.absolute
    if mean is None:
        return msgspec.structs.replace(error, absolute=msgspec.structs.replace(values, mean=None, counts=[]))
    quantiles = {share: value * factor for share, value in values.quantiles.items()}
    larger = {"mean": values.mean * factor * mean, "std": values.std * factor, "quantiles": quantiles}
    return msgspec.structs.replace(error, absolute=msgspec.structs.replace(values, **larger))


@pytest.fixture
def compare(tmp_path):
    """Return a function that compares complete runs with a head of the given changes, one for each run."""

    def compare(changes, base=({},) * 3, overrides=(), swapped=False, **shared):
        both = [
            histories.side(
                tmp_path / name, [record(day + offset, **shared, **change) for day, change in enumerate(own)]
            )
            for name, own, offset in (("base", base, 0), ("head", changes, 10))
        ]
        return comparison.compare(*(both[::-1] if swapped else both), limits.parse(overrides, ["digits"]))

    return compare


def shown(comparison, **options):
    """Return the exit code, the sentence, the table's notes and the JSON's reasons of a comparison."""
    ended = status.of(comparison, **options)
    written = json.loads(tables.document(comparison, ended))
    assert (written["status"], written["result"]) == ended
    notes = tables.text(comparison).partition("Each change is from base to head")[2]
    return ended.code, ended.reason, notes, {one["case"]: one["reason"] for one in written["lost"]}


LOSSES = {  # what two of three runs of the head lack
    "an epoch": [EPOCH],
    "all seeds": [f"experiment[digits-fused-seed{seed}]" for seed in SEEDS],
    "two seeds": [f"experiment[digits-fused-seed{seed}]" for seed in (1, 2)],
    "nearly everything": names()[1:],
}


@pytest.mark.parametrize("what", ["failed", "skipped", "unreadable"])
@pytest.mark.parametrize("lost", LOSSES.values(), ids=LOSSES)
def test_lost_in_two_of_three_runs(compare, lost, what):
    """A case or seed that some runs lost gives status 2 and is named in all formats, with runs and reason."""
    found = compare([{}, *[{"lost": dict.fromkeys(lost, what)}] * 2])
    code, sentence, notes, reasons = shown(found)
    assert code == NOT_COMPARED
    assert {*reasons} == {*lost}
    for reason in reasons.values():
        assert reason.startswith(f"{what} in 2 of 3 runs of the head (0002_standard.json, 0003_standard.json): ")
        assert what == "unreadable" or reason.endswith(FAILED)
        assert reason in sentence
        assert reason in notes
    assert shown(found, allow_missing=True)[0] == PASSED


@pytest.mark.parametrize("where", ["base", "head"])
@pytest.mark.parametrize("gone", LOSSES.values(), ids=LOSSES)
def test_not_named(compare, gone, where):
    """The same holds, on either side, for a case that some runs do not name at all."""
    found = compare([{}, {"gone": gone}, {}], swapped=where == "base")
    code, sentence, notes, reasons = shown(found)
    assert code == NOT_COMPARED
    assert reasons == dict.fromkeys(gone, f"absent from 1 of 3 runs of the {where} (0002_standard.json)")
    assert f"absent from 1 of 3 runs of the {where}" in sentence
    assert f"absent from 1 of 3 runs of the {where}" in notes


@pytest.mark.parametrize("change", ["lost", "gone"])
def test_seeds_that_the_head_lacks(compare, change):
    """Seeds that the whole head lacks do not change its time, and the status is 2."""
    seeds = [f"experiment[digits-fused-seed{seed}]" for seed in (1, 2)]
    found = compare([{change: dict.fromkeys(seeds, "failed") if change == "lost" else seeds}] * 3)
    code, sentence, _, reasons = shown(found)
    assert (code, {*reasons}) == (NOT_COMPARED, {*seeds})
    expected = (
        f"failed in all 3 runs of the head: {FAILED}" if change == "lost" else "absent from all 3 runs of the head"
    )
    assert f"{', '.join(seeds)}: {expected}" in sentence
    whole = next(one for one in found.verdicts if one.case == WHOLE)
    assert abs(whole.time.interval.estimate) < 0.01
    assert whole.time.outcome is Outcome.UNCHANGED
    assert shown(found, allow_missing=True)[0] == PASSED


def test_one_run_against_many(compare):
    """A single run that lost seeds gives status 2 against eight complete ones, with and without --strict."""
    seeds = [f"experiment[digits-fused-seed{seed}]" for seed in (1, 2)]
    found = compare([{"lost": dict.fromkeys(seeds, "failed")}], base=[{}] * 8)
    for strict in (False, True):
        code, sentence, _, _ = shown(found, strict=strict)
        assert (code, f"failed in the head: {FAILED}" in sentence) == (NOT_COMPARED, True)


def test_additional_seeds(compare):
    """Seeds that only the head has are new and change no verdict."""
    gone = [f"experiment[digits-fused-seed{seed}]" for seed in (1, 2)]
    found = compare([{}] * 3, base=[{"gone": gone}] * 3)
    assert shown(found)[0] == PASSED
    whole = next(one for one in found.verdicts if one.case == WHOLE)
    assert abs(whole.time.interval.estimate) < 0.01


def test_disjoint_seeds(compare):
    """Runs without a common seed are not compared."""
    first, rest = ([f"experiment[digits-fused-seed{seed}]" for seed in own] for own in ((0,), (1, 2)))
    found = compare([{"gone": first}] * 3, base=[{"gone": rest}] * 3)
    whole = next(one for one in found.verdicts if one.case == WHOLE)
    assert {one.reason for one in (whole.time, whole.error)} == {"no seed in common"}
    assert shown(found)[0] == NOT_COMPARED


def error_of(found):
    """Return the judgement of the whole experiment's error."""
    return next(one for one in found.verdicts if one.case == WHOLE).error


@pytest.mark.parametrize("worse", [[2], [1, 2], [0], [1]], ids=["newest", "two newest", "oldest", "middle"])
@pytest.mark.parametrize("where", ["base", "head"])
def test_errors_of_some_runs(compare, worse, where):
    """If only some runs of a side have another error, whichever they are, the error is incomparable."""
    changes = [{"errors": dict.fromkeys(SEEDS, 1.5)} if run in worse else {} for run in range(3)]
    found = compare(changes, swapped=where == "base", overrides=["error:1%"])
    code, sentence, notes, _ = shown(found)
    assert (code, error_of(found).outcome) == (NOT_COMPARED, Outcome.INCOMPARABLE)
    reason = "runs of one side differ in the error of seed 0, seed 1, seed 2"
    assert f"error is incomparable in {WHOLE}: {reason}" in sentence
    assert reason in notes


def test_one_seed_of_one_run(compare):
    """One seed of one run is enough, also if only its mean differs."""
    found = compare([{}, {}, {"means": {1: 1.05}}])
    assert error_of(found).reason == "runs of one side differ in the error of seed 1"
    assert shown(found)[0] == NOT_COMPARED


def test_errors_that_are_worse_in_every_run(compare):
    """If every run of the head is less accurate than every run of the base, the error has regressed."""
    found = compare([{"errors": dict.fromkeys(SEEDS, 1.5 + run / 20)} for run in range(3)])
    assert error_of(found).outcome is Outcome.REGRESSED
    assert error_of(found).interval.estimate == pytest.approx(np.log(1.5))  # of the runs that are closest
    assert shown(found)[0] == REGRESSED
    swapped = comparison.compare_sides(found.head, found.base, limits.Overrides({}), ())
    assert error_of(swapped).outcome is Outcome.IMPROVED
    assert error_of(swapped).interval.estimate == -error_of(found).interval.estimate


def test_errors_that_differ_by_rounding(compare):
    """Runs of a side whose errors differ by rounding are unchanged."""
    changes = [{"errors": dict.fromkeys(SEEDS, 1 + run * 1e-5)} for run in range(3)]
    found = compare(changes)
    assert error_of(found).outcome is Outcome.UNCHANGED
    assert shown(found)[0] == PASSED


def test_an_error_that_is_not_finite_in_one_run(compare):
    """An error that is not finite in one run is incomparable."""
    found = compare([{}, {}, {"errors": dict.fromkeys(SEEDS, 1.0), "means": {0: None}}])
    assert error_of(found).outcome is Outcome.INCOMPARABLE
    assert shown(found)[0] == NOT_COMPARED


def counted(number):
    """Make the counts of this number of calls in a step."""
    return Counts(calls={"step": {"f": number}})


@pytest.mark.parametrize(
    ("last", "reason"),
    [(counted(4), "runs of one side differ"), (None, "1 of 3 runs of the head without counts")],
    ids=["differ", "are lacking"],
)
def test_counts_of_some_runs(compare, last, reason):
    """Counts that differ or lack in one run are incomparable, and the status is 2 if they have a limit."""
    base = [{"counts": counted(3)}] * 3
    found = compare([*base[:2], {"counts": last}], base=base, overrides=["counts:0%"])
    judged = next(one for one in found.verdicts if one.case == EPOCH).counts
    assert (judged.outcome, judged.reason) == (Outcome.INCOMPARABLE, reason)
    assert shown(found)[0] == NOT_COMPARED


def test_scales_of_some_runs(compare):
    """Runs of one side that differ in their context are refused, with the names of both files."""
    files = r"0002_standard\.json and .*0001_standard\.json"
    with pytest.raises(ValueError, match=f"{files} are on one side, but differ in machine"):
        compare([{}, {"scale": "smoke"}, {}])


def test_incomparable_memory_is_named(compare):
    """The sentence of status 0 names each kind that was not compared, and why."""
    extra = {"experiments": ("digits", "mnist")}
    found = compare([extra] * 3)
    code, sentence, _, _ = shown(found)
    assert code == PASSED
    assert f"memory is incomparable in {EPOCH}: other cases ran in the process" in sentence


def test_undecided_error_beside_a_pass(compare):
    """A complete comparison of single runs is undecided in time only."""
    found = compare([{}], base=[{}])
    assert shown(found)[0] == UNDECIDED


def test_what_decides_an_error(compare):
    """If no error is decided, the sentence asks for more seeds and not for more runs."""
    gone = [f"experiment[digits-fused-seed{seed}]" for seed in (1, 2)]
    found = compare([{"gone": gone, "errors": {0: 1.009}}] * 3, base=[{"gone": gone}] * 3)
    assert error_of(found).outcome is Outcome.UNDECIDED
    code, sentence, _, _ = shown(found)
    assert code == UNDECIDED
    assert sentence.startswith("error is undecided in every case: the smallest change that would have been detected ")
    assert sentence.endswith("; train more seeds, with --seeds")
