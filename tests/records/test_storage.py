"""Records are saved atomically under unique numbers, and found by their names."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
import recordings
from contents import content

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import loading, storage

EARLIEST = datetime.min.replace(tzinfo=UTC)


def test_numbers_rise(tmp_path):
    """New records are numbered from the largest number on, as pytest-benchmark does."""
    (tmp_path / "0041_old.json").write_text("{}")
    paths = [storage.save(content(), tmp_path, name, {}) for name in ("one", "two")]
    assert [path.name for path in paths] == ["0042_one.json", "0043_two.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0041_old.json", "0042_one.json", "0043_two.json"]


def test_pictures(tmp_path):
    """Pictures are in a side file of the record's name, which a record without pictures lacks."""
    pictures = {"digits-fused-seed0/best": np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)}
    path = storage.save(content(), tmp_path, "smoke", pictures)
    assert path.with_suffix(".npz").exists()
    found = storage.read_arrays(path.with_suffix(".npz"), "side file")
    assert list(found) == list(pictures)
    np.testing.assert_array_equal(found["digits-fused-seed0/best"], pictures["digits-fused-seed0/best"])
    assert not storage.save(content(), tmp_path, "smoke", {}).with_suffix(".npz").exists()


def test_compressed(tmp_path):
    """A compressed record has a number and pictures like others, reads equally, and does not have the time in it."""
    found = recordings.content(("digits",))
    saved = [storage.save(found, tmp_path, "x", recordings.pictures(found), compress=way) for way in (False, True) * 2]
    assert [path.name for path in saved] == ["0001_x.json", "0002_x.json.gz", "0003_x.json", "0004_x.json.gz"]
    plain, compressed = map(loading.read_record, saved[:2])
    assert compressed.record == plain.record
    assert compressed.pictures.keys() == plain.pictures.keys() != set()
    assert storage.side_file(saved[1]) == tmp_path / "0002_x.npz"
    assert saved[1].stat().st_size < saved[0].stat().st_size / 2
    assert saved[1].read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize(("kept", "added"), [(-1, b""), (2, b""), (None, b"x"), (10, b"\xff" * 20)])
def test_damaged_compression(tmp_path, kept, added):
    """A compressed record that is cut, or has other bytes, is refused with its name, and its time is unknown."""
    path = storage.save(content(datetime="2026-01-01"), tmp_path, "x", {}, compress=True)
    path.write_bytes(path.read_bytes()[:kept] + added)
    with pytest.raises(InvalidInputError, match=r"0001_x\.json\.gz: damaged gzip file: .+; expected a record's JSON"):
        loading.read_record(path)
    assert storage._recorded(path) == EARLIEST


def npy():
    """Return the bytes of a file with a single array, which NumPy does not load as several."""
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3, 4), np.uint8))
    return file.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"\x93NUMPY", npy()])
def test_damaged_pictures(tmp_path, data):
    """A damaged side file is refused with its name."""
    (tmp_path / "0001_x.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"0001_x\.npz: not a readable side file"):
        storage.read_arrays(tmp_path / "0001_x.npz", "side file")


@pytest.mark.parametrize("value", [np.float32(1), np.int64(1), {1, 2}, float("nan"), float("inf")])
def test_values_that_are_not_written(tmp_path, value):
    """NumPy's numbers, other objects, NaN and infinities are refused, and nothing is written."""
    with pytest.raises(ValueError, match=r"does not belong in a record|not JSON compliant"):
        storage.save(content(datetime="now", extra=value), tmp_path, "smoke", {})
    assert not list(tmp_path.iterdir())


def test_content_that_is_no_record(tmp_path):
    """Content that is no valid record is refused, and nothing is written."""
    with pytest.raises(ValueError, match="benchmarks"):
        storage.save(content(benchmarks="none"), tmp_path, "smoke", {})
    assert not list(tmp_path.iterdir())


def test_newest(tmp_path):
    """The newest record has the last number in its folder, and was recorded last among the folders."""
    days = {"a": (3, 1), "b": (9, 2), "c": (1, 1)}  # a clock may go wrong within a folder
    for folder, made in days.items():
        for day in made:
            made_at = content(datetime=f"2026-01-0{day}T00:00:00")
            storage.save(made_at, tmp_path / folder, "smoke", {}, compress=folder == "b")
    assert storage.newest(tmp_path) == tmp_path / "b" / "0002_smoke.json.gz"


def test_newest_is_not_by_file_time(tmp_path):
    """The times of files, which a clone or a restored cache changes, do not matter."""
    old, new = (storage.save(content(), tmp_path / "a", name, {}) for name in ("old", "new"))
    os.utime(new, (1, 1))
    assert storage.newest(tmp_path) == new
    storage.save(content(datetime="2026-01-02T00:00:00"), tmp_path / "b", "smoke", {})
    os.utime(old)
    assert storage.newest(tmp_path).parent.name == "b"


def test_recorded(tmp_path):
    """The time of a record is read in UTC; it is the earliest of all if it cannot be read."""
    path = tmp_path / "0001_x.json"
    assert storage._recorded(path) == EARLIEST
    path.write_text(json.dumps(content(datetime="2026-01-02T03:04:05+01:00", extra=float("nan"))))
    assert storage._recorded(path) == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    for text in (*(json.dumps(content(datetime=odd)) for odd in ("now", None)), "{", "[]", "{}"):
        path.write_text(text)
        assert storage._recorded(path) == EARLIEST


def test_newest_of_many(tmp_path):
    """A number of five digits follows one of four; files without number are ignored, and none is an error."""
    for name in ("9999_x.json", "10000_x.json", "notes_y.json"):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / name).write_text("{}")
    assert storage.newest(tmp_path).name == "10000_x.json"
    with pytest.raises(LookupError, match="no records yet"):
        storage.newest(tmp_path / "a")
    assert storage.save(content(), tmp_path / "a", "next", {}).name == "10001_next.json"


