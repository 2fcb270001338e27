"""Each case gets one line, which shows the epoch after a while without output."""

from types import SimpleNamespace

import msgspec
import pytest
import recordings

from autoenc_bench.plugin import progress
from autoenc_bench.plugin.remaining import Remaining


class Terminal:
    """Collect what is written, as a stand-in for pytest's reporter and capturing manager."""

    def __init__(self, verbosity=0):
        self.verbosity = verbosity
        self.showfspath = True
        self.text = ""

    def write(self, text, **_markup):
        """Collect a text."""
        self.text += text

    def write_line(self, text, **_markup):
        """Collect a line."""
        self.text += text + "\n"

    def ensure_newline(self):
        """Begin a line."""

    def global_and_fixture_disabled(self):
        """Return a context that does nothing."""
        return pytest.MonkeyPatch.context()


def started(verbosity=0, cases=("f.py::test_epoch[digits-fit]",), alone=True, remaining=None):
    """Return a Progress that has started, and its terminal."""
    terminal = Terminal(verbosity)
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda _: terminal))
    writer = progress.Progress(config)
    writer.start(list(cases), alone, remaining)
    terminal.legend, terminal.text = terminal.text, ""
    return writer, terminal


def report(when="call", outcome="passed", nodeid="f.py::test_epoch[digits-fit]"):
    """Return pytest's report of one part of a case."""
    return SimpleNamespace(nodeid=nodeid, when=when, outcome=outcome, passed=outcome == "passed")


def test_a_line_per_case():
    """The line names the case as it begins, and ends with its result."""
    writer, terminal = started()
    writer.pytest_runtest_logstart("f.py::test_epoch[digits-fit]")
    assert terminal.text.strip() == "[1/1] epoch[digits-fit]"
    writer.results["f.py::test_epoch[digits-fit]"] = "12 ms"
    for when in ("setup", "call", "teardown"):
        writer.pytest_runtest_logreport(report(when))
        assert writer.pytest_report_teststatus(report(when)) == ("passed" if when == "call" else "", "", "")
    assert terminal.text.split() == ["[1/1]", "epoch[digits-fit]", "12", "ms"]
    assert not terminal.showfspath


def test_what_is_left():
    """The line of a case begins with the time that the run still takes, as its cases end one by one."""
    cases = [f"f.py::test_{name}" for name in "abc"]
    now = [0.0]
    writer, terminal = started(cases=cases, remaining=Remaining(dict.fromkeys(cases, 10.0), 2.0, lambda: now[0]))
    for case in cases:
        writer.pytest_runtest_logstart(case)
        now[0] += 80
        for when in ("setup", "call", "teardown"):
            writer.pytest_runtest_logreport(report(when, nodeid=case))
    assert [line[:18] for line in terminal.text.splitlines()] == [
        "[1/3]  1:00 left  ",
        "[2/3]  1:40 left  ",
        "[3/3]  1:00 left  ",
    ]


def test_legend():
    """A legend explains the lines before the first case, unless pytest writes its own lines."""
    assert "dispatch: starting a compiled program" in started()[1].legend
    assert started(verbosity=1)[1].legend == ""


def test_announcement():
    """A line after the last case begins on a line of its own, also after the dots of pytest's own output."""
    for verbosity, expected in ((0, "drawing\n"), (-1, "\ndrawing\n")):
        writer, terminal = started(verbosity)
        writer.announce("drawing")
        assert terminal.text == expected


@pytest.mark.parametrize("outcome", ["skipped", "failed"])
def test_what_did_not_pass(outcome):
    """The line of a skipped or failed case ends with that word, in whichever part it ended."""
    writer, terminal = started()
    writer.pytest_runtest_logreport(report("setup", outcome))
    assert terminal.text == f" {outcome.upper()}\n"


def test_others_are_left_to_pytest():
    """Other tests, and runs with -v or -q, have pytest's own output."""
    writer, terminal = started(alone=False)
    other = report(nodeid="f.py::test_other")
    writer.pytest_runtest_logstart(other.nodeid)
    writer.pytest_runtest_logreport(other)
    assert writer.pytest_report_teststatus(other) is None
    assert terminal.showfspath
    quiet, silent = started(verbosity=-1)
    quiet.pytest_runtest_logstart("f.py::test_epoch[digits-fit]")
    quiet.pytest_runtest_logreport(report())
    assert quiet.pytest_report_teststatus(report()) is None
    assert terminal.text == silent.text == ""


def test_expected_failures_are_left_to_pytest():
    """An expected failure keeps pytest's own output."""
    marked = report(outcome="skipped")
    marked.wasxfail = "known"
    assert started()[0].pytest_report_teststatus(marked) is None


def test_epochs(monkeypatch):
    """An epoch is announced after a second without output."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    writer, terminal = started()
    for done, moment in enumerate((0.5, 1.1, 1.9, 2.2), start=1):
        now[0] = moment
        writer.epoch(done)
    assert terminal.text == " epoch 2 epoch 4"


def test_result():
    """A result shows its time in a readable unit, its rate if it processed rows, and its error."""
    build, epoch = recordings.timed("digits", "build", 1), recordings.timed("digits", "epoch", 1000)
    assert progress.result(build, 0.0123).split() == ["12.3", "ms"]
    assert progress.result(epoch, 2e-4).split() == ["200", "µs", "5,000,000", "rows/s"]
    assert progress.result(epoch, None) == "1,000 rows, not timed"
    fit = msgspec.structs.replace(epoch, set_up=[0.1, 0.3, 0.2])
    assert progress.result(fit, 0.5, off_cpu=0.1).endswith("2,000 rows/s  + 200 ms set-up  off-CPU 100 ms, 20 %")
    bound = recordings.timed("digits", "epoch", 1000, work=recordings.WORK)
    assert progress.result(bound, 0.05, recordings.ROOFS).endswith("rows/s   20 % of limit (compute)")
    said = progress.result(recordings.whole("crude-simple"), 2.0)
    assert said.split() == ["2", "s", "4,500", "rows/s", "error", "7.998", "±", "0.080"]


def test_short():
    """The short name of a case has neither its file nor the prefix test_."""
    assert progress.short("benchmarks/test_epoch.py::test_epoch[digits-fit]") == "epoch[digits-fit]"
