"""What a page of GitHub Actions shows of a job: text appended to the file that it names."""

import os
from pathlib import Path

from autoenc_bench.exceptions import unwritable


def append_step_summary(text: str) -> None:
    """Show a text on the page of a GitHub Actions job, where this is one; raise InvalidInputError if it cannot be."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as problem:
            raise unwritable(problem, path) from problem
