"""Parse the HLO text of a compiled program, and count what the program does.

XLA's ``HloModule::ToString`` prints a computation as a block of lines ``%name = shape kind(operands), attributes``. A
line follows the lines that it refers to, and a computation follows those that it calls.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from math import prod

from autoenc_bench.records.counts import Part, Program

HEAD = re.compile(r"(?!HloModule)(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) .*\{\s*(?:/\*.*\*/)?\s*$")
INSTRUCTION = re.compile(r"\s+(?P<root>ROOT )?%?(?P<name>[\w.\-]+) = (?P<text>.*)$")
OPERANDS = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"
KIND = re.compile(rf"(?P<shape>\(.*?\)|\S+) (?P<kind>[a-z][\w\-]*)\((?P<operands>{OPERANDS})\)(?P<attributes>.*)$")
NESTED = r"\{(?:[^{}]|\{[^{}]*\})*\}"
NOISE = re.compile(rf"/\*.*?\*/|, (?:metadata|frontend_attributes|origin)={NESTED}|, stack_frame_id=\d+")
NAME = re.compile(r"%([\w.\-]+)")
ARRAY = re.compile(r"\b(?P<type>pred|token|[a-z]+(?P<bits>\d+)\w*)\[(?P<sizes>[\d,<=]*)\]")
SUMMED = re.compile(r"lhs_contracting_dims=\{([\d,]*)\}")
MOVES_NOTHING = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "conditional", "call"}
PICKING = {"gather", "dynamic-slice"}  # read as many bytes of their first operand as they return


@dataclass(frozen=True, eq=False)
class _Instruction:
    kind: str
    shape: str
    operands: list["_Instruction"]
    computations: list["_Computation"]  # that it calls
    text: str  # without its name
    is_root: bool
    identity: str  # a hash of the text, with identities in place of names


@dataclass(eq=False)
class _Computation:
    instructions: dict[str, _Instruction] = field(default_factory=dict)  # by name

    @cached_property
    def identity(self) -> str:
        """Return a hash of the instructions as a graph: names and the order of the lines do not matter."""
        instructions = self.instructions.values()
        roots = [instruction.identity for instruction in instructions if instruction.is_root]
        return _hash(" ".join((*roots, *sorted(instruction.identity for instruction in instructions))))


_Executed = tuple[_Instruction, bool]  # and whether it is fused: then it moves no bytes to or from memory


def parse(text: str) -> Program:
    """Return the counts of a program's text; raise ValueError if the text has no entry."""
    computations: dict[str, _Computation] = {}
    entry = current = None
    for line in text.splitlines():
        if line.startswith("}"):
            current = None
        elif current is None and (head := HEAD.match(line)):
            current = computations[head["name"]] = _Computation()
            entry = current if head["entry"] else entry
        elif current and (line_match := INSTRUCTION.match(NOISE.sub("", line))):
            instruction = _instruction(line_match["text"], bool(line_match["root"]), current.instructions, computations)
            current.instructions[line_match["name"]] = instruction
    if entry is None:
        raise ValueError(f"HLO text without an entry computation: {text[:80]!r}")
    once: list[_Executed] = []
    loops: list[_Executed] = []
    _list_executed(entry, once, loops)
    return Program(identity=entry.identity[:16], once=_part(once), loops=_part(loops))


def renamed(text: str) -> str:
    """Return a program's text without metadata, with numbers for names in the order in which they appear."""
    _, _, rest = text.partition(",")  # the program's name stands before the first comma
    numbers: dict[str, int] = {}
    return NAME.sub(lambda name: f"%{numbers.setdefault(name[1], len(numbers))}", NOISE.sub("", rest))


def readable(text: str) -> str:
    """Return a program's text without metadata and without numbers in names, for a diff of two programs."""
    lines = (NOISE.sub("", line) for line in text.splitlines() if HEAD.match(line) or line.startswith(("  ", "}")))
    return "\n".join(re.sub(r"(%[A-Za-z_\-]+)[\w.\-]*", r"\1", line) for line in lines) + "\n"


