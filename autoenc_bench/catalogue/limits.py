"""Which changes matter: how much worse time, memory and error may get before a verdict calls it a regression."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

KINDS = ("time", "memory", "error")
GRAMMAR = re.compile(r"(?:(?P<experiment>[^:]+):)?(?P<kind>[^:]+):(?P<share>\d+(?:\.\d+)?|\.\d+)%")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Hold, as shares of the base's value, from where on a change matters."""

    time: float = 0.03
    memory: float = 0.10
    error: float = 0.01

    def of(self, kind: str) -> float:
        """Return the limit of one kind."""
        return float(getattr(self, kind))


@dataclass(frozen=True)
class Overrides:
    """Hold limits that somebody asked for, by experiment and kind; those for any experiment stand under ``None``."""

    shares: Mapping[tuple[str | None, str], float]

    def apply(self, experiment: str | None, limits: Limits) -> Limits:
        """Replace what was asked for otherwise; what was said of the experiment itself counts more."""
        for who in (None, experiment):
            asked = {kind: share for (name, kind), share in self.shares.items() if name == who}
            limits = replace(limits, **asked)
        return limits


def parse(expressions: Iterable[str], experiments: Iterable[str]) -> Overrides:
    """Read expressions such as ``time:5%`` and ``mnist:error:0.5%``: pytest-benchmark's grammar, with our kinds.

    Raises ValueError for one that is not of that form, LookupError for an experiment that is not among those given.
    """
    known = list(experiments)
    shares: dict[tuple[str | None, str], float] = {}
    for expression in expressions:
        found = GRAMMAR.fullmatch(expression)
        if not found or found["kind"] not in KINDS:
            raise ValueError(
                f"limit {expression!r}; give {', '.join(KINDS)} with a share in per cent, such as time:5% or, for one "
                "experiment, mnist:error:0.5%"
            )
        name = found["experiment"]
        if name is not None and name not in known:
            raise LookupError(f"limit {expression!r}: unknown experiment {name!r}; choose from {', '.join(known)}")
        shares[name, found["kind"]] = float(found["share"]) / 100
    return Overrides(shares)
