"""Sections and pictures -> the text of the HTML page and of the Markdown page."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from tabulate import tabulate

from autoenc_bench import __version__, summary
from autoenc_bench.figures import looks
from autoenc_bench.figures.timings import rounds
from autoenc_bench.records import Benchmark, Left
from autoenc_bench.sources import Source, count


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

    @property
    def headline(self) -> list[list[Cell]]:
        """Lay out the headline table."""
        return [[Cell(text) for text in cells] for cells in summary.cells(self.rows)]

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
            f"{count(len(self.rows), 'experiment')}, {count(cases, 'case')}." if run else f"{count(cases, 'case')}."
        ]
        said += [*_speed(self.rows), *_quality(self.rows)]
        if run:
            left = (("failed", len(run.failed)), ("skipped", len(run.skipped)))
            words = [f"{count(number, 'case')} {what}" for what, number in left if number]
            said.append(f"{', '.join(words)}: see below." if words else "Nothing was skipped, nothing failed.")
        return said

    @property
    def timings(self) -> list[list[Cell]]:
        """Lay out the table of all cases."""
        return [_timing(benchmark) for benchmark in self.source.record.benchmarks]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """List what is known of the machine, the software and the run."""
        record, run = self.source.record, self.source.record.autoenc
        found = [("recorded", self.moment), ("record", self.source.path.name)]
        found += [("commit", commit)] if (commit := self.source.origin.commit()) else []
        if run is None:
            machine = [words for words in self.source.origin.machine() if words]
            return [*found, ("machine", ", ".join(machine)), ("pytest-benchmark", record.version)]
        found += [(name.replace("_", " "), str(value)) for name, value in run.machine.items()]
        context = {name: value for name, value in run.context.items() if name not in self.source.versions()}
        found += [(name, _fact(name, value)) for name, value in context.items()]
        found += [("scale", run.scale), ("seeds", str(run.seeds)), *self.source.versions().items()]
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


TIMINGS = ("case", "median", "fastest", "slowest", "spread", "rounds", "rows/s")


def _timing(benchmark: Benchmark) -> list[Cell]:
    stats, case, times = benchmark.stats, benchmark.extra_info.autoenc, rounds(benchmark)
    spread = (max(times) - min(times)) / stats.median
    rate = case.rows / stats.median if case and case.rows > 1 else None
    return [
        Cell(benchmark.name.removeprefix("test_")),
        *(Cell(looks.seconds(value), value) for value in (stats.median, min(times), max(times))),
        Cell(f"{spread:.0%}", spread) if len(times) > 1 else Cell("–"),
        Cell(f"{stats.rounds:,}", stats.rounds),
        Cell("–") if rate is None else Cell(f"{rate:,.0f}", rate),
    ]


def _fact(name: str, value: object) -> str:
    if value is None:
        return "all" if name == "threads" else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def moment(text: str) -> str:
    """Say a record's time to the minute, in UTC, as it stands where it is not one."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)?", text)
    return f"{found[1]} {found[2]} UTC" if found else text


def html(sections: list[Section], unreadable: list[Left]) -> str:
    """Write the page that holds everything: pictures, style and script are in it."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            sections=sections,
            unreadable=unreadable,
            headers=summary.HEADERS,
            legend=summary.LEGEND,
            timing_headers=TIMINGS,
            version=__version__,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autoenc_bench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count
    return environment


def markdown(sections: list[Section], unreadable: list[Left]) -> str:
    """Write the page for a pull request or a job's summary; it has no pictures, which neither could show."""
    parts = ["# autoenc-bench report"]
    for section in sections:
        parts += [f"## {code(section.title)}"] if len(sections) > 1 else []
        parts += [code(section.source.setting), " ".join(section.answer)]
        if section.rows:
            named = [msgspec.structs.replace(row, experiment=code(row.experiment)) for row in section.rows]
            parts += [summary.table(named, "github"), f"<sub>{' '.join(summary.LEGEND.split())}</sub>"]
        parts += [f"- {word} {', '.join(map(code, cases))}: {code(reason)}" for word, cases, reason in section.left]
        parts += [_details(section)]
    if unreadable:
        parts += ["## Not readable", *(f"- {code(entry.case)}: {code(entry.reason)}" for entry in unreadable)]
    return "\n\n".join(parts) + "\n"


def _details(section: Section) -> str:
    body = [[code(cells[0].text), *(cell.text for cell in cells[1:])] for cells in section.timings]
    align = ("left", *["right"] * (len(TIMINGS) - 1))
    table = tabulate(body, TIMINGS, tablefmt="github", colalign=align, disable_numparse=True)
    return f"<details><summary>{count(len(body), 'case')}, each with its rounds</summary>\n\n{table}\n\n</details>"


def code(text: str) -> str:
    """Show a text in Markdown as it is, also in a table: no markup, no mention, no line break."""
    words = "".join(sign if sign.isprintable() else " " for sign in text)
    words = " ".join(words.split()).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    pad = " " if words.startswith("`") or words.endswith("`") or not words else ""
    return f"{fence}{pad}{words}{pad}{fence}"
