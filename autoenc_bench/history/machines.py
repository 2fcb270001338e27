"""Machines and their contexts, and the newest results of each case on two machines side by side."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

from autoenc_bench.history.runs import MachineIdentity, PastRun
from autoenc_bench.history.series import Series, latest
from autoenc_bench.records.record import differences

SAME_ERROR = 0.001  # relative difference up to which errors count as equal, because machines round differently


@dataclass(frozen=True)
class MachineContext:
    """The runs of one context of a machine, and its differences from the context before."""

    runs: list[PastRun]
    differs: list[str]


@dataclass(frozen=True)
class KnownMachine:
    """One machine: its letter, and its contexts in the order of their first runs."""

    letter: str
    identity: MachineIdentity
    name: str  # with the kind of its CPU if another machine has the same name
    contexts: list[MachineContext]

    @property
    def runs(self) -> list[PastRun]:
        return sorted((run for context in self.contexts for run in context.runs), key=lambda run: run.when)

    def number(self, run: PastRun) -> int:
        """Return the number of the context of a run, counted from 1."""
        return [context.runs[0].context_key for context in self.contexts].index(run.context_key) + 1

    def label(self, context: int) -> str:
        return self.letter if len(self.contexts) == 1 else f"{self.letter}{context}"


@dataclass(frozen=True)
class CasePair:
    """The newest results of a case on two machines."""

    base: Series
    other: Series

    @property
    def ratio(self) -> float:
        return self.other.raw / self.base.raw

    @property
    def error(self) -> float | None:
        """Return the other's mean absolute error over the base's, ``None`` if one is unknown or the base's is 0."""
        base, other = latest(self.base.error), latest(self.other.error)
        return None if base is None or other is None else 1.0 if base == other else other / base if base else None

    @property
    def same_error(self) -> bool | None:
        return None if self.error is None else abs(self.error - 1) <= SAME_ERROR


@dataclass(frozen=True)
class MachinePair:
    """Two machines side by side at one scale, and the differences between their newest contexts."""

    scale: str | None
    base: KnownMachine
    other: KnownMachine
    cases: list[CasePair]

    @property
    def differs(self) -> list[str]:
        contexts = [(case.base.runs[0].context, case.other.runs[0].context) for case in self.cases]
        return list(dict.fromkeys(fact for pair in contexts for fact in differences(*pair)))


def recognise(runs: Iterable[PastRun]) -> list[KnownMachine]:
    """List the machines in the order of their first runs. ``runs`` are oldest first."""
    by_machine: dict[str, dict[bytes, list[PastRun]]] = {}
    for run in runs:
        by_machine.setdefault(run.machine.key, {}).setdefault(run.context_key, []).append(run)
    machines = [list(contexts.values()) for contexts in by_machine.values()]
    identities = [contexts[0][0].machine for contexts in machines]
    names = Counter(identity.name for identity in identities)
    known = []
    for place, (identity, contexts) in enumerate(zip(identities, machines, strict=True)):
        differs = [[], *(differences(old[0].context, new[0].context) for old, new in pairwise(contexts))]
        kind = f" ({identity.kind})" if identity.kind and names[identity.name] > 1 else ""
        named = f"{identity.name}{kind}"
        known.append(KnownMachine(_letter(place), identity, named, [*map(MachineContext, contexts, differs)]))
    return known


def _letter(place: int) -> str:
    """Count A, B, …, Z, AA, AB, …"""
    tens, ones = divmod(place, len(ascii_uppercase))
    return (_letter(tens - 1) if tens else "") + ascii_uppercase[ones]


def compare(machines: list[KnownMachine], all_series: Iterable[Series]) -> list[MachinePair]:
    """Pair the first machine that has cases at a scale with each other one, by the newest context of each case."""
    newest: dict[str | None, dict[str, dict[str, Series]]] = {}  # scale -> key of the machine -> name of the case
    for series in all_series:
        cases = newest.setdefault(series.scale, {}).setdefault(series.machine.key, {})
        before = cases.get(series.case.name, series)
        cases[series.case.name] = max(before, series, key=lambda candidate: candidate.runs[-1].when)
    pairs = []
    for scale, by_machine in newest.items():
        base, *others = [machine for machine in machines if machine.identity.key in by_machine]
        base_cases = by_machine[base.identity.key]
        for other in others:
            other_cases = by_machine[other.identity.key]
            shared = [CasePair(base_cases[name], other_cases[name]) for name in base_cases if name in other_cases]
            pairs += [MachinePair(scale, base, other, shared)] if shared else []
    return pairs
