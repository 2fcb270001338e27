"""What a case does on both sides, counted -> whether that is equal, or in words what changed."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from math import inf
from typing import NamedTuple

from autoenc_bench.formatting import count, percent
from autoenc_bench.records.counts import CALL, EPOCH, STEP, Counts, Program

SHOWN = 4  # kinds of instructions, or functions, that are named
PLACES = {"once": "", "loops": " in loops"}  # of a program
UNITS = {STEP: "in a step", EPOCH: "in an epoch", CALL: "in a call"}
PLUMBING = re.compile(r"parameter|tuple|get-tuple-element|bitcast|constant|broadcast|copy")  # tells least
# What everything calls tells less than what has a name of its own.
COMMON = re.compile(r"(builtins|_?abc|inspect|enum)\b|(str|bytes|list|tuple|dict|set|frozenset|mappingproxy|type)\.")


class Difference(NamedTuple):
    """What differs between two sides' counts; nothing where they are equal."""

    program: tuple[str, ...]  # of the compiled programs, in words
    calls: tuple[str, ...]  # of Python's calls
    growth: float  # the largest one of a total, as a share of the base's

    def __bool__(self) -> bool:
        return bool(self.program or self.calls)

    def __str__(self) -> str:
        return "; ".join((*self.program, *self.calls))


def compare(base: Counts, head: Counts) -> Difference:
    """Compare what a case does on both sides."""
    words = list(chain.from_iterable(map(_program, base.programs, head.programs)))
    if len(base.programs) != len(head.programs):
        words.insert(0, f"{count(len(head.programs), 'program')} instead of {len(base.programs)}")
    calls = (_calls(base.calls.get(unit, {}), head.calls.get(unit, {}), where) for unit, where in UNITS.items())
    before, after = _totals(base), _totals(head)
    growths = (_growth(before.get(name, 0), after.get(name, 0)) for name in before | after)
    return Difference(tuple(words), tuple(filter(None, calls)), max(growths, default=0.0))


def _program(base: Program, head: Program) -> Iterator[str]:
    """List in what two programs differ: instructions, what they move and compute, and new types of numbers."""
    if base.identity == head.identity:
        return
    same = True
    for place, where in PLACES.items():
        one, other = getattr(base, place), getattr(head, place)
        parts = _signed(one.instructions, other.instructions)
        parts += [f"{other.types[kind]} × {kind}" for kind in sorted(other.types.keys() - one.types.keys())]
        for what, unit in (("bytes", "bytes"), ("flops", "FLOPs")):
            before, after = getattr(one, what), getattr(other, what)
            if before != after:
                parts.append(f"{percent(after / before) if before else f'{after:+,}'} {unit}")
        if parts:
            same = False
            yield f"{', '.join(parts)}{where}"
    if same:
        yield "the same instructions on other shapes or constants, or in another arrangement"


def _signed(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """List by how much the kinds of instructions changed, the telling ones first."""
    named, rest = _changed(before, after, PLUMBING.fullmatch)
    shown = [f"{_more(after.get(kind, 0) - before.get(kind, 0))} {kind}" for kind in named]
    return [*shown, count(rest, "other kind")] if rest else shown


def _calls(before: Mapping[str, int], after: Mapping[str, int], where: str) -> str:
    if before == after:
        return ""
    named, rest = _changed(before, after, COMMON.match)
    listed = [f"{_short(name)} {after.get(name, 0):,} × instead of {before.get(name, 0):,}" for name in named]
    others = [count(rest, "other function")] if rest else []
    return f"{_more(sum(after.values()) - sum(before.values()))} calls {where}: {', '.join([*listed, *others])}"


def _more(number: int) -> str:
    return f"{number:+,}".replace("-", "−")


def _changed(
    before: Mapping[str, int], after: Mapping[str, int], is_common: Callable[[str], object]
) -> tuple[list[str], int]:
    """Return the names whose numbers changed, and how many more there are than can be shown.

    First comes what is not common; of that what is new or gone, in its order, in which what is called follows its
    caller; and then what changed most.
    """
    names = dict.fromkeys([*after, *before])
    changes = {name: abs(after.get(name, 0) - before.get(name, 0)) for name in names}
    on_both = before.keys() & after.keys()

    def rank(name: str) -> tuple[bool, bool, int]:
        return bool(is_common(name)), name in on_both, -changes[name] if name in on_both else 0

    order = sorted(filter(changes.get, names), key=rank)
    return order[:SHOWN], len(order[SHOWN:])


def _short(name: str) -> str:
    """Return a function's name with its module's, but not the path to that."""
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


def _growth(before: int, after: int) -> float:
    if after <= before:
        return 0.0
    return after / before - 1 if before else inf
