"""Say what runs here, and what it can do at most.

The machine is identified, and its roofs are measured on the threads that the suite would use.
"""

import argparse
import json
import sys

from autoenc_bench.cli import output
from autoenc_bench.formatting import line


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--threads", metavar="N|all", default="1", help="as for the suite (default: %(default)s)")
    command.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")


def run(options: argparse.Namespace) -> str:
    # Here, for only this command measures, and loads Keras for it.
    import msgspec
    from tabulate import tabulate

    from autoenc_bench.machine import context, fingerprint
    from autoenc_bench.report import facts

    if sys.stderr.isatty():
        print("measuring, about ten seconds\r", end="", file=sys.stderr, flush=True)
    survey = context.survey(options.threads)
    if problem := fingerprint.nvidia().problem:
        output.tell(fingerprint.UNKNOWN.format(problem))
    if options.format == "json":
        return json.dumps(msgspec.to_builtins(survey), indent=2)
    rows = [(name, line(value)) for name, value in facts.facts(survey)]
    return tabulate(rows, tablefmt="plain", disable_numparse=True)
