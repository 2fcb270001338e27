"""Runs -> machines and their contexts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

from autoenc_bench.history.runs import MachineIdentity, PastRun
from autoenc_bench.records.record import differences


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
