"""Print a record's headline table."""

import argparse
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import SAVED


def add(command: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    command.add_argument("record", nargs="?", type=Path, help=f"a record's JSON file (default: the newest in {SAVED}/)")
    command.add_argument("--format", choices=("text", "markdown"), default="text", help="default: %(default)s")


def run(options: argparse.Namespace) -> str:
    """Return the table, and what did not run."""
    from autoenc_bench.records import record, storage  # here, for --help need not wait for them
    from autoenc_bench.report import devices, summary

    path = options.record or storage.newest(SAVED)
    content = record.read(path)
    rows, scaled = summary.rows(content.timed()), devices.rows(content.timed())
    if not (rows or scaled) or content.autoenc is None:
        raise InvalidInputError(f"{path}: written by plain pytest-benchmark, so it holds no experiments to sum up")
    table = devices.table(scaled) if scaled else summary.table(rows)
    lines = [table.markdown() if options.format == "markdown" else table.text()]
    lines += summary.not_run(content.autoenc.skipped, "skipped")
    lines += summary.not_run(content.autoenc.failed, "failed")
    return "\n".join(lines)
