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

FEW, MORE = 2, 3  # steps of an epoch

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


def of_training(
    train: Callable[..., object], mark: str, batch_size: int, rows: int, programs: Sequence[str] = ()
) -> Counted:
    """Count what ``train(epochs, rows=rows)`` does in a step, in an epoch without its steps, and in the rest.

    They follow from a call with two epochs of two steps, and from one with an epoch of three steps. ``mark`` is the
    function that each epoch calls once at its end, as ``calls`` names it. If there are too few rows for three steps, an
    epoch includes its steps.
    """
    few, more = (FEW * batch_size, MORE * batch_size) if rows >= MORE * batch_size else (rows, rows)
    train(2, rows=more)
    before, epoch, after = _calls(partial(train, 2, rows=few), mark)  # from the end of the first epoch to the second's
    short = before + after
    step = calls(partial(train, 1, rows=more)) - short
    steps = Counter({name: FEW * number for name, number in step.items()})
    epoch = epoch - steps
    return _counted({STEP: step, EPOCH: epoch, CALL: short - epoch - steps}, programs)


def _counted(call_counts: dict[str, Counter[str]], programs: Sequence[str]) -> Counted:
    not_empty = {unit: dict(counter) for unit, counter in call_counts.items() if counter}
    return Counted(Counts(programs=[parse(text) for text in programs], calls=not_empty), programs)


def calls(function: Callable[[], object]) -> Counter[str]:
    """Count the functions that a call executes in its thread: ``module:name`` in Python, ``module.name`` in C.

    They are sorted by the depth of their outermost call, so a caller precedes what it calls. Raises InvalidInputError,
    and calls nothing, while a profiler written in C is active, because Python could not restore it.
    """
    return _calls(function)[0]


def _calls(function: Callable[[], object], mark: str | None = None) -> list[Counter[str]]:
    """Count as ``calls`` does, up to the first call of the Python function ``mark``, from there to the next, and so on.

    A call of ``mark`` belongs to the part that it begins.
    """
    previous: Any = sys.getprofile()
    if not (previous is None or callable(previous)):  # as cProfile's before Python 3.12
        profiler = type(previous).__module__
        raise InvalidInputError(f"calls cannot be counted while {profiler} profiles them; run without it to count them")
    numbers: Counter[Any] = Counter()  # by (module, code) in Python, (module, name) in C
    parts = [numbers]
    depths: dict[Any, int] = {}
    is_steady: dict[Any, bool] = {}  # by code
    marks: set[Any] = set()  # codes
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
                marks.update({code} if name == mark else ())
            if code in marks:
                numbers = Counter()
                parts.append(numbers)
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
    return [_named(part, depths) for part in parts]


def _named(numbers: Counter[Any], depths: dict[Any, int]) -> Counter[str]:
    """Return numbers of calls by the names of the functions, the outermost first."""
    by_name: Counter[str] = Counter()
    for module, called in sorted(numbers, key=lambda key: depths.get(key, 0)):
        in_c = f"{module}.{called}" if module else called  # a method's name begins with its class
        name = in_c if isinstance(called, str) else f"{module}:{called.co_qualname}"
        by_name[name] += numbers[module, called]
    return +by_name
