"""What the terminal shows while cases run: one line for each, with its time, its rate and its error."""

from time import monotonic
from typing import Any

import pytest

from autoenc_bench import text as words
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Roofs

QUIET_FOR = 1.0  # seconds without a word after which an epoch is announced


class Progress:
    """Write a line per case, as a plugin of pytest; ``-v`` and ``-q`` ask for pytest's own ways instead."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cases: list[str] = []  # node ids
        self._begun = 0
        self._tells = False
        self._spoke = monotonic()
        self.results: dict[str, str] = {}  # node id -> what to say of a case that passed

    @property
    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def start(self, cases: list[str], alone: bool) -> None:
        """Begin with these cases; ``alone`` when pytest runs nothing else."""
        self._cases = cases
        self._tells = self._reporter.verbosity == 0
        if self._tells and alone:
            self._reporter.showfspath = False

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Leave out pytest's letter where this class writes a line."""
        if self._is_told(report) and not hasattr(report, "wasxfail"):
            return (report.outcome if _ends(report) else "", "", "")
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Name the case that begins."""
        if self._tells and nodeid in self._cases:
            self._begun += 1
            self._reporter.ensure_newline()
            total = str(len(self._cases))
            self.say(f"[{self._begun:{len(total)}}/{total}] {short(nodeid):42}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Say how the case ended."""
        if self._is_told(report) and _ends(report):
            markup = {"passed": {}, "skipped": {"yellow": True}, "failed": {"red": True}}[report.outcome]
            said = self.results.get(report.nodeid) if report.passed else None
            self._reporter.write_line(f" {said or report.outcome.upper()}", **markup)

    def _is_told(self, report: Any) -> bool:
        return self._tells and getattr(report, "nodeid", None) in self._cases

    def epoch(self, done: int, _latest: object) -> None:
        """Announce an epoch, once a case has been silent for a while."""
        if self._tells and monotonic() - self._spoke >= QUIET_FOR:
            self.say(f" epoch {done}")

    def say(self, text: str) -> None:
        """Write to the terminal at once, past pytest's capturing."""
        capturing: Any = self._config.pluginmanager.get_plugin("capturemanager")
        with capturing.global_and_fixture_disabled():
            self._reporter.write(text, flush=True)
        self._spoke = monotonic()


def _ends(report: Any) -> bool:
    return bool(report.when == "call" or not report.passed)


def short(nodeid: str) -> str:
    """Give a case's name without its file: ``epoch[digits-fused]``."""
    return nodeid.rpartition("::")[2].removeprefix("test_")


def result(case: Case, seconds: float | None, roofs: Roofs | None = None) -> str:
    """Say in a few words what a case measured; ``seconds`` are its median, ``None`` where it was not timed.

    Where a roof bounds the case, the binding one is named with the share of it that the case gets.
    """
    if seconds is None:
        text = f"{case.rows:,} rows, not timed"
    else:
        text = f"{words.seconds(seconds):>8}"
        text += f" {case.rows / seconds:>15,.0f} rows/s" if case.rows > 1 else ""
    if case.error:
        text += f"  error {case.error.absolute.mean:.3f} ± {case.error.absolute.std:.3f}"
    elif seconds and roofs and case.work and (bound := roofs.bound(case.work)):
        text += f"  {bound[1] / seconds:4.0%} of {bound[0]}".replace("%", " %")
    return text
