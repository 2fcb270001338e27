"""What commands write: never a reason for another exit status, whatever the output takes."""

import os
import sys
from typing import TextIO

from autoenc_bench import formatting


def prepare() -> None:
    """Make sure of both outputs: there are some, and each sign that they cannot encode is shown by a stand-in."""
    # Nothing closes what stands for the whole process.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: PTH123, SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not what a test, or a notebook, put in their place
            stream.reconfigure(errors=formatting.STAND_INS)


def tell(message: object) -> None:
    """Write a message, which may quote records, as one line to standard error, in the name of this program."""
    write(f"autoenc-bench: {formatting.line(str(message))}", sys.stderr)


def write(lines: str, stream: TextIO) -> None:
    """Write a text and the end of its line, without control characters; a closed or full output gets nothing.

    The text's own line breaks stay, so what a record may break into lines must be a ``text.line`` in it.
    """
    try:
        print(formatting.visible(lines), file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # nor does closing complain
    except ValueError:  # closed
        pass
