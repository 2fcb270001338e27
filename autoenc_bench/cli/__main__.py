"""The program: parse the arguments, run one command, print its text and return its exit status."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from textwrap import fill

from autoenc_bench import __version__, exit_codes
from autoenc_bench.cli import (
    bisect,
    compare,
    continuous,
    experiments,
    history,
    machine,
    matrix,
    report,
    run,
    summary,
    why,
)
from autoenc_bench.cli.output import prepare, tell, write
from autoenc_bench.exceptions import AutoencBenchError
from autoenc_bench.exit_codes import BUG, REFUSED

COMMANDS = (run, experiments, machine, summary, report, history, compare, continuous, why, bisect, matrix)
RUN_PYTEST = ("run", "continuous", "why", "bisect", "matrix")  # commands that pass what follows -- to pytest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0, one of the command's own, 2 for a refusal, or 70 for a bug."""
    prepare()
    given, for_pytest = list(sys.argv[1:] if arguments is None else arguments), []
    if given[:1] == ["run"] and given[1:2] not in (["-h"], ["--help"], ["--"]):
        given.insert(1, "--")  # it has no options of its own
    if "--" in given and given[0] in RUN_PYTEST:
        place = given.index("--")
        given, for_pytest = given[:place], given[place + 1 :]
    options = parser().parse_args(given)
    options.pytest = for_pytest
    try:
        result = options.run(options)
        text, status = result if isinstance(result, tuple) else (result, 0)
    except AutoencBenchError as problem:
        tell(problem)
        return REFUSED
    except KeyboardInterrupt:
        tell("interrupted")
        return REFUSED
    except Exception:  # no other status may come from a traceback
        write(traceback.format_exc().rstrip(), sys.stderr)
        tell(f"this is a bug of autoenc-bench {__version__}, not your mistake; report the command and the lines above")
        return BUG
    if text:
        write(text, sys.stdout)
    return int(status)


class Paragraphs(argparse.HelpFormatter):
    """Keep empty lines, and the beginnings of lines that are indented by two spaces."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = []
        for paragraph in text.split("\n\n"):
            first, *entries = paragraph.split("\n  ")
            lines = [fill(entry, width, initial_indent="  ", subsequent_indent=" " * 6) for entry in entries]
            paragraphs.append("\n".join([super()._fill_text(first, width, indent), *lines]))
        return "\n\n".join(paragraphs)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="autoenc-bench",
        description="Run the suite, read the records that it saved, and decide whether a change made them worse.",
        epilog=f"{exit_codes.epilog(exit_codes.OTHERS)}\n\nMore codes: run, compare, continuous, bisect, matrix.",
        formatter_class=Paragraphs,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        summary, _, details = str(module.__doc__).partition(".\n")
        command = commands.add_parser(
            module.__name__.rpartition(".")[2],
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=details.strip() or summary,
            epilog=getattr(module, "EPILOG", None),
            formatter_class=Paragraphs,
        )
        if add := getattr(module, "add", None):
            add(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
