"""Two pairs of processes alive at once, each a base and a head, whose rounds take turns on one core."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle as cycle_through
from pathlib import Path
from time import monotonic, time
from typing import Any, NamedTuple, Self

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live import explanations, members
from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.live.members import Member
from autoenc_bench.live.processes import Tick

SIDES = (0, 1, 0, 1)  # of each place; the first two are a pair, and so are the last two
PAIRS = len(SIDES) // 2

# Whose turn it is, cycle by cycle. A pair's two follow each other, as base and head and as head and base by turns, and
# who comes first in it follows a base as often as a head, so what a round leaves behind in caches favours nobody.
CYCLES = ((0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2))

START = 300.0  # seconds that starting and saving may take, where the machine is slow
SLACK = 60.0, 20.0  # seconds that an answer may take, and how many times the usual
JUMP = 2.0  # seconds by which clocks may drift apart
STILL = 0.05  # of the others' time, that a process may use while they have their turns


class Visit(NamedTuple):
    """What a case did in a group: how it ended in each place, and whether a process did not keep still."""

    outcomes: list[dict[str, Any]]
    restless: float  # the largest share of the others' time that a process used meanwhile

    @property
    def passed(self) -> bool:
        return all(outcome["outcome"] == "passed" for outcome in self.outcomes)


class Group:
    """Two pairs, which start together, and end with this context."""

    def __init__(self, both: Sequence[Checkout], options: Sequence[str], store: Path, name: str, tick: Tick) -> None:
        self._tick = tick
        self._cores = members.usable_cores()
        self._apart = time() - monotonic()
        self._members: list[Member] = []
        with ExitStack() as stack:
            for place, side in enumerate(SIDES):
                pair = f"{name}-{place // 2 + 1}"
                folder = store / both[side].name / pair
                kept = f"--benchmark-save={both[side].name}-{pair}", explanations.option(store, both[side].name)
                try:
                    member = Member(both[side], [*kept, *options], folder, f"{store.name}-{pair}")  # unique among all
                except OSError as problem:
                    raise RunFailedError(f"the suite could not be started: {problem}") from problem
                self._members.append(stack.enter_context(member))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def cases(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return each side's cases with their facts, by node id."""
        return self._members[0].cases, self._members[1].cases

    @property
    def sharing(self) -> int:
        """Return how many processes share a core while they do not take turns."""
        if not self._cores:
            return 1
        return 2 if len(self._cores) >= PAIRS else len(SIDES)

    @property
    def jumped(self) -> float:
        """Return for how many seconds the machine slept, or its clock was set, since the group was made."""
        apart = abs(time() - monotonic() - self._apart)
        return apart if apart > JUMP else 0.0

    def start(self) -> None:
        """Wait until all have loaded what they need."""
        for member in self._members:
            member.configure(START, self._tick)
        self._spread()
        for member in self._members:
            member.begin(START, self._tick)

    def _spread(self) -> None:
        """Spread the pairs over cores. A pair shares one: what is prepared on different cores is not alike."""
        for place, member in enumerate(self._members):
            member.pin([self._cores[place // self.sharing]] if self._cores else [])

    def _gather(self) -> None:
        """Bring all to the cores on which the head measures; older code may have chosen others."""
        own = self._members[SIDES.index(1)].cores
        for member in self._members:
            member.pin(own or self._cores)

    def alone(self, case: str, places: Sequence[int], rounds: int, seconds: float, aside: Mapping[int, str]) -> Visit:
        """Run a case in some processes side by side: to prepare it, or for what is no matter of time.

        ``aside`` says by places what else is to be known of it (see plugin/turns.py).
        """
        self._tick()
        self._spread()
        for place in places:
            self._members[place].ask(visit=case, rounds=rounds, turns=False, aside=aside.get(place, ""))
        return Visit([self._members[place].answer(seconds, self._tick) for place in places], 0.0)

    def visit(self, case: str, rounds: int, usual: float) -> Visit:
        """Run a case in all processes by turns, for so many rounds of ``usual`` seconds, after one to warm up.

        One that fails lets the others run to their ends. Raises SideFailedError when one ends or hangs.
        """
        self._gather()
        seconds = max(SLACK[0], SLACK[1] * usual)
        for member in self._members:
            member.ask(visit=case, rounds=rounds, turns=True, aside="")
        answers = [member.answer(seconds) for member in self._members]
        used = [0.0] * len(self._members)
        begun = monotonic()
        for cycle in cycle_through(CYCLES):
            waiting = [place for place in cycle if "outcome" not in answers[place]]
            if not waiting:
                break
            for place in waiting:
                self._members[place].ask()
                answers[place] = self._members[place].answer(seconds)
                used[place] += answers[place].get("between", 0.0)
        others = (monotonic() - begun) * (len(used) - 1) / len(used)
        return Visit(answers, max(used) / others)

    def end(self, seconds: float = START) -> list[Path | None]:
        """Return the records that all save now, ``None`` where nothing was timed.

        What runs from then on, as ``profile`` does, is in no record.
        """
        self._spread()
        for member in self._members:
            member.ask(save=True)
        return [member.record(seconds, self._tick) for member in self._members]

    def profile(self, case: str, seconds: float) -> None:
        """Sample where a case's time goes, in a base and a head side by side, on a core each where there are some."""
        apart = SIDES.index(0), len(SIDES) - 1 - SIDES[::-1].index(1)
        self.alone(case, apart, 1, seconds, dict.fromkeys(apart, "profile"))
