"""Mutated records and side files are read, or refused in one sentence. They never cause a traceback."""

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds)
@settings(max_examples=60)
def test_records(tmp_path_factory, seed):
    """For any mutated record, each command that prints ends with an exit code of its table."""
    statuses = fuzzing.check(seed, tmp_path_factory.mktemp("odd"))
    assert set(statuses) == {"summary", "history", "compare"}


@pytest.mark.slow
@pytest.mark.parametrize("side", [False, True], ids=["records", "side files"])
@given(seed=seeds)
@settings(max_examples=5)
def test_reports(tmp_path_factory, side, seed):
    """A report is drawn of the valid parts of a mutated record, and of a mutated side file."""
    folder = tmp_path_factory.mktemp("odd")
    statuses = fuzzing.check(seed, folder, ["report"], side=side)
    assert (folder / "out" / "index.html").exists() == (statuses == {"report": 0})
    if side:
        assert statuses == {"report": 0}


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_refused(tmp_path, monkeypatch, content):
    """Each command refuses a file that is no record, with its name and the reason."""
    monkeypatch.setattr(fuzzing, "text", lambda *_: content)
    statuses = fuzzing.check(1, tmp_path, ["summary", "history", "compare", "report"])
    assert set(statuses.values()) == {2}
    assert "not a readable record" in fuzzing.call("history", tmp_path / "1.json")[2]


def test_a_bug_is_found(tmp_path, monkeypatch):
    """The check fails if a command raises an unexpected exception."""
    monkeypatch.setattr("autoenc_bench.history.runs.read_runs", lambda *_: {}["no such thing"])
    with pytest.raises(AssertionError, match="this is a bug of autoenc-bench"):
        fuzzing.check(1, tmp_path, ["history"])
