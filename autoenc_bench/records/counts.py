"""What a case does, counted: the same in every run of the same code with the same versions, whatever else runs."""

from typing import Annotated

import msgspec
from msgspec import Meta

Number = Annotated[int, Meta(ge=0, le=2**53)]
STEP, EPOCH, CALL = "step", "epoch", "call"  # of what Python's calls are counted


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some instructions of a program, each once."""

    instructions: dict[str, Number]  # by kind
    types: dict[str, Number]  # their results, by the type of the numbers
    flops: Number = 0  # of matrix products
    bytes: Number = 0  # that go in and out of what is not fused


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled program; how often its loops turn may depend on what it is given."""

    identity: str  # a hash of all but names, metadata and the order that does not matter
    once: Part
    loops: Part  # what lies in loops


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a case does."""

    programs: list[Program] = []
    calls: dict[str, dict[str, Number]] = {}  # of Python's functions, by name, in a step, an epoch or a call
