"""Files that explain a case beside its counts, in a folder for each case below ``--explain DIR``.

``program-N.txt`` is the text of a compiled program. ``profile.txt`` has the seconds of a call by Python function.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import pytest

INTERVAL = 0.0005  # seconds between samples
SECONDS = 1.0  # of sampling


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that only comparisons use."""
    parser.addoption("--explain", type=Path, help=argparse.SUPPRESS)


def keep_programs(folder: Path, texts: Sequence[str]) -> None:
    """Write the texts of compiled programs, without the parts that differ from process to process."""
    from autoenc_bench.instruments.hlo import readable

    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts, start=1):
        (folder / f"program-{number}.txt").write_text(readable(text))


def keep_profile(folder: Path, call: Callable[[], object], setup: Callable[[], object] | None) -> None:
    """Sample ``call()``, each time after ``setup()``, for ``SECONDS``; write each function's mean seconds per call."""
    from pyinstrument import Profiler

    spent: defaultdict[str, float] = defaultdict(float)
    calls, until = 0, perf_counter() + SECONDS
    while not calls or perf_counter() < until:
        if setup:
            setup()
        with Profiler(interval=INTERVAL, async_mode="disabled") as sampler:
            call()
        calls += 1
        frames = [sampler.last_session.root_frame()] if sampler.last_session else []
        for frame in filter(None, frames):  # the list grows by the functions that each one calls
            if not frame.is_synthetic:
                spent[f"{frame.function} ({frame.file_path_short})"] += frame.total_self_time
            frames += frame.children
    folder.mkdir(parents=True, exist_ok=True)
    longest = sorted(spent.items(), key=lambda item: -item[1])
    lines = (f"{seconds / calls:.6g}\t{name}\n" for name, seconds in longest)
    (folder / "profile.txt").write_text("".join(lines))  # no JSON: only records are *.json files
