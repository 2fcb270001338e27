"""Records in, files out: one HTML page that holds everything, one Markdown page, and every figure as SVG and PNG."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from autoenc_bench import figures, pages, sources
from autoenc_bench.figures import looks
from autoenc_bench.records import Left
from autoenc_bench.sections import Picture, Section
from autoenc_bench.sources import Source

Tell = Callable[[str], None]  # is told what is being drawn


@dataclass(frozen=True)
class Written:
    """Say where the page is, and which records could not be read and why."""

    page: Path
    unreadable: list[Left]


def write(paths: Iterable[Path], out: Path, tell: Tell = lambda _: None) -> Written:
    """Draw records into ``out``: ``index.html``, ``summary.md`` and ``figures/``.

    Records that cannot be read are listed on the page. The Markdown is also appended to the file that
    ``GITHUB_STEP_SUMMARY`` names. Files appear when all of them are made, so an error leaves ``out`` as it was.

    Raises LookupError or ValueError when no record can be read, and ValueError when ``out`` cannot be written.
    """
    found, unreadable = sources.read_all(paths)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".writing-") as made:
            _make(found, unreadable, Path(made), tell)
            summary = (Path(made) / "summary.md").read_text("utf-8")
            _publish(Path(made), out)
        _append_step_summary(summary)
    except OSError as problem:
        raise ValueError(
            f"{problem.filename or out}: cannot be written: {problem.strerror}; choose another folder"
        ) from problem
    return Written(out / "index.html", unreadable)


def _make(found: list[Source], unreadable: list[Left], folder: Path, tell: Tell) -> None:
    sections = []
    for place, source in enumerate(found, start=1):
        # Two records may have one name, in the folders of two machines.
        prefix = f"{place}-{_file_name(source.path.stem)}/" if len(found) > 1 else ""
        (folder / "figures" / prefix).mkdir(parents=True)
        pictures = [_save(picture, folder / "figures" / prefix) for picture in _pictures(source, prefix, tell)]
        sections.append(Section(source, place, pictures))
    (folder / "index.html").write_text(pages.html(sections, unreadable), "utf-8")
    (folder / "summary.md").write_text(pages.markdown(sections, unreadable), "utf-8")


def _pictures(source: Source, prefix: str, tell: Tell) -> Iterator[Picture]:
    taken: set[str] = set()
    with looks.style():
        for chapter, drawing in figures.draw(source):
            tell(f"{source.path.name}: {looks.plain(drawing.title, 80)}")
            name = _file_name(drawing.name)
            while name in taken:  # only where a record's experiments have names that no catalogue allows
                name += "-again"
            taken.add(name)
            title = looks.plain(drawing.title, 120)
            yield Picture(
                chapter=chapter,
                file=f"figures/{prefix}{name}",
                title=title,
                alternative=drawing.alternative,
                note=drawing.note,
                width=drawing.figure.get_figwidth(),
                height=drawing.figure.get_figheight(),
                svg=looks.svg(drawing.figure, title),
                png=looks.png(drawing.figure, title),
            )


def _file_name(text: str) -> str:
    """Reduce a text to what every system takes as a file's name."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:80] or "unnamed"


def _save(picture: Picture, folder: Path) -> Picture:
    stem = picture.file.rpartition("/")[2]
    (folder / f"{stem}.svg").write_bytes(picture.svg)
    (folder / f"{stem}.png").write_bytes(picture.png)
    return picture


def _publish(made: Path, out: Path) -> None:
    """Move what was made into place, figures before pages, and remove the figures of an earlier report."""
    files = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    for file in files:
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (made / file).replace(out / file)
    for path in sorted((out / "figures").rglob("*.*")):
        if path.relative_to(out) not in files and _is_ours(path):
            path.unlink()


def _is_ours(path: Path) -> bool:
    """Tell whether an earlier report drew this file: figures say so in their metadata."""
    if path.suffix not in (".svg", ".png") or not path.is_file():
        return False
    with path.open("rb") as file:
        return looks.DRAWN_BY.encode() in file.read(2000)


def _append_step_summary(text: str) -> None:
    """Show the summary on the page of a GitHub Actions job, where this is one."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
