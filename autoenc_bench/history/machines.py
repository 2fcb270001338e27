"""Machines and their contexts, and each case's newest state on every machine side by side."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

from autoenc_bench.history.runs import MachineIdentity, PastRun
from autoenc_bench.history.series import Series, latest
from autoenc_bench.records.record import differences

ByMachine = dict[str, dict[str, Series]]  # by the machine's key and the case's name
SAME_ERROR = 0.001  # errors closer than that are equal: another machine rounds otherwise


@dataclass(frozen=True)
class MachineContext:
    """One context of a machine: its runs, and the facts in which it differs from the context before it."""

    runs: list[PastRun]
    differs: list[str]


@dataclass(frozen=True)
class KnownMachine:
    """One machine: the letter that stands for it, and its contexts in the order in which they first came."""

    letter: str
    identity: MachineIdentity
    name: str  # with what tells its CPU from another one of that name, where there is one
    contexts: list[MachineContext]

    @property
    def runs(self) -> list[PastRun]:
        return sorted((run for context in self.contexts for run in context.runs), key=lambda run: run.when)

    def number(self, run: PastRun) -> int:
        """Return in which of its contexts a run of it was, counted from 1."""
        return [context.runs[0].context_key for context in self.contexts].index(run.context_key) + 1

    def label(self, context: int) -> str:
        return self.letter if len(self.contexts) == 1 else f"{self.letter}{context}"


@dataclass(frozen=True)
class CasePair:
    """A case's newest state on two machines."""

    base: Series
    other: Series

    @property
    def ratio(self) -> float:
        return self.other.raw / self.base.raw

    @property
    def error(self) -> float | None:
        """Return the other's mean absolute error over the base's, ``None`` where one of them is not known, or zero."""
        base, other = latest(self.base.error), latest(self.other.error)
        return None if base is None or other is None else 1.0 if base == other else other / base if base else None

    @property
    def same_error(self) -> bool | None:
        return None if self.error is None else abs(self.error - 1) <= SAME_ERROR


@dataclass(frozen=True)
class MachinePair:
    """Two machines side by side at one scale, and the facts in which their newest contexts differ."""

    scale: str | None
    base: KnownMachine
    other: KnownMachine
    cases: list[CasePair]
    differs: list[str]


def recognise(runs: Iterable[PastRun]) -> list[KnownMachine]:
    """List the machines in the order in which they first came; ``runs`` are oldest first."""
    machines: dict[str, dict[bytes, list[PastRun]]] = {}
    for run in runs:
        machines.setdefault(run.machine.key, {}).setdefault(run.context_key, []).append(run)
    known = []
    names = Counter(next(iter(contexts.values()))[0].machine.name for contexts in machines.values())
    for place, contexts in enumerate(machines.values()):
        facts = [run.context for run, *_ in contexts.values()]
        differs = [[], *(differences(*pair) for pair in pairwise(facts))]
        identity = next(iter(contexts.values()))[0].machine
        apart = f" ({identity.kind})" if identity.kind and names[identity.name] > 1 else ""
        machine_contexts = [*map(MachineContext, contexts.values(), differs)]
        known.append(KnownMachine(_letter(place), identity, f"{identity.name}{apart}", machine_contexts))
    return known


def _letter(place: int) -> str:
    """Count A, B, …, Z, AA, AB, …"""
    tens, ones = divmod(place, len(ascii_uppercase))
    return (_letter(tens - 1) if tens else "") + ascii_uppercase[ones]


def compare(machines: list[KnownMachine], series: Iterable[Series]) -> list[MachinePair]:
    """Compare each other machine with the first that has cases at the same scale, in each case's newest context."""
    newest: dict[str | None, ByMachine] = {}
    for one in series:
        cases = newest.setdefault(one.scale, {}).setdefault(one.machine.key, {})
        cases[one.case.name] = max(cases.get(one.case.name, one), one, key=lambda one: one.runs[-1].when)
    pairs = []
    for scale, by_machine in newest.items():
        base, *others = [machine for machine in machines if machine.identity.key in by_machine]
        pairs += [_compare(scale, base, other, by_machine) for other in others]
    return [pair for pair in pairs if pair.cases]


def _compare(scale: str | None, base: KnownMachine, other: KnownMachine, by_machine: ByMachine) -> MachinePair:
    ours, theirs = by_machine[base.identity.key], by_machine[other.identity.key]
    cases = [CasePair(ours[case], theirs[case]) for case in ours if case in theirs]
    differs = [fact for pair in cases for fact in differences(pair.base.runs[0].context, pair.other.runs[0].context)]
    return MachinePair(scale, base, other, cases, list(dict.fromkeys(differs)))
