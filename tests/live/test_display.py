"""The live table and the lines show how far each case is."""

import io
from dataclasses import replace
from math import inf, log1p

import pytest
import standins
from rich.console import Console
from rich.text import Text
from standins import EPOCH, WHOLE

from autoenc_bench import formatting
from autoenc_bench.live import display
from autoenc_bench.live.continuous import SPENT
from autoenc_bench.verdicts.comparison import Judgement, Outcome
from autoenc_bench.verdicts.intervals import Interval
from autoenc_bench.verdicts.pairs import Paired

LIMIT = 0.04
ENDS = (0, display.WIDTH - 1)


@pytest.fixture(scope="module")
def analyses(tmp_path_factory):
    """Return the analyses of a head whose first one leaves the epoch open."""
    folder = tmp_path_factory.mktemp("analyses")
    both = standins.sides(folder, head={"ratio": 1.3}, both={"apart": 0.06})
    shown = standins.measure(both, folder)
    assert EPOCH in shown[0].open
    return shown


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "PY_COLORS"])
def test_no_terminal(monkeypatch, variable):
    """A log gets lines, also if variables ask for colours: only standard error decides whether there is a terminal."""
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(display.sys, "stderr", io.StringIO())
    assert not display.console().is_terminal
    assert not display.Display(600).console.is_terminal


