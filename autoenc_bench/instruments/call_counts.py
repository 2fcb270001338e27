"""Count what a case does, outside timed rounds: calls of Python functions, and instructions of compiled programs.

The counted code has run before, so one-time work is left out. Garbage collection is off meanwhile, because its calls
depend on what else has run.
"""

import gc
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.instruments.hlo import parse
from autoenc_bench.records.counts import CALL, EPOCH, STEP, Counts

STEPS = 3  # of an epoch that is counted

# The beginnings of the names of functions whose calls, and the calls within them, differ from process to process: the
# clock reads a file per thread, tf.data compares its options in the order of a set of strings, a random number below a
# limit is drawn until it is below, and code that waits for a thread, or polls it, depends on timing.
UNSTEADY = (
    "autoenc_bench.instruments.clock:",
    "random:Random._randbelow",
    "tensorflow.python.data.util.options:",
    "keras.src.callbacks.callback_list:CallbackList._async_dispatch",
    *("_weakrefset:", "concurrent.futures.", "queue:", "threading:", "weakref:"),
)


class Counted(NamedTuple):
    """What a case does, and the HLO texts of the programs that it runs."""

    counts: Counts
    texts: Sequence[str]


def of_calls(function: Callable[[], object], programs: Sequence[str] = ()) -> Counted:
    """Count what a call does, and what the programs with these HLO texts do."""
    return _counted({CALL: calls(function)}, programs)


class Marks(NamedTuple):
    """The Python functions, as ``calls`` names them, that training calls for each step and at the end of each epoch.

    Training that compiles its steps together calls none for a step.
    """

    step: str
    epoch: str


def of_training(
    train: Callable[..., object], marks: Marks, batch_size: int, rows: int, programs: Sequence[str] = ()
) -> Counted:
    """Count what ``train(epochs, rows=rows)`` does in a step, in an epoch without its steps, and in the rest.

    They follow from a call with two epochs of three steps: the second step of the first epoch, and the second epoch. If
    there are too few rows for three steps, an epoch includes its steps.
    """
    has_steps = rows >= STEPS * batch_size
    rows = STEPS * batch_size if has_steps else rows
    train(1, rows=rows)
    parts = _calls(partial(train, 2, rows=rows), marks)
    begun = [mark for mark, _ in parts]
    first, second = (place for place, mark in enumerate(begun) if mark == marks.epoch)
    step = parts[begun.index(marks.step) + 1][1] if has_steps and marks.step in begun else Counter()
    epoch = _sum(parts[first:second])
    call = _sum(parts) - epoch - epoch
    steps = Counter({name: STEPS * number for name, number in step.items()})
    return _counted({STEP: step, EPOCH: epoch - steps, CALL: call}, programs)


def _sum(parts: Sequence[tuple[str, Counter[str]]]) -> Counter[str]:
    return sum((counter for _, counter in parts), start=Counter[str]())


def _counted(call_counts: dict[str, Counter[str]], programs: Sequence[str]) -> Counted:
    not_empty = {unit: dict(counter) for unit, counter in call_counts.items() if counter}
    return Counted(Counts(programs=[parse(text) for text in programs], calls=not_empty), programs)


def calls(function: Callable[[], object]) -> Counter[str]:
    """Count the functions that a call executes in its thread: ``module:name`` in Python, ``module.name`` in C.

    They are sorted by the depth of their outermost call, so a caller precedes what it calls. Raises InvalidInputError,
    and calls nothing, while a profiler written in C is active, because Python could not restore it.
    """
    return _sum(_calls(function))


def _calls(function: Callable[[], object], marks: Sequence[str] = ()) -> list[tuple[str, Counter[str]]]:
    """Count as ``calls`` does, in parts: each begins with a call of a Python function of ``marks``, and has its name.

    The name of the first part, before any mark, is empty.
    """
    previous: Any = sys.getprofile()
    if not (previous is None or callable(previous)):  # as cProfile's before Python 3.12
        profiler = type(previous).__module__
        raise InvalidInputError(f"calls cannot be counted while {profiler} profiles them; run without it to count them")
    numbers: Counter[Any] = Counter()  # by (module, code) in Python, (module, name) in C
    parts = [("", numbers)]
    depths: dict[Any, int] = {}
    is_steady: dict[Any, bool] = {}  # by code
    marked: dict[Any, str] = {}  # names of marks by code
    depth = 0
    unsteady_depth = 0  # of the unsteady call that is running, or 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal depth, unsteady_depth, numbers
        if event == "call":
            depth += 1
            module, code = frame.f_globals.get("__name__"), frame.f_code
            if code not in is_steady:
                name = f"{module}:{code.co_qualname}"
                is_steady[code] = not name.startswith(UNSTEADY)
                if name in marks:
                    marked[code] = name
            if code in marked:
                numbers = Counter()
                parts.append((marked[code], numbers))
            if not (unsteady_depth or is_steady[code]):
                unsteady_depth = depth
            called, called_at = (module, code), depth
        elif event == "c_call":
            called, called_at = (argument.__module__, argument.__qualname__), depth + 1
        else:
            if event == "return":
                unsteady_depth = 0 if unsteady_depth == depth else unsteady_depth
                depth -= 1
            return
        if not unsteady_depth:
            numbers[called] += 1
            depths[called] = min(called_at, depths.get(called, called_at))

    collects = gc.isenabled()
    gc.disable()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(previous)
        if collects:
            gc.enable()
    numbers["sys", "setprofile"] -= 1
    return [(mark, _named(part, depths)) for mark, part in parts]


def _named(numbers: Counter[Any], depths: dict[Any, int]) -> Counter[str]:
    """Return numbers of calls by the names of the functions, the outermost first."""
    by_name: Counter[str] = Counter()
    for module, called in sorted(numbers, key=lambda key: depths.get(key, 0)):
        in_c = f"{module}.{called}" if module else called  # a method's name begins with its class
        name = in_c if isinstance(called, str) else f"{module}:{called.co_qualname}"
        by_name[name] += numbers[module, called]
    return +by_name
