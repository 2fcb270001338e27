"""Draw records as a page with figures.

One HTML page, one Markdown page, and every figure as SVG and PNG. Records that cannot be read are listed on the page;
the exit status is 2 when none can.
"""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autoenc_bench.cli import output
from autoenc_bench.cli.compare import add_storage
from autoenc_bench.formatting import line
from autoenc_bench.records.places import REPORTS, expanded


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "record", nargs="*", type=expanded, help="records' JSON files, or folders of them (default: the newest)"
    )
    command.add_argument("--out", metavar="DIR", type=expanded, default=REPORTS, help="default: %(default)s/")
    add_storage(command)
    command.add_argument("--open", action="store_true", help="open the page in a browser")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.records import storage
    from autoenc_bench.report import page  # here, for Matplotlib takes longer to load than other commands to run

    named = [file for path in options.record for file in sorted(path.rglob("*.json"), key=storage.place) or [path]]
    with drawing() as show:
        written = page.write(
            named or [storage.newest(options.storage)], options.out, show, processes=os.cpu_count() or 1
        )
    for left_out in written.left_out:
        output.tell(left_out)
    if options.open:
        webbrowser.open(written.page.resolve().as_uri())
    return f"report: {written.page}"


@contextmanager
def drawing() -> Iterator[Callable[[str], None]]:
    """Show on standard error what is being drawn, where that is a terminal."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True, force_terminal=sys.stderr.isatty()).status("") as status:
        yield lambda title: status.update(f"drawing {escape(line(title))}")
