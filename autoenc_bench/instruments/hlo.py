"""The text of a compiled program, as XLA prints its optimised HLO -> what is counted of it.

The grammar is that of XLA's ``HloModule::ToString``: a computation is a block of lines ``%name = shape kind(operands),
attributes``, each line after those that it refers to, and each computation after those that it calls.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import prod

from autoenc_bench.records.counts import Part, Program

HEAD = re.compile(r"(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) .*\{\s*(?:/\*.*\*/)?\s*$")
INSTRUCTION = re.compile(r"\s+(?P<root>ROOT )?%?(?P<name>[\w.\-]+) = (?P<rest>.*)$")
KIND = re.compile(r"(?P<shape>\(.*?\)|\S+) (?P<kind>[a-z][\w\-]*)\((?P<inside>.*)$")
NESTED = r"\{(?:[^{}]|\{[^{}]*\})*\}"
NOISE = re.compile(rf"/\*.*?\*/|, (?:metadata|frontend_attributes|origin)={NESTED}|, stack_frame_id=\d+")
NAME = re.compile(r"%([\w.\-]+)")
ARRAY = re.compile(r"\b(?P<type>pred|token|[a-z]+\d+\w*)\[(?P<sizes>[\d,<=]*)\]")
FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "conditional", "call"}
PICKING = {"gather", "dynamic-slice"}  # touch what they return, whatever they take it from


@dataclass(frozen=True)
class _Instruction:
    kind: str
    shape: str
    operands: tuple[str, ...]  # names
    called: tuple[str, ...]  # names of computations
    text: str  # all but the name, with what others are called left in
    root: bool


@dataclass
class _Computation:
    entry: bool
    instructions: dict[str, _Instruction] = field(default_factory=dict)


def read(text: str) -> Program:
    """Count what a program does; raise ValueError where the text has no entry."""
    computations = _parse(text)
    entry = next((name for name, one in computations.items() if one.entry), None)
    if entry is None:
        raise ValueError(f"a program without an entry: {text[:80]!r}")
    once, loops = _Tally(computations), _Tally(computations)
    _count(entry, computations, once, loops)
    return Program(identity=_identities(computations)[entry][:16], once=once.part(), loops=loops.part())


def renamed(text: str) -> str:
    """Return a program's text without metadata, with numbers for names in the order in which they appear."""
    _, _, rest = text.partition(",")  # before it stands the program's name
    numbers: dict[str, int] = {}
    return NAME.sub(lambda found: f"%{numbers.setdefault(found[1], len(numbers))}", NOISE.sub("", rest))


def readable(text: str) -> str:
    """Return a program's text without metadata and numbers in names, so that two of them differ where they do."""
    lines = (NOISE.sub("", line) for line in text.splitlines() if HEAD.match(line) or line.startswith(("  ", "}")))
    return "\n".join(re.sub(r"(%[A-Za-z_\-]+)[\w.\-]*", r"\1", line) for line in lines) + "\n"


def _parse(text: str) -> dict[str, _Computation]:
    computations: dict[str, _Computation] = {}
    current = None
    for line in text.splitlines():
        if line.startswith("}"):
            current = None
        elif current is None and (head := HEAD.match(line)) and not line.startswith("HloModule"):
            current = computations[head["name"]] = _Computation(bool(head["entry"]))
        elif current is not None and (found := INSTRUCTION.match(NOISE.sub("", line))):
            current.instructions[found["name"]] = _instruction(found["rest"], root=bool(found["root"]))
    return computations


def _instruction(rest: str, *, root: bool) -> _Instruction:
    found = KIND.match(rest)
    if not found:
        raise ValueError(f"no instruction of a program: {rest[:80]!r}")
    depth, end = 1, 0
    while depth and end < len(found["inside"]):
        depth += {"(": 1, ")": -1}.get(found["inside"][end], 0)
        end += 1
    inside, attributes = found["inside"][: end - 1], found["inside"][end:]
    operands = () if found["kind"] in ("constant", "parameter") else tuple(NAME.findall(inside))
    return _Instruction(found["kind"], found["shape"], operands, tuple(NAME.findall(attributes)), rest, root)


