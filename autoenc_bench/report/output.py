"""Write figures and pages into a folder: all of them, or none where one fails."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from autoenc_bench.exceptions import unwritable
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing
from autoenc_bench.report.view import Picture

Progress = Callable[[str], None]  # called with the title of each figure that is drawn


@contextmanager
def publish(out: Path, *parts: str) -> Iterator[Path]:
    """Yield a temporary folder; at the end move its files to ``out`` and remove those of an earlier report.

    ``parts`` are the folders in ``out`` that belong to this kind of page. Raises InvalidInputError if ``out`` cannot be
    written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".writing-") as made:
            yield Path(made)
            _move(Path(made), out, parts)
    except OSError as problem:
        if problem.errno is None:  # a bug, such as a template that Jinja does not find
            raise
        raise unwritable(problem, out) from problem


def save(drawings: Iterable[tuple[str, Drawing]], folder: Path, place: str, on_progress: Progress) -> list[Picture]:
    """Write pairs (chapter, drawing) as SVG and PNG files in ``folder/place``; return their pictures."""
    (folder / place).mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Picture] = {}
    with style.style():
        for chapter, drawing in drawings:
            on_progress(style.plain(drawing.title, 80))
            name = file_name(drawing.name)
            while name in pictures:  # only if a record has names that the catalogue does not allow
                name += "-again"
            file, title = f"{place}/{name}", style.plain(drawing.title, 120)
            svg, png = style.svg(drawing.figure, title), style.png(drawing.figure, title)
            (folder / f"{file}.svg").write_bytes(svg)
            (folder / f"{file}.png").write_bytes(png)
            width, height = drawing.figure.get_size_inches()
            texts = title, drawing.alternative, drawing.note
            pictures[name] = Picture(chapter, file, *texts, width, height, svg, png)
    return list(pictures.values())


def file_name(text: str) -> str:
    """Return a text as a file name that every system accepts."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:80] or "unnamed"


def _move(made: Path, out: Path, parts: Sequence[str]) -> None:
    """Move files into place, parts before pages, and remove the parts of an earlier page."""
    files = [path.relative_to(made) for path in made.rglob("*") if path.is_file()]
    for file in sorted(files, key=lambda file: (file.parts[0] not in parts, file)):
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (made / file).replace(out / file)
    for path in sorted(path for part in parts for path in (out / part).rglob("*.*")):
        if path.relative_to(out) not in files and _is_ours(path):
            path.unlink()


def _is_ours(path: Path) -> bool:
    """Return whether an earlier report wrote this file: its metadata names autoenc-bench."""
    if path.suffix not in (".svg", ".png", ".html") or not path.is_file():
        return False
    with path.open("rb") as file:
        return style.DRAWN_BY.encode() in file.read(2000)
