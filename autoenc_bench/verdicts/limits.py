"""Which changes matter: how much worse time, memory and error may get before a verdict calls it a regression."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from autoenc_bench.exceptions import InvalidInputError, NotFoundError

KINDS = ("time", "memory", "error")  # what is measured
COUNTS = "counts"  # and what is counted
GATED = (*KINDS, COUNTS)
GRAMMAR = re.compile(r"(?:(?P<experiment>[^:]+):)?(?P<kind>[^:]+):(?P<share>\d+(?:\.\d+)?|\.\d+)%")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on a change matters, as shares of the base's value; a change of counts is told and fails nothing."""

    time: float = 0.03
    memory: float = 0.10
    error: float = 0.01
    counts: float = inf

    def of(self, kind: str) -> float:
        return float(getattr(self, kind))


@dataclass(frozen=True)
class Overrides:
    """Limits that somebody asked for, by experiment and kind; those for any experiment are under ``None``."""

    shares: Mapping[tuple[str | None, str], float]

    @property
    def kinds(self) -> set[str]:
        return {kind for _, kind in self.shares}

    def apply(self, experiment: str | None, limits: Limits) -> Limits:
        """Replace what was asked for otherwise; a limit of the experiment itself counts more than one for any."""
        for name in (None, experiment):
            limits = replace(limits, **{kind: share for (of, kind), share in self.shares.items() if of == name})
        return limits


def parse(expressions: Iterable[str], experiments: Iterable[str]) -> Overrides:
    """Read expressions such as ``time:5%`` and ``mnist:error:0.5%``: pytest-benchmark's grammar, with our kinds.

    Raises InvalidInputError for one of another form, NotFoundError for an experiment that is not among those given.
    """
    known = list(experiments)
    shares: dict[tuple[str | None, str], float] = {}
    for expression in expressions:
        parts = GRAMMAR.fullmatch(expression)
        if not parts or parts["kind"] not in GATED:
            form = "with a share in per cent, such as time:5% or, for one experiment, mnist:error:0.5%"
            raise InvalidInputError(f"limit {expression!r}; give {', '.join(GATED)} {form}")
        name = parts["experiment"]
        if name is not None and name not in known:
            raise NotFoundError(f"limit {expression!r}: unknown experiment {name!r}; choose from {', '.join(known)}")
        shares[name, parts["kind"]] = float(parts["share"]) / 100
    return Overrides(shares)
