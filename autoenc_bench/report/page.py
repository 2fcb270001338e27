"""Write a report: read records, judge and summarise them, draw their figures, and write the pages.

If one page would be too large for a browser, each record gets its own page.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from autoenc_bench.records import loading, storage
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import github, output, render, side_by_side
from autoenc_bench.report.figures import chapters
from autoenc_bench.report.output import Progress
from autoenc_bench.report.side_by_side import Together
from autoenc_bench.report.view import RECORDS, Section

HISTORY = "history.html"  # the page of ``autoenc-bench history``, linked if it is in the same folder
INDEX = "index.html"
TEMPLATES = {INDEX: "report.html", "summary.md": "report.md"}
FIGURES = "figures"  # their folder
PAGE_BYTES = 5_000_000  # about; a page with more figures and tables is divided into one page per record


@dataclass(frozen=True)
class WrittenReport:
    """The path of the page, and a line for each file or part of a record that could not be read, with the reason."""

    page: Path
    left_out: list[str]


def write(
    paths: Iterable[Path], out: Path, on_progress: Progress = lambda _: None, processes: int = 1
) -> WrittenReport:
    """Write the report of records into ``out``: ``index.html``, ``summary.md`` and ``figures/``, all of them or none.

    Records that are too large for one page get their own pages in ``records/``. The page lists the records that cannot
    be read. The Markdown is also appended to the summary of a GitHub Actions job. ``processes`` is the number of
    processes that draw records at once. If it is above 1, each process imports the main module again, so that module
    needs an ``if __name__`` guard. The result has ``page``, the path of ``index.html``, and ``left_out``, a line for
    each file or part of a record that could not be read.

    Raises NotFoundError or InvalidInputError if no record can be read, or if ``out`` cannot be written.
    """
    sources, unreadable = loading.read_records(paths)
    compared = side_by_side.judge(sources)
    sections = _sections(side_by_side.drawn_alone(sources))
    beside = HISTORY if (out / HISTORY).exists() else None
    with output.publish(out, FIGURES, RECORDS) as folder:
        sections = _draw(sections, folder, processes, on_progress)
        if compared:
            compared.pictures = output.save(chapters.draw_together(compared), folder, FIGURES, on_progress)
        for name, page in _pages(sections, compared, unreadable, beside).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(page, "utf-8", errors="replace")  # a file name may not be UTF-8
    github.append_step_summary((out / "summary.md").read_text("utf-8"), out / "summary.md")
    return WrittenReport(out / INDEX, list(loading.left_out(sources, unreadable)))


def _sections(sources: Sequence[Source]) -> list[Section]:
    # Records of two machines, in two folders, may have the same name.
    if len(sources) == 1:
        return [Section(sources[0])]
    named = [(source, output.file_name(storage.stem(source.path))) for source in sources]
    return [Section(source, place, f"{place}-{name}") for place, (source, name) in enumerate(named, start=1)]


def _draw(sections: list[Section], folder: Path, processes: int, on_progress: Progress) -> list[Section]:
    """Draw each record; report each figure to ``on_progress``, or each record where several processes draw."""
    if min(len(sections), processes) == 1:
        return [_draw_one(section, folder, on_progress) for section in sections]
    drawn = []
    with ProcessPoolExecutor(min(len(sections), processes), get_context("spawn")) as pool:
        for section in pool.map(_draw_one, sections, repeat(folder)):
            on_progress(section.file)
            drawn.append(section)
    return drawn


def _draw_one(section: Section, folder: Path, on_progress: Progress = lambda _: None) -> Section:
    within, file = f"{FIGURES}/{section.name}".removesuffix("/"), section.file
    drawings = chapters.draw(section)
    section.pictures = output.save(drawings, folder, within, lambda title: on_progress(f"{file}: {title}"))
    return section


def _pages(
    sections: list[Section], compared: Together | None, unreadable: list[NotRun], beside: str | None
) -> Mapping[str, str]:
    """Return the text of each page by its path in the report."""
    apart = len(sections) > 1 and sum(section.size for section in sections) > PAGE_BYTES
    content = {"sections": sections, "together": compared, "unreadable": unreadable, "beside": beside, "apart": apart}
    pages = {name: render.fill(template, **content) for name, template in TEMPLATES.items()}
    if apart:
        for section in sections:
            pages[section.page] = render.fill(TEMPLATES[INDEX], sections=[section], index=f"../{INDEX}")
    return pages
