"""What the terminal shows while two sides are measured: a table that lives, or lines where nobody watches."""

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoenc_bench.gate.live.continuous import Look
from autoenc_bench.gate.verdicts import Outcome, Verdict, tables

COLOURS = {Outcome.REGRESSED: "red", Outcome.IMPROVED: "green", Outcome.UNCHANGED: "default"}


class Display(Live):
    """Looks on standard error: case, estimate, interval and state, the open cases first."""

    def __init__(self, budget: float) -> None:
        super().__init__(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True)
        self._budget = budget
        self._look: Look | None = None

    def tell(self, text: str) -> None:
        """Show what is being run, where somebody watches."""
        if self.console.is_terminal:
            heading = Text(f"{text}; at most {_clock(self._budget)} in all", style="dim")
            self.update(Group(heading, self._table(self._look)) if self._look else heading, refresh=True)

    def show(self, look: Look) -> None:
        self._look = look
        if not self.console.is_terminal:
            self.console.print("\n".join(lines(look)), soft_wrap=True, markup=False)

    def _table(self, look: Look) -> Table:
        verdicts = sorted(look.comparison.verdicts, key=lambda verdict: verdict.case not in look.open)
        space = max(3, self.console.height - 6)  # six lines are not rows of cases
        table = Table("case", "time of head against base", "state", box=None, pad_edge=False, header_style="bold")
        for verdict in verdicts[:space]:
            outcomes = {judgement.outcome for judgement in verdict.judgements.values()}
            colour = next((colour for outcome, colour in COLOURS.items() if outcome in outcomes), "dim")
            case, change, state = map(Text, row(verdict, look))
            state.stylize("dim" if verdict.case in look.open else colour)
            table.add_row(case, change, state)
        if len(verdicts) > space:
            table.add_row(f"… and {len(verdicts) - space} more", "", "")
        return table


def lines(look: Look) -> list[str]:
    """Return a look in lines: how far it is, then each open case, and each that regressed."""
    verdicts = look.comparison.verdicts
    shown = [f"{_clock(look.seconds)}: {look.runs} runs, {len(look.open)} of {len(verdicts)} cases open"]
    for verdict in verdicts:
        regressed = Outcome.REGRESSED in {judgement.outcome for judgement in verdict.judgements.values()}
        if verdict.case in look.open or regressed:
            shown.append("  " + "  ".join(row(verdict, look)))
    return shown


def row(verdict: Verdict, look: Look) -> tuple[str, str, str]:
    """Return a case's name, how its time changed, and whether it is still measured or what it is."""
    state = "open" if verdict.case in look.open and not look.ended else verdict.joined
    return verdict.case, tables.change(verdict.time), state


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
