"""What commands write to standard output and standard error. A failing output changes no exit status."""

import os
import sys
from pathlib import Path
from typing import TextIO

from autoenc_bench import formatting


def prepare() -> None:
    """Replace missing outputs by the null device, and let both show a substitute for what they cannot encode."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - it stays open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test or a notebook may have replaced it
            stream.reconfigure(errors=formatting.STAND_INS)


def tell(message: object) -> None:
    """Write a message, which may quote records, as one line to standard error, after the program's name."""
    write(f"autoenc-bench: {formatting.line(str(message))}", sys.stderr)


def write(lines: str, stream: TextIO) -> None:
    """Write a text and a line break, with escapes for control characters; ignore a closed or full output.

    The text keeps its own line breaks. Pass text from records through ``formatting.line`` first.
    """
    try:
        print(formatting.visible(lines), file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # so that closing the stream does not fail either
    except ValueError:  # the stream is closed
        pass
