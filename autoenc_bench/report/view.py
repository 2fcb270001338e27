"""What a page and its figures show of one record, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from markupsafe import Markup

from autoenc_bench.formatting import Table, count, moment
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import PICTURES, Source, bracketed
from autoenc_bench.records.record import by_reason
from autoenc_bench.records.storage import Pictures
from autoenc_bench.report import devices, facts, summary
from autoenc_bench.report.cases import TimedCase, case_table, timed_cases

RECORDS = "records"  # the folder for the pages of records, where each has one of its own


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


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a page shows of one record. ``wholes`` and ``images`` are by experiment, ``not_run`` by outcome and reason.

    ``images`` maps ``loading.PICTURES`` to arrays of shape (2, n, features): originals, then reconstructions.
    """

    place: int
    name: str  # of its own page and folder of figures, where it has them
    file: str
    title: str
    recorded: str
    setting: str
    subject: str
    answer: list[str]
    headline: devices.Headline
    timed: list[TimedCase]
    cases: Table
    wholes: dict[str, Case]
    images: dict[str, Pictures]
    scaled: list[devices.DeviceScaling]  # empty for a run that is not distributed
    virtual: bool  # its devices are parts of one CPU
    facts: list[tuple[str, str]]
    not_run: Mapping[str, Mapping[str, list[str]]]
    pictures: list[Picture]

    @property
    def page(self) -> str:
        return f"{RECORDS}/{self.name}.html"

    @property
    def size(self) -> int:
        """Return about how many bytes it takes on a page."""
        return sum(len(picture.svg) for picture in self.pictures) + 400 * len(self.timed)

    @property
    def chapters(self) -> list[tuple[str, list[Picture]]]:
        return [(chapter, list(group)) for chapter, group in groupby(self.pictures, attrgetter("chapter"))]

    @property
    def experiments(self) -> list[TimedCase]:
        """Return the cases that belong to an experiment."""
        return [timed for timed in self.timed if timed.case.experiment]


def section(source: Source, place: int = 1, name: str = "") -> Section:
    """Return what a page shows of a record, before its figures are drawn."""
    record, run, wholes = source.record, source.record.autoenc, source.wholes()
    medians, timed = record.timed(), timed_cases(source)
    headline = devices.headline(medians, run.context if run else {})
    rows, scaled, not_run = summary.rows(medians), devices.rows(medians), _not_run(source)
    if scaled:
        subject = f"How {count(len({row.experiment for row in scaled}), 'experiment')} scale with devices"
    else:
        subject = f"Speed and error of {count(len(rows), 'experiment')}" if rows else ""
    cases_counted = f"{count(len(timed), 'case')}."
    missing = [f"{count(sum(map(len, reasons.values())), 'case')} {outcome}" for outcome, reasons in not_run.items()]
    ending = f"{', '.join(missing)}: see below." if missing else "Nothing was skipped, nothing failed."
    return Section(
        place=place,
        name=name,
        file=source.path.name,
        title=source.path.stem,
        recorded=moment(record.datetime),
        setting=source.setting,
        subject=subject or f"Speed of {count(len(timed), 'benchmark')}",
        answer=[
            f"{count(len(rows), 'experiment')}, {cases_counted}" if rows else cases_counted,
            *summary.answer(rows),
            *headline.answer,
            *([ending] if run or missing else []),
        ],
        headline=headline,
        timed=timed,
        cases=case_table(timed),
        wholes={experiment: case for experiment, (_, case) in wholes.items()},
        images={
            experiment: {which: source.pictures[f"{bracketed(benchmark.name)}/{which}"] for which in PICTURES}
            for experiment, (benchmark, case) in wholes.items()
            if case.image
        },
        scaled=scaled,
        virtual=bool(run and run.context.get("virtual_devices")),
        facts=facts.record_facts(source),
        not_run=not_run,
        pictures=[],
    )


def _not_run(source: Source) -> dict[str, dict[str, list[str]]]:
    run = source.record.autoenc
    outcomes = {"failed": run.failed, "skipped": run.skipped} if run else {}
    outcomes |= {"unreadable": source.left_out}
    return {outcome: by_reason(entries) for outcome, entries in outcomes.items() if entries}
