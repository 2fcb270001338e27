"""The newest results of each case on two machines side by side."""

from collections.abc import Iterable
from dataclasses import dataclass

from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.series import Series, latest
from autoenc_bench.records.record import differences

SAME_ERROR = 0.001  # relative difference up to which errors count as equal, because machines round differently


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


def compare(machines: list[KnownMachine], all_series: Iterable[Series]) -> list[MachinePair]:
    """Pair the first machine that has cases at a scale with each other one, by the newest context of each case."""
    newest: dict[str | None, dict[str, dict[str, Series]]] = {}  # scale -> letter of the machine -> name of the case
    for series in all_series:
        cases = newest.setdefault(series.scale, {}).setdefault(series.machine.letter, {})
        before = cases.get(series.case.name, series)
        cases[series.case.name] = max(before, series, key=lambda candidate: candidate.runs[-1].when)
    pairs = []
    for scale, by_machine in newest.items():
        base, *others = [machine for machine in machines if machine.letter in by_machine]
        base_cases = by_machine[base.letter]
        for other in others:
            other_cases = by_machine[other.letter]
            shared = [CasePair(base_cases[name], other_cases[name]) for name in base_cases if name in other_cases]
            pairs += [MachinePair(scale, base, other, shared)] if shared else []
    return pairs
