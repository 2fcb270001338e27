"""Program texts are compared line by line, and profiles by function."""

import pytest
import standins

from autoenc_bench.live import differences
from autoenc_bench.live.processes import SuiteFailedError
from autoenc_bench.records import loading

CASE = "epoch[digits-fused]"
PROGRAM = "ENTRY %main {\n  %x = f32[] constant(1)\n}\n"


@pytest.fixture
def keep(tmp_path):
    """Return a function that writes a file of a side's case, as the plugin does."""

    def write(side, name, content):
        folder = tmp_path / differences.FOLDER / side / CASE
        folder.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else "".join(f"{spent}\t{name}\n" for name, spent in content.items())
        (folder / name).write_text(text)

    return write


@pytest.fixture
def known(tmp_path):
    """Return a function that describes how the case differs."""
    return lambda: list(differences.describe(tmp_path, CASE))


def test_option(tmp_path, monkeypatch):
    """The option has the absolute path of a side's folder."""
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    assert differences.option(store.relative_to(tmp_path), "head") == f"--explain={store}/why/head"


def test_differing_programs(tmp_path, keep, known):
    """The diff of differing texts is written into a file, which a line names."""
    keep("base", "program-1.txt", PROGRAM)
    keep("head", "program-1.txt", PROGRAM.replace("constant(1)", "constant(2)"))
    path = tmp_path / "why" / f"{CASE}.diff"
    assert known() == [f"diff of both programs: {path}"]
    lines = path.read_text().splitlines()
    assert lines[:2] == ["--- base/program-1.txt", "+++ head/program-1.txt"]
    changed = [line for line in lines[2:] if line[0] in "+-"]
    assert changed == ["-  %x = f32[] constant(1)", "+  %x = f32[] constant(2)"]


def test_only_what_differs(tmp_path, keep, known):
    """Of several programs, equal ones are left out of the file."""
    for side, number in (("base", 1), ("head", 2)):
        keep(side, "program-1.txt", PROGRAM)
        keep(side, "program-2.txt", PROGRAM.replace("constant(1)", f"constant({number})"))
    assert len(known()) == 1
    text = (tmp_path / "why" / f"{CASE}.diff").read_text()
    assert "program-2.txt" in text
    assert "program-1.txt" not in text


@pytest.mark.parametrize(("side", "sign"), [("base", "-"), ("head", "+")])
def test_one_program_more(tmp_path, keep, known, side, sign):
    """A program that only one side has is in the file completely."""
    for one in ("base", "head"):
        keep(one, "program-1.txt", PROGRAM)
    keep(side, "program-2.txt", PROGRAM)
    assert len(known()) == 1
    lines = (tmp_path / "why" / f"{CASE}.diff").read_text().splitlines()
    assert lines[3:] == [f"{sign}{line}" for line in PROGRAM.splitlines()]


def test_equal_programs(tmp_path, keep, known):
    """Equal texts give no line and no file."""
    for side in ("base", "head"):
        keep(side, "program-1.txt", PROGRAM)
    assert known() == []
    assert not (tmp_path / "why" / f"{CASE}.diff").exists()


def test_profiles(keep, known):
    """The functions whose own time in a call changed most are named in this order, with new and removed ones."""
    keep("base", "profile.txt", {"step (a.py)": 0.2, "same (a.py)": 1.0, "gone (b.py)": 0.05})
    keep("head", "profile.txt", {"step (a.py)": 0.5, "same (a.py)": 1.0, "new (c.py)": 0.1})
    assert known() == [
        "sampled, a call's time by function: "
        "step (a.py) 200 ms → 500 ms, new (c.py) 0 ns → 100 ms, gone (b.py) 50 ms → 0 ns"
    ]


def test_few_functions(keep, known):
    """At most four functions are named."""
    keep("base", "profile.txt", {})
    keep("head", "profile.txt", {f"f{number} (a.py)": 0.1 + number / 100 for number in range(9)})
    (line,) = known()
    assert [part.split()[0] for part in line.partition(": ")[2].split(", ")] == ["f8", "f7", "f6", "f5"]


@pytest.mark.parametrize(("seconds", "is_named"), [(0.0199, False), (0.0206, True)])
def test_least(keep, known, seconds, is_named):
    """A change below one percent of the longer call is not named."""
    keep("base", "profile.txt", {"rest (a.py)": 2.0})
    keep("head", "profile.txt", {"rest (a.py)": 2.0, "new (a.py)": seconds})
    assert bool(known()) is is_named


@pytest.mark.parametrize("side", ["base", "head"])
def test_profile_of_one_side(keep, known, side):
    """The profile of one side alone gives no line."""
    keep(side, "profile.txt", {"step (a.py)": 0.2})
    assert known() == []


def test_nothing_kept(known):
    """Without files there is no line."""
    assert known() == []


def test_both(keep, known):
    """Programs come before profiles."""
    for side, number in (("base", 1), ("head", 2)):
        keep(side, "program-1.txt", f"{PROGRAM}{number}\n")
        keep(side, "profile.txt", {"step (a.py)": float(number)})
    assert [line.split(":")[0] for line in known()] == ["diff of both programs", "sampled, a call's time by function"]


def test_run(tmp_path):
    """Each side runs once, its record is returned, and its files are below the store."""
    sides = standins.sides(tmp_path, head={"calls": 4, "profile": {"step (model.py)": 0.3}})
    store = tmp_path / "store"
    paths = differences.run_once(sides, [standins.FILE + CASE], store)
    counted = [loading.read_record(path).record.benchmarks[0].extra_info.autoenc.counts for path in paths]
    assert [counts.calls for counts in counted] == [{"step": {"model:step": number}} for number in (3, 4)]
    assert [what for what, *_ in standins.logged(tmp_path)].count("start") == 2
    assert set(store.rglob("*.json")) == set(paths)  # no other file is a record
    assert list(differences.describe(store, CASE)) == [
        "sampled, a call's time by function: step (model.py) 200 ms → 300 ms"
    ]


def test_run_that_fails(tmp_path):
    """A side that cannot run is reported with its reason."""
    sides = standins.sides(tmp_path, head={"faults": [{"do": "exit", "case": "starting"}]})
    with pytest.raises(SuiteFailedError, match=r"^the head, code of the head, could not run the suite: out of luck"):
        differences.run_once(sides, [standins.FILE + CASE], tmp_path / "store")
