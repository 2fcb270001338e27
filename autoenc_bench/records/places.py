"""The folders that commands read and write, relative to the project's folder, and paths that users name."""

import os
from pathlib import Path

SAVED = Path(".benchmarks")  # pytest-benchmark's own default
LIVE = Path(".continuous")  # not SAVED, because the two sides of a live comparison are not history
REPORTS = Path("reports")
BASELINES = REPORTS / "baselines"


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home directory. Shells do so only at some positions of an argument."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises an error for an unknown user
