"""Files become runs, oldest first; what is no record is named with its reason, and the rest is read."""

import json
import shutil

import histories
import msgspec
import pytest
import recordings

from autoenc_bench.history import runs, tables
from autoenc_bench.history.history import read_history


def changed(path, change):
    """Change a record's JSON in place."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def test_every_record_below_a_folder(tmp_path):
    """Records are found however deep they lie, in files and folders alike, and stand in order of time."""
    histories.write(tmp_path / "b" / "deep", [histories.content(3), histories.content(1)])
    histories.write(tmp_path / "a", [histories.content(2)])
    found, unreadable, left_out = runs.read_runs([tmp_path / "b", tmp_path / "a" / "0001_standard.json"])
    assert [run.when.day for run in found] == [2, 3, 4]
    assert unreadable == left_out == []


def test_the_order_of_names_does_not_matter(tmp_path):
    """Folders named in another order, or named twice, give the same runs."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    two = histories.write(tmp_path / "two", histories.slower(5)[3:])
    assert runs.read_runs([one, two]) == runs.read_runs([two, one, one, two / "0001_standard.json"])


def test_a_copy_counts_once(tmp_path):
    """A record that lies in two folders is one run."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    shutil.copytree(one, tmp_path / "two")
    assert len(runs.read_runs([tmp_path])[0]) == 3


def test_what_a_run_keeps(tmp_path):
    """A run keeps when, where, which commit, and per case time, reference, efficiency, error and memory."""
    ((run,), *_) = runs.read_runs(
        [histories.write(tmp_path, [histories.content(0, 0.2, error=4.0, machine=histories.OTHER)])]
    )
    assert (run.commit, run.scale, run.roofs) == ("000000000000 on a-branch", "standard", 1)
    assert run.machine == runs.MachineIdentity("ba9876543210", "Another CPU, 2 cores, A GPU")
    epoch, whole = run.results.values()
    assert [case.name for case in run.results] == ["epoch[digits-fused]", "experiment[digits-fused-seed0]"]
    assert (epoch.time, epoch.reference, epoch.referenced) == pytest.approx((0.21, 0.01, 21))
    assert (epoch.efficiency, epoch.roof, epoch.memory) == (pytest.approx(0.01 / 0.21), "compute", 2**30)
    assert epoch.error is None
    assert whole.error == pytest.approx(4.0, rel=0.01)


def test_plain_records(tmp_path):
    """A record by plain pytest-benchmark has time only, and the CPU that pytest-benchmark names; no host name."""
    ((run,), *_) = runs.read_runs([recordings.save_plain(tmp_path)])
    assert run.machine == runs.MachineIdentity(None, "A CPU")
    assert [case.name for case in run.results] == ["fast", "slow"]
    assert {result.efficiency or result.error or result.referenced for result in run.results.values()} == {None}
    assert "a-host" not in repr(run)


def plain(folder, number=1, entries=None, **info):
    """Write a record by plain pytest-benchmark, of what it knows of the machine; return its path."""
    entries = [recordings.plain("test_a", [1.0, 1.1])] if entries is None else entries
    found = recordings.content(run=None, entries=entries)
    found["datetime"] = f"2026-01-{number:02}T00:00:00"
    path = folder / f"{number:04}_plain.json"
    path.write_text(json.dumps({**found, "machine_info": info}))
    return path


def test_context_of_plain_records(tmp_path):
    """Cores, system and Python are a plain record's context: another number of cores is another series."""
    python = {"python_implementation": "CPython", "python_version": "3.11.7"}
    for number, cores in enumerate((2, 2, 4), start=1):
        plain(tmp_path, number, node=f"host-{number}", system="Linux", machine="x86_64", **python, cpu={"count": cores})
    for path in tmp_path.iterdir():
        changed(path, lambda found: found["machine_info"]["cpu"].update(brand_raw="A CPU"))
    found = read_history([tmp_path])
    assert found.runs[0].context == {"cores": 2, "system": "Linux x86_64", "python": "CPython 3.11.7"}
    (machine,) = found.machines
    assert [len(context.runs) for context in machine.contexts] == [2, 1]
    assert machine.contexts[1].differs == ["cores 2 → 4"]
    assert machine.identity == runs.MachineIdentity(None, "A CPU")


