"""Numbers and names read as people expect them."""

import re

import pytest

from autoenc_bench import text as words


def test_amounts():
    """Times, shares, memory and growth have their units and signs."""
    assert [words.seconds(value) for value in (2e-9, 0.0123, 1.5, 2000)] == ["2 ns", "12.3 ms", "1.5 s", "2,000 s"]
    assert words.share(0.0314) == "3.1 %"
    assert words.mebibytes(3 * 2**30) == "3,072 MiB"
    assert [words.percent(ratio) for ratio in (1.1, 0.9, 1.0)] == ["+10.0 %", "-10.0 %", "+0.0 %"]


def test_line():
    """A text is put on one line, without what a terminal would obey."""
    assert words.line(" a\n\x1b[31mb\t c") == "a [31mb c"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.2345e-8, "12.3 ns"), (9.999e-4, "1 ms"), (0.5, "500 ms"), (59.94, "59.9 s"), (12345.6, "12,346 s")],
)
def test_seconds(value, shown):
    """A time is said with its unit, to three digits."""
    assert words.seconds(value) == shown


def test_moment():
    """A record's time is said to the minute; what is no time stands as it is."""
    assert words.moment("2026-01-02T03:04:05.678+00:00") == "2026-01-02 03:04 UTC"
    assert words.moment("now") == "now"


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a|b", "", "a\nb", "\\", "a``"])
def test_code(text):
    """A text in Markdown's code is fenced by more backticks than it has."""
    found = words.code(text)
    fence = re.match("`+", found)[0]
    inner = found.removeprefix(fence).removesuffix(fence)
    assert fence not in re.findall("`+", inner)
    assert inner.replace(r"\|", "|").strip() == " ".join(text.split())
