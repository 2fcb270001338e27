"""The timed cases of a record as plain data, and the table that lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, mebibytes, seconds, share
from autoenc_bench.records.case import Case, Memory
from autoenc_bench.records.loading import Source

TIMES_ALONE = Case(phase="", backend="", seed=0, rows=1)  # the case of a benchmark that recorded nothing but its times


@dataclass(frozen=True)
class TimedCase:
    """One case and its times in seconds per call; ``None`` stands for what was not measured."""

    label: str
    case: Case
    median: float
    times: list[float]  # of each round
    rounds: int
    roof: str  # the one that limits the case, with the efficiency there
    efficiency: float | None
    off_cpu: float | None  # seconds per round, where they are more than usual

    @property
    def kind(self) -> str | None:
        """Return the trainer, or the batch of an inference call: each has its own mark in figures."""
        return self.case.trainer or self.case.batch

    @property
    def per_row(self) -> float:
        return self.median / self.case.rows


def timed_cases(source: Source) -> list[TimedCase]:
    """Return every case of a record, in the order in which they ran."""
    run, cases = source.record.autoenc, []
    for label, benchmark in zip(source.labels, source.record.benchmarks, strict=True):
        case, stats = benchmark.extra_info.autoenc or TIMES_ALONE, benchmark.stats
        roof, efficiency = benchmark.bound(run.roofs if run else None) or (NONE, None)
        off_cpu = case.waited(stats.times, run.context if run else {})
        cases.append(TimedCase(label, case, stats.median, stats.times, stats.rounds, roof, efficiency, off_cpu))
    return cases


def case_table(cases: Sequence[TimedCase]) -> Table:
    """Return a row for each case, without the columns in which no case has a value."""
    columns: Columns[TimedCase] = (
        ("case", lambda row: Cell(row.label)),
        ("median", lambda row: cell(row.median, seconds)),
        ("fastest", lambda row: cell(min(row.times), seconds)),
        ("slowest", lambda row: cell(max(row.times), seconds)),
        ("spread", lambda row: cell(_spread(row), "{:.0%}".format)),
        ("rounds", lambda row: cell(row.rounds, "{:,}".format)),
        ("rows/s", lambda row: cell(row.case.rows / row.median if row.case.rows > 1 else None, "{:,.0f}".format)),
        ("efficiency", lambda row: cell(row.efficiency, share)),
        ("bound by", lambda row: Cell(row.roof)),
        ("set-up", lambda row: cell(median(row.case.set_up) if row.case.set_up else None, seconds)),
        ("waited", lambda row: cell(row.off_cpu, seconds)),
        ("peak memory", lambda row: _peak(row.case.memory) if row.case.memory else Cell(NONE)),
    )
    every = Table.of(columns, cases)
    shown = [place for place in range(len(columns)) if any(row[place].text != NONE for row in every.rows)]
    return Table([every.headers[place] for place in shown], [[row[place] for place in shown] for row in every.rows])


def _spread(row: TimedCase) -> float | None:
    return (max(row.times) - min(row.times)) / row.median if len(row.times) > 1 else None


def _peak(memory: Memory) -> Cell:
    device = "" if memory.accelerator is None else f"{mebibytes(memory.accelerator)} on the device"
    host = "" if memory.peak is None else mebibytes(memory.peak)
    return Cell(", ".join(filter(None, (host, device))) or NONE, memory.peak)
