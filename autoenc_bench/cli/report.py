"""Draw records as an HTML page with figures.

Writes one HTML page, one Markdown page, and every figure as SVG and PNG. The page lists records that cannot be read;
the exit code is 2 if none can be read.
"""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autoenc_bench.cli.compare import add_storage
from autoenc_bench.cli.output import tell
from autoenc_bench.formatting import line
from autoenc_bench.records.places import REPORTS, expanded


def add(command: argparse.ArgumentParser) -> None:
    records = "record files (JSON), or folders of them (default: the newest record)"
    command.add_argument("record", nargs="*", type=expanded, help=records)
    out = "the folder to write to (default: %(default)s/)"
    command.add_argument("--out", metavar="DIR", type=expanded, default=REPORTS, help=out)
    add_storage(command)
    command.add_argument("--open", action="store_true", help="open the page in a browser")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.records import storage
    from autoenc_bench.report import page  # imported here because Matplotlib takes long to load

    files = [file for path in options.record for file in sorted(storage.within(path), key=storage.place) or [path]]
    with drawing() as show:
        paths = files or [storage.newest(options.storage)]
        written = page.write(paths, options.out, show, processes=os.cpu_count() or 1)
    for left_out in written.left_out:
        tell(left_out)
    if options.open:
        webbrowser.open(written.page.resolve().as_uri())
    return f"report: {written.page}"


@contextmanager
def drawing() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows on standard error, if that is a terminal, the title of what is drawn."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True, force_terminal=sys.stderr.isatty()).status("") as status:
        yield lambda title: status.update(f"drawing {escape(line(title))}")
