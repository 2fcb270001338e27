"""Print a record's headline table."""

import argparse

from autoenc_bench.cli import output
from autoenc_bench.cli.compare import add_storage
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.places import expanded


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("record", nargs="?", type=expanded, help="a record's JSON file (default: the newest)")
    add_storage(command)
    command.add_argument("--format", choices=("text", "markdown"), default="text", help="default: %(default)s")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.records import loading, storage  # here, for --help need not wait for them
    from autoenc_bench.report import devices, summary

    path = options.record or storage.newest(options.storage)
    source = loading.read_record(path, pictured=False)
    content, run = source.record, source.record.autoenc
    for left_out in loading.left_out([source]):
        output.tell(left_out)
    table, *_ = devices.headline(content.timed(), run.context if run else {})
    if not table.rows or run is None:
        raise InvalidInputError(f"{path}: written by plain pytest-benchmark, so it holds no experiments to sum up")
    lines = [table.markdown() if options.format == "markdown" else table.text()]
    lines += summary.not_run(run.skipped, "skipped")
    lines += summary.not_run(run.failed, "failed")
    return "\n".join(lines)
