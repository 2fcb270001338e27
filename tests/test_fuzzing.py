"""Records and side files that nobody meant to write are read, or refused in a sentence: never a bug, never a trace."""

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds)
@settings(max_examples=60)
def test_records(tmp_path_factory, seed):
    """Whatever stands in a record, each command that prints ends with a status of its table."""
    statuses = fuzzing.check(seed, tmp_path_factory.mktemp("odd"))
    assert set(statuses) == {"summary", "history", "compare"}


@pytest.mark.slow
@pytest.mark.parametrize("side", [False, True], ids=["records", "side files"])
@given(seed=seeds)
@settings(max_examples=5)
def test_reports(tmp_path_factory, side, seed):
    """A report is drawn of what can be read of a record, and of its side file."""
    folder = tmp_path_factory.mktemp("odd")
    statuses = fuzzing.check(seed, folder, ["report"], side=side)
    assert (folder / "out" / "index.html").exists() == (statuses == {"report": 0})
    if side:
        assert statuses == {"report": 0}


@pytest.mark.parametrize(
    ("odd", "said"),
    [(lambda *_: b"{", "not a readable record"), (lambda *_: b"\xff\xfe", "not a readable record")],
)
def test_refused(tmp_path, monkeypatch, odd, said):
    """What is no record at all is refused by each command, by name and reason."""
    monkeypatch.setattr(fuzzing, "text", odd)
    statuses = fuzzing.check(1, tmp_path, ["summary", "history", "compare", "report"])
    assert set(statuses.values()) == {2}
    assert said in fuzzing.call("history", tmp_path / "1.json")[2]


def test_a_bug_is_found(tmp_path, monkeypatch):
    """A command that lets an error out is not passed over."""
    monkeypatch.setattr("autoenc_bench.history.runs.read_runs", lambda *_: {}["no such thing"])
    with pytest.raises(AssertionError, match="this is a bug of autoenc-bench"):
        fuzzing.check(1, tmp_path, ["history"])
