"""Files become runs, oldest first. A file that is no record is listed with the reason."""

import json
import shutil

import histories
import msgspec
import pytest
import recordings

from autoenc_bench.history import runs, tables
from autoenc_bench.history.history import read_history

NAN = float("nan")


def changed(path, change):
    """Change a record's JSON in place."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def test_every_record_below_a_folder(tmp_path):
    """Records are found in files and at any depth of folders, and are ordered by time."""
    histories.write(tmp_path / "b" / "deep", [histories.content(3), histories.content(1)])
    histories.write(tmp_path / "a", [histories.content(2)])
    found, unreadable, left_out = runs.read_runs([tmp_path / "b", tmp_path / "a" / "0001_standard.json"])
    assert [run.when.day for run in found] == [2, 3, 4]
    assert unreadable == left_out == []


def test_the_order_of_names_does_not_matter(tmp_path):
    """Folders in another order, or named twice, give the same runs."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    two = histories.write(tmp_path / "two", histories.slower(5)[3:])
    assert runs.read_runs([one, two]) == runs.read_runs([two, one, one, two / "0001_standard.json"])


def test_a_copy_counts_once(tmp_path):
    """A record in two folders is one run."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    shutil.copytree(one, tmp_path / "two")
    assert len(runs.read_runs([tmp_path])[0]) == 3


def test_run(tmp_path):
    """A run has commit, machine and scale, and for each case time, reference, efficiency, error and memory."""
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
    """A run of plain pytest-benchmark has times and the CPU that pytest-benchmark names, but no host name."""
    ((run,), *_) = runs.read_runs([recordings.save_plain(tmp_path)])
    assert run.machine == runs.MachineIdentity(None, "A CPU")
    assert [case.name for case in run.results] == ["fast", "slow"]
    assert {result.efficiency or result.error or result.referenced for result in run.results.values()} == {None}
    assert "a-host" not in repr(run)


def plain(folder, number=1, entries=None, **info):
    """Write a record of plain pytest-benchmark with these facts of the machine; return its path."""
    entries = [recordings.plain("test_a", [1.0, 1.1])] if entries is None else entries
    found = recordings.content(run=None, entries=entries)
    found["datetime"] = f"2026-01-{number:02}T00:00:00"
    path = folder / f"{number:04}_plain.json"
    path.write_text(json.dumps({**found, "machine_info": info}))
    return path


def test_context_of_plain_records(tmp_path):
    """The context of a plain record is its cores, system and Python; another number of cores is another context."""
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
    """A CPU is the same one under the field name of older versions of pytest-benchmark."""
    for number, word in enumerate(words, start=1):
        plain(tmp_path, number, cpu={word: "A CPU"})
    found = read_history([tmp_path])
    assert len(found.machines) == 1
    assert found.machines[0].identity == runs.MachineIdentity(None, "A CPU")


@pytest.mark.parametrize("cpu", [{"brand_raw": "unknown"}, {"brand": "-"}, {}, []])
def test_unknown_cpus(tmp_path, cpu):
    """Each run with an unknown CPU is a machine of its own, and the summary counts such runs."""
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
    """A run with an id but an unknown CPU is a machine of its own, because the id hashes little else."""
    unnamed = msgspec.structs.replace(recordings.MACHINE, cpu=None)
    found = read_history([histories.write(tmp_path, [histories.content(day, machine=unnamed) for day in range(3)])])
    assert len(found.machines) == 3
    assert {machine.identity.name for machine in found.machines} == {"unnamed CPU, 2 cores"}
    assert not read_history([histories.write(tmp_path / "named", histories.slower(3))]).machines[0].identity.alone


def test_a_copy_of_a_run_on_an_unknown_cpu(tmp_path):
    """A copy of such a run is the same run; a run at the same time with other results is not."""
    (tmp_path / "copy").mkdir()
    shutil.copy(plain(tmp_path, 1), tmp_path / "copy")
    assert len(runs.read_runs([tmp_path])[0]) == 1
    plain(tmp_path / "copy", 1, [recordings.plain("test_a", [1.0, 1.2])])
    assert len({run.machine.key for run in runs.read_runs([tmp_path])[0]}) == 2


def test_names_that_two_files_share(tmp_path):
    """Benchmarks of one name in two files are named with their files."""
    entries = [recordings.plain("test_x", [1.0]), {**recordings.plain("test_x", [2.0]), "fullname": "b.py::test_x"}]
    found = runs.read_runs([plain(tmp_path, 1, entries)])[0]
    assert [case.name for case in found[0].results] == ["test_x.py::test_x", "b.py::test_x"]


def test_names_are_those_of_the_whole_history(tmp_path):
    """A case has the same name in all runs: with its file if its name is ambiguous in any of them."""
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
    """The second of two benchmarks of one name is a separate case with a number."""
    entries = [recordings.plain("test_x", [seconds]) for seconds in (1.0, 2.0)]
    ((run,), *_) = runs.read_runs([plain(tmp_path, 1, entries)])
    assert {case.name: result.time for case, result in run.results.items()} == {"x": 1.0, "x (2)": 2.0}


def all_medians(value):
    """Return what sets the median of every benchmark of a record."""
    return lambda found: [entry["stats"].update(median=value) for entry in found["benchmarks"]]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (all_medians(-1.0), "$.stats.median", ">= 1e-15"),
        (all_medians("fast"), "$.stats.median", "Expected `float`, got `str`"),
        (lambda found: found.update(datetime="yesterday"), "datetime", "no ISO 8601 date and time"),
        (lambda found: found.update(datetime="0001-01-01T00:00:00+10:00"), "datetime", "no ISO 8601 date and time"),
    ],
)
def test_invalid_records(tmp_path, change, field, reason):
    """A record without a valid part is left out with its field and the reason; the others are read."""
    path = histories.write(tmp_path, histories.slower(3)) / "0002_standard.json"
    changed(path, change)
    found, (unreadable,), left_out = runs.read_runs([tmp_path])
    assert len(found) == 2
    assert unreadable.case == str(path)
    assert field in unreadable.reason
    assert reason in unreadable.reason
    assert left_out == [f"left out {path}: {unreadable.reason}"]


def test_invalid_cases(tmp_path):
    """An invalid case is left out of its run with the reason; the other cases of the run are read."""
    path = histories.write(tmp_path, histories.slower(3)) / "0002_standard.json"
    changed(path, lambda found: found["benchmarks"][0]["extra_info"]["autoenc"]["memory"].update(peak=NAN))
    found, unreadable, left_out = runs.read_runs([tmp_path])
    assert [len(run.results) for run in found] == [2, 1, 2]
    assert unreadable == []
    reason = "Expected `float | null`, got `str` - at `$.extra_info.autoenc.memory.peak`"
    assert left_out == [f"left out of {path}: epoch[digits-fused]: {reason}"]
    assert read_history([tmp_path]).left_out == left_out


def test_other_files(tmp_path):
    """Other JSON files, damaged ones, empty folders and missing paths are left out and listed."""
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
    """If no file can be read, the error gives their number and the problem of the first."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match=r"a\.json: not a readable record"):
        runs.read_runs([tmp_path])
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(ValueError, match=r"none of 2 files can be read as a record; the first: .*a\.json"):
        runs.read_runs([tmp_path])
    with pytest.raises(LookupError, match="no records; name a folder"):
        runs.read_runs([])