def _instruction(
    text: str, is_root: bool, siblings: dict[str, _Instruction], computations: dict[str, _Computation]
) -> _Instruction:
    """Return a line of a computation as an instruction; ``siblings`` are the computation's lines so far."""
    parts = KIND.match(text)
    if not parts:
        raise ValueError(f"HLO line that is no instruction: {text[:80]!r}")

    def identity(name: re.Match[str]) -> str:
        named = siblings.get(name[1]) or computations.get(name[1])
        return named.identity if named else ""

    return _Instruction(
        kind=parts["kind"],
        shape=parts["shape"],
        operands=[siblings[name] for name in NAME.findall(parts["operands"]) if name in siblings],
        # An attribute may also name an instruction: a control predecessor.
        computations=[computations[name] for name in NAME.findall(parts["attributes"]) if name in computations],
        text=text,
        is_root=is_root,
        identity=_hash(NAME.sub(identity, text)),
    )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _list_executed(computation: _Computation, here: list[_Executed], loops: list[_Executed]) -> None:
    """Add the instructions of a computation and of those that it calls to ``here``, or to ``loops`` if a loop calls."""
    for instruction in computation.instructions.values():
        here.append((instruction, False))
        for called in instruction.computations:
            if instruction.kind == "fusion":
                here += [(fused, True) for fused in called.instructions.values()]
            else:
                _list_executed(called, loops if instruction.kind == "while" else here, loops)


def _part(executed: list[_Executed]) -> Part:
    kinds, types = Counter[str](), Counter[str]()
    flops = moved = 0
    for instruction, is_fused in executed:
        kinds[instruction.kind] += 1
        types.update(array["type"] for array in ARRAY.finditer(instruction.shape))
        flops += _flops(instruction)
        if not is_fused and instruction.kind not in MOVES_NOTHING:
            moved += _bytes(instruction) + sum(_bytes_read(instruction))
    return Part(instructions=dict(sorted(kinds.items())), types=dict(sorted(types.items())), flops=flops, bytes=moved)


def _bytes_read(instruction: _Instruction) -> Iterator[int]:
    """Yield the bytes that an instruction reads of each of its operands."""
    for place, operand in enumerate(instruction.operands):
        picked = None
        if instruction.kind in PICKING and place == 0:
            picked = _bytes(instruction)
        elif instruction.kind == "fusion":
            picked = _picked(instruction.computations[0], place)
        yield _bytes(operand) if picked is None else min(_bytes(operand), picked)


def _picked(fused: _Computation, place: int) -> int | None:
    """Return how many bytes of a parameter a fusion picks; ``None`` if it reads all."""
    instructions = fused.instructions.values()
    parameter = next((each for each in instructions if f" parameter({place})" in each.text), None)
    users = [each for each in instructions if parameter in each.operands]
    if not users or any(user.kind not in PICKING or parameter in user.operands[1:] for user in users):
        return None
    return sum(map(_bytes, users))


def _bytes(instruction: _Instruction) -> int:
    """Return the bytes of an instruction's result; a number of four bits, or of no known width, takes one byte."""
    arrays = ARRAY.finditer(instruction.shape)
    return sum(prod(_sizes(array)) * max(1, int(array["bits"] or 8) // 8) for array in arrays)


def _sizes(array: re.Match[str]) -> list[int]:
    return [int(size.lstrip("<=")) for size in array["sizes"].split(",") if size]


def _flops(instruction: _Instruction) -> int:
    """Return two for each product of a matrix product, 0 for other instructions."""
    summed = SUMMED.search(instruction.text) if instruction.kind == "dot" else None
    left = ARRAY.search(instruction.operands[0].shape) if summed and instruction.operands else None
    if not (summed and left):
        return 0
    results = sum(prod(_sizes(array)) for array in ARRAY.finditer(instruction.shape))
    return 2 * results * prod(_sizes(left)[int(place)] for place in summed[1].split(",") if place)
