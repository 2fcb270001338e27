"""Show how results moved over time, and machines side by side.

Every record in folders is read, of any number of machines: change points of time, efficiency, error and memory, and the
newest state of the machines side by side. Files that are no records are left out and named; the exit status is 2 when
none can be read.
"""

import argparse
import sys
from pathlib import Path

from autoenc_bench.cli import output
from autoenc_bench.cli.compare import add_format
from autoenc_bench.cli.report import drawing
from autoenc_bench.records.places import BASELINES, SAVED, expanded


def add(command: argparse.ArgumentParser) -> None:
    folders = f"folders or record files (default: {SAVED}/, and {BASELINES}/)"
    command.add_argument("folder", nargs="*", type=expanded, help=folders)
    add_format(command)
    command.add_argument("--out", metavar="DIR", type=expanded, help="also write history.html and its figures there")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.history import document, tables
    from autoenc_bench.history.history import read_history  # imported here because other commands do not need it

    found = read_history(options.folder or [SAVED, *filter(Path.exists, [BASELINES])])
    for left_out in found.left_out:
        output.tell(left_out)
    if options.out:
        from autoenc_bench.history import page  # here, for Matplotlib takes longer to load than the table to print

        with drawing() as show:
            output.write(f"history: {page.write(found, options.out, show)}", sys.stderr)
    return {"table": tables.text, "markdown": tables.markdown, "json": document.text}[options.format](found)
