"""Draw records as a page with figures.

One HTML page, one Markdown page, and every figure as SVG and PNG. Records that cannot be read are listed on the page;
the exit status is 2 when none can.
"""

import argparse
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autoenc_bench.records import REPORTS, SAVED


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("record", nargs="*", type=Path, help=f"records' JSON files (default: the newest in {SAVED}/)")
    command.add_argument("--out", metavar="DIR", type=Path, default=REPORTS, help="default: %(default)s/")
    command.add_argument("--open", action="store_true", help="open the page in a browser")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.records import storage
    from autoenc_bench.report import page  # here, for Matplotlib takes longer to load than other commands to run

    with drawing() as show:
        written = page.write(options.record or [storage.newest(SAVED)], options.out, show)
    for entry in written.unreadable:
        print(f"autoenc-bench: left out {entry.case}: {entry.reason}", file=sys.stderr)
    if options.open:
        webbrowser.open(written.page.resolve().as_uri())
    return f"report: {written.page}"


@contextmanager
def drawing() -> Iterator[Callable[[str], None]]:
    """Show on standard error what is being drawn, where that is a terminal."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("") as status:
        yield lambda title: status.update(f"drawing {escape(title)}")
