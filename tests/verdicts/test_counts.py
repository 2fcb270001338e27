"""Counts are equal or their difference is put into words; it fails only if --fail-on sets a limit."""

from dataclasses import replace

import histories
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench import exit_codes
from autoenc_bench.records.counts import Counts, Part, Program
from autoenc_bench.verdicts import comparison, counts, limits, status, tables
from autoenc_bench.verdicts.comparison import Outcome
from autoenc_bench.verdicts.counts import Usage

EPOCH = "epoch[digits-fused]"


def program(identity="a", once=None, loops=None, **changes):
    """Make a program whose loops have some instructions, and other totals."""
    part = {"types": {"f32": 5}, "flops": 100, "bytes": 1000, **changes}
    return Program(
        identity=identity,
        once=Part(instructions=once or {"add": 1, "while": 1}, types={"f32": 2}),
        loops=Part(instructions=loops or {"add": 2, "fusion": 3, "gather": 1, "parameter": 9}, **part),
    )


STEPS = {"step": {"keras.src.optimizers:Adam.apply": 1, "builtins.len": 10}, "epoch": {"keras:fit": 1}}
BASE = Counts(programs=[program()], calls=STEPS)


def differing(**changes):
    """Compare BASE with counts in which something differs."""
    return counts.compare(BASE, msgspec.structs.replace(BASE, **changes))


def test_equal():
    """Equal counts have no difference."""
    assert not counts.compare(BASE, msgspec.structs.replace(BASE))
    assert counts.compare(BASE, BASE).growth == 0


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ([program("b", loops={"add": 2, "fusion": 2, "gather": 3})], "+2 gather, −1 fusion, −9 parameter in loops"),
        ([program("b", bytes=1031)], "+3.1 % bytes in loops"),
        ([program("b", flops=50)], "-50.0 % FLOPs in loops"),
        ([program("b", types={"f32": 3, "f64": 2})], "2 × f64 in loops"),
        ([program("b", once={"add": 1, "while": 2})], "+1 while"),
        ([program("b")], "the same instructions with other shapes or constants, or in another arrangement"),
        ([program(), program("b")], "2 programs instead of 1"),
        ([program("b", loops=dict.fromkeys("abcde", 1))], "+1 a, +1 b, +1 c, +1 d, 5 other kinds in loops"),
    ],
)
def test_other_programs(programs, words):
    """The difference of two programs is described, the most informative instructions first, few in all."""
    found = differing(programs=programs)
    assert (found.program, found.calls) == ((words,), ())


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        (
            {"step": {"keras.src.optimizers:Adam.apply": 2, "builtins.len": 40, "time.sleep": 1}},
            "+32 calls in a step: time.sleep 1 × instead of 0, optimizers:Adam.apply 2 × instead of 1, "
            "builtins.len 40 × instead of 10",
        ),
        ({"call": {"a:b": 3}}, "+3 calls in the rest of the training: a:b 3 × instead of 0"),
        (
            {"epoch": {"keras.new:fit": 1}},
            "as many calls in an epoch, but different ones: new:fit 1 × instead of 0, keras:fit 0 × instead of 1",
        ),
    ],
)
def test_other_calls(calls, words):
    """Calls are described by how many more there are and by function, built-in functions last."""
    assert differing(calls={**STEPS, **calls}).calls == (words,)


def test_moved_functions():
    """Functions of one name are described with the paths of their modules; a case without training has executions."""
    base, head = (Counts(programs=[], calls={"call": {f"{path}.data:load": 1}}) for path in ("suite.old", "suite.new"))
    assert counts.compare(base, head).calls == (
        "as many calls in an execution, but different ones: suite.new.data:load 1 × instead of 0, "
        "suite.old.data:load 0 × instead of 1",
    )


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5)),
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5)),
)
def test_any_difference(one, other):
    """Calls differ exactly if their numbers do."""
    found = counts.compare(Counts(calls={"step": one}), Counts(calls={"step": other}))
    assert bool(found) is (one != other)


