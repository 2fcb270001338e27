"""The headline sums up a record, and shows dashes for what was not measured."""

import msgspec

from autoenc_bench.records import record
from autoenc_bench.records.case import Case, Error, ReferenceValue, Statistics
from autoenc_bench.report import summary


def case(phase, trainer, rows=100, error=None, val_loss=None, seed=0):
    """Return a case of the digits experiment."""
    return Case(
        experiment="digits",
        phase=phase,
        backend="tensorflow",
        seed=seed,
        rows=rows,
        trainer=trainer,
        error=error,
        val_loss=val_loss,
    )


def error(mean):
    """Return an error with this mean."""
    statistics = Statistics(mean=mean, std=mean / 10, quantiles={}, counts=[])
    yardsticks = {
        "constant mean": ReferenceValue(12.0, 1.0, 0.1),
        "PCA": ReferenceValue(1.7, 0.4, 0.01, components=32),
    }
    return Error(statistics, statistics, statistics, [], [], yardsticks)


def test_row():
    """Rates are rows over seconds, the speed-up is their ratio, and errors are means over the seeds."""
    (row,) = summary.rows(
        [
            (case("epoch", "fit", rows=100), 2.0),
            (case("epoch", "fused", rows=900), 0.5),
            (case("encode", None), 9.0),
            (case("experiment", "fused", error=error(2.0), val_loss=0.2, seed=0), 3.0),
            (case("experiment", "fused", error=error(4.0), val_loss=0.4, seed=1), 5.0),
            (case("experiment", "fit", error=error(99.0), val_loss=9.0), 99.0),
        ]
    )
    assert (row.fit, row.fused, row.speed_up) == (50, 1800, 36)
    assert (row.seconds, row.error, row.constant_mean, row.pca) == (4, 3, 12, 1.7)
    assert abs(row.sigma - 0.3) < 1e-12
    assert abs(row.val_loss - 0.3) < 1e-12


def test_what_was_not_measured():
    """What was not measured or not timed is a dash, not a zero."""
    (row,) = summary.rows([(case("epoch", "fit"), None)])
    assert (row.fit, row.fused, row.speed_up, row.error, row.seconds) == (None,) * 5
    body = summary.table([row]).text().splitlines()[-1]
    assert body.split() == ["digits"] + ["–"] * 8


def test_table():
    """Each column shows its value with the right digits."""
    row = summary.ExperimentSummary(
        experiment="digits",
        fit=1000,
        fused=12345.5,
        seconds=4.567,
        error=3.1,
        sigma=0.25,
        constant_mean=12,
        pca=1.7,
        val_loss=0.30004,
    )
    (cells,) = summary.table([row]).rows
    assert [cell.text for cell in cells] == [
        "digits",
        "1,000",
        "12,346",
        "12.3 ×",
        "4.57",
        "3.100 ± 0.250",
        "12.000",
        "1.700",
        "0.3000",
    ]
    assert [cell.value for cell in cells] == [None, 1000, 12345.5, 12.3455, 4.567, 3.1, 12, 1.7, 0.30004]


def test_answer():
    """The sentences state the speed-up, and how many errors are below each reference value."""
    timed = [
        (case("epoch", "fit", rows=100), 1.0),
        (case("epoch", "fused", rows=900), 0.5),
        (case("experiment", "fused", error=error(2.0)), 1.0),
    ]
    (row,) = summary.rows(timed)
    worse = msgspec.structs.replace(row, fused=5000.0, error=13.0)
    better = msgspec.structs.replace(row, fit=None, error=1.5)
    assert summary.answer([worse, row, better]) == [
        "With fused, training is 18 to 50 times as fast as with fit.",
        "The autoencoder's error is lower than that of the constant mean in 2 of 3 experiments, and lower than that of "
        "PCA in 1, most clearly for digits (12 % lower).",
    ]
    much = msgspec.structs.replace(row, fused=123456.0)
    assert summary.answer([much]) == [
        "With fused, training is 1,200 times as fast as with fit.",
        "The autoencoder's error is lower than that of the constant mean in 1 of 1 experiment, and lower than that of "
        "PCA in 0.",
    ]
    assert summary.answer(summary.rows([(case("build", None), 1.0)])) == []


def test_rows_keep_their_order():
    """Experiments are in the order in which they ran."""
    timed = [(Case(experiment=name, phase="build", backend="b", seed=0, rows=1), 1.0) for name in ("z", "a", "z")]
    assert [row.experiment for row in summary.rows(timed)] == ["z", "a"]


def test_markdown():
    """The table has a Markdown form."""
    lines = summary.table(summary.rows([(case("epoch", "fit"), 2.0)])).markdown().splitlines()
    assert lines[0].startswith("| experiment")
    assert set(lines[1]) <= set("|-: ")


def test_not_run():
    """Cases that share a reason share a line."""
    left = [record.NotRun("a", "no data"), record.NotRun("b", "broken"), record.NotRun("c", "no data")]
    assert summary.not_run(left, "skipped") == ["skipped 2 cases (a … c): no data", "skipped b: broken"]
