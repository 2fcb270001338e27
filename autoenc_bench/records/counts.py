"""Counts of what a case executes. They are equal in every run of the same code with the same versions."""

from typing import Annotated

import msgspec
from msgspec import Meta

Number = Annotated[int, Meta(ge=0, le=2**53)]
STEP, EPOCH, CALL = "step", "epoch", "call"  # the units for which Python calls are counted


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The instructions of one part of a program. Each instruction counts once."""

    instructions: dict[str, Number]  # by kind
    types: dict[str, Number]  # results of the instructions, by the type of their numbers
    flops: Number = 0  # of matrix products
    bytes: Number = 0  # inputs and outputs of instructions; inside a fusion none count


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled program. The number of iterations of its loops may depend on its inputs, so it is not counted."""

    identity: str  # a hash of everything except names, metadata and irrelevant order
    once: Part  # instructions outside loops
    loops: Part  # instructions in loops


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The compiled programs and the Python calls of a case."""

    programs: list[Program] = []
    calls: dict[str, dict[str, Number]] = {}  # unit (step, epoch or call) -> Python function -> number of calls


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The programs and the tables of calls of all cases of a run, each once. Places count from 0."""

    functions: list[str] = []
    programs: list[Program] = []
    calls: list[list[tuple[Number, Number]]] = []  # each: the place of a function and its number of calls, and so on


class References(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a case in a packed record, as places in the run's tables."""

    programs: list[Number] = []
    calls: dict[str, Number] = {}  # by unit
