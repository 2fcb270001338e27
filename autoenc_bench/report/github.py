"""What a page of GitHub Actions shows of a job: text appended to the file that it names."""

import os
import re
from pathlib import Path

from autoenc_bench.exceptions import unwritable
from autoenc_bench.formatting import visible

MOST = 2**20  # bytes of a job's summary: of a larger one GitHub shows nothing


def append_step_summary(text: str, rest: object = "the job's log") -> None:
    """Show a text, without control characters, on the page of a GitHub Actions job, where this is one.

    Where it does not fit beside what is there, it is cut between lines, and says that the ``rest`` is elsewhere. Raises
    InvalidInputError if it cannot be written.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("ab") as file:
                file.write(_cut(visible(text), MOST - file.tell(), f"\n\nShortened: the rest is in {rest}.\n"))
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
