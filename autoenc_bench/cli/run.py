"""Run the suite, as 'pytest benchmarks/' does in a clone.

The benchmarks are those of the current folder if it is a clone, else those of the installed package. The record goes to
.benchmarks/ and the report to reports/ in the current folder.
"""

import argparse
from pathlib import Path

from autoenc_bench import exit_codes
from autoenc_bench.cli import both_sides

EPILOG = (
    "All options are pytest's, such as --scale smoke; 'autoenc-bench run -- --help' lists them.\n\n"
    f"{exit_codes.epilog(exit_codes.PYTEST)}"
)


def run(options: argparse.Namespace) -> tuple[str, int]:
    import pytest  # imported here because no other command needs it

    return "", pytest.main([*both_sides.suite(Path.cwd()), *options.pytest])