def show(analyses, *, terminal, encoding="utf-8"):
    """Show analyses, each after the current activity; return what was printed."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    shown = display.Display(600)
    shown.console = Console(file=printed, force_terminal=terminal, width=120, height=20, highlight=False)
    with shown:
        shown.progress("group 1: starting", 0.0)
        for analysis in analyses:
            shown.show(analysis)
            shown.progress("group 2: saving", 63.0)
    printed.seek(0)
    return printed.read()


def judgement(low, estimate, high):
    """Make a judgement of time whose interval is given in limits."""
    unit = log1p(LIMIT)
    interval = Interval(estimate * unit, low * unit, high * unit, 0.01, (4, 4))
    return Judgement(Outcome.UNDECIDED, LIMIT, interval)


# Lines


def test_lines(analyses):
    """Without a terminal there is a line per analysis and open case, and no line for the current activity."""
    printed = show([replace(analysis, seconds=75.0) for analysis in analyses], terminal=False)
    lines = printed.splitlines()
    assert lines[0] == "1:15: 2 pairs of processes, 1 of 2 cases open"
    assert lines[1].startswith(f"  {EPOCH}  +")
    assert "open" in lines[1]
    assert lines[-1].startswith(f"  {EPOCH}  +")
    assert lines[-1].endswith("worse")
    assert WHOLE not in printed
    assert "group 1" not in printed
    assert "\x1b" not in printed


def test_open_to_the_end(analyses):
    """A case that is open when the budget is spent is undecided."""
    first = replace(analyses[0], ended="")
    (verdict,) = [one for one in first.comparison.verdicts if one.case == EPOCH]
    assert display.row(verdict, first)[2].startswith("open")
    assert display.row(verdict, replace(first, ended=SPENT))[2] == verdict.joined == "undecided"


@pytest.mark.parametrize(
    ("pairs", "needed", "seconds", "minutes"),
    [(2, 4, 60.0, 1), (2, 12, 60.0, 5), (2, 5, 60.0, 2), (4, 3, 90.0, 2), (2, inf, 60.0, None), (2, None, 60.0, None)],
)
def test_minutes(analyses, pairs, needed, seconds, minutes):
    """The minutes that a case needs follow from the pairs that it lacks, two per group, where these are known."""
    paired = Paired(0.01, 0.001, 0.001, pairs, pairs - 1, 0.0)
    time = replace(judgement(-1, 0, 1), paired=paired, needed=needed)
    analysis = replace(analyses[0], next_group=seconds, open=frozenset({EPOCH}), ended="")
    assert display.minutes_needed(time, analysis) == minutes
    (verdict,) = [one for one in analysis.comparison.verdicts if one.case == EPOCH]
    state = display.row(replace(verdict, time=time), analysis)[2]
    assert state == (f"open, about {minutes} min more" if minutes else "open")


def test_minutes_without_pairs(analyses):
    """The minutes are unknown for a case without interleaved rounds."""
    assert display.minutes_needed(judgement(-1, 0, 1), analyses[0]) is None


# The table


def test_table(analyses):
    """On a terminal a table shows each case with its estimate, bar and state, below the current activity."""
    printed = show(analyses, terminal=True)
    assert "group 1: starting; 0:00 over, at most 10:00 left" in printed
    assert "group 2: saving; 1:03 over, at most 8:57 left" in printed
    for part in (EPOCH, WHOLE, "worse", "−limit", "+limit", "┊", "›"):
        assert part in printed
    assert "cases open" not in printed


def test_headings_stand_above_their_lines(analyses):
    """The headings of the bar are centred above its two lines."""
    printed = Text.from_ansi(show(analyses[-1:], terminal=True)).plain.splitlines()
    heading = next(line for line in printed if "−limit" in line)
    row = next(line for line in printed if EPOCH in line and "┊" in line)
    places = [place for place, sign in enumerate(row) if sign in "┊┼"]
    assert [heading.index(word) + len(word) // 2 for word in ("−limit", "+limit")] == places


def test_open_cases_come_first(analyses):
    """Open cases come before decided ones."""
    names = [verdict.case for verdict in analyses[0].comparison.verdicts]
    for name in names:
        printed = show([replace(analyses[0], open=frozenset({name}))], terminal=True)
        assert next(line.split()[0] for line in printed.splitlines() if line.startswith(tuple(names))) == name


def test_many_cases(analyses):
    """A table that is higher than the terminal ends with the number of cases that are left out."""
    analysis = analyses[-1]
    many = [analyses[0].comparison.verdicts[0]] * 50
    many_cases = replace(analysis, comparison=replace(analysis.comparison, verdicts=many))
    printed = show([many_cases], terminal=True)
    shown = 20 - display.LINES
    drawn = printed.count(f"… and {50 - shown} more")
    assert drawn
    assert printed.count(many[0].case) == drawn * shown


def test_narrow_alphabets(analyses):
    """Lines have stand-ins for what a terminal cannot show."""
    for analysis in analyses:
        shown = "\n".join(display.lines(analysis)).encode("ascii", formatting.STAND_INS)
        assert b"\\" not in shown


def test_bar_in_narrow_alphabets():
    """A bar has stand-ins as wide as its signs."""
    for ends in ((-1, 0, 1), (-9, 0, 9)):
        assert len(display.bar(judgement(*ends)).encode("ascii", formatting.STAND_INS)) == display.WIDTH


# The bar


def test_bar():
    """A bar has its estimate between the ends of the interval, and the lines of the limit where they belong."""
    drawn = display.bar(judgement(-0.5, 0, 0.5))
    assert len(drawn) == display.WIDTH
    assert drawn.index("●") == display.WIDTH // 2
    lines = [place for place, sign in enumerate(drawn) if sign == "┊"]
    assert sum(lines) == display.WIDTH - 1  # as far from either end
    assert set(drawn[lines[0] + 1 : lines[1]]) == {" ", "─", "●"}
    assert drawn == drawn[::-1]


def test_bar_across_a_limit():
    """An interval that crosses a line crosses it visibly, and an estimate on a line hides it."""
    drawn = display.bar(judgement(0.5, 1.5, 2.0))
    assert [sign for sign in drawn if sign in "┊┼"] == ["┊", "┼"]
    assert drawn.index("●") > drawn.index("┼")
    assert [sign for sign in display.bar(judgement(0.5, 1.0, 2.0)) if sign in "┊┼●"] == ["┊", "●"]


@pytest.mark.parametrize(
    ("ends", "signs"),
    [
        ((-9, 0, 9), "‹›"),
        ((-9, -8, 0), "‹ "),
        ((0, 8, 9), " ›"),
        ((5, 8, 9), " ›"),
        ((-9, -8, -5), "‹ "),
        ((-inf, 0, inf), "‹›"),
        ((-1e300, 1e300, 1e300), "‹›"),
        ((0, 1, 3.19), " ›"),
        ((-3.19, 1, 2), "‹ "),
        ((-2.8, 0, 2.8), "  "),
        ((-3, 0, 3), "──"),
    ],
)
def test_arrows(ends, signs):
    """An arrow stands at an end beyond which the interval goes on, also where all of it lies there."""
    drawn = display.bar(judgement(*ends))
    assert len(drawn) == display.WIDTH
    assert "".join(drawn[end] for end in ENDS) == signs
    assert ("●" in drawn) is (abs(ends[1]) < display.SPAN)


def test_nothing_to_draw():
    """Without an interval, a limit or an estimate there is an empty bar of the same width."""
    for one in (
        Judgement(Outcome.NEW),
        replace(judgement(-1, 0, 1), limit=0.0),
        judgement(-inf, inf, inf),
    ):
        assert set(display.bar(one)) <= {" ", "┊"}
        assert len(display.bar(one)) == display.WIDTH