def test_growth():
    """Growth is the largest one of all totals: 0 if a total shrinks, infinite if the base has none."""
    assert differing(programs=[program("b", bytes=1100)]).growth == pytest.approx(0.1)
    assert differing(programs=[program("b", bytes=900)]).growth == 0
    assert differing(calls={**STEPS, "call": {"a:b": 3}}).growth == float("inf")


# Verdicts


def side(folder, *runs, time=0.2, **context):
    """Write a record for each of these counts of the epoch, and read them."""
    contents = [histories.content(day, time, **context) for day in range(len(runs))]
    for content, counted in zip(contents, runs, strict=True):
        if counted:
            content["benchmarks"][0]["extra_info"]["autoenc"]["counts"] = msgspec.to_builtins(counted)
    return histories.side(folder, contents)


def compare(tmp_path, base, head, fail_on=(), **context):
    """Compare two records of these counts; ``context`` is the head's."""
    sides = side(tmp_path / "base", base), side(tmp_path / "head", head, **context)
    return comparison.compare(*sides, limits.parse(fail_on, ["digits"]))


OTHER = Counts(programs=[program("b", bytes=1100)], calls=STEPS)


@pytest.mark.parametrize(
    ("head", "fail_on", "outcome"),
    [
        (BASE, "counts:0%", Outcome.UNCHANGED),
        (OTHER, None, Outcome.CHANGED),
        (OTHER, "counts:0%", Outcome.REGRESSED),
        (OTHER, "counts:9%", Outcome.REGRESSED),
        (OTHER, "counts:11%", Outcome.CHANGED),
        (OTHER, "digits:counts:0%", Outcome.REGRESSED),
    ],
)
def test_outcome(tmp_path, head, fail_on, outcome):
    """A change of counts is reported; it is a regression only if it reaches a limit of --fail-on."""
    found = compare(tmp_path, BASE, head, [fail_on] if fail_on else [])
    judged = {verdict.case: verdict for verdict in found.verdicts}[EPOCH]
    assert judged.counts.outcome is outcome
    assert ("+10.0 % bytes in loops" in tables.text(found)) is (outcome is not Outcome.UNCHANGED)
    assert judged.time.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("head", "fail_on", "code", "words"),
    [
        (BASE, ["counts:0%"], exit_codes.PASSED, "counts are equal in 1 of 1 case"),
        (OTHER, ["counts:0%"], exit_codes.REGRESSED, f"regressed: {EPOCH}"),
        (OTHER, ["counts:0%", "time:3%"], exit_codes.REGRESSED, f"regressed: {EPOCH}"),
        (BASE, ["counts:0%", "time:3%"], exit_codes.UNDECIDED, "time is undecided in every case"),
        (BASE, [], exit_codes.UNDECIDED, "time is undecided in every case"),
        (
            None,
            ["counts:0%"],
            exit_codes.NOT_COMPARED,
            "--fail-on names counts, but no case has counts on both sides",
        ),
    ],
)
def test_statuses(tmp_path, head, fail_on, code, words):
    """If --fail-on names counts alone, one run on each side is enough."""
    ended = status.of(compare(tmp_path, BASE, head, fail_on))
    assert ended.code == code
    assert words in ended.reason


@pytest.mark.parametrize(("fail_on", "code"), [("counts:0%", exit_codes.PASSED), ("memory:10%", exit_codes.UNDECIDED)])
def test_counts_alone_with_undecided_memory(tmp_path, fail_on, code):
    """If --fail-on names counts alone, an undecided memory does not matter."""
    found = compare(tmp_path, BASE, BASE, [fail_on])
    unknown = replace(found.verdicts[0].time, reason="")
    found = replace(found, verdicts=[replace(one, memory=unknown) for one in found.verdicts])
    assert status.of(found).code == code


