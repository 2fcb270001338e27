"""Explain why a case's time differs between two revisions, from a single run of each.

The compiled programs and Python's calls are counted, which is exact. Python's time is sampled. There is no verdict.
"""

import argparse
import sys
from pathlib import Path

from autoenc_bench.cli import both_sides, output
from autoenc_bench.cli.continuous import new_store
from autoenc_bench.formatting import line

NO_COUNTS = "no counts: at least one side did not run the instrumentation pass"
EPILOG = "Options after -- are pytest's, such as -- --scale smoke."


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("base", metavar="BASE", help="a git revision")
    command.add_argument("head", metavar="HEAD", help="a git revision; . stands for the working tree")
    command.add_argument("case", metavar="CASE", help="the case, such as epoch[mnist-fused]")
    both_sides.add_sides(command)


def run(options: argparse.Namespace) -> str:
    from autoenc_bench.live import checkouts, differences
    from autoenc_bench.records import loading
    from autoenc_bench.verdicts.comparison import compare_sides
    from autoenc_bench.verdicts.limits import Overrides
    from autoenc_bench.verdicts.sides import gather, under_test

    case, selected = both_sides.choose_case([options.case, *options.pytest], Path.cwd())
    options.head = None if options.head == "." else options.head
    with checkouts.both(*both_sides.wanted(options), Path.cwd()) as both, new_store() as store:
        output.write("running both sides once", sys.stderr)
        paths = differences.run_once(both, selected, store)
    base, head = (gather([loading.read_record(path, pictured=False)]) for path in paths)
    comparison = compare_sides(base, head, Overrides({}), under_test(base, head))
    verdict = next(verdict for verdict in comparison.verdicts if verdict.case == case)
    return "\n".join(map(line, (f"{case}: {verdict.cause or NO_COUNTS}", *differences.describe(store, case))))
