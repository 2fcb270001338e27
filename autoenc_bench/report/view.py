"""Plain data of a report: what a page and its figures show of one record, and the drawn figures."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from markupsafe import Markup

from autoenc_bench.formatting import count, moment
from autoenc_bench.records.loading import Source
from autoenc_bench.records.names import bracketed
from autoenc_bench.records.record import by_reason
from autoenc_bench.records.storage import PICTURE_KINDS, stem
from autoenc_bench.report import devices, facts, summary
from autoenc_bench.report.cases import TimedCase, case_table

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


class Section:
    """What a page and its figures show of one record; ``pictures`` are added when the figures are drawn.

    ``place`` numbers the records of a report. ``name`` names the folder of figures, and the page, that a record has of
    its own if there are several.
    """

    def __init__(self, source: Source, place: int = 1, name: str = "") -> None:
        record, run, wholes = source.record, source.record.autoenc, source.wholes()
        context, medians = run.context if run else {}, record.timed()
        self.place, self.name, self.page = place, name, f"{RECORDS}/{name}.html"
        self.file, self.title, self.setting = source.path.name, stem(source.path), source.setting
        self.recorded = moment(record.datetime)
        self.facts = facts.record_facts(source)
        labelled = zip(source.labels, record.benchmarks, strict=True)
        self.timed = [TimedCase(label, benchmark, run) for label, benchmark in labelled]
        self.experiments = [timed for timed in self.timed if timed.case.experiment]  # cases that belong to one
        self.table = case_table(self.timed)
        self.rows, self.scaled = summary.rows(medians), devices.rows(medians)
        self.is_smoke = run is not None and run.scale == "smoke"
        self.headline = devices.headline(medians, {**context, "scale": run.scale if run else None})
        self.has_virtual_devices = bool(context.get("virtual_devices"))
        # By experiment: its whole training, and its pictures, arrays of shape (2, n, features) by ``PICTURE_KINDS``.
        self.wholes = {experiment: case for experiment, (_, case) in wholes.items()}
        self.images = {
            experiment: {which: source.pictures[f"{bracketed(benchmark.name)}/{which}"] for which in PICTURE_KINDS}
            for experiment, (benchmark, case) in wholes.items()
            if case.image and source.pictures
        }
        outcomes = {"failed": run.failed, "skipped": run.skipped} if run else {}
        outcomes |= {"unreadable": source.left_out}
        self.not_run = {outcome: by_reason(entries) for outcome, entries in outcomes.items() if entries}
        self.answer = self._answer(is_ours=run is not None)
        self.pictures: list[Picture] = []

    @property
    def subject(self) -> str:
        if self.scaled:
            return f"How {count(len({row.experiment for row in self.scaled}), 'experiment')} scale with devices"
        if self.rows:
            return f"Speed and error of {count(len(self.rows), 'experiment')}"
        return f"Speed of {count(len(self.timed), 'benchmark')}"

    def _answer(self, *, is_ours: bool) -> list[str]:
        experiments = f"{count(len(self.rows), 'experiment')}, " if self.rows else ""
        sentences = [f"{experiments}{count(len(self.timed), 'case')}.", *self.headline.answer]
        numbers = {outcome: sum(map(len, reasons.values())) for outcome, reasons in self.not_run.items()}
        if missing := [f"{count(number, 'case')} {outcome}" for outcome, number in numbers.items()]:
            return [*sentences, f"{', '.join(missing)}: the reasons are below."]
        return [*sentences, "No case was skipped, and none failed."] if is_ours else sentences

    @property
    def size(self) -> int:
        """Return about how many bytes the section takes on a page."""
        return sum(len(picture.svg) for picture in self.pictures) + 400 * len(self.timed)

    @property
    def chapters(self) -> list[tuple[str, list[Picture]]]:
        return [(chapter, list(group)) for chapter, group in groupby(self.pictures, attrgetter("chapter"))]
