"""A record that cannot be read is refused in one sentence before a file appears; of one that can in part it is said."""

import json

import pytest
import recordings
from pages import Reader, files

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


def _no_block(found):
    del found["autoenc"]


def _no_times(found):
    for entry in found["benchmarks"]:
        entry["stats"]["median"] = 0


@pytest.mark.parametrize(
    ("change", "field", "expectation"),
    [
        (_drop_benchmarks, "benchmarks", "at least one"),
        (_newer, "schema version 99", "reads 2"),
        (_no_block, "autoenc", "expected the block that describes the run"),
        (_no_times, "benchmarks", "none of 8 can be read"),
    ],
)
def test_records_that_do_not_fit(tmp_path, change, field, expectation):
    """A record of which nothing can be read: one sentence with file, field and expectation, and no files."""
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


def _no_median(found):
    del found["benchmarks"][0]["stats"]["median"]


def _zero(found):
    found["benchmarks"][0]["stats"]["median"] = 0


def _not_a_number(found):
    found["benchmarks"][0]["stats"]["data"] = [float("nan")]


def _no_rows(found):
    found["benchmarks"][0]["extra_info"]["autoenc"]["rows"] = 0


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_no_median, "missing required field `median`"),
        (_zero, "the clock is too coarse for it"),
        (_not_a_number, "nan - at `$.stats.data[0]`; expected a finite number"),
        (_no_rows, "Expected `int` >= 1 - at `$.extra_info.autoenc.rows`"),
    ],
)
def test_cases_that_cannot_be_read(tmp_path, change, reason):
    """A case that cannot be read is named with its reason, on both pages as well, and the rest is drawn."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    changed(path, change)
    written = report.write([path], tmp_path / "out")
    assert len(written.left_out) == 1
    assert written.left_out[0].startswith(f"left out of {path}: build[crude-simple]: ")
    assert reason in written.left_out[0]
    page = Reader(written.page.read_text()).text
    assert "1 experiment, 7 cases." in page
    assert "1 case skipped, 1 case unreadable: the reasons are below." in page
    for text in (page, written.page.with_name("summary.md").read_text()):
        assert "unreadable" in text
        assert reason in text.replace("``", "`")


def test_plain_benchmarks_that_cannot_be_read(tmp_path):
    """So it is in a record by plain pytest-benchmark."""
    path = recordings.save_plain(tmp_path)
    changed(path, _zero)
    written = report.write([path], tmp_path / "out")
    too_coarse = "its median is 0 s; the clock is too coarse for it"
    assert written.left_out == [f"left out of {path}: benchmarks/test_x.py::test_fast: {too_coarse}"]
    assert too_coarse in Reader(written.page.read_text()).text


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("damaged", [False, True])
def test_side_files_that_cannot_be_read(tmp_path, damaged):
    """A side file that is missing or damaged is named with its path; the report is drawn without its pictures."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    side = path.with_suffix(".npz")
    report.write([path], tmp_path / "whole")
    if damaged:
        side.write_bytes(side.read_bytes()[:100])
    else:
        side.unlink()
    written = report.write([path], tmp_path / "out")
    assert len(written.left_out) == 1
    assert f"{side}: " in written.left_out[0]
    assert str(side) in Reader(written.page.read_text()).text
    names = {name for name in files(tmp_path / "whole") if name.endswith(".svg")} - set(files(tmp_path / "out"))
    assert names == {f"figures/{which}-digits.svg" for which in ("first", "best", "worst", "website")}


def test_origin_in_any_form(tmp_path):
    """What pytest-benchmark says of machine and commit is used as far as it is there."""
    path = recordings.save_plain(tmp_path)
    for machine, commit in (([], None), ({"cpu": []}, {}), (None, {"id": None})):
        found = {**json.loads(path.read_text()), "machine_info": machine, "commit_info": commit}
        path.write_text(json.dumps(found))
        assert loading.read(path).setting == "pytest-benchmark 5.3.1"
