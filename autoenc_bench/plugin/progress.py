"""The terminal while cases run: one line for each, with its time, rate and error."""

import sys
from contextlib import nullcontext
from statistics import median
from time import monotonic
from typing import Any

import pytest

from autoenc_bench.formatting import STAND_INS, share
from autoenc_bench.formatting import seconds as with_unit
from autoenc_bench.plugin.remaining import Remaining, minutes
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Roofs

QUIET_FOR = 1.0  # seconds without output after which the next epoch is announced
LEGEND = (
    "each line: a case, its median time and its rows per second; then its error per test sample (mean ± σ), or its\n"
    "share of the speed that the machine allows, with what limits it (dispatch: starting a compiled program);\n"
    "set-up: what Keras's fit prepares in each call, in addition to the time; off-CPU: how long a round waited"
)


class Progress:
    """Write one line per case, as a plugin of pytest; with ``-v`` or ``-q`` pytest writes its own lines instead."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cases: list[str] = []  # node ids, empty if pytest writes its own lines
        self._remaining: Remaining | None = None
        self._latest_output = monotonic()
        self.results: dict[str, str] = {}  # node id -> what to show of a case that passed

    @property
    def reporter(self) -> Any:
        """Return pytest's reporter, ``None`` in a worker of pytest-xdist and with ``-p no:terminal``."""
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def start(self, cases: list[str], alone: bool, remaining: Remaining | None) -> None:
        """Explain the lines of these cases; ``alone`` if pytest runs no other tests."""
        if self.reporter and self.reporter.verbosity == 0:
            self._cases, self._remaining = cases, remaining
            self.write_line(LEGEND)
            self.reporter.showfspath = self.reporter.showfspath and not alone

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Suppress pytest's letter for a case that has a line."""
        if getattr(report, "nodeid", None) not in self._cases or hasattr(report, "wasxfail"):
            return None
        return report.outcome if _ends(report) else "", "", ""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin the line of a case."""
        if nodeid in self._cases:
            self.reporter.ensure_newline()
            place, total = self._cases.index(nodeid) + 1, str(len(self._cases))
            left = f"{minutes(self._remaining.seconds()):>5} left  " if self._remaining else ""
            self.write(f"[{place:{len(total)}}/{total}] {left}{short(nodeid):42}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """End the line of a case with its result."""
        if report.nodeid in self._cases and _ends(report):
            # Other plugins have outcomes of their own, such as rerun.
            markup = {"passed": {}, "failed": {"red": True}}.get(report.outcome, {"yellow": True})
            result = self.results.get(report.nodeid) if report.passed else None
            if self._remaining:
                self._remaining.end(report.nodeid)
            self.reporter.write_line(printable(f" {result or report.outcome.upper()}"), **markup)

    def epoch(self, done: int) -> None:
        """Announce an epoch, if a case has written nothing for a while."""
        if self._cases and monotonic() - self._latest_output >= QUIET_FOR:
            self.write(f" epoch {done}")

    def write(self, text: str) -> None:
        """Write to the terminal, if there is one, at once and past pytest's capturing."""
        capturing: Any = self._config.pluginmanager.get_plugin("capturemanager")
        with capturing.global_and_fixture_disabled() if capturing else nullcontext():
            if self.reporter:
                self.reporter.write(printable(text), flush=True)
        self._latest_output = monotonic()

    def write_line(self, text: str) -> None:
        """Write a line to the terminal, if there is one."""
        if self.reporter:
            self.reporter.write_line(printable(text))

    def announce(self, text: str) -> None:
        """Write a line after the last case, where pytest's own output may not have ended its line."""
        if self.reporter:
            self.reporter.ensure_newline()
            self.write_line(text if self._cases else f"\n{text}")


def printable(text: str) -> str:
    """Return a text with substitutes for what the terminal cannot encode; pytest would escape its line breaks too."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return text if encoding.lower().startswith("utf") else text.encode(encoding, STAND_INS).decode(encoding)


def _ends(report: Any) -> bool:
    return bool(report.when == "call" or not report.passed)


def short(nodeid: str) -> str:
    """Return a case's name without its file: ``epoch[digits-fused]``."""
    return nodeid.rpartition("::")[2].removeprefix("test_")


def result(case: Case, seconds: float | None, roofs: Roofs | None = None, off_cpu: float | None = None) -> str:
    """Return a case's result for its line: ``seconds`` are its median, ``None`` if it was not timed.

    Without an error, state the efficiency, and name the roof that bounds the case. ``off_cpu`` are the
    seconds of a round off the CPU, if they are more than usual.
    """
    if seconds is None:
        text = f"{case.rows:,} rows, not timed"
    else:
        text = f"{with_unit(seconds):>8}"
        text += f" {case.rows / seconds:>15,.0f} rows/s" if case.rows > 1 else ""
    if case.error:
        text += f"  error {case.error.absolute.mean:.3f} ± {case.error.absolute.std:.3f}"
    elif seconds and roofs and case.work and (bound := roofs.bound(case.work)):
        text += f"  {bound[1] / seconds:4.0%} of limit ({bound[0]})".replace("%", " %")
    if case.set_up:
        text += f"  + {with_unit(median(case.set_up))} set-up"
    if seconds and off_cpu:
        text += f"  off-CPU {with_unit(off_cpu)}, {share(off_cpu / seconds)}"
    return text
