"""The live table and its lines say how far each case is."""

import io
from dataclasses import replace

import pytest
import standins
from rich.console import Console
from standins import EPOCH, WHOLE

from autoenc_bench.gate.live import display


@pytest.fixture
def looks(tmp_path, monkeypatch):
    """Return the looks at a slower head."""
    return standins.measure(standins.Suite(ratio=1.3), tmp_path, monkeypatch)


def show(looks, *, terminal):
    """Show looks, each after a word of what runs; return what appeared."""
    said = io.StringIO()
    shown = display.Display(600)
    shown.console = Console(file=said, force_terminal=terminal, width=100, height=20, highlight=False)
    with shown:
        shown.tell("run 1 of the base, 0 s")
        for look in looks:
            shown.show(look)
            shown.tell("run 2 of the head, 3 s")
    return said.getvalue()


def test_lines(looks):
    """Where nobody watches there is a line per look and open case, and no line for what is being run."""
    said = show(looks, terminal=False)
    lines = said.splitlines()
    assert lines[0] == "0:20: 2 runs, 2 of 2 cases open"
    assert lines[1].startswith(f"  {EPOCH}  +2")
    assert lines[1].endswith("open")
    assert lines[-1].endswith("worse")
    assert "run 1 of the base" not in said
    assert "\x1b" not in said


def test_open_to_the_end(looks):
    """A case that the time did not suffice for is undecided in the end, and no more open."""
    first = looks[0]
    state = [verdict.joined for verdict in first.comparison.verdicts]
    assert [line.split()[-1] for line in display.lines(first)[1:]] == ["open"] * len(state)
    assert [line.split()[-1] for line in display.lines(replace(first, ended="the time was spent"))[1:]] == state


def test_table(looks):
    """On a terminal a table shows each case with its estimate, interval and state, below what is being run."""
    said = show(looks, terminal=True)
    assert "run 2 of the head, 3 s; at most 10:00 in all" in said
    assert EPOCH in said
    assert WHOLE in said
    assert "worse" in said
    assert "cases open" not in said


def test_open_cases_come_first(looks):
    """What is still measured stands above what is decided."""
    names = [verdict.case for verdict in looks[0].comparison.verdicts]
    for name in names:
        said = show([replace(looks[0], open=frozenset({name}))], terminal=True)
        assert next(line.split()[0] for line in said.splitlines() if line.startswith(tuple(names))) == name


def test_many_cases(looks):
    """A table that is higher than the terminal ends with how many cases are left out."""
    look = looks[-1]
    many = [looks[0].comparison.verdicts[0]] * 50
    found = replace(look, comparison=replace(look.comparison, verdicts=many))
    assert "… and 36 more" in show([found], terminal=True)
