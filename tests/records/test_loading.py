"""Records are read with their pictures. Invalid cases, pictures and files are listed; a bug is not."""

import json

import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.core.metrics import statistics
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import loading


def test_read_record(tmp_path):
    """A record is read with its pictures; without them, a damaged side file does not matter."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    kinds = ("first", "best", "worst")
    assert set(loading.read_record(path).pictures) == {f"digits-fused-seed0/{kind}" for kind in kinds}
    path.with_suffix(".npz").write_bytes(b"damaged")
    source = loading.read_record(path, pictured=False)
    assert (source.pictures, source.left_out) == ({}, [])
    assert loading.read_records([path], pictured=False)[0] == [source]
    assert loading.read_records([path])[0] == [loading.read_record(path)] != [source]


def test_files_that_cannot_be_read(tmp_path):
    """A missing file and a folder are refused with the path and the reason."""
    with pytest.raises(NotFoundError, match=r"0001_x\.json: no such record"):
        loading.read_record(tmp_path / "0001_x.json")
    with pytest.raises(InvalidInputError, match=f"{tmp_path.name}: cannot be read: Is a directory"):
        loading.read_record(tmp_path)


def test_read_records(tmp_path):
    """Each record is read once; a file that cannot be read is listed with a reason that does not repeat its path."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    missing, empty = tmp_path / "none.json", tmp_path / "empty.json"
    empty.touch()
    sources, unreadable = loading.read_records([missing, good, empty, good])
    assert [source.path for source in sources] == [good]
    assert [(entry.case, entry.reason) for entry in unreadable] == [
        (str(missing), "no such record"),
        (str(empty), "not a readable record: Input data was truncated"),
    ]


def test_nothing_to_read(tmp_path):
    """If no record can be read, the error of the first one is raised; an empty list is an error, too."""
    (tmp_path / "empty.json").touch()
    with pytest.raises(InvalidInputError, match=r"empty\.json: not a readable record"):
        loading.read_records([tmp_path / "empty.json", tmp_path / "none.json"])
    with pytest.raises(NotFoundError, match="no records; name at least one"):
        loading.read_records([])


