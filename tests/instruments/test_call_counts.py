"""Calls of Python's functions are counted, the same in every run."""

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
from autoenc_bench.instruments.call_counts import calls, of_calls, of_training


def helper():
    """Call something in C."""
    return len([])


def work(times):
    """Call something in Python."""
    for _ in range(times):
        helper()


def test_calls():
    """Functions in Python and in C are counted by name; what counts is not."""
    assert calls(lambda: work(3)) == {
        f"{__name__}:test_calls.<locals>.<lambda>": 1,
        f"{__name__}:work": 1,
        f"{__name__}:helper": 3,
        "builtins.len": 3,
    }


def test_methods_in_c():
    """A method in C has its class's name, and a module's function the module's."""
    found = calls(lambda: math.sqrt([4].pop()))
    assert (found["math.sqrt"], found["list.pop"]) == (1, 1)


def test_nothing_is_left_behind():
    """Whatever the call does, garbage is collected afterwards as before, and nobody counts any more."""

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
    """Where Python lets one profiler watch alone (before 3.12), calls are not counted under cProfile; it goes on."""
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
    """A profiler that is a function of Python's is put back."""
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


def test_what_is_done_once():
    """What only the first call of training does is no part of it."""
    known = []

    def train(epochs, *, rows):
        if not known:
            known.append(helper())
        len([epochs, rows])

    assert f"{__name__}:helper" not in of_training(train, 10, 100).counts.calls["call"]


def test_what_is_left_out(monkeypatch):
    """What unsteady modules call is no part of a call, however it ends, and what comes after it is."""

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
    """Training that calls functions as often as it is told to."""

    def __init__(self, step, epoch, call):
        self.step, self.epoch, self.call = step, epoch, call

    def __call__(self, epochs, *, rows):
        self.do_call(self.call)
        for _ in range(epochs):
            self.do_epoch(self.epoch)
            for _ in range(rows // 10):
                self.do_step(self.step)

    def do_call(self, times):
        work(times)

    def do_epoch(self, times):
        work(times)

    def do_step(self, times):
        work(times)


def test_training():
    """Calls of a step, of an epoch and of the rest are told apart, however many rows there are."""
    counted = of_training(Training(step=5, epoch=7, call=11), 10, 1000).counts.calls
    helpers = {unit: found.get(f"{__name__}:helper") for unit, found in counted.items()}
    assert helpers == {"step": 5, "epoch": 7, "call": 11}
    assert counted["step"][f"{__name__}:Training.do_step"] == 1
    assert counted == of_training(Training(step=5, epoch=7, call=11), 10, 50).counts.calls


def test_few_rows():
    """Where there are too few rows for three steps, these count to their epoch."""
    counted = of_training(Training(step=5, epoch=7, call=11), 10, 20).counts.calls
    assert "step" not in counted
    assert counted["epoch"][f"{__name__}:helper"] == 7 + 2 * 5


def test_programs():
    """Programs are counted from their texts, which are returned with the counts."""
    text = "ENTRY %main () -> f32[] {\n  ROOT %x = f32[] constant(1)\n}\n"
    counted = of_calls(helper, [text])
    assert counted.texts == [text]
    assert counted.counts.programs[0].once.instructions == {"constant": 1}


def test_units():
    """Units are those that records name."""
    assert Counter(of_training(Training(1, 1, 1), 10, 1000).counts.calls.keys()) == Counter(
        (call_counts.STEP, call_counts.EPOCH, call_counts.CALL)
    )
