"""Counts of a compiled program depend on what it does, and not on the names in its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.instruments import hlo

PROGRAM = """HloModule a_name.1, entry_computation_layout={(f32[10,4]{1,0})->f32[]}

FileNames
1 "/somewhere/else.py"

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

%picking (rows: f32[10,4], index: s32[]) -> f32[1,4] {
  %rows = f32[10,4]{1,0} parameter(0)
  %index = s32[] parameter(1)
  %zero = s32[] constant(0)
  ROOT %row = f32[1,4]{1,0} dynamic-slice(%rows, %index, %zero), dynamic_slice_sizes={1,4}
}

%body (carried: (s32[], f32[10,4], f32[4,2], f32[1,2])) -> (s32[], f32[10,4], f32[4,2], f32[1,2]) {
  %carried = (s32[], f32[10,4]{1,0}, f32[4,2]{1,0}, /*index=3*/f32[1,2]{1,0}) parameter(0)
  %index.1 = s32[] get-tuple-element(%carried), index=0
  %rows.1 = f32[10,4]{1,0} get-tuple-element(%carried), index=1
  %weights = f32[4,2]{1,0} get-tuple-element(%carried), index=2
  %one = s32[] constant(1)
  %next = s32[] add(%index.1, %one), metadata={op_type="Add" op_name="loop/add" source_line=3}
  %picked = f32[1,4]{1,0} fusion(%rows.1, %index.1), kind=kLoop, calls=%picking
  %product = f32[1,2]{1,0} dot(%picked, %weights), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  ROOT %carry = (s32[], f32[10,4]{1,0}, f32[4,2]{1,0}, f32[1,2]{1,0}) tuple(%next, %rows.1, %weights, %product)
}

%condition (carried.1: (s32[], f32[10,4], f32[4,2], f32[1,2])) -> pred[] {
  %carried.1 = (s32[], f32[10,4]{1,0}, f32[4,2]{1,0}, f32[1,2]{1,0}) parameter(0)
  %index.2 = s32[] get-tuple-element(%carried.1), index=0
  %ten = s32[] constant(10)
  ROOT %more = pred[] compare(%index.2, %ten), direction=LT
}

ENTRY %main (data: f32[10,4], start: f32[4,2]) -> f32[] {
  %data = f32[10,4]{1,0} parameter(0)
  %start = f32[4,2]{1,0} parameter(1)
  %nothing = s32[] constant(0)
  %empty = f32[1,2]{1,0} constant({ { 0, 0 } })
  %begin = (s32[], f32[10,4]{1,0}, f32[4,2]{1,0}, f32[1,2]{1,0}) tuple(%nothing, %data, %start, %empty)
  %while = (s32[], f32[10,4]{1,0}, f32[4,2]{1,0}, f32[1,2]{1,0}) while(%begin), condition=%condition, body=%body
  %last = f32[1,2]{1,0} get-tuple-element(%while), index=3
  %flat = f32[] constant(0)
  ROOT %total = f32[] reduce(%last, %flat), dimensions={0,1}, to_apply=%add
}
"""


def test_parts():
    """Each instruction counts once, in loops or outside; a fusion's instructions count where the fusion is."""
    program = hlo.parse(PROGRAM)
    assert program.once.instructions == {
        "add": 1,
        "constant": 3,
        "get-tuple-element": 1,
        "parameter": 4,
        "reduce": 1,
        "tuple": 1,
        "while": 1,
    }
    assert program.loops.instructions == {
        "add": 1,
        "compare": 1,
        "constant": 3,
        "dot": 1,
        "dynamic-slice": 1,
        "fusion": 1,
        "get-tuple-element": 4,
        "parameter": 4,
        "tuple": 1,
    }


def test_flops_and_bytes():
    """A product of (1, 4) and (4, 2) takes 16 FLOPs; a fusion that picks one of ten rows reads one row."""
    program = hlo.parse(PROGRAM)
    assert (program.once.flops, program.loops.flops) == (0, 16)
    added, picked, product, compared = 3 * 4, 16 + 16 + 4, 8 + 16 + 32, 1 + 4 + 4
    assert program.loops.bytes == added + picked + product + compared
    reduced, summed = 4 + 8 + 4, 3 * 4
    assert program.once.bytes == reduced + summed


def test_types():
    """The types of results are counted; a tuple counts each of its types."""
    assert hlo.parse(PROGRAM).loops.types == {"f32": 15, "pred": 1, "s32": 10}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a_name.1", "another.27"),
        ("%picked", "%chosen.7"),
        ("%picking", "%fused_computation.3"),
        ('op_name="loop/add" source_line=3', 'op_name="{x}/add" source_line=4711'),
        ("/somewhere/else.py", "/elsewhere.py"),
        ("/*index=3*/", ""),
        (", metadata=", ", frontend_attributes={a={b}}, metadata="),
    ],
)
def test_names_do_not_count(old, new):
    """Names, metadata and comments do not change a program's counts."""
    assert old in PROGRAM
    assert hlo.parse(PROGRAM.replace(old, new)) == hlo.parse(PROGRAM)


def test_order_does_not_count():
    """The order in which instructions are printed does not change a program's counts."""
    line = "  %one = s32[] constant(1)\n"
    moved = PROGRAM.replace(line, "").replace("  %index.1 =", f"{line}  %index.1 =")
    assert moved != PROGRAM
    assert hlo.parse(moved) == hlo.parse(PROGRAM)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("add(%index.1, %one)", "subtract(%index.1, %one)"),
        ("add(%index.1, %one)", "add(%one, %index.1)"),
        ("constant(10)", "constant(11)"),
        ("direction=LT", "direction=LE"),
        ("add(%a, %b)", "multiply(%a, %b)"),
        ("f32[10,4]", "f32[11,4]"),
        ("f32", "f64"),
        ("kind=kLoop", "kind=kOutput"),
        ("  ROOT %total = ", "  %unused = f32[] negate(%flat)\n  ROOT %total = "),
    ],
)
def test_identity(old, new):
    """A program with another operation, operand, number, shape or type has another identity."""
    assert old in PROGRAM
    assert hlo.parse(PROGRAM.replace(old, new)).identity != hlo.parse(PROGRAM).identity


def test_readable():
    """A readable text has the instructions, and nothing that differs from process to process."""
    text = hlo.readable(PROGRAM)
    assert text == hlo.readable(PROGRAM.replace("%index.1 ", "%index.99 ").replace("a_name.1", "another"))
    assert "%product = f32[1,2]{1,0} dot(%picked, %weights)" in text
    assert "metadata" not in text
    assert "else.py" not in text


def test_renamed():
    """Renamed texts of one program are equal in all processes; those of different programs differ."""
    text = hlo.renamed(PROGRAM)
    other = PROGRAM.replace("%picking", "%while_body_27").replace("a_name.1", "another").replace("source_line=3", "")
    assert hlo.renamed(other) == text
    for old, new in (("add(%a, %b)", "add(%b, %a)"), ("constant(10)", "constant(11)"), ("f32[10,4]{1,0})->", "")):
        assert old in PROGRAM
        assert hlo.renamed(PROGRAM.replace(old, new)) != text


@given(st.text())
def test_no_program(text):
    """A text that is no program raises ValueError."""
    with pytest.raises(ValueError, match="entry"):
        hlo.parse(text)
