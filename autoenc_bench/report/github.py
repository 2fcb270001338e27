"""The summary that GitHub Actions shows on the page of a job."""

import os
import re
from pathlib import Path

from autoenc_bench.exceptions import unwritable
from autoenc_bench.formatting import visible

SUMMARY_BYTES = 2**20  # GitHub shows nothing of a larger summary


def append_step_summary(text: str, rest: object = "the job's log") -> None:
    """Append a text, without control characters, to the summary of a GitHub Actions job; do nothing elsewhere.

    A text that does not fit is cut between lines, and ends with a note on where the ``rest`` is. Raises
    InvalidInputError if the summary cannot be written.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("ab") as file:
                file.write(_cut(visible(text), SUMMARY_BYTES - file.tell(), f"\n\nShortened: the rest is in {rest}.\n"))
        except OSError as problem:
            raise unwritable(problem, path) from problem


def _cut(text: str, room: int, note: str) -> bytes:
    whole = text.encode(errors="replace")
    if len(whole) <= room:
        return whole
    closing = "\n\n</details>"
    kept = whole[: max(0, room - len((closing + note).encode(errors="replace")))].rpartition(b"\n")[0]
    tags = re.findall(rb"^</?details>", kept, re.MULTILINE)
    is_open = tags[-1:] == [b"<details>"]
    ending = ((closing if is_open else "") + note).encode(errors="replace")
    return kept + ending if len(kept + ending) <= room else b""
