"""Numbers, names and tables are formatted for people."""

import re

import pytest

from autoenc_bench import formatting
from autoenc_bench.formatting import NONE, Cell, Table


@pytest.mark.parametrize(
    ("show", "value", "shown"),
    [
        (formatting.seconds, 2e-9, "2 ns"),
        (formatting.seconds, 1.2345e-8, "12.3 ns"),
        (formatting.seconds, 9.999e-4, "1 ms"),
        (formatting.seconds, 0.0123, "12.3 ms"),
        (formatting.seconds, 0.97, "970 ms"),
        (formatting.seconds, 1.5, "1.5 s"),
        (formatting.seconds, 59.94, "59.9 s"),
        (formatting.seconds, 2000, "2,000 s"),
        (formatting.seconds, 12345.6, "12,346 s"),
        (formatting.share, 0.0314, "3.1 %"),
        (formatting.share, 1.514, "150 %"),
        (formatting.share, 100, "10,000 %"),
        (formatting.share, 390, "39,000 %"),
        (formatting.mebibytes, 3 * 2**30, "3,072 MiB"),
        (formatting.percent, 1.1, "+10.0 %"),
        (formatting.percent, 0.9, "-10.0 %"),
        (formatting.percent, 1.0, "+0.0 %"),
        (formatting.rate, 2.5e6, "2.5 M"),
        (formatting.rate, 12345, "12.3 k"),
        (formatting.rate, 1000, "1 k"),
        (formatting.rate, 99.94, "99.9"),
        (formatting.moment, "2026-01-02T03:04:05.678+00:00", "2026-01-02 03:04 UTC"),
        (formatting.moment, "now", "now"),
    ],
)
def test_amounts(show, value, shown):
    """Times, shares, memory, changes and rates have units, signs and few digits; times of day have minutes."""
    assert show(value) == shown


def test_stand_ins():
    """A character that an encoding lacks is replaced by ASCII or by its number."""
    assert "σ → é \N{CJK UNIFIED IDEOGRAPH-65E5}".encode("latin-1", formatting.STAND_INS) == b"sigma -> \xe9 \\u65e5"


def test_line():
    """A text is put on one line, with escapes for line breaks and control characters."""
    assert formatting.line(" a\n\x1b[31mb\t  c") == r"a\n\x1b[31mb\t c"
    assert formatting.line(formatting.line("\n::a")) == r"\n::a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n  b", "a\n  b"),
        ("σ → 日本 é", "σ → 日本 é"),
        ("\x1b[31m\a\r\x7f", r"\x1b[31m\x07\r\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\u202e\u2066\u2028\u200b", r"\u202e\u2066\u2028\u200b"),
        ("\udc80\U000e0001", r"\udc80\U000e0001"),
        ("::error::a\n  ::b a::c", r"\u003a:error::a" + "\n" + r"  \u003a:b a::c"),
        ("a ##[error]b ###[c ## [d", r"a \u0023#[error]b #\u0023#[c ## [d"),
    ],
)
def test_visible(text, shown):
    """Control characters and commands of GitHub Actions are escaped; line breaks and other characters stay."""
    assert formatting.visible(text) == shown


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a|b", "", "a\nb", "\\", "a``"])
def test_code(text):
    """A code span of Markdown has more backticks around it than within."""
    found = formatting.code(text)
    fence = re.match("`+", found)[0]
    inner = found.removeprefix(fence).removesuffix(fence)
    assert fence not in re.findall("`+", inner)
    assert inner.replace(r"\|", "|").strip() == text.replace("\n", r"\n")


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 cores"), (1, "1 core"), (2, "2 cores"), (12345, "12,345 cores"), (None, "None cores")]
)
def test_count(number, shown):
    """The noun is in the singular after 1, else in the plural."""
    assert formatting.count(number, "core") == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("threads", None, "all"),
        ("cpu_limit", None, "no limit"),
        ("cpu", None, "unknown"),
        ("pinned", True, "yes"),
        ("pinned", False, "no"),
        ("load", [0.5, 0.5], "0.5"),
        ("load", [0.123456, 2596.4], "0.123 – 2,596"),
        ("accelerators", [], "none"),
        ("cores", 4096, "4096"),
        ("XLA_FLAGS", "a=1_2", "a=1_2"),
    ],
)
def test_fact(name, value, shown):
    """A fact is shown in words, and a missing one by its meaning."""
    assert formatting.fact(name, value) == shown


def test_cell():
    """A cell keeps its number; a number that was not measured is a dash, and zero is a number."""
    assert formatting.cell(1234.5, "{:,.0f}".format) == formatting.Cell("1,234", 1234.5)
    assert formatting.cell(0, "{:.1f}".format) == formatting.Cell("0.0", 0)
    assert formatting.cell(None, "{:.1f}".format) == formatting.Cell("–", None)


COLUMNS = (
    ("name", lambda item: formatting.Cell(item[0])),
    ("by", lambda item: formatting.Cell(f"{item[0]}{item[0]}")),
    ("how many", lambda item: formatting.cell(item[1], "{:,}".format)),
)
ITEMS = [("a|b", 1000), ("c\nd", None), ("007", 5)]


def test_filled():
    """Rows and columns without a value are left out; the legend explains the columns that remain, and gaps."""
    gap = Cell(NONE)
    rows = [[Cell("a"), Cell("1", 1), gap, Cell("left")], [Cell("b"), gap, gap, gap], [Cell("c"), gap, gap, Cell("x")]]
    table = Table(["name", "size", "rate", "side"], rows, align=("left", "right", "right", "left")).filled()
    assert (table.headers, table.align) == (["name", "size", "side"], ["left", "right", "left"])
    assert [[cell.text for cell in row] for row in table.rows] == [["a", "1", "left"], ["c", NONE, "x"]]
    assert table.legend({"size": "how large", "rate": "how fast"}) == "size: how large;\n–: not measured"
    assert Table(["size"], [[Cell("a")]]).legend({"size": "how large"}) == "size: how large"
    assert Table(["name", "size"], [[Cell("b"), gap]]).filled().text() == ""


def test_table_as_text():
    """On a terminal names are left-aligned and numbers right-aligned, unchanged and on one line."""
    assert formatting.Table.of(COLUMNS, ITEMS).text().splitlines() == [
        "name          by    how many",
        "------  --------  ----------",
        "a|b       a|ba|b       1,000",
        r"c\nd    c\ndc\nd           –",
        "007       007007           5",
    ]


def test_table_as_markdown():
    """In Markdown names are code, columns are aligned, and no name ends its cell."""
    assert formatting.Table.of(COLUMNS, ITEMS, names=2).markdown().splitlines() == [
        "| name   | by         |   how many |",
        "|--------|------------|------------|",
        r"| `a\|b` | `a\|ba\|b` |      1,000 |",
        r"| `c\nd` | `c\ndc\nd` |          – |",
        "| `007`  | `007007`   |          5 |",
    ]


def test_table_with_sides():
    """The alignment of each column can be set."""
    rows = [[formatting.Cell("a"), formatting.Cell("1")], [formatting.Cell("bb"), formatting.Cell("22")]]
    table = formatting.Table(("name", "what"), rows, align=("right", "left"))
    assert table.text().splitlines()[2:] == ["     a  1", "    bb  22"]
