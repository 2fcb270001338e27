"""The timed cases of a record as plain data, and the table that lists them."""

from collections.abc import Sequence
from statistics import median

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, mebibytes, seconds, share
from autoenc_bench.records.case import Case, Memory
from autoenc_bench.records.record import Benchmark, Run

TIMES_ALONE = Case(phase="", backend="", seed=0, rows=1)  # of a benchmark that recorded only its times


class TimedCase:
    """One case and its times in seconds per call; ``None`` stands for what was not measured."""

    def __init__(self, label: str, benchmark: Benchmark, run: Run | None) -> None:
        self.label = label
        self.case = benchmark.extra_info.autoenc or TIMES_ALONE
        self.kind = self.case.trainer or self.case.batch  # each has a mark of its own in figures
        self.rounds, self.median, self.times = benchmark.stats.rounds, benchmark.stats.median, benchmark.stats.times
        self.per_row = self.median / self.case.rows
        bound = benchmark.bound(run.roofs if run else None)
        self.roof = bound[0] if bound else NONE  # the one that limits the case
        self.efficiency = bound[1] if bound else None
        # Seconds per round, only where they are more than usual.
        self.off_cpu = self.case.unusual_off_cpu(self.times, run.context if run else {})


def case_table(cases: Sequence[TimedCase]) -> Table:
    """Return a row for each case, without the columns in which no case has a value."""
    columns: Columns[TimedCase] = (
        ("case", lambda row: Cell(row.label)),
        ("median", lambda row: cell(row.median, seconds)),
        ("fastest", lambda row: cell(min(row.times), seconds)),
        ("slowest", lambda row: cell(max(row.times), seconds)),
        ("spread", lambda row: cell(_spread(row), lambda spread: f"{spread * 100:.0f} %")),
        ("rounds", lambda row: cell(row.rounds, "{:,}".format)),
        ("rows/s", lambda row: cell(row.case.rows / row.median if row.case.rows > 1 else None, "{:,.0f}".format)),
        ("efficiency", lambda row: cell(row.efficiency, share)),
        ("bound by", lambda row: Cell(row.roof)),
        ("set-up", lambda row: cell(median(row.case.set_up) if row.case.set_up else None, seconds)),
        ("off-CPU", lambda row: cell(row.off_cpu, seconds)),
        ("peak memory", lambda row: _peak(row.case.memory or Memory())),
    )
    return Table.of(columns, cases).filled()


def _spread(row: TimedCase) -> float | None:
    return (max(row.times) - min(row.times)) / row.median if len(row.times) > 1 else None


def _peak(memory: Memory) -> Cell:
    device = "" if memory.accelerator is None else f"{mebibytes(memory.accelerator)} on the device"
    host = "" if memory.peak is None else mebibytes(memory.peak)
    return Cell(", ".join(filter(None, (host, device))) or NONE, memory.peak)
