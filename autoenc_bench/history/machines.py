"""Machines and their contexts, and each case's newest state on every machine side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from string import ascii_uppercase

from autoenc_bench.history.change_points import LATEST
from autoenc_bench.history.runs import Host, Run
from autoenc_bench.history.series import Series
from autoenc_bench.records.record import differences

SAME_ERROR = 0.001  # errors closer than that are equal: another machine rounds otherwise


@dataclass(frozen=True)
class Context:
    """Hold one context of a machine: its runs, and the facts in which it differs from the context before it."""

    runs: list[Run]
    differs: list[str]

    def holds(self, run: Run) -> bool:
        """Tell whether a run was in this context."""
        return run.surroundings == self.runs[0].surroundings


@dataclass(frozen=True)
class Machine:
    """Hold one machine: the letter that stands for it, and its contexts in the order in which they first came."""

    letter: str
    host: Host
    contexts: list[Context]

    @property
    def runs(self) -> list[Run]:
        """List its runs, oldest first."""
        return sorted((run for context in self.contexts for run in context.runs), key=lambda run: run.when)

    def number(self, run: Run) -> int:
        """Tell in which of its contexts a run of it was, counted from 1."""
        return next(place for place, held in enumerate(self.contexts, start=1) if held.holds(run))

    def label(self, context: int) -> str:
        """Name one of its contexts, by the letter alone where there is only one."""
        return self.letter if len(self.contexts) == 1 else f"{self.letter}{context}"


@dataclass(frozen=True)
class Pair:
    """Hold a case's newest state on two machines: ``ratio`` is the raw time of the other over that of the base.

    ``error`` is the other's mean absolute error over the base's, ``None`` where one of them has none.
    """

    base: Series
    other: Series
    ratio: float
    error: float | None

    @property
    def same_error(self) -> bool | None:
        """Tell whether the errors are equal, ``None`` where one of them is not known."""
        return None if self.error is None else abs(self.error - 1) <= SAME_ERROR


@dataclass(frozen=True)
class Comparison:
    """Hold two machines side by side at one scale, and the facts in which their newest contexts differ."""

    scale: str | None
    base: Machine
    other: Machine
    pairs: list[Pair]
    differs: list[str]


def recognise(runs: Iterable[Run]) -> list[Machine]:
    """List the machines in the order in which they first came; ``runs`` are oldest first."""
    found: dict[str, dict[bytes, list[Run]]] = {}
    for run in runs:
        found.setdefault(run.host.key, {}).setdefault(run.surroundings, []).append(run)
    return [_machine(_letter(place), list(contexts.values())) for place, contexts in enumerate(found.values())]


def _letter(place: int) -> str:
    """Count A, B, …, Z, AA, AB, …"""
    tens, ones = divmod(place, len(ascii_uppercase))
    return (_letter(tens - 1) if tens else "") + ascii_uppercase[ones]


def _machine(letter: str, contexts: list[list[Run]]) -> Machine:
    facts = [runs[0].context for runs in contexts]
    differs = [[], *(differences(*pair) for pair in pairwise(facts))]
    return Machine(letter, contexts[0][0].host, [Context(*found) for found in zip(contexts, differs, strict=True)])


def compare(found: list[Machine], series: Iterable[Series]) -> list[Comparison]:
    """Hold each other machine against the first that has cases at the same scale."""
    newest: dict[str | None, dict[str, dict[str, Series]]] = {}
    for held in series:
        cases = newest.setdefault(held.scale, {}).setdefault(held.host.key, {})
        known = cases.setdefault(held.subject.case, held)
        cases[held.subject.case] = max(known, held, key=lambda one: one.runs[-1].when)
    return [
        comparison
        for scale, by_host in newest.items()
        for base, *others in [[machine for machine in found if machine.host.key in by_host]]
        for other in others
        if (comparison := _compare(scale, base, other, by_host)).pairs
    ]


def _compare(scale: str | None, base: Machine, other: Machine, by_host: dict[str, dict[str, Series]]) -> Comparison:
    ours, theirs = by_host[base.host.key], by_host[other.host.key]
    pairs = [_pair(ours[case], theirs[case]) for case in ours if case in theirs]
    differs = [word for pair in pairs for word in differences(pair.base.facts, pair.other.facts)]
    return Comparison(scale, base, other, pairs, list(dict.fromkeys(differs)))


def _pair(base: Series, other: Series) -> Pair:
    errors = [held.error.latest if held.error else None for held in (base, other)]
    ours, theirs = errors
    return Pair(
        base,
        other,
        ratio=raw(other) / raw(base),
        error=1.0 if ours == theirs and ours is not None else theirs / ours if ours and theirs is not None else None,
    )


def raw(series: Series) -> float:
    """Give the newest level of the times as measured: the median of the newest runs since the last change."""
    begin, end = series.time.segments[-1]
    return median(point.time for point in series.points[max(begin, end - LATEST) : end])