def _identities(computations: Mapping[str, _Computation]) -> dict[str, str]:
    """Return a hash of each computation: of its instructions as a graph, whatever they are called and printed after."""
    known: dict[str, str] = {}
    for name, computation in computations.items():
        known[name] = _identity(computation, known)
    return known


def _identity(computation: _Computation, called: Mapping[str, str]) -> str:
    within: dict[str, str] = {}

    def identity(found: re.Match[str]) -> str:
        return within.get(found[1]) or called.get(found[1], "")

    for name, one in computation.instructions.items():
        within[name] = sha256(NAME.sub(identity, one.text).encode()).hexdigest()
    roots = [within[name] for name, one in computation.instructions.items() if one.root]
    return sha256(" ".join((*roots, *sorted(within.values()))).encode()).hexdigest()


def _count(name: str, computations: Mapping[str, _Computation], here: "_Tally", loops: "_Tally") -> None:
    """Count a computation's instructions, and those that it calls, which lie in loops where a loop calls them."""
    for one in computations[name].instructions.values():
        here.add(one, computations[name])
        for called in one.called:
            if called not in computations:
                continue  # a control predecessor
            if one.kind == "fusion":
                here.add_fused(computations[called])
            else:
                _count(called, computations, loops if one.kind == "while" else here, loops)


@dataclass
class _Tally:
    computations: Mapping[str, _Computation]
    kinds: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    flops: int = 0
    bytes: int = 0

    def part(self) -> Part:
        kinds, types = (dict(sorted(counter.items())) for counter in (self.kinds, self.types))
        return Part(instructions=kinds, types=types, flops=self.flops, bytes=self.bytes)

    def add(self, one: _Instruction, within: _Computation, *, fused: bool = False) -> None:
        self.kinds[one.kind] += 1
        self.types.update(kind for kind, _ in _arrays(one.shape))
        if one.kind == "dot":
            self.flops += _flops(one, within)
        if not (fused or one.kind in FREE):
            self.bytes += _bytes(one.shape) + sum(self._read(one, within))

    def add_fused(self, computation: _Computation) -> None:
        for one in computation.instructions.values():
            self.add(one, computation, fused=True)

    def _read(self, one: _Instruction, within: _Computation) -> Iterator[int]:
        """Return the bytes that an instruction reads of each of its operands."""
        fused = self.computations[one.called[0]] if one.kind == "fusion" else None
        for place, operand in enumerate(one.operands):
            source = within.instructions.get(operand)
            whole = _bytes(source.shape) if source else 0
            if one.kind in PICKING and place == 0:
                yield min(whole, _bytes(one.shape))
            else:
                picked = _picked(fused, place) if fused else None
                yield whole if picked is None else min(whole, picked)


def _picked(fused: _Computation, place: int) -> int | None:
    """Return how many bytes of a parameter a fusion picks, ``None`` for all."""
    names = {name for name, one in fused.instructions.items() if f" parameter({place})" in one.text}
    users = [one for one in fused.instructions.values() if names & set(one.operands)]
    if not users or any(one.kind not in PICKING or names & set(one.operands[1:]) for one in users):
        return None
    return sum(_bytes(one.shape) for one in users)


def _arrays(shape: str) -> Iterator[tuple[str, list[int]]]:
    for found in ARRAY.finditer(shape):
        yield found["type"], [int(size.lstrip("<=")) for size in found["sizes"].split(",") if size]


def _bytes(shape: str) -> int:
    return sum(prod(sizes) * _width(kind) for kind, sizes in _arrays(shape))


def _width(kind: str) -> int:
    """Return the bytes of a number; of four bits as well, which lie in one each."""
    bits = re.search(r"\d+", kind)
    return max(1, int(bits[0]) // 8) if bits else 1


def _flops(dot: _Instruction, within: _Computation) -> int:
    """Return two for each product of a matrix product."""
    left = within.instructions.get(dot.operands[0])
    summed = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", dot.text)
    if left is None or summed is None:
        return 0
    sizes = next(_arrays(left.shape))[1]
    results = sum(prod(one) for _, one in _arrays(dot.shape))
    return 2 * results * prod(sizes[int(place)] for place in summed[1].split(",") if place)
