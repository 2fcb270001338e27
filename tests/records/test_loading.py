"""Records are read with their pictures, several at once; what cannot be read is listed, and a bug is not."""

import pytest
import recordings

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import loading


def test_read(tmp_path):
    """A record comes with its pictures, unless these are not wanted; then a damaged side file does not matter."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    assert set(loading.read(path).pictures) == {f"digits-fused-seed0/{name}" for name in ("first", "best", "worst")}
    path.with_suffix(".npz").write_bytes(b"damaged")
    assert loading.read(path, pictured=False).pictures == {}
    with pytest.raises(InvalidInputError, match="not a readable side file"):
        loading.read(path)


def test_read_all(tmp_path):
    """Each record is read once; those that cannot be are listed with their reasons, without the path twice."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    missing, empty = tmp_path / "none.json", tmp_path / "empty.json"
    empty.touch()
    sources, unreadable = loading.read_all([missing, good, empty, good])
    assert [source.path for source in sources] == [good]
    assert [(entry.case, entry.reason) for entry in unreadable] == [
        (str(missing), "no such record"),
        (str(empty), "not a readable record: Input data was truncated"),
    ]


def test_nothing_to_read(tmp_path):
    """Where no record can be read, the first one's error is raised; no record at all is an error, too."""
    (tmp_path / "empty.json").touch()
    with pytest.raises(InvalidInputError, match=r"empty\.json: not a readable record"):
        loading.read_all([tmp_path / "empty.json", tmp_path / "none.json"])
    with pytest.raises(NotFoundError, match="no record to draw; name at least one"):
        loading.read_all([])


def test_a_bug_is_not_listed(tmp_path, monkeypatch):
    """A mistake in reading passes through; it is not one more record that cannot be read."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    monkeypatch.setattr(loading.storage, "pictures", lambda _: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        loading.read_all([good, good])


def test_wholes(tmp_path):
    """Of an experiment's whole trainings the fused trainer's first seed counts, else what there is."""
    wholes = [("digits", "fit", 0), ("digits", "fused", 2), ("digits", "fused", 1), ("mnist", "fit", 3)]
    entries = [recordings.benchmark(recordings.whole(*axes), 1.0, rounds=1) for axes in wholes]
    source = loading.read(recordings.save(tmp_path, recordings.content(entries=entries)))
    chosen = {name: (case.trainer, case.seed) for name, (_, case) in source.wholes().items()}
    assert chosen == {"digits": ("fused", 1), "mnist": ("fit", 3)}
