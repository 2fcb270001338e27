"""HLO texts are made once for the same facts, and cached."""

import os
import time

import pytest

from autoenc_bench.instruments import hlo_cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Use an empty cache; return its folder of texts."""
    monkeypatch.setattr(hlo_cache, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "autoenc-bench/texts"


def never():
    """Fail, because the text must come from the cache."""
    pytest.fail("made again")


def test_made_once():
    """Equal facts share a text; other facts have another one."""
    assert hlo_cache.text(("a", b"1", 2), lambda: "naïve\n") == "naïve\n"
    assert hlo_cache.text(("a", b"1", 2), never) == "naïve\n"
    assert hlo_cache.text(("a", b"1", 3), lambda: "other") == "other"
    assert hlo_cache.text(("a", "1", 2), lambda: "other yet") == "other yet"


@pytest.mark.parametrize("cut", [0, 5, 20, -3])
def test_damaged(folder, cut):
    """A truncated file, as on a full disk, is replaced."""
    hlo_cache.text("a", lambda: "text " * 100)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:cut])
    assert hlo_cache.text("a", lambda: "anew") == "anew"
    assert hlo_cache.text("a", never) == "anew"


def test_no_folder(folder):
    """If the folder cannot be created, the text is made each time."""
    folder.parent.write_text("a file")
    assert [hlo_cache.text("a", lambda: "made") for _ in range(2)] == ["made", "made"]


def test_old_texts(folder):
    """A text that was not read for a month is deleted; one that was read stays."""
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
