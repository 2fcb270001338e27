"""Identify this machine, and measure its maximum rates (its roofs)."""

import argparse
import json
import sys

from autoenc_bench.cli.compare import add_format
from autoenc_bench.cli.output import tell
from autoenc_bench.formatting import line


def add(command: argparse.ArgumentParser) -> None:
    threads = "measure the roofs with N threads, or with all (default: %(default)s)"
    command.add_argument("--threads", metavar="N|all", default="1", help=threads)
    add_format(command, "text", "json")


def run(options: argparse.Namespace) -> str:
    # Imported here because only this command measures, and loads Keras to do so.
    import msgspec
    from tabulate import tabulate

    from autoenc_bench.machine import context, fingerprint
    from autoenc_bench.report import facts

    if sys.stderr.isatty():
        print("measuring, about ten seconds\r", end="", file=sys.stderr, flush=True)
    survey = context.survey(options.threads)
    if problem := fingerprint.nvidia().problem:
        tell(fingerprint.UNKNOWN.format(problem))
    if options.format == "json":
        return json.dumps(msgspec.to_builtins(survey), indent=2)
    rows = [(name, line(value)) for name, value in facts.facts(survey)]
    return tabulate(rows, tablefmt="plain", disable_numparse=True)
