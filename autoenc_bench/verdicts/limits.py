"""Which changes matter: the limits, the grammar of --fail-on, and the options that a live comparison saves."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf, isfinite
from pathlib import Path
from typing import NamedTuple

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError

KINDS = ("time", "memory", "error")  # what is measured
COUNTS = "counts"
GATED = (*KINDS, COUNTS)
GRAMMAR = re.compile(r"(?:(?P<experiment>[^:]+):)?(?P<kind>[^:]+):(?P<share>\d+(?:\.\d+)?|\.\d+)%")

OPTIONS_FILE = "judged-by.txt"  # one option per line; its suffix differs from that of records
LIMIT, MISSING, STRICT = "--fail-on ", "--allow-missing", "--strict"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The smallest changes that matter, as shares of the base's value; by default, counts have no limit."""

    time: float = 0.03
    memory: float = 0.10
    error: float = 0.01
    counts: float = inf

    def of(self, kind: str) -> float:
        """Return the limit of one of the kinds in GATED."""
        return float(getattr(self, kind))


@dataclass(frozen=True)
class Overrides:
    """The limits that a user sets, by experiment and kind; those for all experiments are under ``None``."""

    shares: Mapping[tuple[str | None, str], float]

    def apply(self, experiment: str | None, limits: Limits) -> Limits:
        """Return ``limits`` with those that the user set; a limit of the experiment precedes one of all experiments."""
        for name in (None, experiment):
            limits = replace(limits, **{kind: share for (of, kind), share in self.shares.items() if of == name})
        return limits


def parse(expressions: Iterable[str], experiments: Iterable[str]) -> Overrides:
    """Read expressions such as ``time:5%`` and ``mnist:error:0.5%``, the grammar of pytest-benchmark with our kinds.

    Raises InvalidInputError for an invalid expression, NotFoundError for a name that is not in ``experiments``.
    """
    names = list(experiments)
    shares: dict[tuple[str | None, str], float] = {}
    for expression in expressions:
        parts = GRAMMAR.fullmatch(expression)
        if not parts or parts["kind"] not in GATED:
            form = "with a share in per cent, such as time:5% or, for one experiment, mnist:error:0.5%"
            raise InvalidInputError(f"limit {expression!r}; give {', '.join(GATED)} {form}")
        name = parts["experiment"]
        if name is not None and name not in names:
            raise NotFoundError(f"limit {expression!r}: unknown experiment {name!r}; choose from {', '.join(names)}")
        shares[name, parts["kind"]] = float(parts["share"]) / 100
    return Overrides(shares)


class VerdictOptions(NamedTuple):
    """The options that a verdict depends on; ``is_saved`` if they come from the live comparison."""

    overrides: Overrides = Overrides({})
    allow_missing: bool = False
    strict: bool = False
    is_saved: bool = False

    def __str__(self) -> str:
        """Return the options and their origin as a sentence."""
        usual = self.overrides.apply(None, Limits())
        shares = {kind: usual.of(kind) for kind in GATED if isfinite(usual.of(kind))}
        shares |= {f"{name}:{kind}": share for (name, kind), share in self.overrides.shares.items() if name}
        limits = [f"{name}:{100 * share:g}%" for name, share in shares.items()]
        missing = f"the defaults, because the records have no common {OPTIONS_FILE}"
        origin = "as in the live comparison" if self.is_saved else missing
        return f"Limits: {', '.join([*limits, *_flags(self.allow_missing, self.strict)])} ({origin})."


def save_options(store: Path, fail_on: Sequence[str], *, allow_missing: bool, strict: bool) -> None:
    """Save the options of a live comparison in the folder of its records, if that exists and can be written."""
    lines = [*(f"{LIMIT}{expression}" for expression in fail_on), *_flags(allow_missing, strict)]
    if store.is_dir():
        with suppress(OSError):  # the verdict is unaffected; a report then states that it uses the defaults
            (store / OPTIONS_FILE).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def saved_options(records: Iterable[Path]) -> VerdictOptions:
    """Return the options of the live comparison that wrote these records, the defaults if several did, or none."""
    # A record is in a folder of its platform, its pair, its side and the comparison.
    files = {path.absolute().parent.parent.parent.parent / OPTIONS_FILE for path in records}
    return _read(files.pop()) if len(files) == 1 and all(file.is_file() for file in files) else VerdictOptions()


def _read(file: Path) -> VerdictOptions:
    try:
        lines = file.read_text("utf-8").splitlines()
        if unknown := [line for line in lines if not line.startswith(LIMIT) and line not in (MISSING, STRICT)]:
            raise InvalidInputError(f"line {unknown[0]!r}; expected {LIMIT}EXPR, {MISSING} or {STRICT}")
        expressions = [line.removeprefix(LIMIT) for line in lines if line.startswith(LIMIT)]
        return VerdictOptions(parse(expressions, EXPERIMENTS), MISSING in lines, STRICT in lines, is_saved=True)
    except (AutoencBenchError, OSError, UnicodeDecodeError) as problem:
        raise InvalidInputError(f"{file}: {problem}; remove it to judge by the default limits") from problem


def _flags(allow_missing: bool, strict: bool) -> list[str]:
    return [name for name, is_set in ((MISSING, allow_missing), (STRICT, strict)) if is_set]
