"""Show how results changed over time, and compare machines.

Reads every record in the folders, of any number of machines. Shows change points of time, efficiency, error and memory,
and the newest results of all machines side by side. Names the files that it cannot read; the exit code is 2 if it can
read none.
"""

import argparse
import sys
from pathlib import Path

from autoenc_bench.cli.compare import add_format
from autoenc_bench.cli.output import tell, write
from autoenc_bench.cli.report import drawing
from autoenc_bench.records.places import BASELINES, SAVED, expanded


def add(command: argparse.ArgumentParser) -> None:
    folders = f"folders or record files (default: {SAVED}/ and {BASELINES}/)"
    command.add_argument("folder", nargs="*", type=expanded, help=folders)
    add_format(command, "table", "markdown", "json")
    command.add_argument("--out", metavar="DIR", type=expanded, help="also write history.html and its figures here")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.history import document, tables
    from autoenc_bench.history.history import read_history  # imported here because other commands do not need it

    series = read_history(options.folder or [SAVED, *filter(Path.exists, [BASELINES])])
    for left_out in series.left_out:
        tell(left_out)
    if options.out:
        from autoenc_bench.history import page  # imported here because Matplotlib takes long to load

        with drawing() as show:
            write(f"history: {page.write(series, options.out, show)}", sys.stderr)
    return {"table": tables.text, "markdown": tables.markdown, "json": document.text}[options.format](series)
