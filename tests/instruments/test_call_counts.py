"""Calls of Python functions are counted by name and unit."""

import cProfile
import gc
import math
import pstats
import sys
import types
from collections import Counter

import pytest

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.instruments import call_counts
from autoenc_bench.instruments.call_counts import Marks, calls, of_calls, of_training


def helper():
    """Call a function in C."""
    return len([])


def work(times):
    """Call a function in Python."""
    for _ in range(times):
        helper()


def test_calls():
    """Functions in Python and in C are counted by name; the counter itself is not."""
    assert calls(lambda: work(3)) == {
        f"{__name__}:test_calls.<locals>.<lambda>": 1,
        f"{__name__}:work": 1,
        f"{__name__}:helper": 3,
        "builtins.len": 3,
    }


def test_methods_in_c():
    """A method in C is named with its class, a function in C with its module."""
    counts = calls(lambda: math.sqrt([4].pop()))
    assert (counts["math.sqrt"], counts["list.pop"]) == (1, 1)


def test_state_is_restored():
    """After a call that raises, garbage collection is as before, and no profiler is set."""

    def fail():
        assert not gc.isenabled()
        raise KeyError

    with pytest.raises(KeyError):
        calls(fail)
    assert gc.isenabled()
    assert sys.getprofile() is None
    gc.disable()
    try:
        calls(helper)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_under_cprofile():
    """Before Python 3.12, which allows only one profiler, counting under cProfile is refused; cProfile continues."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        if sys.version_info < (3, 12):
            with pytest.raises(InvalidInputError, match="cannot be counted while cProfile profiles them; run without"):
                calls(helper)
        else:
            assert calls(helper)["builtins.len"] == 1
        work(1)
    finally:
        profiler.disable()
    assert "work" in {name for _, _, name in pstats.Stats(profiler).stats}


def test_under_a_function_that_profiles():
    """A profiler that is a Python function is restored."""
    events = []

    def note(frame, event, _):
        events.append((event, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        assert calls(helper)["builtins.len"] == 1
        work(1)
    finally:
        sys.setprofile(before)
    assert ("call", "work") in events


def test_one_time_work():
    """Work that only the first call of training does is not counted."""
    done = []

    def train(epochs, *, rows):
        if not done:
            done.append(helper())
        for _ in range(epochs):
            work(rows)

    marks = Marks("no step", f"{__name__}:work")
    assert f"{__name__}:helper" not in of_training(train, marks, 10, 100).counts.calls["call"]


def test_unsteady_functions(monkeypatch):
    """An unsteady function is left out with all that it calls, even if it raises; calls after it are counted."""

    def unsteady(fail):
        work(3)
        if fail:
            raise KeyError

    def both():
        unsteady(fail=False)
        helper()
        with pytest.raises(KeyError):
            unsteady(fail=True)
        helper()

    before = calls(both)
    monkeypatch.setattr(call_counts, "UNSTEADY", ("unsteady:",))
    own = types.FunctionType(unsteady.__code__, {**globals(), "__name__": "unsteady"})
    unsteady = own
    after = calls(both)
    assert (before[f"{__name__}:helper"], after[f"{__name__}:helper"]) == (8, 2)
    assert f"{__name__}:work" not in after


class Training:
    """Training that calls ``helper`` so many times per step, per epoch and per call."""

    def __init__(self, step, epoch, call):
        self.step, self.epoch, self.call = step, epoch, call

    def __call__(self, epochs, *, rows):
        self.do_call(self.call)
        for _ in range(epochs):
            self.do_epoch(self.epoch)
            for _ in range(rows // 10):
                self.do_step(self.step)
            self.do_step(VALIDATION)
            self.end_epoch()

    def do_call(self, times):
        work(times)

    def do_epoch(self, times):
        work(times)

    def do_step(self, times):
        work(times)

    def end_epoch(self):
        """Do nothing; it marks the end of an epoch."""


VALIDATION = 3
MARKS = Marks(f"{__name__}:Training.do_step", f"{__name__}:Training.end_epoch")


def test_training():
    """Calls of a step, of an epoch and of the rest are separated, for any number of rows."""
    counted = of_training(Training(step=5, epoch=7, call=11), MARKS, 10, 1000).counts.calls
    helpers = {unit: counts.get(f"{__name__}:helper") for unit, counts in counted.items()}
    assert helpers == {"step": 5, "epoch": 7 + VALIDATION, "call": 11}
    assert counted["step"][f"{__name__}:Training.do_step"] == 1
    assert counted == of_training(Training(step=5, epoch=7, call=11), MARKS, 10, 50).counts.calls


def test_few_rows():
    """If there are too few rows for three steps, an epoch includes its steps."""
    counted = of_training(Training(step=5, epoch=7, call=11), MARKS, 10, 20).counts.calls
    assert "step" not in counted
    assert counted["epoch"][f"{__name__}:helper"] == 7 + VALIDATION + 2 * 5


def test_programs():
    """Programs are counted from their HLO texts, which are returned with the counts."""
    text = "ENTRY %main () -> f32[] {\n  ROOT %x = f32[] constant(1)\n}\n"
    counted = of_calls(helper, [text])
    assert counted.texts == [text]
    assert counted.counts.programs[0].once.instructions == {"constant": 1}


def test_units():
    """The units are those of a record."""
    assert Counter(of_training(Training(1, 1, 1), MARKS, 10, 1000).counts.calls.keys()) == Counter(
        (call_counts.STEP, call_counts.EPOCH, call_counts.CALL)
    )
