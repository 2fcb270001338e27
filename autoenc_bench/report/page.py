"""Records in, files out: one HTML page that holds everything, one Markdown page, and every figure as SVG and PNG."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source
from autoenc_bench.report import figures, github, output, render, side_by_side
from autoenc_bench.report.figures import side_by_side as side_by_side_figures
from autoenc_bench.report.output import Progress
from autoenc_bench.report.side_by_side import SideBySide
from autoenc_bench.report.view import Picture, Section

HISTORY = "history.html"  # the page of ``autoenc-bench history``, linked where it lies beside
PAGES = {"index.html": "report.html", "summary.md": "report.md"}  # with their templates


@dataclass(frozen=True)
class WrittenReport:
    """Where the page is, and in a line each which files, or parts of records, could not be read and why."""

    page: Path
    left_out: list[str]


def write(paths: Iterable[Path], out: Path, on_progress: Progress = lambda _: None) -> WrittenReport:
    """Draw records into ``out``: ``index.html``, ``summary.md`` and ``figures/``, all of them or none.

    Records that cannot be read are listed on the page. The Markdown also goes to the page of a GitHub Actions job.
    Raises NotFoundError or InvalidInputError when no record can be read, or ``out`` cannot be written.
    """
    sources, unreadable = loading.read_all(paths)
    beside = HISTORY if (out / HISTORY).exists() else None
    with output.publish(out, "figures") as folder:
        sections = [
            Section(source, place, _draw(source, place if len(sources) > 1 else None, folder, on_progress))
            for place, source in enumerate(sources, start=1)
        ]
        alike = side_by_side.together(sources)
        together = _side_by_side(alike, folder, on_progress) if alike else None
        for name, template in PAGES.items():
            page = render.fill(template, sections=sections, together=together, unreadable=unreadable, beside=beside)
            (folder / name).write_text(page, "utf-8")
    github.append_step_summary((out / "summary.md").read_text("utf-8"))
    return WrittenReport(out / "index.html", list(loading.left_out(sources, unreadable)))


def _draw(source: Source, place: int | None, folder: Path, on_progress: Progress) -> list[Picture]:
    """Draw a record's figures, in a folder of their own where it has a place among several."""
    # Two records may have one name, in the folders of two machines.
    within = f"figures/{place}-{output.file_name(source.path.stem)}" if place else "figures"
    return output.save(figures.draw(source), folder, within, lambda title: on_progress(f"{source.path.name}: {title}"))


def _side_by_side(sources: list[Source], folder: Path, on_progress: Progress) -> SideBySide:
    rows = side_by_side.rows(sources)
    drawings = side_by_side_figures.draw(rows, side_by_side.setting(sources))
    pictures = output.save((("Side by side", drawing) for drawing in drawings), folder, "figures", on_progress)
    return SideBySide(rows, pictures)
