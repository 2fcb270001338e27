"""Records in, files out: one HTML page that holds everything, one Markdown page, and every figure as SVG and PNG."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import figures, github, output, render, side_by_side
from autoenc_bench.report.figures.side_by_side import draw as draw_contrast
from autoenc_bench.report.output import Tell
from autoenc_bench.report.side_by_side import Contrast
from autoenc_bench.report.view import Section

HISTORY = "history.html"  # the page of ``autoenc-bench history``, linked where it lies beside


@dataclass(frozen=True)
class Written:
    """Say where the page is, and which records could not be read and why."""

    page: Path
    unreadable: list[NotRun]


def write(paths: Iterable[Path], out: Path, tell: Tell = lambda _: None) -> Written:
    """Draw records into ``out``: ``index.html``, ``summary.md`` and ``figures/``.

    Records that cannot be read are listed on the page. The Markdown is also appended to the file that
    ``GITHUB_STEP_SUMMARY`` names. Files appear when all of them are made, so an error leaves ``out`` as it was.

    Raises LookupError or ValueError when no record can be read, and ValueError when ``out`` cannot be written.
    """
    found, unreadable = loading.read_all(paths)
    with output.publish(out, "figures") as made:
        _make(found, unreadable, made, tell, HISTORY if (out / HISTORY).exists() else None)
        summary = (made / "summary.md").read_text("utf-8")
    github.append_step_summary(summary)
    return Written(out / "index.html", unreadable)


def _make(found: list[Source], unreadable: list[NotRun], folder: Path, tell: Tell, beside: str | None) -> None:
    sections = []
    for place, source in enumerate(found, start=1):
        # Two records may have one name, in the folders of two machines.
        prefix = f"/{place}-{output.file_name(source.path.stem)}" if len(found) > 1 else ""
        pictures = output.save(
            figures.draw(source),
            folder,
            f"figures{prefix}",
            _about(source, tell),
        )
        sections.append(Section(source, place, pictures))
    together = _contrast(found, folder, tell)
    (folder / "index.html").write_text(render.html(sections, unreadable, together, beside), "utf-8")
    (folder / "summary.md").write_text(render.markdown(sections, unreadable, together), "utf-8")


def _contrast(found: list[Source], folder: Path, tell: Tell) -> Contrast | None:
    """Set side by side what records have in common; nothing where they have not."""
    if not (together := side_by_side.together(found)):
        return None
    rows = side_by_side.rows(together)
    drawings = (("Side by side", drawing) for drawing in draw_contrast(rows, side_by_side.setting(together)))
    return Contrast(rows, output.save(drawings, folder, "figures", tell))


def _about(source: Source, tell: Tell) -> Tell:
    return lambda text: tell(f"{source.path.name}: {text}")
