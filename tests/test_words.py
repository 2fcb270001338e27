"""Numbers and names read as people expect them."""

from autoenc_bench import words


def test_amounts():
    """Times, shares, memory and growth have their units and signs."""
    assert [words.seconds(value) for value in (2e-9, 0.0123, 1.5, 2000)] == ["2 ns", "12.3 ms", "1.5 s", "2,000 s"]
    assert words.share(0.0314) == "3.1 %"
    assert words.mebibytes(3 * 2**30) == "3,072 MiB"
    assert [words.percent(ratio) for ratio in (1.1, 0.9, 1.0)] == ["+10.0 %", "-10.0 %", "+0.0 %"]


def test_line():
    """A text is put on one line, without what a terminal would obey."""
    assert words.line(" a\n\x1b[31mb\t c") == "a [31mb c"
