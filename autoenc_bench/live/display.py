"""What the terminal shows while two sides are measured: a table that lives, or lines where nobody watches."""

import sys
from math import ceil, isfinite, log1p

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoenc_bench.formatting import line
from autoenc_bench.live.continuous import Look
from autoenc_bench.live.groups import PAIRS
from autoenc_bench.verdicts import tables
from autoenc_bench.verdicts.comparison import Verdict
from autoenc_bench.verdicts.judgements import Judgement, Outcome

COLOURS = {Outcome.REGRESSED: "red", Outcome.IMPROVED: "green", Outcome.UNCHANGED: "default"}
WIDTH = 25  # of a bar, an odd number of columns
SPAN = 3.0  # limits from its middle to its ends
LINES = 7  # that are not rows of cases


def console() -> Console:
    """Return a console on standard error that redraws on a terminal only, also if FORCE_COLOR is set."""
    return Console(stderr=True, highlight=False, force_terminal=sys.stderr.isatty())


class Display(Live):
    """Looks on standard error: case, estimate, interval and state, the open cases first."""

    def __init__(self, budget: float) -> None:
        super().__init__(console=console(), auto_refresh=False, transient=True)
        self._budget = budget
        self._look: Look | None = None

    def tell(self, doing: str, seconds: float) -> None:
        """Show what is being done, after so many seconds in all, where somebody watches."""
        if self.console.is_terminal:
            left = max(0.0, self._budget - seconds)
            heading = Text(f"{doing}; {_clock(seconds)} over, at most {_clock(left)} left", style="dim")
            self.update(Group(heading, self._table(self._look)) if self._look else heading, refresh=True)

    def show(self, look: Look) -> None:
        self._look = look
        if not self.console.is_terminal:
            self.console.print("\n".join(lines(look)), soft_wrap=True, markup=False)

    def _table(self, look: Look) -> Table:
        verdicts = sorted(look.comparison.verdicts, key=lambda verdict: verdict.case not in look.open)
        space = max(3, self.console.height - LINES)
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("case", no_wrap=True, min_width=max(len(one.case) for one in verdicts[:space]))
        table.add_column("head against base", no_wrap=True)
        table.add_column(f"{'−limit':>{_place(-1) + 3}}{'+limit':>{_place(1) - _place(-1)}}", no_wrap=True)
        table.add_column("state")
        for verdict in verdicts[:space]:
            outcomes = {judgement.outcome for judgement in verdict.judgements.values()}
            colour = next((colour for outcome, colour in COLOURS.items() if outcome in outcomes), "dim")
            name, change, state = map(Text, row(verdict, look))
            state.stylize("dim" if verdict.case in look.open else colour)
            table.add_row(name, change, Text(bar(verdict.time) if verdict.time else "", style=colour), state)
        if len(verdicts) > space:
            table.add_row(f"… and {len(verdicts) - space} more", "", "", "")
        return table


def bar(time: Judgement) -> str:
    """Draw an interval between the lines of its limit, ``┊──●──┊``, with an arrow where it goes on."""
    signs = [" "] * WIDTH
    interval, limit = time.interval, log1p(time.limit)
    if interval and limit and isfinite(interval.estimate):
        ends = interval.low, interval.estimate, interval.high
        low, estimate, high = (_place(max(-9.0, min(9.0, end / limit))) for end in ends)
        for place in range(max(0, low), min(WIDTH - 1, high) + 1):
            signs[place] = "─"
        for place, end in ((0, low < 0), (WIDTH - 1, high >= WIDTH)):
            if end:
                signs[place] = "‹" if place == 0 else "›"
        for place in (_place(-1), _place(1)):
            signs[place] = "┼" if signs[place] == "─" else "┊"
        if 0 <= estimate < WIDTH:
            signs[estimate] = "●"
    return "".join(signs)


def _place(limits: float) -> int:
    """Return the column of a change in a bar, given in limits."""
    return round((WIDTH - 1) / 2 * (1 + limits / SPAN))


def lines(look: Look) -> list[str]:
    """Return a look in lines: how far it is, then each open case, and each that regressed."""
    verdicts = look.comparison.verdicts
    pairs = PAIRS * look.groups
    shown = [f"{_clock(look.seconds)}: {pairs} pairs of processes, {len(look.open)} of {len(verdicts)} cases open"]
    for verdict in verdicts:
        regressed = Outcome.REGRESSED in {judgement.outcome for judgement in verdict.judgements.values()}
        if verdict.case in look.open or regressed:
            shown.append("  " + "  ".join(row(verdict, look)))
    return shown


def row(verdict: Verdict, look: Look) -> tuple[str, str, str]:
    """Return a case's name, how its time changed, and why it is still measured, or what it is."""
    change = tables.change(verdict.time) if verdict.time else ""
    is_open = verdict.case in look.open and not look.ended
    return line(verdict.case), change, f"open{_more(verdict.time, look)}" if is_open else verdict.joined


def _more(time: Judgement | None, look: Look) -> str:
    """Return in words how long it may take until a case is decided, if it goes on like this."""
    minutes = time and minutes_needed(time, look)
    return f", about {minutes} min more" if minutes else ""


def minutes_needed(time: Judgement, look: Look) -> int | None:
    """Return for how many more minutes of measuring a case is undecided, ``None`` where nobody can tell."""
    if not (time.paired and time.needed and isfinite(time.needed)):
        return None
    return ceil(max(1.0, (time.needed - time.paired.pairs) / PAIRS) * look.next_group / 60)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
