"""Show a live comparison on standard error: a table that updates on a terminal, lines elsewhere."""

import sys
from math import ceil, isfinite, log1p

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoenc_bench.formatting import line
from autoenc_bench.live.continuous import Analysis
from autoenc_bench.live.groups import PAIRS
from autoenc_bench.verdicts import tables
from autoenc_bench.verdicts.comparison import Verdict
from autoenc_bench.verdicts.judgements import Judgement, Outcome

COLOURS = {Outcome.REGRESSED: "red", Outcome.IMPROVED: "green", Outcome.UNCHANGED: "default"}
WIDTH = 25  # columns of a bar, an odd number
SPAN = 3.0  # limits from the bar's middle to its ends
LINES = 7  # of the terminal that are not rows of cases


def console() -> Console:
    """Return a console on standard error that updates on a terminal only, also if FORCE_COLOR is set."""
    return Console(stderr=True, highlight=False, force_terminal=sys.stderr.isatty())


class Display(Live):
    """The analyses on standard error: case, estimate, interval and state, the open cases first."""

    def __init__(self, budget: float) -> None:
        super().__init__(console=console(), auto_refresh=False, transient=True)
        self._budget = budget
        self._analysis: Analysis | None = None

    def progress(self, activity: str, seconds: float) -> None:
        """Show on a terminal the current activity, the seconds since the start, and the seconds left."""
        if self.console.is_terminal:
            left = max(0.0, self._budget - seconds)
            heading = Text(f"{activity}; {_clock(seconds)} over, at most {_clock(left)} left", style="dim")
            content = Group(heading, self._table(self._analysis)) if self._analysis else heading
            self.update(content, refresh=True)

    def show(self, analysis: Analysis) -> None:
        self._analysis = analysis
        if not self.console.is_terminal:
            self.console.print("\n".join(lines(analysis)), soft_wrap=True, markup=False)

    def _table(self, analysis: Analysis) -> Table:
        verdicts = sorted(analysis.comparison.verdicts, key=lambda verdict: verdict.case not in analysis.open)
        space = max(3, self.console.height - LINES)
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("case", no_wrap=True, min_width=max(len(verdict.case) for verdict in verdicts[:space]))
        table.add_column("head against base", no_wrap=True)
        table.add_column(f"{'−limit':>{_column(-1) + 3}}{'+limit':>{_column(1) - _column(-1)}}", no_wrap=True)
        table.add_column("state")
        for verdict in verdicts[:space]:
            outcomes = {judgement.outcome for judgement in verdict.judgements.values()}
            colour = next((colour for outcome, colour in COLOURS.items() if outcome in outcomes), "dim")
            name, change, state = map(Text, row(verdict, analysis))
            state.stylize("dim" if verdict.case in analysis.open else colour)
            table.add_row(name, change, Text(bar(verdict.time) if verdict.time else "", style=colour), state)
        if len(verdicts) > space:
            table.add_row(f"… and {len(verdicts) - space} more", "", "", "")
        return table


def bar(time: Judgement) -> str:
    """Draw an interval between the lines of its limit, ``┊──●──┊``, with an arrow where it is cut off."""
    signs = [" "] * WIDTH
    interval, limit = time.interval, log1p(time.limit)
    if interval and limit and isfinite(interval.estimate):
        ends = interval.low, interval.estimate, interval.high
        low, estimate, high = (_column(max(-9.0, min(9.0, end / limit))) for end in ends)
        for column in range(max(0, low), min(WIDTH - 1, high) + 1):
            signs[column] = "─"
        if low < 0:
            signs[0] = "‹"
        if high >= WIDTH:
            signs[-1] = "›"
        for column in (_column(-1), _column(1)):
            signs[column] = "┼" if signs[column] == "─" else "┊"
        if 0 <= estimate < WIDTH:
            signs[estimate] = "●"
    return "".join(signs)


def _column(limits: float) -> int:
    """Return the column of a change in a bar, given in limits."""
    return round((WIDTH - 1) / 2 * (1 + limits / SPAN))


def lines(analysis: Analysis) -> list[str]:
    """Return an analysis as lines: a summary, then each open case, and each that regressed."""
    verdicts, pairs = analysis.comparison.verdicts, PAIRS * analysis.groups
    cases = f"{len(analysis.open)} of {len(verdicts)} cases open"
    shown = [f"{_clock(analysis.seconds)}: {pairs} pairs of processes, {cases}"]
    for verdict in verdicts:
        regressed = Outcome.REGRESSED in {judgement.outcome for judgement in verdict.judgements.values()}
        if verdict.case in analysis.open or regressed:
            shown.append("  " + "  ".join(row(verdict, analysis)))
    return shown


def row(verdict: Verdict, analysis: Analysis) -> tuple[str, str, str]:
    """Return a case's name, the change of its time, and its state: open with the minutes needed, or the verdict."""
    change, state = tables.change(verdict.time) if verdict.time else "", verdict.joined
    if verdict.case in analysis.open and not analysis.ended:
        minutes = verdict.time and minutes_needed(verdict.time, analysis)
        state = f"open, about {minutes} min more" if minutes else "open"
    return line(verdict.case), change, state


def minutes_needed(time: Judgement, analysis: Analysis) -> int | None:
    """Return how many more minutes of measuring an undecided case needs, ``None`` where that is unknown."""
    if not (time.paired and time.needed and isfinite(time.needed)):
        return None
    return ceil(max(1.0, (time.needed - time.paired.pairs) / PAIRS) * analysis.next_group / 60)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
