"""What a report says about one record: its headline, its answer in sentences, its tables and its facts."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from statistics import median

from markupsafe import Markup

from autoenc_bench.formatting import NONE, Cell, Table, cell, count, mebibytes, moment, seconds, share
from autoenc_bench.records.case import Memory
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark, Run, by_reason
from autoenc_bench.report import devices, facts, summary


@dataclass(frozen=True)
class Picture:
    """A drawn figure: its chapter, its texts, its size in inches, and its bytes in both forms."""

    chapter: str
    file: str  # within the report's folder, without the ending
    title: str
    alternative: str
    note: str
    width: float
    height: float
    svg: bytes
    png: bytes

    @property
    def uri(self) -> Markup:
        """Return the SVG as a data URI for an attribute in double quotes."""
        quoted = self.svg.decode().replace("%", "%25").replace("#", "%23").replace('"', "%22").replace("\n", "%0A")
        return Markup("data:image/svg+xml;charset=utf-8," + quoted.replace("&", "%26"))


@dataclass(frozen=True)
class Section:
    """What a page shows of one record."""

    source: Source
    place: int
    page: str  # where it has one of its own
    pictures: list[Picture]

    @property
    def title(self) -> str:
        return self.source.path.stem

    @property
    def size(self) -> int:
        """Return about how many bytes it takes on a page."""
        return sum(len(picture.svg) for picture in self.pictures) + 400 * len(self.cases.rows)

    @property
    def subject(self) -> str:
        if self.scaled:
            return f"How {count(len({row.experiment for row in self.scaled}), 'experiment')} scale with devices"
        if self.rows:
            return f"Speed and error of {count(len(self.rows), 'experiment')}"
        return f"Speed of {count(len(self.source.record.benchmarks), 'benchmark')}"

    @cached_property
    def rows(self) -> list[summary.ExperimentSummary]:
        return summary.rows(self.source.record.timed())

    @cached_property
    def scaled(self) -> list[devices.DeviceScaling]:  # none of a run that is not distributed
        return devices.rows(self.source.record.timed())

    @cached_property
    def headline(self) -> devices.Headline:
        run = self.source.record.autoenc
        return devices.headline(self.source.record.timed(), run.context if run else {})

    @property
    def chapters(self) -> list[tuple[str, list[Picture]]]:
        return [(chapter, list(group)) for chapter, group in groupby(self.pictures, attrgetter("chapter"))]

    @property
    def answer(self) -> list[str]:
        experiments = f"{count(len(self.rows), 'experiment')}, " if self.rows else ""
        cases = count(len(self.source.record.benchmarks), "case")
        sentences = [f"{experiments}{cases}.", *summary.answer(self.rows), *self.headline.answer]
        if self.source.record.autoenc or self.not_run:
            numbers = {outcome: sum(map(len, reasons.values())) for outcome, reasons in self.not_run.items()}
            missing = [f"{count(number, 'case')} {outcome}" for outcome, number in numbers.items()]
            sentences.append(f"{', '.join(missing)}: see below." if missing else "Nothing was skipped, nothing failed.")
        return sentences

    @cached_property
    def cases(self) -> Table:
        record, labels = self.source.record, self.source.labels
        rows = [_case(*pair, record.autoenc) for pair in zip(labels, record.benchmarks, strict=True)]
        known = [place for place in range(len(CASES)) if any(row[place].text != NONE for row in rows)]
        return Table([CASES[place] for place in known], [[row[place] for place in known] for row in rows])

    @property
    def facts(self) -> list[tuple[str, str]]:
        record, run = self.source.record, self.source.record.autoenc
        known = [("recorded", moment(record.datetime)), ("record", self.source.path.name)]
        known += [("commit", str(commit))] if (commit := record.commit_info) and commit.known else []
        if run is None:
            machine = str(self.source.machine_info).replace(" · ", ", ")
            return [*known, ("machine", machine), ("pytest-benchmark", record.version)]
        known += [*facts.facts(run), ("scale", run.scale), ("seeds", str(run.seeds))]
        return [*known, ("pytest-benchmark", record.version), ("autoenc-bench", run.suite_version)]

    @cached_property
    def not_run(self) -> dict[str, dict[str, list[str]]]:  # the cases by outcome and reason
        run = self.source.record.autoenc
        outcomes = {"failed": run.failed, "skipped": run.skipped} if run else {}
        outcomes |= {"unreadable": self.source.left_out}
        return {outcome: by_reason(entries) for outcome, entries in outcomes.items() if entries}


CASES = (
    "case",
    "median",
    "fastest",
    "slowest",
    "spread",
    "rounds",
    "rows/s",
    "efficiency",
    "bound by",
    "set-up",
    "waited",
    "peak memory",
)


def _case(label: str, benchmark: Benchmark, run: Run | None) -> list[Cell]:
    stats, case, times = benchmark.stats, benchmark.extra_info.autoenc, benchmark.stats.times
    roof, efficiency = benchmark.bound(run.roofs if run else None) or (NONE, None)
    return [
        Cell(label),
        *(cell(value, seconds) for value in (stats.median, min(times), max(times))),
        cell((max(times) - min(times)) / stats.median if len(times) > 1 else None, "{:.0%}".format),
        cell(stats.rounds, "{:,}".format),
        cell(case.rows / stats.median if case and case.rows > 1 else None, "{:,.0f}".format),
        cell(efficiency, share),
        Cell(roof),
        cell(median(case.set_up) if case and case.set_up else None, seconds),
        cell(case.unusual_off_cpu(times, run.context) if case and run else None, seconds),
        _peak(case.memory) if case and case.memory else Cell(NONE),
    ]


def _peak(memory: Memory) -> Cell:
    device = "" if memory.accelerator is None else f"{mebibytes(memory.accelerator)} on the device"
    host = "" if memory.peak is None else mebibytes(memory.peak)
    return Cell(", ".join(filter(None, (host, device))) or NONE, memory.peak)
