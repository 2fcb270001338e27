"""Files become runs, oldest first; what is no record is named with its reason, and the rest is read."""

import json
import shutil

import histories
import pytest
import recordings

from autoenc_bench.history import runs


def changed(path, change):
    """Change a record's JSON in place."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def test_every_record_below_a_folder(tmp_path):
    """Records are found however deep they lie, in files and folders alike, and stand in order of time."""
    histories.write(tmp_path / "b" / "deep", [histories.content(3), histories.content(1)])
    histories.write(tmp_path / "a", [histories.content(2)])
    found, left = runs.read([tmp_path / "b", tmp_path / "a" / "0001_standard.json"])
    assert [run.when.day for run in found] == [2, 3, 4]
    assert left == []


def test_the_order_of_names_does_not_matter(tmp_path):
    """Folders named in another order, or named twice, give the same runs."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    two = histories.write(tmp_path / "two", histories.slower(5)[3:])
    assert runs.read([one, two]) == runs.read([two, one, one, two / "0001_standard.json"])


def test_a_copy_counts_once(tmp_path):
    """A record that lies in two folders is one run."""
    one = histories.write(tmp_path / "one", histories.slower(3))
    shutil.copytree(one, tmp_path / "two")
    assert len(runs.read([tmp_path])[0]) == 3


def test_what_a_run_keeps(tmp_path):
    """A run keeps when, where, which commit, and per case time, reference, efficiency, error and memory."""
    ((run,), _) = runs.read(
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
    ((run,), _) = runs.read([recordings.save_plain(tmp_path)])
    assert run.machine == runs.MachineIdentity(None, "A CPU")
    assert [case.name for case in run.results] == ["fast", "slow"]
    assert {result.efficiency or result.error or result.referenced for result in run.results.values()} == {None}
    assert "a-host" not in repr(run)


def test_names_that_two_files_share(tmp_path):
    """Where two benchmarks of a record share a name they are told apart by their files."""
    entries = [recordings.plain("test_x", [1.0]), {**recordings.plain("test_x", [2.0]), "fullname": "b.py::test_x"}]
    path = tmp_path / "0001_plain.json"
    path.write_text(json.dumps(recordings.content(run=None, entries=entries)))
    assert [case.name for case in runs.read([path])[0][0].results] == [
        "benchmarks/test_x.py::test_x",
        "b.py::test_x",
    ]


def _negative(found):
    found["benchmarks"][0]["stats"]["median"] = -1.0


def _not_a_number(found):
    found["benchmarks"][0]["extra_info"]["autoenc"]["memory"]["peak"] = float("nan")


def _text(found):
    found["benchmarks"][1]["stats"]["median"] = "fast"


def _negative_error(found):
    found["benchmarks"][1]["extra_info"]["autoenc"]["error"]["absolute"]["mean"] = -0.5


def _no_time(found):
    found["datetime"] = "yesterday"


def _before_time(found):
    found["datetime"] = "0001-01-01T00:00:00+10:00"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (_negative, "$.benchmarks[0].stats.median", "> 0"),
        (_not_a_number, "$.benchmarks[0].extra_info.autoenc.memory.peak", "expected a finite number"),
        (_text, "$.benchmarks[1].stats.median", "Expected `float`, got `str`"),
        (_negative_error, "benchmarks[1].extra_info.autoenc.error.absolute.mean", "expected a number of at least 0"),
        (_no_time, "datetime", "no ISO 8601 date and time"),
        (_before_time, "datetime", "no ISO 8601 date and time"),
    ],
)
def test_absurd_values(tmp_path, change, field, reason):
    """A record with an absurd value is left out with its field and the reason; the others are read."""
    folder = histories.write(tmp_path, histories.slower(3))
    changed(folder / "0002_standard.json", change)
    found, (left,) = runs.read([folder])
    assert len(found) == 2
    assert left.case == str(folder / "0002_standard.json")
    assert field in left.reason
    assert reason in left.reason


def test_other_files(tmp_path):
    """JSON that is no record, a damaged one, and a path that is not there are left out and named."""
    folder = histories.write(tmp_path / "in", histories.slower(1))
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "0002_half.json").write_text('{"benchmarks": [')
    (folder / "0003_list.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    found, left = runs.read([folder, tmp_path / "none", tmp_path / "empty"])
    assert len(found) == 1
    reasons = {entry.case.removeprefix(str(tmp_path)): entry.reason for entry in left}
    assert "missing required field `benchmarks`" in reasons["/in/package.json"]
    assert "truncated" in reasons["/in/0002_half.json"]
    assert reasons["/none"] == "no such folder or record"
    assert reasons["/empty"] == "holds no records"


def test_nothing_to_read(tmp_path):
    """Where nothing can be read, one sentence says how many files there are and what is wrong with the first."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match=r"a\.json: not a readable record"):
        runs.read([tmp_path])
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(ValueError, match=r"none of 2 files can be read as a record; the first: .*a\.json"):
        runs.read([tmp_path])
    with pytest.raises(LookupError, match="no records; name a folder"):
        runs.read([])
