"""A record and its side file by an earlier version are read to the numbers that the earlier version read."""

import json
import shutil
from pathlib import Path

import pytest

from autoenc_bench import compare
from autoenc_bench.cli.__main__ import main
from autoenc_bench.records import description, loading

DATA = Path(__file__).parent / "data"
RECORD = DATA / "0001_before.json"  # of digits at smoke, by version 0.1.0 at 3ec7cb5d7c2a
EXPECTED = json.loads((DATA / "expected.json").read_text())  # printed by the code of that commit


def numbers(benchmark, case, roofs):
    """Return all numbers that are read of one case."""
    errors = {name: getattr(case.error, name) for name in ("absolute", "mean_squared", "psnr")} if case.error else {}
    memory, work, bound = case.memory, case.work, benchmark.bound(roofs)
    return {
        "median": benchmark.stats.median,
        "min": benchmark.stats.min,
        "rounds": benchmark.stats.rounds,
        "data": benchmark.stats.data,
        "reference": benchmark.reference,
        "referenced": benchmark.referenced,
        "bound": bound and list(bound),
        "memory": [memory.before, memory.peak, memory.accelerator],
        "work": work and [work.flops, work.bytes, work.exponentials, work.calls],
        "error": {name: [one.mean, one.std, one.quantiles, sum(one.counts)] for name, one in errors.items()} or None,
        "yardsticks": case.error
        and {
            name: [one.mean, one.std, one.mean_squared, one.components] for name, one in case.error.yardsticks.items()
        },
        "extremes": case.error and [[one.index, one.error] for one in (*case.error.best, *case.error.worst)],
        "curve": case.curve and [[epoch.loss, epoch.val_loss, epoch.seconds] for epoch in case.curve],
        "sample": case.sample and [sum(case.sample.original), sum(case.sample.reconstruction)],
        "axes": [
            *(case.experiment, case.phase, case.trainer, case.batch, case.backend),
            *(case.seed, case.rows, case.epochs, case.val_loss),
        ],
    }


def test_cases():
    """Times, references, efficiencies, memory, work and errors of each case are those of the earlier version."""
    source = loading.read_record(RECORD)
    read = {benchmark.name: numbers(benchmark, case, source.record.autoenc.roofs) for benchmark, case in source.cases}
    assert list(read) == list(EXPECTED["cases"])
    for name, expected in EXPECTED["cases"].items():
        assert read[name] == expected, name


def test_surroundings():
    """Machine, context and versions are those of the earlier version, in the same words."""
    source = loading.read_record(RECORD)
    assert source.setting == EXPECTED["setting"]
    assert description.versions(source.record.autoenc.context) == EXPECTED["versions"]
    assert source.record.autoenc.context == EXPECTED["context"]


def test_pictures():
    """The side file holds the same pictures: shapes and sums."""
    pictures = loading.read_record(RECORD).pictures
    assert {name: [list(sheet.shape), int(sheet.sum())] for name, sheet in pictures.items()} == EXPECTED["pictures"]


@pytest.mark.parametrize("runs", [1, 3])
def test_nothing_changed(runs):
    """The record is unchanged against itself: memory and errors with one run, times with several."""
    comparison = compare([loading.read_record(RECORD)] * runs, [loading.read_record(RECORD)] * runs)
    assert len(comparison.verdicts) == len(EXPECTED["cases"])
    for verdict in comparison.verdicts:
        assert {kind: str(found.outcome) for kind, found in verdict.judgements.items()} == {
            "time": "unchanged" if runs > 1 else "undecided",
            "memory": "unchanged",
            **({"error": "unchanged"} if verdict.case == "experiment[digits-fused]" else {}),
        }


def test_command(tmp_path, capsys):
    """The command reports the same and exits with 0."""
    for number in range(3):
        shutil.copy(RECORD, tmp_path / f"000{number}_before.json")
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 0
    assert "time: 14 unchanged\nerror: 1 unchanged\nmemory: 14 unchanged\n" in capsys.readouterr().out
