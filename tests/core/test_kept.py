"""Texts that take long to make are made once, for the same facts."""

import os
import time

import pytest

from autoenc_bench.core import kept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Let the user's cache be empty; return where texts are kept."""
    monkeypatch.setattr(kept, "user_cache_dir", lambda name: tmp_path / name)
    return tmp_path / "autoenc-bench/texts"


def never():
    """Stand for what must not be made."""
    pytest.fail("made again")


def test_made_once():
    """The same facts have the same text, and others have their own."""
    assert kept.text(("a", b"1", 2), lambda: "naïve\n") == "naïve\n"
    assert kept.text(("a", b"1", 2), never) == "naïve\n"
    assert kept.text(("a", b"1", 3), lambda: "other") == "other"
    assert kept.text(("a", "1", 2), lambda: "other yet") == "other yet"


@pytest.mark.parametrize("cut", [0, 5, 20, -3])
def test_damaged(folder, cut):
    """A text that is not whole, as where the disk was full, is made anew."""
    kept.text("a", lambda: "text " * 100)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:cut])
    assert kept.text("a", lambda: "anew") == "anew"
    assert kept.text("a", never) == "anew"


def test_nowhere_to_keep(folder):
    """Where no folder can be made, the text is made each time."""
    folder.parent.write_text("a file")
    assert [kept.text("a", lambda: "made") for _ in range(2)] == ["made", "made"]


def test_forgotten(folder):
    """What nobody asked for in a month goes, and what somebody asked for stays."""
    for fact in ("old", "used"):
        kept.text(fact, lambda: "text")
    before = time.time() - (kept.DAYS + 1) * 86_400
    for file in folder.iterdir():
        os.utime(file, (before, before))
    kept.text("used", never)
    kept.text("new", lambda: "text")
    assert len(list(folder.iterdir())) == 2
    kept.text("used", never)
    assert kept.text("old", lambda: "made again") == "made again"
