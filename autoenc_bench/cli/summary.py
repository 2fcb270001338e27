"""Print the headline table of one record: speed and error of each experiment."""

import argparse

from autoenc_bench.cli.compare import add_format, add_storage
from autoenc_bench.cli.output import tell
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.formatting import line, wrapped
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
    run, timed = source.record.autoenc, source.record.timed()
    if not timed or run is None:
        raise InvalidInputError(f"{path}: written by plain pytest-benchmark, so it has no experiments to summarise")
    table, legend, answer = devices.headline(timed, {**run.context, "scale": run.scale})
    not_run = *summary.not_run(run.skipped, "skipped"), *summary.not_run(run.failed, "failed")
    sentences = map(line, answer)
    if options.format == "markdown":
        note = f"<sub>{' '.join(legend.split())}</sub>" if legend else ""
        return "\n\n".join(filter(None, (table.markdown(), *sentences, note, *not_run)))
    return "\n\n".join(filter(None, (table.text(), *map(wrapped, sentences), legend, "\n".join(not_run))))