def test_other_versions(tmp_path):
    """If versions differ, a change of counts is reported and not judged."""
    found = compare(tmp_path, BASE, OTHER, ["counts:0%"], keras="3.99")
    judged = {verdict.case: verdict for verdict in found.verdicts}[EPOCH]
    assert judged.counts.outcome is Outcome.INCOMPARABLE
    assert judged.counts.reason == "+10.0 % bytes in loops (the sides differ in keras)"


def test_runs_that_differ(tmp_path):
    """If the runs of one side differ, counts are incomparable."""
    base = side(tmp_path / "base", BASE, OTHER)
    found = comparison.compare(base, side(tmp_path / "head", BASE))
    judged = {verdict.case: verdict for verdict in found.verdicts}[EPOCH]
    assert (judged.counts.outcome, judged.counts.reason) == (Outcome.INCOMPARABLE, "runs of one side differ")


def test_document(tmp_path):
    """The JSON has the outcome, and null for no limit."""
    found = compare(tmp_path, BASE, OTHER)
    shown = msgspec.json.decode(tables.document(found, status.of(found)))
    judged = {one["case"]: one for one in shown["verdicts"]}[EPOCH]
    assert (judged["counts"]["outcome"], judged["counts"]["limit"]) == ("changed", None)
    assert judged["cause"] == ""


# Causes

QUIET = Usage(1.0, 0.01)
EQUAL = "counts are equal"


@pytest.mark.parametrize(
    ("difference", "usages", "cause"),
    [
        (counts.Difference(("+1 add",), (), 0), (QUIET, QUIET), "the program changed: +1 add"),
        (
            counts.Difference(("+1 add",), ("+1 calls in a step: f",), 0),
            (QUIET, QUIET),
            "the program changed: +1 add; and Python: +1 calls in a step: f",
        ),
        (
            counts.Difference((), ("+1 calls in a step: f",), 0),
            (QUIET, QUIET),
            "Python's calls changed: +1 calls in a step: f",
        ),
        (
            counts.Difference((), (), 0),
            (QUIET, Usage(0.8, 0.2)),
            f"{EQUAL}, but the head waits for 20 % of a round instead of 1 %",
        ),
        (
            counts.Difference((), (), 0),
            (QUIET, Usage(1.9, None)),
            f"{EQUAL}, but the head uses 1.9 cores instead of 1.0",
        ),
        *(
            (counts.Difference((), (), 0), usages, f"{EQUAL}, so the cause is the runtime, the memory or the machine")
            for usages in (
                (QUIET, QUIET),
                (Usage(0.0, None), QUIET),  # by a clock so coarse that it saw no CPU time
                (QUIET, Usage(0.0, None)),
                (Usage(0.0, None), Usage(0.0, None)),
            )
        ),
    ],
)
def test_cause(difference, usages, cause):
    """The cause is a change of counts, else another use of the machine, else what cannot be counted."""
    runs = [[usage] * 3 for usage in usages]
    assert counts.cause(difference, *runs, "") == cause
    assert counts.cause(difference, *runs, "keras 1 → 2") == f"{cause}; under test: keras 1 → 2"


def test_cause_without_usage():
    """The usage of a side is the median over its runs; without any, the cause cannot be counted."""
    runs = [Usage(1.0, 0.1), Usage(9.0, None), Usage(1.0, 0.3)]
    equal = counts.Difference((), (), 0)
    assert counts.cause(equal, [], runs, "") == f"{EQUAL}, so the cause is the runtime, the memory or the machine"
    assert "waits for 20 % of a round instead of 1 %" in counts.cause(equal, [QUIET], runs, "")


def test_cause_of_a_regression(tmp_path):
    """The cause stands below the table for a case whose time changed, and only there."""
    sides = side(tmp_path / "base", *[BASE] * 8), side(tmp_path / "head", *[OTHER] * 8, time=0.3)
    shown = tables.text(comparison.compare(*sides))
    assert f"why {EPOCH}: the program changed: +10.0 % bytes in loops" in shown
    assert "why experiment" not in shown  # whose time changed as well, and which was not counted
    assert "why" not in tables.text(comparison.compare(sides[0], sides[0]))
