"""Texts that take long to make are made once, for the same facts."""

import os
import time

import pytest

from autoenc_bench.instruments import hlo_cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Let the user's cache be empty; return where texts are kept."""
    monkeypatch.setattr(hlo_cache, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "autoenc-bench/texts"


def never():
    """Stand for what must not be made."""
    pytest.fail("made again")


def test_made_once():
    """The same facts have the same text, and others have their own."""
    assert hlo_cache.text(("a", b"1", 2), lambda: "naïve\n") == "naïve\n"
    assert hlo_cache.text(("a", b"1", 2), never) == "naïve\n"
    assert hlo_cache.text(("a", b"1", 3), lambda: "other") == "other"
    assert hlo_cache.text(("a", "1", 2), lambda: "other yet") == "other yet"


@pytest.mark.parametrize("cut", [0, 5, 20, -3])
def test_damaged(folder, cut):
    """A text that is not whole, as where the disk was full, is made anew."""
    hlo_cache.text("a", lambda: "text " * 100)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:cut])
    assert hlo_cache.text("a", lambda: "anew") == "anew"
    assert hlo_cache.text("a", never) == "anew"


def test_nowhere_to_keep(folder):
    """Where no folder can be made, the text is made each time."""
    folder.parent.write_text("a file")
    assert [hlo_cache.text("a", lambda: "made") for _ in range(2)] == ["made", "made"]


def test_forgotten(folder):
    """What nobody asked for in a month goes, and what somebody asked for stays."""
    for fact in ("old", "used"):
        hlo_cache.text(fact, lambda: "text")
    before = time.time() - (hlo_cache.DAYS + 1) * 86_400
    for file in folder.iterdir():
        os.utime(file, (before, before))
    hlo_cache.text("used", never)
    hlo_cache.text("new", lambda: "text")
    assert len(list(folder.iterdir())) == 2
    hlo_cache.text("used", never)
    assert hlo_cache.text("old", lambda: "made again") == "made again"
