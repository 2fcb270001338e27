"""A side of a comparison is named by file, folder, pattern, or what a run was saved as."""

import pytest

from autoenc_bench.records import lookup


@pytest.fixture
def stores(tmp_path):
    """Lay out two stores, the second with a baseline in a folder of its own."""
    for name in ("first/Linux/0001_main.json", "first/Linux/0002_mine.json", "first/Linux/0003_main.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
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
        ("empty", ["0009_empty.json"]),  # a saved name counts where the folder of that name holds no record
        ("first", ["0001_main.json", "0002_mine.json", "0003_main.json"]),
        ("first/Linux/0002_mine.json", ["0002_mine.json"]),
    ],
)
def test_find(stores, tmp_path, monkeypatch, name, expected):
    """A saved name means all runs saved so in the first store that has it; paths and patterns mean themselves."""
    monkeypatch.chdir(tmp_path)
    assert [path.name for path in lookup.find(name, stores)] == expected


def test_absolute_pattern(stores):
    """A pattern may be absolute."""
    assert len(lookup.find(f"{stores[0]}/**/*.json", stores)) == 3


@pytest.mark.parametrize("name", ["nobody", "*.yaml", "void"])
def test_nothing_there(stores, tmp_path, monkeypatch, name):
    """What stands for no record is refused with what would."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "void").mkdir()
    with pytest.raises(LookupError, match="no such record; give a file, a folder, a pattern, or a name saved in"):
        lookup.find(name, stores)
