"""A record that cannot be drawn is refused in one sentence, with file, field and expectation, before a file appears."""

import json

import numpy as np
import pytest
import recordings

from autoenc_bench import cli
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import loading
from autoenc_bench.report import page as report


def refusal(path, out):
    """Return why no report can be written of a record, after which there is none."""
    with pytest.raises(InvalidInputError) as raised:
        report.write([path], out)
    assert not out.exists()
    return str(raised.value)


def test_no_record(tmp_path):
    """A report of nothing is refused."""
    with pytest.raises(NotFoundError, match="name at least one"):
        report.write([], tmp_path / "out")


def changed(path, change):
    """Change a record's JSON in place."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def _drop_benchmarks(found):
    found["benchmarks"] = []


def _newer(found):
    found["autoenc"]["schema_version"] = 99


def _no_median(found):
    del found["benchmarks"][0]["stats"]["median"]


def _zero(found):
    found["benchmarks"][0]["stats"]["median"] = 0


def _no_block(found):
    del found["autoenc"]


def _no_yardstick(found):
    del _scored(found)["error"]["yardsticks"]["PCA"]


def _odd_counts(found):
    _scored(found)["error"]["absolute"]["counts"] = [1] * 405


def _no_ends(found):
    _scored(found)["error"]["absolute"]["quantiles"] = {}


def _no_rows(found):
    _scored(found)["rows"] = 0


def _odd_sample(found):
    _scored(found)["sample"]["reconstruction"] = [0.5]


def _scored(found):
    return next(
        entry["extra_info"]["autoenc"] for entry in found["benchmarks"] if "error" in entry["extra_info"]["autoenc"]
    )


@pytest.mark.parametrize(
    ("change", "field", "expectation"),
    [
        (_drop_benchmarks, "benchmarks", "at least one"),
        (_newer, "schema version 99", "reads 2"),
        (_no_median, "$.benchmarks[0].stats", "missing required field `median`"),
        (_zero, "benchmarks[0].stats.median", "> 0"),
        (_no_block, "autoenc", "expected the block that describes the run"),
        (_no_yardstick, "extra_info.autoenc.error.yardsticks", "expected constant mean and PCA"),
        (_odd_counts, "extra_info.autoenc.error.absolute.counts", "a multiple of four"),
        (_no_ends, "extra_info.autoenc.error.absolute", "expected all of them"),
        (_no_rows, "extra_info.autoenc.rows", ">= 1"),
        (_odd_sample, "extra_info.autoenc.sample", "expected as many numbers in both"),
    ],
)
def test_records_that_do_not_fit(tmp_path, change, field, expectation):
    """A record that no run can have written: one sentence with file, field and expectation, and no files."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    changed(path, change)
    message = refusal(path, tmp_path / "out")
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert field in message
    assert expectation in message


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"benchmarks": 1}', "\x00"])
def test_files_that_are_no_records(tmp_path, text):
    """An empty, truncated or foreign file is refused by name."""
    path = tmp_path / "0001_x.json"
    path.write_text(text)
    assert refusal(path, tmp_path / "out").startswith(f"{path}: not a readable record: ")


def test_missing_and_unreadable_paths(tmp_path, capsys):
    """A missing file and a folder are refused by name, in one sentence with status 2."""
    assert cli.main(["report", str(tmp_path / "none.json")]) == 2
    assert cli.main(["report", str(tmp_path)]) == 2
    missing, folder = capsys.readouterr().err.splitlines()
    assert missing == f"autoenc-bench: {tmp_path / 'none.json'}: no such record"
    assert folder == f"autoenc-bench: {tmp_path}: cannot be read: Is a directory; name a record's JSON file"


def _side_missing(side):
    side.unlink()


def _side_damaged(side):
    side.write_bytes(side.read_bytes()[:100])


def _side_lacks_one(side):
    _rewrite(side, lambda name, array: None if name.endswith("worst") else array)


def _side_of_other_size(side):
    _rewrite(side, lambda _, array: array[:, :, :9])


def _side_of_fewer(side):
    _rewrite(side, lambda name, array: array[:, :3] if name.endswith("best") else array)


def _rewrite(side, change):
    with np.load(side) as arrays:
        changed = {name: change(name, arrays[name]) for name in arrays.files}
    np.savez(side, **{name: array for name, array in changed.items() if array is not None})


@pytest.mark.parametrize(
    ("change", "expectation"),
    [
        (_side_missing, "no such side file; expected one beside the record"),
        (_side_damaged, "not a readable side file"),
        (_side_lacks_one, "digits-fused-seed0/worst is missing; expected"),
        (_side_of_other_size, "digits-fused-seed0/first has shape (2, 10, 9); expected (2, 10, 16)"),
        (_side_of_fewer, "digits-fused-seed0/best has shape (2, 3, 16); expected (2, 10, 16)"),
    ],
)
def test_side_files_that_do_not_fit(tmp_path, change, expectation):
    """A side file that is missing or does not fit its record is refused by name."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    change(path.with_suffix(".npz"))
    message = refusal(path, tmp_path / "out")
    assert message.startswith(f"{path.with_suffix('.npz')}: ")
    assert expectation in message


def test_origin_in_any_form(tmp_path):
    """What pytest-benchmark says of machine and commit is used as far as it is there."""
    path = recordings.save_plain(tmp_path)
    for machine, commit in (([], None), ({"cpu": []}, {}), (None, {"id": None})):
        found = {**json.loads(path.read_text()), "machine_info": machine, "commit_info": commit}
        path.write_text(json.dumps(found))
        assert loading.read(path).setting == "pytest-benchmark 5.3.1"
