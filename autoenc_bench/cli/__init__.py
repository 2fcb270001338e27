"""The command line, one module per command, whose docstring is its help.

``add`` declares a command's options, and ``run`` returns what it prints, and its exit status where that is not 0.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence

from autoenc_bench import __version__, exit_codes
from autoenc_bench.cli import (
    bisect,
    compare,
    continuous,
    experiments,
    history,
    machine,
    matrix,
    output,
    report,
    summary,
    why,
)
from autoenc_bench.exceptions import AutoencBenchError
from autoenc_bench.exit_codes import BUG, REFUSED

COMMANDS = (experiments, machine, summary, report, history, compare, continuous, why, bisect, matrix)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0, a command's own, 2 when it was refused, or 70 for a bug of ours."""
    output.prepare()
    given, passed_on = _split(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
    options.pytest = passed_on
    try:
        result = options.run(options)
        text, status = result if isinstance(result, tuple) else (result, 0)
    except AutoencBenchError as problem:
        output.tell(problem)
        return REFUSED
    except KeyboardInterrupt:
        output.tell("interrupted")
        return REFUSED
    except Exception:  # a status from a traceback must mean nothing else
        output.write(traceback.format_exc().rstrip(), sys.stderr)
        output.tell(
            f"this is a bug of autoenc-bench {__version__}, not your mistake; please report the lines above and the "
            "command"
        )
        return BUG
    output.write(text, sys.stdout)
    return int(status)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="autoenc-bench",
        description="Read what 'pytest benchmarks/' recorded, and gate changes. The suite itself is run by pytest.",
        epilog=f"{exit_codes.epilog(exit_codes.OTHERS)}; compare, continuous and matrix have more.",
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
        )
        if add := getattr(module, "add", None):
            add(command)
        command.set_defaults(run=module.run)
    return parser


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what is ours from what stands after ``--`` and is pytest's, for the commands that run it."""
    given = list(arguments)
    if "--" not in given or given[0] not in ("continuous", "why", "bisect", "matrix"):
        return given, []
    place = given.index("--")
    return given[:place], given[place + 1 :]
