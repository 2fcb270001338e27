"""Records in, files out: one HTML page that holds everything, one Markdown page, and every figure as SVG and PNG.

Where one page would be too large to open with pleasure, each record has a page of its own instead.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source
from autoenc_bench.report import figures, github, output, render, side_by_side
from autoenc_bench.report.figures import pairs as pairs_figures
from autoenc_bench.report.figures import side_by_side as side_by_side_figures
from autoenc_bench.report.figures.style import Drawing
from autoenc_bench.report.output import Progress
from autoenc_bench.report.side_by_side import RoundByRound, SideBySide
from autoenc_bench.report.view import Picture, Section

HISTORY = "history.html"  # the page of ``autoenc-bench history``, linked where it lies beside
INDEX = "index.html"
PAGES = {INDEX: "report.html", "summary.md": "report.md"}  # with their templates
RECORDS = "records"  # the folder for their pages, where each has one of its own
MOST = 5_000_000  # bytes of figures and tables, about, on a page that holds several records


@dataclass(frozen=True)
class WrittenReport:
    """Where the page is, and in a line each which files, or parts of records, could not be read and why."""

    page: Path
    left_out: list[str]


def write(
    paths: Iterable[Path], out: Path, on_progress: Progress = lambda _: None, processes: int = 1
) -> WrittenReport:
    """Draw records into ``out``: ``index.html``, ``summary.md`` and ``figures/``, all of them or none.

    What is too large for one page goes to ``records/``, a page for each. Records that cannot be read are listed on the
    page. The Markdown also goes to the page of a GitHub Actions job. Several records are drawn in so many processes,
    which import the main module again: give more than one only where that guards what it does.

    Raises NotFoundError or InvalidInputError when no record can be read, or ``out`` cannot be written.
    """
    sources, unreadable = loading.read_records(paths)
    beside = HISTORY if (out / HISTORY).exists() else None
    with output.publish(out, "figures", RECORDS) as folder:
        sections = _sections(side_by_side.drawn_alone(sources), folder, on_progress, processes)
        together = _together(sources, folder, on_progress)
        apart = len(sections) > 1 and sum(one.size for one in sections) > MOST
        content = {"sections": sections, "together": together, "unreadable": unreadable, "beside": beside}
        pages = {name: render.fill(template, **content, apart=apart) for name, template in PAGES.items()}
        if apart:
            (folder / RECORDS).mkdir()
            alone: dict[str, Any] = {
                "together": None,
                "unreadable": [],
                "beside": None,
                "apart": False,
                "index": f"../{INDEX}",
            }
            pages |= {one.page: render.fill(PAGES[INDEX], sections=[one], **alone) for one in sections}
        for name, page in pages.items():
            (folder / name).write_text(page, "utf-8", errors="replace")  # file names may be no UTF-8
    github.append_step_summary((out / "summary.md").read_text("utf-8"), out / "summary.md")
    return WrittenReport(out / INDEX, list(loading.left_out(sources, unreadable)))


def _sections(sources: list[Source], folder: Path, on_progress: Progress, processes: int) -> list[Section]:
    """Draw each record; ``on_progress`` hears of each figure, or where several processes draw, of each record."""
    if len(sources) == 1:
        return [_section(sources[0], None, folder, on_progress)]
    places = range(1, len(sources) + 1)
    if processes == 1:
        return [_section(source, place, folder, on_progress) for source, place in zip(sources, places, strict=True)]
    sections = []
    with ProcessPoolExecutor(min(len(sources), processes), get_context("spawn")) as pool:
        for section in pool.map(_section, sources, places, repeat(folder)):
            on_progress(section.source.path.name)
            sections.append(section)
    return sections


def _section(source: Source, place: int | None, folder: Path, on_progress: Progress = lambda _: None) -> Section:
    """Draw a record's figures, in a folder of their own where it has a place among several."""
    # Two records may have one name, in the folders of two machines.
    name = f"{place}-{output.file_name(source.path.stem)}"
    within = f"figures/{name}" if place else "figures"
    said = source.path.name
    pictures = output.save(figures.draw(source), folder, within, lambda title: on_progress(f"{said}: {title}"))
    return Section(source, place or 1, f"{RECORDS}/{name}.html", pictures)


def _together(sources: list[Source], folder: Path, on_progress: Progress) -> SideBySide | RoundByRound | None:
    """Draw several records together: those of a live comparison round by round, others side by side."""

    def save(chapter: str, drawings: Iterable[Drawing]) -> list[Picture]:
        return output.save(((chapter, drawing) for drawing in drawings), folder, "figures", on_progress)

    if rounds := side_by_side.paired(sources):
        drawings = pairs_figures.draw(rounds.comparison, sources[0].setting)
        return replace(rounds, pictures=save(rounds.title, drawings))
    if alike := side_by_side.together(sources):
        rows = side_by_side.rows(alike)
        drawings = side_by_side_figures.draw(rows, side_by_side.setting(alike))
        return SideBySide(rows, save(SideBySide.title, drawings))
    return None
