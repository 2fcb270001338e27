"""What a case does, counted in calls that nobody times: Python's functions, and instructions of compiled programs.

What is counted has been done before, for what is done once is no part of it, and no garbage is collected meanwhile, for
what that calls depends on what else has run.
"""

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.instruments.hlo import read
from autoenc_bench.records.counts import CALL, EPOCH, STEP, Counts

FEW, MORE = 2, 3  # steps of an epoch

# Functions whose calls, with all that these call, differ from process to process, by the beginnings of their names: the
# clock reads as many files as there are threads, options are compared in the order of a set of strings, a number below
# a limit is drawn until it is below, and who waits for a thread, or asks whether it is done, does so by chance.
UNSTEADY = (
    "autoenc_bench.instruments.clock:",
    "random:Random._randbelow",
    "tensorflow.python.data.util.options:",
    "keras.src.callbacks.callback_list:CallbackList._async_dispatch",
    *("_weakrefset:", "concurrent.futures.", "queue:", "threading:", "weakref:"),
)


class Counted(NamedTuple):
    """What a case does, and the texts of the programs that it runs."""

    counts: Counts
    texts: Sequence[str]


class Train(Protocol):
    """What trains for some epochs on some rows."""

    def __call__(self, epochs: int, *, rows: int) -> object: ...


def of_calls(function: Callable[[], object], programs: Sequence[str] = ()) -> Counted:
    """Count what a call does that was made before, and what the ``programs`` do whose texts these are."""
    return _counts({CALL: calls(function)}, programs)


def of_training(train: Train, batch_size: int, rows: int, programs: Sequence[str] = ()) -> Counted:
    """Count what training on so many rows does in a step, in an epoch beside its steps, and in a call beside these.

    They are told apart by calls of one epoch and of two, of two steps and of three; where there are fewer rows, steps
    count to their epoch.
    """
    few, more = (FEW * batch_size, MORE * batch_size) if rows >= MORE * batch_size else (rows, rows)
    train(2, rows=more)
    passes = [partial(train, epochs, rows=some) for epochs, some in ((1, few), (1, more), (2, few))]
    short, longer, twice = map(calls, passes)
    step = longer - short
    steps = Counter({name: FEW * number for name, number in step.items()})
    epoch = twice - short - steps
    return _counts({STEP: step, EPOCH: epoch, CALL: short - epoch - steps}, programs)


def _counts(known: dict[str, Counter[str]], programs: Sequence[str]) -> Counted:
    found = {unit: dict(counter) for unit, counter in known.items() if counter}  # outermost first
    return Counted(Counts(programs=[read(text) for text in programs], calls=found), programs)


def calls(function: Callable[[], object]) -> Counter[str]:
    """Count the functions that a call calls in its thread, as ``module:name`` and, of those in C, ``module.name``.

    They are in the order of how deep they are called, so that what calls others comes before these. Raises
    InvalidInputError, and calls nothing, while a profiler written in C watches that could not be put back.
    """
    before: Any = sys.getprofile()
    if not (before is None or callable(before)):  # as cProfile's before Python 3.12
        by = type(before).__module__
        raise InvalidInputError(f"calls cannot be counted while {by} profiles them; run without it to count them")
    found: Counter[Any] = Counter()
    depths: dict[Any, int] = {}
    steady: dict[Any, bool] = {}  # by code
    depth = 0
    left_out = 0  # the depth of a call that is under way, with all in it, of what is no part of it

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal depth, left_out
        if event == "call":
            depth += 1
            code, module = frame.f_code, frame.f_globals.get("__name__")
            if code not in steady:
                steady[code] = not f"{module}:{code.co_qualname}".startswith(UNSTEADY)
            if not left_out and not steady[code]:
                left_out = depth
            what, at = (module, code), depth
        elif event == "c_call":
            what, at = (argument.__module__, argument.__qualname__), depth + 1
        else:
            if event == "return":
                left_out = 0 if left_out == depth else left_out
                depth -= 1
            return
        if not left_out:
            found[what] += 1
            depths[what] = min(at, depths.get(what, at))

    with _uncollected():
        sys.setprofile(note)
        try:
            function()
        finally:
            sys.setprofile(before)
    found["sys", "setprofile"] -= 1
    named: Counter[str] = Counter()
    for (module, what), number in sorted(found.items(), key=lambda one: depths.get(one[0], 0)):
        c_function = f"{module}.{what}" if module else what  # a method's class says where it comes from
        named[c_function if isinstance(what, str) else f"{module}:{what.co_qualname}"] += number
    return +named


@contextmanager
def _uncollected() -> Iterator[None]:
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