def test_platform_folder():
    """The folder's name is pytest-benchmark's, so that its own commands find the records."""
    from pytest_benchmark.utils import get_machine_id

    assert storage.platform_folder() == get_machine_id()


FORKS = """
import json, os, pathlib, signal, sys
from autoenc_bench.records import storage
content, folder = json.loads(sys.stdin.read()), pathlib.Path(sys.argv[1])
"""
AT_ONCE = """
children, (waiting, starting) = [], os.pipe()
for number in range(16):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(starting)
        os.read(waiting, 1)  # until all are there, and the pipe is closed
        storage.save(content, folder, f"run{number}", {})
        os._exit(0)
os.close(starting)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 16
"""
# Each process saves in its own folder and is killed one line of the storage code later, until one finishes.
KILLED = """
import numpy as np

pictures = {"digits-fused-seed0/best": np.zeros((2, 3, 4), np.uint8)}

def watch(frame, event, argument):
    global left
    if frame.f_code.co_filename != storage.__file__:
        return None
    if event == "line":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return watch

killed, status = 0, signal.SIGKILL
while status == signal.SIGKILL and killed < 500:
    killed += 1
    child = os.fork()
    if child == 0:
        left = killed
        sys.settrace(watch)
        storage.save(content, folder / str(killed), "x", pictures)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
assert status == 0
"""


def forked(code, found, folder):
    """Run code that forks and saves this content to the folder, in a process without threads."""
    command = [sys.executable, "-c", FORKS + code, str(folder)]
    subprocess.run(command, input=json.dumps(found), text=True, check=True)


def test_runs_that_save_at_once(tmp_path):
    """Sixteen processes that save at the same moment write sixteen records with different numbers."""
    forked(AT_ONCE, content(), tmp_path)
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == len({path.name[:4] for path in paths}) == 16
    assert {path.stem[5:] for path in paths} == {f"run{number}" for number in range(16)}
    for path in paths:
        loading.read_record(path)


def test_a_number_that_was_used_meanwhile(tmp_path, monkeypatch):
    """A number that another process claimed, used and released in the meantime is not used again."""
    last = iter([0, 1, 1, 1])
    monkeypatch.setattr(storage, "_last_number", lambda _: next(last))
    assert storage.save(content(), tmp_path, "mine", {}).name == "0002_mine.json"


@pytest.mark.slow
def test_killed_runs_leave_no_half_record(tmp_path):
    """If a process is killed at any step of saving, each record can be read with its pictures, and others can save."""
    forked(KILLED, content(), tmp_path)
    folders = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name))
    saved = [[path.name for path in folder.glob("*.json")] for folder in folders]
    first = saved.index(["0001_x.json"])
    assert saved == [[]] * first + [["0001_x.json"]] * (len(saved) - first), "from its rename on a record stays"
    assert any(list(folder.glob(".writing-*/whole")) for folder in folders[:first]), "none was killed at writing"
    for folder in folders:
        storage.save(content(), folder, "after", {})
        for record in folder.glob("*.json"):
            loading.read_record(record)
        assert folder in folders[:first] or (folder / "0001_x.npz").exists()


def test_pictures_appear_before_the_record(tmp_path, monkeypatch):
    """The side file appears before its record."""
    replace, appeared = storage.Path.replace, []
    monkeypatch.setattr(storage.Path, "replace", lambda self, target: appeared.append(target) or replace(self, target))
    path = storage.save(content(), tmp_path, "smoke", {"digits/best": np.zeros((2, 3, 4), np.uint8)})
    assert appeared == [path.with_suffix(".npz"), path]