@pytest.mark.parametrize("words", [("brand_raw", "brand"), ("brand", "brand_raw"), ("brand", "brand")])
def test_older_names_of_a_cpu(tmp_path, words):
    """A CPU that older versions of pytest-benchmark called its brand is the same CPU."""
    for number, word in enumerate(words, start=1):
        plain(tmp_path, number, cpu={word: "A CPU"})
    found = read_history([tmp_path])
    assert len(found.machines) == 1
    assert found.machines[0].identity == runs.MachineIdentity(None, "A CPU")


@pytest.mark.parametrize("cpu", [{"brand_raw": "unknown"}, {"brand": "-"}, {}, []])
def test_machines_that_nobody_names(tmp_path, cpu):
    """Runs whose CPU nobody names stand alone, each with itself, and the answer says so."""
    plain(tmp_path, 1, cpu=cpu)
    one = read_history([tmp_path])
    assert one.machines[0].identity.name == "unnamed CPU"
    assert one.machines[0].identity.alone
    assert "1 run names no CPU and cannot be compared with other runs." in tables.answer(one)
    plain(tmp_path, 2, cpu=cpu)
    plain(tmp_path, 3, cpu={"brand_raw": "A CPU"})
    three = read_history([tmp_path])
    assert [len(machine.runs) for machine in three.machines] == [1, 1, 1]
    assert [bool(machine.identity.alone) for machine in three.machines] == [True, True, False]
    assert "2 runs name no CPU and cannot be compared with other runs." in tables.answer(three)


def test_a_machine_of_this_suite_without_a_cpu(tmp_path):
    """A machine with an id, whose CPU nobody names, is no other run's machine either: the id hashes little else."""
    unnamed = msgspec.structs.replace(recordings.MACHINE, cpu=None)
    found = read_history([histories.write(tmp_path, [histories.content(day, machine=unnamed) for day in range(3)])])
    assert len(found.machines) == 3
    assert {machine.identity.name for machine in found.machines} == {"unnamed CPU, 2 cores"}
    assert not read_history([histories.write(tmp_path / "named", histories.slower(3))]).machines[0].identity.alone


def test_a_copy_of_an_unnamed_machines_run(tmp_path):
    """A copy of such a run is the same run; one of the same moment with other times is not."""
    (tmp_path / "copy").mkdir()
    shutil.copy(plain(tmp_path, 1), tmp_path / "copy")
    assert len(runs.read_runs([tmp_path])[0]) == 1
    plain(tmp_path / "copy", 1, [recordings.plain("test_a", [1.0, 1.2])])
    assert len({run.machine.key for run in runs.read_runs([tmp_path])[0]}) == 2


def test_names_that_two_files_share(tmp_path):
    """Where two benchmarks of a record share a name they are told apart by their files."""
    entries = [recordings.plain("test_x", [1.0]), {**recordings.plain("test_x", [2.0]), "fullname": "b.py::test_x"}]
    found = runs.read_runs([plain(tmp_path, 1, entries)])[0]
    assert [case.name for case in found[0].results] == ["test_x.py::test_x", "b.py::test_x"]


def test_names_are_those_of_the_whole_history(tmp_path):
    """A case is called the same in all runs: with its file in those as well where no other shares its name."""
    elsewhere = {**recordings.plain("test_x", [2.0]), "fullname": "b.py::test_x"}
    entries = [recordings.plain("test_x", [1.0]), recordings.plain("test_y", [1.0])]
    for number, some in enumerate((entries, [*entries, elsewhere]), start=1):
        plain(tmp_path, number, some, cpu={"brand": "A CPU"})
    found = read_history([tmp_path])
    assert [[case.name for case in run.results] for run in found.runs] == [
        ["test_x.py::test_x", "y"],
        ["test_x.py::test_x", "y", "b.py::test_x"],
    ]
    assert {series.case.name: len(series.runs) for series in found.series} == {
        "test_x.py::test_x": 2,
        "y": 2,
        "b.py::test_x": 1,
    }


