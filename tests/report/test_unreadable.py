"""A report refuses unreadable records in one sentence, and lists the unreadable parts of others."""

import json

import pytest
import recordings
from pages import Reader, files

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import loading
from autoenc_bench.report import page as report


def refusal(path, out):
    """Return the error of a report that cannot be written; assert that it left no files."""
    with pytest.raises(InvalidInputError) as raised:
        report.write([path], out)
    assert not out.exists()
    return str(raised.value)


def test_no_record(tmp_path):
    """A report of no records is refused."""
    with pytest.raises(NotFoundError, match="name at least one"):
        report.write([], tmp_path / "out")


def change(path, *keys, to=None):
    """Set a field of a record in place, or remove it."""
    content = json.loads(path.read_text())
    holder = content
    for key in keys[:-1]:
        holder = holder[key]
    if to is None:
        del holder[keys[-1]]
    else:
        holder[keys[-1]] = to
    path.write_text(json.dumps(content))


WITHOUT_TIMES = [{**entry, "stats": {**entry["stats"], "median": 0}} for entry in recordings.entries_of("crude-simple")]
MEDIAN = ("benchmarks", 0, "stats", "median")


@pytest.mark.parametrize(
    ("keys", "value", "field", "expectation"),
    [
        (["benchmarks"], [], "benchmarks", "at least one"),
        (["autoenc", "schema_version"], 99, "schema version 99", "reads 2"),
        (["autoenc"], None, "autoenc", "expected the block that describes the run"),
        (["benchmarks"], WITHOUT_TIMES, "benchmarks", "none of 8 can be read"),
    ],
)
def test_records_that_do_not_fit(tmp_path, keys, value, field, expectation):
    """The error of an unreadable record names file, field and expectation."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    change(path, *keys, to=value)
    message = refusal(path, tmp_path / "out")
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert field in message
    assert expectation in message


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"benchmarks": 1}', "\x00"])
def test_files_that_are_no_records(tmp_path, text):
    """The error of an empty, truncated or other file names it."""
    path = tmp_path / "0001_x.json"
    path.write_text(text)
    assert refusal(path, tmp_path / "out").startswith(f"{path}: not a readable record: ")


def test_missing_and_unreadable_paths(tmp_path, capsys):
    """The errors of a missing file and of a folder name it, with status 2."""
    assert cli.main(["report", str(tmp_path / "none.json")]) == 2
    assert cli.main(["report", str(tmp_path)]) == 2
    missing, folder = capsys.readouterr().err.splitlines()
    assert missing == f"autoenc-bench: {tmp_path / 'none.json'}: no such record"
    assert folder == f"autoenc-bench: {tmp_path}: cannot be read: Is a directory; name a record's JSON file"


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (MEDIAN, None, "missing required field `median`"),
        (MEDIAN, 0, "the clock is too coarse for it"),
        ((*MEDIAN[:3], "data"), [float("nan")], "Expected `float`, got `str` - at `$.stats.data[0]`"),
        ((*MEDIAN[:2], "extra_info", "autoenc", "rows"), 0, "Expected `int` >= 1 - at `$.extra_info.autoenc.rows`"),
    ],
)
def test_cases_that_cannot_be_read(tmp_path, keys, value, reason):
    """Both pages list an unreadable case with the reason, and show the rest."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    change(path, *keys, to=value)
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
    """Unreadable cases of a plain pytest-benchmark record are listed, too."""
    path = recordings.save_plain(tmp_path)
    change(path, *MEDIAN, to=0)
    written = report.write([path], tmp_path / "out")
    too_coarse = "its median is 0 s; the clock is too coarse for it"
    assert written.left_out == [f"left out of {path}: benchmarks/test_x.py::test_fast: {too_coarse}"]
    assert too_coarse in Reader(written.page.read_text()).text


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("damaged", [False, True])
def test_side_files_that_cannot_be_read(tmp_path, damaged):
    """A missing or damaged side file is named, and the report is drawn without its pictures."""
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
    """The setting of a record is readable if machine and commit have other forms."""
    path = recordings.save_plain(tmp_path)
    for machine, commit in (([], None), ({"cpu": []}, {}), (None, {"id": None})):
        content = {**json.loads(path.read_text()), "machine_info": machine, "commit_info": commit}
        path.write_text(json.dumps(content))
        assert loading.read_record(path).setting == "pytest-benchmark 5.3.1"