def test_a_bug_is_not_listed(tmp_path, monkeypatch):
    """A bug in reading raises its own exception instead of an unreadable file."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    monkeypatch.setattr(loading.validation, "decode", lambda _: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        loading.read_records([good, good])


def test_wholes(tmp_path):
    """The whole training of an experiment is that of the fused trainer with its first seed, if it ran."""
    wholes = [("digits", "fit", 0), ("digits", "fused", 2), ("digits", "fused", 1), ("mnist", "fit", 3)]
    entries = [recordings.benchmark(recordings.whole(*axes), 1.0, rounds=1) for axes in wholes]
    source = loading.read_record(recordings.save(tmp_path, recordings.content(entries=entries)))
    chosen = {name: (case.trainer, case.seed) for name, (_, case) in source.wholes().items()}
    assert chosen == {"digits": ("fused", 1), "mnist": ("fit", 3)}


def test_labels(tmp_path):
    """Each benchmark has the shortest name that is unique, also if a record holds one twice."""
    entries = [recordings.plain(name, [1.0]) for name in ("test_a", "test_b", "test_b")]
    entries.append({**recordings.plain("test_a", [1.0]), "fullname": "other.py::test_a"})
    source = loading.read_record(recordings.save(tmp_path, recordings.content(run=None, entries=entries)))
    assert source.labels == ["test_x.py::test_a", "b", "b (2)", "other.py::test_a"]
    ours = loading.read_record(recordings.save(tmp_path, recordings.content(["digits"])))
    assert ours.labels[0] == "build[digits]"


def test_equal_errors(tmp_path):
    """A case whose samples all have the same error is read, with a standard deviation of 0."""
    error = msgspec.structs.replace(recordings.error(8.0, 0.1), absolute=statistics(np.full(100, 8.0)))
    assert error.absolute.std == 0
    entry = recordings.benchmark(recordings.whole("crude-simple", error=error), 1.0, rounds=1)
    source = loading.read_record(recordings.save(tmp_path, recordings.content(entries=[entry])))
    assert source.left_out == []
    assert len(source.cases) == 1


@pytest.mark.parametrize(
    ("parts", "value", "reason"),
    [
        (("error", "yardsticks"), {}, "yardsticks: 'constant mean' is missing; expected constant mean and PCA"),
        (("error", "absolute", "counts"), [1] * 405, "absolute.counts: no histogram; expected a multiple of four"),
        (("error", "absolute", "counts"), [0] * 400, "absolute.counts: no histogram; expected a multiple of four"),
        (("error", "absolute", "counts"), [-1] * 400, "Expected `int` >= 0"),
        (("error", "absolute", "quantiles"), {}, "absolute: counts without mean, std and the quantiles '0' and '1'"),
        (("error", "absolute", "mean"), -0.5, "absolute.mean: -0.5; expected a number of at least 0"),
        (("error", "absolute", "mean"), 1e308, "absolute: mean or std is larger"),
        (("error", "absolute", "std"), 1e308, "absolute: mean or std is larger than the quantiles; expected"),
        (("error", "absolute", "std"), -1.0, "Expected `float` >= 0.0"),
        (("sample", "reconstruction"), [0.5], "original and reconstruction differ in length"),
    ],
)
def test_impossible_cases(tmp_path, parts, value, reason):
    """A case that no run can have written is left out with the field and the reason; the others are read."""
    found = recordings.content(["crude-simple"])
    holder = next(entry for entry in found["benchmarks"] if "error" in entry["extra_info"]["autoenc"])
    for part in ("extra_info", "autoenc", *parts[:-1]):
        holder = holder[part]
    holder[parts[-1]] = value
    path = tmp_path / "0001_x.json"
    path.write_text(json.dumps(found))
    source = loading.read_record(path)
    (left,) = source.left_out
    assert left.case == "experiment[crude-simple-fused-seed0]"
    assert left.reason.startswith(reason)
    assert f"- at `$.extra_info.autoenc.{parts[0]}" in left.reason
    assert [benchmark.name for benchmark, _ in source.cases] == [
        *("test_build[crude-simple]", "test_first_call[crude-simple-fit]", "test_epoch[crude-simple-fit]"),
        *("test_first_call[crude-simple-fused]", "test_epoch[crude-simple-fused]"),
        *("test_encode[crude-simple-bulk]", "test_encode[crude-simple-one]"),
    ]


def _rewrite(side, change):
    with np.load(side) as arrays:
        found = {name: change(name, arrays[name]) for name in arrays.files}
    np.savez(side, **{name: array for name, array in found.items() if array is not None})


def _cut(kind, *index):
    """Return what cuts the pictures of one kind out of a side file, or parts of them."""
    return lambda side: _rewrite(side, lambda name, array: array[index] if name.endswith(kind) else array)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda side: side.unlink(),
            "digits-fused-seed0/first is missing; expected the pictures",
        ),
        (lambda side: side.write_bytes(side.read_bytes()[:100]), "not a readable side file"),
        (
            lambda side: _rewrite(side, lambda _, array: array.astype(float)),
            "digits-fused-seed0/first is float64 of shape (2, 10, 16); expected uint8",
        ),
        (
            lambda side: _rewrite(side, lambda name, array: None if name.endswith("worst") else array),
            "digits-fused-seed0/worst is missing; expected",
        ),
        (
            _cut("", ..., slice(9)),
            "digits-fused-seed0/first is uint8 of shape (2, 10, 9); expected uint8 of shape (2, 5, 16)",
        ),
        (
            _cut("best", slice(None), slice(3)),
            "digits-fused-seed0/best is uint8 of shape (2, 3, 16); expected uint8 of shape (2, 10, 16)",
        ),
        (
            _cut("first", slice(None), slice(0)),
            "digits-fused-seed0/first is uint8 of shape (2, 0, 16); expected uint8 of shape (2, 1, 16)",
        ),
    ],
)
def test_invalid_pictures(tmp_path, change, reason):
    """A side file that is missing, damaged or invalid is named with the reason, and only the pictures are left out."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    change(path.with_suffix(".npz"))
    source = loading.read_record(path)
    (left,) = source.left_out
    assert left.case == "pictures"
    assert left.reason.startswith(f"{path.with_suffix('.npz')}: ")
    assert reason in left.reason
    assert source.pictures == {}


def test_left_out(tmp_path):
    """A line names each file that was not read, and the parts of a record that were left out for one reason."""
    entries = [recordings.plain(f"test_{number}", [0.0 if number < 5 else 1.0]) for number in range(6)]
    entries[0]["stats"]["median"] = -1
    path = tmp_path / "0001_x.json"
    path.write_text(json.dumps(recordings.content(run=None, entries=entries)))
    sources, unreadable = loading.read_records([path, tmp_path / "none\nthere.json"])
    assert list(loading.left_out(sources, unreadable)) == [
        rf"left out {tmp_path}/none\nthere.json: no such record",
        f"left out of {path}: benchmarks/test_x.py::test_0: Expected `float` >= 1e-15 - at `$.stats.median`",
        f"left out of {path}: "
        + ", ".join(f"benchmarks/test_x.py::test_{number}" for number in (1, 2, 3))
        + " and 1 more: its median is 0 s; the clock is too coarse for it",
    ]
    assert list(loading.left_out([])) == []
