"""Print the headline table of one record: speed and error of each experiment."""

import argparse

from autoenc_bench.cli.compare import add_format, add_storage
from autoenc_bench.cli.output import tell
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.places import expanded


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("record", nargs="?", type=expanded, help="a record file (JSON; default: the newest record)")
    add_storage(command)
    add_format(command, "text", "markdown")


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.records import loading, storage  # imported here because other commands do not need them
    from autoenc_bench.report import devices, summary

    path = options.record or storage.newest(options.storage)
    source = loading.read_record(path, pictured=False)
    for left_out in loading.left_out([source]):
        tell(left_out)
    run = source.record.autoenc
    table, legend, _ = devices.headline(source.record.timed(), run.context if run else {})
    if not table.rows or run is None:
        raise InvalidInputError(f"{path}: written by plain pytest-benchmark, so it has no experiments to summarise")
    not_run = *summary.not_run(run.skipped, "skipped"), *summary.not_run(run.failed, "failed")
    if options.format == "markdown":
        return "\n\n".join((table.markdown(), f"<sub>{' '.join(legend.split())}</sub>", *not_run))
    return "\n".join((table.text(), "", legend, *not_run))
