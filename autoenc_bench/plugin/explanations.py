"""What is kept for people to read beside counts, in a folder for each case below ``--explain DIR``.

``program-N.txt`` is the text of a compiled program; ``profile.txt`` has the seconds of a call by Python's functions.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

INTERVAL = 0.0005  # seconds between samples
SECONDS = 1.0  # to sample for


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what only comparisons give."""
    parser.addoption("--explain", type=Path, help=argparse.SUPPRESS)


def keep_programs(folder: Path, texts: Sequence[str]) -> None:
    """Keep programs' texts, without what differs from process to process."""
    from autoenc_bench.instruments.hlo import readable

    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts, start=1):
        (folder / f"program-{number}.txt").write_text(readable(text))


def keep_profile(folder: Path, call: Callable[[], object], setup: Callable[[], object] | None) -> None:
    """Keep where a call's time goes, a mean over as many calls as fit into some seconds, each after ``setup()``."""
    from pyinstrument import Profiler

    spent: Counter[str] = Counter()
    calls, until = 0, perf_counter() + SECONDS
    while not calls or perf_counter() < until:
        if setup:
            setup()
        with Profiler(interval=INTERVAL, async_mode="disabled") as sampler:
            call()
        calls += 1
        if sampler.last_session and (root := sampler.last_session.root_frame()):
            _add(root, spent)
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{seconds / calls:.6g}\t{name}\n" for name, seconds in spent.most_common())
    (folder / "profile.txt").write_text("".join(lines))  # a record alone is *.json


def _add(frame: Any, spent: Counter[str]) -> None:
    """Add what a frame, and each that it calls, took themselves."""
    stack = [frame]
    while stack:
        one = stack.pop()
        if not one.is_synthetic:
            spent[f"{one.function} ({one.file_path_short})"] += one.total_self_time
        stack += one.children
