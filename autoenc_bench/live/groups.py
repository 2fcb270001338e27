"""Two pairs of sessions, each a base and a head, whose rounds are interleaved on one core."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle as cycle_through
from pathlib import Path
from time import monotonic, time
from typing import Literal, NamedTuple

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.live import differences, members
from autoenc_bench.live.members import Member
from autoenc_bench.live.processes import Suite, Tick
from autoenc_bench.plugin.messages import Begin, Ended, Item, Save, Visit, Waiting

SIDE_OF_PLACE = (0, 1, 0, 1)  # base and head; the first two places are a pair, and so are the last two
PLACES = range(len(SIDE_OF_PLACE))
PAIRS = len(PLACES) // 2

# The order of rounds, cycle by cycle. The two of a pair follow each other, in either order equally often. The first of
# a pair follows a base as often as a head. So no side profits from what a round leaves behind in caches.
CYCLES = ((0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2))

START = 300.0  # seconds that starting and saving may take on a slow machine
SLACK = 60.0, 20.0  # a reply may take these seconds, or so many times the usual
JUMP = 2.0  # seconds by which clocks may drift apart
BACKGROUND = 0.05  # share of the others' time that a process may compute in the background

Instrumentation = Literal["counts", "profile"]


class Results(NamedTuple):
    """What a case did in a group."""

    ended: dict[int, Ended]  # by place
    background: float  # the largest share of the others' time in which a process computed


class Group(ExitStack):
    """Two pairs of sessions, which start together and end with this context."""

    def __init__(self, both: Sequence[Suite], options: Sequence[str], store: Path, name: str, tick: Tick) -> None:
        super().__init__()
        self._tick = tick
        self._cores = members.usable_cores()
        self._clock_offset = time() - monotonic()
        self._members: list[Member] = []
        with ExitStack() as started:
            for place in PLACES:
                suite, pair = both[SIDE_OF_PLACE[place]], f"{name}-{place // 2 + 1}"
                saving = f"--benchmark-save={suite.name}-{pair}", differences.option(store, suite.name)
                try:  # the pair's name is unique among all comparisons
                    member = Member(suite, [*saving, *options], store / suite.name / pair, f"{store.name}-{pair}")
                except OSError as problem:
                    raise RunFailedError(f"the suite could not be started: {problem}") from problem
                self._members.append(started.enter_context(member))
            self.push(started.pop_all())

    @property
    def cases(self) -> tuple[dict[str, Item], dict[str, Item]]:
        """Return each side's cases, by node id."""
        return self._members[0].cases, self._members[1].cases

    @property
    def sharing(self) -> int:
        """Return how many processes share a core while their rounds are not interleaved."""
        if not self._cores:
            return 1
        return 2 if len(self._cores) >= PAIRS else len(PLACES)

    @property
    def clock_jump(self) -> float:
        """Return for how many seconds the machine slept, or its clock was set, since the group was made."""
        jump = abs(time() - monotonic() - self._clock_offset)
        return jump if jump > JUMP else 0.0

    def start(self) -> None:
        """Wait until all sessions are ready for visits."""
        for member in self._members:
            member.receive(START, self._tick)  # Configured: from now on the process may be pinned
        self._spread()
        for member in self._members:
            member.collect(START, self._tick)

    def _spread(self) -> None:
        """Give each pair a core. The two of a pair share it, because cores differ in what they prepare."""
        for place, member in enumerate(self._members):
            member.pin([self._cores[place // self.sharing]] if self._cores else [])

    def _gather(self) -> None:
        """Move all to the cores on which the head measures; the base's code may have chosen others."""
        for member in self._members:
            member.pin(self._members[1].cores or self._cores)

    def run(
        self, case: str, places: Sequence[int], rounds: int, seconds: float, passes: Mapping[int, Instrumentation]
    ) -> Results:
        """Run a case in some processes at the same time: to prepare it, or where its time does not count.

        ``passes`` has the instrumentation pass by place.
        """
        self._tick()
        self._spread()
        for place in places:
            self._members[place].send(Visit(case, rounds, instrumentation=passes.get(place, "")))
        replies = [(place, self._members[place].follow(seconds, self._tick)) for place in places]
        return Results({place: reply for place, reply in replies if isinstance(reply, Ended)}, 0.0)

    def interleave(self, case: str, rounds: int, usual: float) -> Results:
        """Run a case in all processes, round by round in the order of ``CYCLES``, after one round to warm up.

        A round takes ``usual`` seconds. Where the case fails in one process, the others finish. Raises SuiteFailedError
        when a process ends or hangs.
        """
        self._gather()
        seconds = max(SLACK[0], SLACK[1] * usual)
        for member in self._members:
            member.send(Visit(case, rounds, is_interleaved=True))
        replies = {place: member.follow(seconds) for place, member in enumerate(self._members)}
        used = [0.0] * len(PLACES)  # CPU seconds between rounds
        began = monotonic()
        for cycle in cycle_through(CYCLES):
            waiting = [place for place in cycle if isinstance(replies[place], Waiting)]
            if not waiting:
                break
            for place in waiting:
                self._members[place].send(Begin())
                replies[place] = reply = self._members[place].follow(seconds)
                used[place] += reply.between if isinstance(reply, Waiting) else 0.0
        others = (monotonic() - began) * (len(PLACES) - 1) / len(PLACES)
        ended = {place: reply for place, reply in replies.items() if isinstance(reply, Ended)}
        return Results(ended, max(used) / others)

    def end(self, seconds: float = START) -> list[Path | None]:
        """Let all save their records; return these, ``None`` where nothing was timed. ``profile`` still works then."""
        self._spread()
        for member in self._members:
            member.send(Save())
        return [member.finish(seconds, self._tick) for member in self._members]

    def profile(self, case: str, seconds: float) -> None:
        """Sample where a case's time goes, in a base and a head at once, each on its own core where there are two."""
        places = PLACES[0], PLACES[-1]
        self.run(case, places, 1, seconds, dict.fromkeys(places, "profile"))
