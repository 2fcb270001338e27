"""Say why a case takes another time in one revision than in another, from what it does in a single run of each.

The compiled programs and Python's calls are counted, which is exact, and Python's time is sampled; nothing is gated.
"""

import argparse
import sys
from pathlib import Path

from autoenc_bench.cli import output
from autoenc_bench.cli.bisect import chosen
from autoenc_bench.cli.continuous import add_sides, new_store, wanted
from autoenc_bench.formatting import line

NOTHING = "no counts to compare: on at least one side, what the case executes was not counted"
EPILOG = "Options after -- are pytest's, such as -- --scale smoke."


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("base", metavar="BASE", help="a git revision")
    command.add_argument("head", metavar="HEAD", help="a git revision; . stands for the working tree")
    command.add_argument("case", metavar="CASE", help="such as epoch[mnist-fused]")
    add_sides(command)


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.live import checkouts, explanations
    from autoenc_bench.records import loading
    from autoenc_bench.verdicts.comparison import compare_sides
    from autoenc_bench.verdicts.limits import Overrides
    from autoenc_bench.verdicts.sides import gather, under_test

    case, given = chosen([options.case, *options.pytest], Path.cwd())
    options.head = None if options.head == "." else options.head
    base, head = wanted(options, "base"), wanted(options, "head")
    with checkouts.both(base, head, Path.cwd()) as sides, new_store() as store:
        output.write("running both sides once", sys.stderr)
        paths = explanations.run(sides, given, store)
    one, other = (gather([loading.read_record(path, pictured=False)]) for path in paths)
    comparison = compare_sides(one, other, Overrides({}), under_test(one, other))
    verdict = next(verdict for verdict in comparison.verdicts if verdict.case == case)
    return "\n".join(map(line, (f"{case}: {verdict.cause or NOTHING}", *explanations.read(store, case))))
