"""Sections and pictures -> the text of the HTML page and of the Markdown page."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate

from autoenc_bench import __version__, text
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import side_by_side
from autoenc_bench.report.side_by_side import Contrast
from autoenc_bench.report.view import TIMINGS, Section
from autoenc_bench.text import code, count


def html(
    sections: list[Section], unreadable: list[NotRun], together: Contrast | None = None, beside: str | None = None
) -> str:
    """Write the page that holds everything: pictures, style and script are in it.

    ``together`` sets several records side by side; ``beside`` is a page to link.
    """
    return (
        environment()
        .get_template("report.html")
        .render(
            sections=sections,
            together=together,
            contrast_headers=side_by_side.HEADERS,
            contrast_legend=side_by_side.LEGEND,
            beside=beside,
            unreadable=unreadable,
            timing_headers=TIMINGS,
            version=__version__,
        )
    )


def environment() -> Environment:
    """Return what fills templates; names from records are escaped."""
    environment = Environment(
        loader=PackageLoader("autoenc_bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count
    return environment


def markdown(sections: list[Section], unreadable: list[NotRun], together: Contrast | None = None) -> str:
    """Write the page for a pull request or a job's summary; it has no pictures, which neither could show."""
    parts = ["# autoenc-bench report"]
    if together:
        body = [
            [code(cell.text) if place < 2 else cell.text for place, cell in enumerate(row)] for row in together.cells
        ]
        align = ("left", "left", *["right"] * (len(side_by_side.HEADERS) - 2))
        table = tabulate(body, side_by_side.HEADERS, tablefmt="github", colalign=align, disable_numparse=True)
        parts += ["## Side by side", together.answer, table, f"<sub>{side_by_side.LEGEND}</sub>"]
    for section in sections:
        parts += [f"## {code(section.title)}"] if len(sections) > 1 else []
        parts += [code(section.source.setting), " ".join(section.answer)]
        if section.headline:
            body = [[code(cells[0].text), *(cell.text for cell in cells[1:])] for cells in section.headline]
            parts += [text.table(body, section.headers, "github"), f"<sub>{' '.join(section.legend.split())}</sub>"]
        parts += [f"- {word} {', '.join(map(code, cases))}: {code(reason)}" for word, cases, reason in section.left]
        parts += [_details(section)]
    if unreadable:
        parts += ["## Not readable", *(f"- {code(entry.case)}: {code(entry.reason)}" for entry in unreadable)]
    return "\n\n".join(parts) + "\n"


def _details(section: Section) -> str:
    body = [[code(cells[0].text), *(cell.text for cell in cells[1:])] for cells in section.timings]
    table = text.table(body, TIMINGS, "github")
    return f"<details><summary>{count(len(body), 'case')}, each with its rounds</summary>\n\n{table}\n\n</details>"