def test_a_file_is_on_the_disk_before_it_appears(tmp_path, monkeypatch):
    """A file is flushed to the disk before its rename, so that a power cut leaves no empty file of that name."""
    flushed = {}  # inode -> bytes

    def flush(descriptor):
        status = os.fstat(descriptor)
        flushed[status.st_ino] = status.st_size

    replace = storage.Path.replace

    def rename(self, target):
        assert flushed == {self.stat().st_ino: 5}
        return replace(self, target)

    monkeypatch.setattr(storage.os, "fsync", flush)
    monkeypatch.setattr(storage.Path, "replace", rename)
    storage.write_whole(b"whole", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_a_record_appears_by_renaming(tmp_path, monkeypatch):
    """No file has the record's name before the atomic rename, and a failed rename leaves nothing behind."""

    def fail(_self, _target):
        assert not list(tmp_path.glob("*.json"))
        raise OSError("no room")

    monkeypatch.setattr(storage.Path, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        storage.save(content(), tmp_path, "smoke", {})
    assert not list(tmp_path.iterdir())


@pytest.fixture
def stores(tmp_path):
    """Create two stores, the second with a baseline in its own folder."""
    for name in ("first/Linux/0001_main.json", "first/Linux/0002_mine.json", "first/Linux/0003_main.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden" / "Linux").mkdir(parents=True)
    (tmp_path / ".hidden" / "Linux" / "0004_hidden.json").touch()
    (tmp_path / "second" / "agreed").mkdir(parents=True)
    for name in ("agreed/0007_x.json", "agreed/0007_x.npz", "0001_mine.json", "0009_empty.json"):
        (tmp_path / "second" / name).touch()
    return tmp_path / "first", tmp_path / "second"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("main", ["0001_main.json", "0003_main.json"]),
        ("mine", ["0002_mine.json"]),
        ("0003", ["0003_main.json"]),
        ("0003_main", ["0003_main.json"]),
        ("agreed", ["0007_x.json"]),
        ("first/*/*_main.json", ["0001_main.json", "0003_main.json"]),
        ("**/0002*", ["0002_mine.json"]),
        ("second/agreed/*", ["0007_x.json"]),  # and not its pictures
        (".hidden/**/*.json", ["0004_hidden.json"]),
        ("empty", ["0009_empty.json"]),  # a saved name counts where the folder of that name holds no record
        ("first", ["0001_main.json", "0002_mine.json", "0003_main.json"]),
        ("first/Linux/0002_mine.json", ["0002_mine.json"]),
    ],
)
def test_find(stores, tmp_path, monkeypatch, name, expected):
    """A name stands for a path, a pattern, or all runs saved under it in the first store that has one."""
    monkeypatch.chdir(tmp_path)
    assert [path.name for path in storage.find(name, stores)] == expected


@pytest.mark.parametrize("name", ["base", "store", "store/*.json"])
def test_oldest_number_first(tmp_path, monkeypatch, name):
    """Records of a folder are ordered by number, with any digits; those without number come first, by name."""
    monkeypatch.chdir(tmp_path)
    names = ["b_base.json", "notes_base.json", "0998_base.json", "9999_base.json", "10000_base.json", "10001_base.json"]
    (tmp_path / "store").mkdir()
    for file in reversed(names):
        (tmp_path / "store" / file).touch()
    found = [path.name for path in storage.find(name, [tmp_path / "store"])]
    assert found == (names[2:] if name == "base" else names)


@pytest.mark.parametrize("name", ["x", "0002", "0002_x", "Linux", "store", "store/*/*", "store/Linux/0002_x.json.gz"])
def test_compressed_records_are_found(tmp_path, monkeypatch, name):
    """Every name for a record stands for a compressed one too."""
    monkeypatch.chdir(tmp_path)
    path = storage.save(content(), tmp_path / "store" / "Linux", "x", {}, compress=True)
    path = path.rename(path.with_name("0002_x.json.gz"))
    assert [found.resolve() for found in storage.find(name, [tmp_path / "store"])] == [path]
    assert storage.newest(tmp_path / "store") == path


def test_absolute_pattern(stores):
    """A pattern may be absolute."""
    assert len(storage.find(f"{stores[0]}/**/*.json", stores)) == 3


@pytest.mark.parametrize("name", ["nobody", "*.yaml", "void", "a**b", "[", "/nobody/**"])
def test_nothing_there(stores, tmp_path, monkeypatch, name):
    """A name that stands for no record is refused with the names that do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "void").mkdir()
    with pytest.raises(LookupError, match="no such record; give a file, a folder, a pattern, or a name saved in"):
        storage.find(name, stores)


def test_home(stores, monkeypatch):
    """A name may begin with ``~``, which shells expand at some positions only."""
    monkeypatch.setenv("HOME", str(stores[0].parent))
    assert storage.find(f"~/{stores[0].name}", ()) == storage.find(str(stores[0]), ())


def test_new_folder(tmp_path):
    """An existing folder is not used again; the next one gets a number."""
    made = [storage.new_folder(tmp_path / "store" / "20261129-182021") for _ in range(3)]
    assert [path.name for path in made] == ["20261129-182021", "20261129-182021-2", "20261129-182021-3"]
    assert all(path.is_dir() for path in made)
