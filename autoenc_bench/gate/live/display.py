"""What the terminal shows while two sides are measured: a table that lives, or lines where nobody watches."""

from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoenc_bench.gate.live.continuous import Look
from autoenc_bench.gate.verdicts import Outcome, Verdict, tables

COLOURS = {Outcome.REGRESSED: "red", Outcome.IMPROVED: "green", Outcome.UNCHANGED: "default"}
AROUND = 6  # lines that are not rows of the table


class Display:
    """Show looks on standard error: case, estimate, interval and state, the open cases first."""

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._look: Look | None = None

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tell(self, text: str) -> None:
        """Say what is being run, where somebody watches."""
        if self._console.is_terminal:
            head = Text(f"{text}; at most {_clock(self._budget)} in all", style="dim")
            self._live.update(Group(head, self._table(self._look)) if self._look else head, refresh=True)

    def show(self, look: Look) -> None:
        """Show what is known after a block."""
        self._look = look
        if not self._console.is_terminal:
            self._console.print("\n".join(lines(look)), soft_wrap=True, markup=False)

    def _table(self, look: Look) -> Table:
        found = sorted(look.comparison.verdicts, key=lambda verdict: verdict.case not in look.open)
        space = max(3, self._console.height - AROUND)
        table = Table("case", "time of head against base", "state", box=None, pad_edge=False, header_style="bold")
        for verdict in found[:space]:
            table.add_row(*(Text(cell) for cell in row(verdict, look)[:2]), _state(verdict, look))
        if len(found) > space:
            table.add_row(f"… and {len(found) - space} more", "", "")
        return table


def lines(look: Look) -> list[str]:
    """Say a look in lines: how far it is, then each open case, and each that regressed."""
    said = [f"{_clock(look.seconds)}: {look.runs} runs, {len(look.open)} of {len(look.comparison.verdicts)} cases open"]
    for verdict in look.comparison.verdicts:
        if verdict.case in look.open or Outcome.REGRESSED in {held.outcome for held in verdict.judgements.values()}:
            said.append("  " + "  ".join(row(verdict, look)))
    return said


def row(verdict: Verdict, look: Look) -> tuple[str, str, str]:
    """Say of a case its name, how its time changed, and whether it is still measured or what it is."""
    state = "open" if verdict.case in look.open and not look.ended else verdict.joined
    return verdict.case, tables.change(verdict.time), state


def _state(verdict: Verdict, look: Look) -> Text:
    outcomes = [held.outcome for held in verdict.judgements.values() if held.outcome in COLOURS]
    colour = next((COLOURS[outcome] for outcome in COLOURS if outcome in outcomes), "dim")
    return Text(row(verdict, look)[2], style="dim" if verdict.case in look.open else colour)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