def test_a_name_that_a_record_has_twice(tmp_path):
    """The second of two equal benchmarks is a case of its own, numbered."""
    entries = [recordings.plain("test_x", [seconds]) for seconds in (1.0, 2.0)]
    ((run,), *_) = runs.read_runs([plain(tmp_path, 1, entries)])
    assert {case.name: result.time for case, result in run.results.items()} == {"x": 1.0, "x (2)": 2.0}


def _all(found, key, value):
    for entry in found["benchmarks"]:
        entry["stats"][key] = value


def _negative(found):
    _all(found, "median", -1.0)


def _text(found):
    _all(found, "median", "fast")


def _not_a_number(found):
    found["autoenc"]["context"]["x"] = float("nan")


def _no_time(found):
    found["datetime"] = "yesterday"


def _before_time(found):
    found["datetime"] = "0001-01-01T00:00:00+10:00"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (_negative, "$.stats.median", ">= 1e-15"),
        (_text, "$.stats.median", "Expected `float`, got `str`"),
        (_not_a_number, "$.autoenc.context.x", "expected a finite number"),
        (_no_time, "datetime", "no ISO 8601 date and time"),
        (_before_time, "datetime", "no ISO 8601 date and time"),
    ],
)
def test_absurd_records(tmp_path, change, field, reason):
    """A record of which nothing can be read is left out with its field and the reason; the others are read."""
    path = histories.write(tmp_path, histories.slower(3)) / "0002_standard.json"
    changed(path, change)
    found, (unreadable,), left_out = runs.read_runs([tmp_path])
    assert len(found) == 2
    assert unreadable.case == str(path)
    assert field in unreadable.reason
    assert reason in unreadable.reason
    assert left_out == [f"left out {path}: {unreadable.reason}"]


def _negative_case(found):
    found["benchmarks"][0]["stats"]["median"] = -1.0


def _no_memory(found):
    found["benchmarks"][0]["extra_info"]["autoenc"]["memory"]["peak"] = float("nan")


def _negative_error(found):
    found["benchmarks"][1]["extra_info"]["autoenc"]["error"]["absolute"]["mean"] = -0.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_negative_case, "epoch[digits-fused]: Expected `float` >= 1e-15 - at `$.stats.median`"),
        (_no_memory, "epoch[digits-fused]: nan - at `$.extra_info.autoenc.memory.peak`; expected a finite number"),
        (
            _negative_error,
            "experiment[digits-fused-seed0]: absolute.mean: -0.5; expected a number of at least 0 - at `$.extra_info.autoenc.error`",
        ),
    ],
)
def test_absurd_cases(tmp_path, change, reason):
    """A case that cannot be read is left out of its run alone, and named with its reason."""
    path = histories.write(tmp_path, histories.slower(3)) / "0002_standard.json"
    changed(path, change)
    found, unreadable, left_out = runs.read_runs([tmp_path])
    assert [len(run.results) for run in found] == [2, 1, 2]
    assert unreadable == []
    assert left_out == [f"left out of {path}: {reason}"]
    assert read_history([tmp_path]).left_out == left_out


def test_other_files(tmp_path):
    """JSON that is no record, a damaged one, and a path that is not there are left out and named."""
    folder = histories.write(tmp_path / "in", histories.slower(1))
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "0002_half.json").write_text('{"benchmarks": [')
    (folder / "0003_list.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    found, unreadable, left_out = runs.read_runs([folder, tmp_path / "none", tmp_path / "empty"])
    assert len(found) == 1
    assert len(left_out) == len(unreadable) == 5
    reasons = {entry.case.removeprefix(str(tmp_path)): entry.reason for entry in unreadable}
    assert "missing required field `benchmarks`" in reasons["/in/package.json"]
    assert "truncated" in reasons["/in/0002_half.json"]
    assert reasons["/none"] == "no such folder or record"
    assert reasons["/empty"] == "holds no records"


def test_nothing_to_read(tmp_path):
    """Where nothing can be read, one sentence says how many files there are and what is wrong with the first."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match=r"a\.json: not a readable record"):
        runs.read_runs([tmp_path])
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(ValueError, match=r"none of 2 files can be read as a record; the first: .*a\.json"):
        runs.read_runs([tmp_path])
    with pytest.raises(LookupError, match="no records; name a folder"):
        runs.read_runs([])
