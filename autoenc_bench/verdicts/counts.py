"""What a case executes on both sides, compared and put into words, and from that the cause of a changed time."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import inf
from statistics import median
from typing import NamedTuple

from autoenc_bench.formatting import count, percent, share
from autoenc_bench.records.counts import CALL, EPOCH, STEP, Counts, Program

SHOWN = 4  # names of instructions, or of functions, that are listed
PLACES = {"once": "", "loops": " in loops"}  # the parts of a program
UNITS = {STEP: "in a step", EPOCH: "in an epoch", CALL: "in an execution"}
REST = "in the rest of the training"  # the calls of a training that are neither in its steps nor in its epochs
Numbers = Mapping[str, int]  # of instructions by kind, or of calls by function

# The least informative names are listed last: instructions that only move data, and functions that everything calls.
PLUMBING = re.compile(r"(parameter|tuple|get-tuple-element|bitcast|constant|broadcast|copy)$")
COMMON = re.compile(r"(builtins|_?abc|inspect|enum)\b|(str|bytes|list|tuple|dict|set|frozenset|mappingproxy|type)\.")

WAITING = 0.05  # difference of the sides' off-CPU shares of a round that explains a change
BUSIER = 1.2  # factor between the sides' busy cores that explains a change


class Difference(NamedTuple):
    """The differences between two sides' counts in words; false if there are none."""

    program: tuple[str, ...]  # of the compiled programs
    calls: tuple[str, ...]  # of Python's calls
    growth: float  # the largest growth of a total, as a share of the base's

    def __bool__(self) -> bool:
        return bool(self.program or self.calls)

    def __str__(self) -> str:
        return "; ".join((*self.program, *self.calls))


def compare(base: Counts, head: Counts) -> Difference:
    """Compare the compiled programs and Python's calls of a case on both sides."""
    programs = list(chain.from_iterable(map(_program, base.programs, head.programs)))
    if len(base.programs) != len(head.programs):
        programs.insert(0, f"{count(len(head.programs), 'program')} instead of {len(base.programs)}")
    is_training = any(unit in counts.calls for unit in (STEP, EPOCH) for counts in (base, head))
    units = UNITS | {CALL: REST} if is_training else UNITS
    calls = [_calls(base.calls.get(unit, {}), head.calls.get(unit, {}), where) for unit, where in units.items()]
    before = _totals(base)
    grown = {name: size for name, size in _totals(head).items() if size > before.get(name, 0)}
    growths = [size / before[name] - 1 if before.get(name) else inf for name, size in grown.items()]
    return Difference(tuple(programs), tuple(filter(None, calls)), max(growths, default=0.0))


def _program(base: Program, head: Program) -> Iterator[str]:
    """List the differences of two programs, part by part: instructions, new types of numbers, bytes and FLOPs."""
    is_explained = base.identity == head.identity
    for place, where in () if is_explained else PLACES.items():
        before, after = getattr(base, place), getattr(head, place)
        words = _listed(before.instructions, after.instructions, PLUMBING, "{change} {name}", "other kind")
        words += [f"{after.types[kind]} × {kind}" for kind in sorted(after.types.keys() - before.types.keys())]
        for old, new, unit in ((before.bytes, after.bytes, "bytes"), (before.flops, after.flops, "FLOPs")):
            if old != new:
                words.append(f"{percent(new / old) if old else f'{new:+,}'} {unit}")
        if words:
            is_explained = True
            yield f"{', '.join(words)}{where}"
    if not is_explained:
        yield "the same instructions with other shapes or constants, or in another arrangement"


def _calls(before: Numbers, after: Numbers, where: str) -> str:
    if before == after:
        return ""
    words = _listed(before, after, COMMON, "{short} {new:,} × instead of {old:,}", "other function")
    growth = sum(after.values()) - sum(before.values())
    change = f"{_signed(growth)} calls {where}" if growth else f"as many calls {where}, but different ones"
    return f"{change}: {', '.join(words)}"


def _listed(before: Numbers, after: Numbers, common: re.Pattern[str], phrase: str, others: str) -> list[str]:
    """Fill in ``phrase`` for the names whose numbers changed, and count the ``others`` that are too many to list.

    Names that ``common`` matches come last. Before them come names of one side only, in their order, in which a
    function follows its caller, and then the largest changes.
    """
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in dict.fromkeys([*after, *before])}

    def rank(name: str) -> tuple[bool, bool, int]:
        is_on_both = name in before and name in after
        return bool(common.match(name)), is_on_both, -abs(changes[name]) if is_on_both else 0

    ranked = sorted(filter(changes.get, changes), key=rank)
    short_names = Counter(map(_short, ranked))  # a function that moved to another module may keep its short name
    words = []
    for name in ranked[:SHOWN]:
        facts = {"change": _signed(changes[name]), "old": before.get(name, 0), "new": after.get(name, 0)}
        short = _short(name) if short_names[_short(name)] == 1 else name
        words.append(phrase.format(name=name, short=short, **facts))
    return [*words, count(len(ranked) - SHOWN, others)] if len(ranked) > SHOWN else words


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−")


def _short(name: str) -> str:
    """Return a function's name with that of its module, without the path to the module."""
    module, colon, function = name.rpartition(":")
    return f"{module.rpartition('.')[2]}:{function}" if colon else name


def _totals(counts: Counts) -> dict[str, int]:
    totals = {unit: sum(calls.values()) for unit, calls in counts.calls.items()}
    for number, program in enumerate(counts.programs):
        for place in PLACES:
            part = getattr(program, place)
            sizes = {"instructions": sum(part.instructions.values()), "bytes": part.bytes, "flops": part.flops}
            totals |= {f"{number} {place} {what}": size for what, size in sizes.items()}
    return totals


class Usage(NamedTuple):
    """How the rounds of a case used the machine, as shares of their seconds."""

    cores: float  # CPU seconds of all threads
    waiting: float | None  # off-CPU seconds of the one pinned thread; ``None`` if unknown


def cause(difference: Difference, base: Sequence[Usage], head: Sequence[Usage], tested: str) -> str:
    """Return the cause of a changed time; ``tested`` names the facts under test.

    Counts come first, because they are exact. If they are equal, the use of the machine may explain the change.
    """
    if difference.program:
        python = f"; and Python: {'; '.join(difference.calls)}" if difference.calls else ""
        reason = f"the program changed: {'; '.join(difference.program)}{python}"
    elif difference.calls:
        reason = f"Python's calls changed: {'; '.join(difference.calls)}"
    else:
        reason = f"counts are equal, {_cause_outside(base, head)}"
    return f"{reason}; under test: {tested}" if tested else reason


def _cause_outside(base: Sequence[Usage], head: Sequence[Usage]) -> str:
    """Compare the medians over the runs of both sides."""
    waits = [[usage.waiting for usage in side if usage.waiting is not None] for side in (base, head)]
    if all(waits) and abs(median(waits[1]) - median(waits[0])) > WAITING:
        return f"but the head waits for {share(median(waits[1]))} of a round instead of {share(median(waits[0]))}"
    # A coarse clock, as on Windows, may show no CPU time at all: then the ratio is unknown.
    cores = [median(usage.cores for usage in side) if side else 0.0 for side in (base, head)]
    if all(cores) and not 1 / BUSIER < cores[1] / cores[0] < BUSIER:
        return f"but the head uses {cores[1]:.1f} cores instead of {cores[0]:.1f}"
    return "so the cause is the runtime, the memory or the machine"
