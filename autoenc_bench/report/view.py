"""What a report says about one record: its headline, its answer in sentences, its tables and its facts."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from markupsafe import Markup

from autoenc_bench.records.case import Memory
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark, Roofs
from autoenc_bench.report import devices, facts, summary
from autoenc_bench.text import count, mebibytes, moment, seconds, share


@dataclass(frozen=True)
class Picture:
    """Hold a drawn figure: its chapter, its words, its size in inches, and its bytes in both forms."""

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
        """Give the SVG as a data URI for an attribute in double quotes."""
        quoted = self.svg.decode().replace("%", "%25").replace("#", "%23").replace('"', "%22").replace("\n", "%0A")
        return Markup("data:image/svg+xml;charset=utf-8," + quoted.replace("&", "%26"))


@dataclass(frozen=True)
class Cell:
    """Hold what a table shows, and the number that it is sorted by where the text would not do."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Section:
    """Hold what a page says about one record."""

    source: Source
    place: int
    pictures: list[Picture]

    @property
    def title(self) -> str:
        """Name the record."""
        return self.source.path.stem

    @property
    def subject(self) -> str:
        """Say what the record is about."""
        if self.scaled:
            return f"How {count(len({row.experiment for row in self.scaled}), 'experiment')} scale with devices"
        if self.rows:
            return f"Speed and error of {count(len(self.rows), 'experiment')}"
        return f"Speed of {count(len(self.source.record.benchmarks), 'benchmark')}"

    @property
    def moment(self) -> str:
        """Say when the record was made."""
        return moment(self.source.record.datetime)

    @cached_property
    def rows(self) -> list[summary.Row]:
        """Sum up each experiment."""
        return summary.rows(self.source.record.timed())

    @cached_property
    def scaled(self) -> list[devices.Row]:
        """Sum up a distributed run."""
        return devices.rows(self.source.record.timed())

    @property
    def headline(self) -> list[list[Cell]]:
        """Lay out the headline table."""
        found = devices.cells(self.scaled) if self.scaled else summary.cells(self.rows)
        return [[Cell(text) for text in cells] for cells in found]

    @property
    def headers(self) -> tuple[str, ...]:
        """Name the columns of the headline table."""
        return devices.HEADERS if self.scaled else summary.HEADERS

    @property
    def legend(self) -> str:
        """Say what the headline table holds."""
        return devices.LEGEND if self.scaled else summary.LEGEND

    @property
    def chapters(self) -> list[tuple[str, list[Picture]]]:
        """Give the pictures by chapter."""
        return [(chapter, list(held)) for chapter, held in groupby(self.pictures, key=lambda picture: picture.chapter)]

    @property
    def answer(self) -> list[str]:
        """Say in sentences what came out."""
        run = self.source.record.autoenc
        cases = len(self.source.record.benchmarks)
        said = [
            f"{count(len(self.rows), 'experiment')}, {count(cases, 'case')}."
            if self.rows
            else f"{count(cases, 'case')}."
        ]
        said += [*_speed(self.rows), *_quality(self.rows)]
        said += devices.answer(self.scaled, run.context) if run and self.scaled else []
        if run:
            left = (("failed", len(run.failed)), ("skipped", len(run.skipped)))
            words = [f"{count(number, 'case')} {what}" for what, number in left if number]
            said.append(f"{', '.join(words)}: see below." if words else "Nothing was skipped, nothing failed.")
        return said

    @property
    def timings(self) -> list[list[Cell]]:
        """Lay out the table of all cases."""
        run = self.source.record.autoenc
        return [_timing(benchmark, run.roofs if run else None) for benchmark in self.source.record.benchmarks]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """List what is known of the machine, the software and the run."""
        record, run = self.source.record, self.source.record.autoenc
        found = [("recorded", self.moment), ("record", self.source.path.name)]
        found += [("commit", str(commit))] if (commit := record.commit_info) and commit.known else []
        if run is None:
            machine = [words for words in self.source.origin.machine() if words]
            return [*found, ("machine", ", ".join(machine)), ("pytest-benchmark", record.version)]
        found += [*facts.facts(run), ("scale", run.scale), ("seeds", str(run.seeds))]
        return [*found, ("pytest-benchmark", record.version), ("autoenc-bench", run.suite_version)]

    @property
    def left(self) -> list[tuple[str, list[str], str]]:
        """List what failed and what was skipped: word, cases, reason."""
        run = self.source.record.autoenc
        found: dict[tuple[str, str], list[str]] = {}
        for word, entries in (("failed", run.failed), ("skipped", run.skipped)) if run else ():
            for entry in entries:
                found.setdefault((word, entry.reason), []).append(entry.case)
        return [(word, cases, reason) for (word, reason), cases in found.items()]


def _speed(rows: list[summary.Row]) -> list[str]:
    gains = sorted(row.speed_up for row in rows if row.speed_up)
    if not gains:
        return []
    span = dict.fromkeys(f"{gain:.3g}" for gain in (gains[0], gains[-1]))
    return [f"The fused trainer takes {' to '.join(span)} times as many rows per second as fit."]


def _quality(rows: list[summary.Row]) -> list[str]:
    scored = [row for row in rows if row.error is not None]
    if not scored:
        return []
    mean = sum(_below(row.error, row.constant_mean) for row in scored)
    pca = sum(_below(row.error, row.pca) for row in scored)
    return [
        f"The autoencoder's error is below the constant mean's in {mean} of {len(scored)} experiments, and below "
        f"PCA's in {pca}."
    ]


def _below(error: float | None, yardstick: float | None) -> bool:
    return error is not None and yardstick is not None and error < yardstick


TIMINGS = (
    "case",
    "median",
    "fastest",
    "slowest",
    "spread",
    "rounds",
    "rows/s",
    "efficiency",
    "bound by",
    "peak memory",
)


def _timing(benchmark: Benchmark, roofs: Roofs | None) -> list[Cell]:
    stats, case, times = benchmark.stats, benchmark.extra_info.autoenc, benchmark.stats.times
    spread = (max(times) - min(times)) / stats.median
    rate = case.rows / stats.median if case and case.rows > 1 else None
    bound = benchmark.bound(roofs)
    return [
        Cell(benchmark.name.removeprefix("test_")),
        *(Cell(seconds(value), value) for value in (stats.median, min(times), max(times))),
        Cell(f"{spread:.0%}", spread) if len(times) > 1 else Cell("–"),
        Cell(f"{stats.rounds:,}", stats.rounds),
        Cell("–") if rate is None else Cell(f"{rate:,.0f}", rate),
        Cell("–") if bound is None else Cell(share(bound[1]), bound[1]),
        Cell("–" if bound is None else bound[0]),
        _peak(case.memory) if case and case.memory else Cell("–"),
    ]


def _peak(memory: Memory) -> Cell:
    """Say the most that a case held, in the process and on the accelerator."""
    device = "" if memory.accelerator is None else f"{mebibytes(memory.accelerator)} on the device"
    host = "" if memory.peak is None else mebibytes(memory.peak)
    return Cell(", ".join(filter(None, (host, device))) or "–", memory.peak)
