"""A history as a page beside the report: ``history.html`` with its figures, and Markdown for a job's summary."""

from pathlib import Path

from autoenc_bench.history import tables, timelines
from autoenc_bench.history.history import History
from autoenc_bench.report import github, output, render
from autoenc_bench.report.output import Progress

PAGE, FIGURES, REPORT = "history.html", "history", "index.html"


def write(history: History, out: Path, on_progress: Progress = lambda _: None) -> Path:
    """Write ``history.html`` and its figures in ``history/`` into ``out``; return the path of the page.

    The files appear after all of them are written. The Markdown is appended to the file that ``GITHUB_STEP_SUMMARY``
    names. Raises InvalidInputError if a file cannot be written.
    """
    with output.publish(out, FIGURES) as folder:
        page = render.fill(
            PAGE,
            beside=REPORT if (out / REPORT).exists() else None,
            answer=tables.answer(history),
            changes=tables.change_table(history),
            machines=[(machine, tables.span(machine), tables.contexts(machine)) for machine in history.machines],
            pairs=[(pair, tables.pair_table(pair)) for pair in history.pairs],
            sides=tables.PAIR_LEGEND,
            pictures=output.save(timelines.draw(history), folder, FIGURES, on_progress),
            scales=[(scale, tables.series_table(group)) for scale, group in tables.by_scale(history)],
            legend=tables.LEGEND,
            unreadable=history.unreadable,
        )
        (folder / PAGE).write_text(page, "utf-8", errors="replace")  # file names may not be UTF-8
    github.append_step_summary(tables.markdown(history), out / PAGE)
    return out / PAGE
