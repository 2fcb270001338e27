"""A report is whole or not there, says which records it could not read, and shows names as text."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench import cli
from autoenc_bench.records import loading, record
from autoenc_bench.report import page as report
from autoenc_bench.report import render

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>\"'&$x^2$|`@all` *b* [a](http://b) {{ 7*7 }}\x00\x1b[31m\n# one"


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    """Run outside a GitHub Actions job."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a record with pictures."""
    return recordings.save(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def made(path, tmp_path_factory):
    """Return the folder of its report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        folder = tmp_path_factory.mktemp("reports") / "out"
        assert report.write([path], folder) == report.Written(folder / "index.html", [])
    return folder


@pytest.fixture
def tiny(tmp_path):
    """Return a record that is drawn at once."""
    return recordings.save_plain(tmp_path)


class Reader(HTMLParser):
    """Collect a page's text, tags and attributes as a browser would read them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep a text."""
        self.words.append(data)

    @property
    def text(self):
        """Return all text."""
        return " ".join(self.words)


def files(folder):
    """Return the content of every file in a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files(made):
    """A report is one page, one summary, and every figure of the page as SVG and PNG."""
    made = files(made)
    images = [attributes for tag, attributes in Reader(made["index.html"].decode()).tags if tag == "img"]
    figures = {name for name in made if name.startswith("figures/")}
    assert set(made) - figures == {"index.html", "summary.md"}
    assert len(figures) == 2 * len(images) == 32
    assert all(made[name].startswith(b"\x89PNG") for name in figures if name.endswith(".png"))
    assert {ElementTree.fromstring(made[name]).tag for name in figures if name.endswith(".svg")} == {
        "{http://www.w3.org/2000/svg}svg"
    }
    assert all(len(image["alt"]) > 60 for image in images)


def test_same_bytes(path, made, tmp_path):
    """The same record gives the same report, byte by byte."""
    report.write([path], tmp_path / "again")
    assert files(tmp_path / "again") == files(made)


def test_the_answer_comes_first(made):
    """The page opens with what ran, on what, and the headline table; what did not run stands at its end."""
    text = Reader((made / "index.html").read_text()).text
    places = [
        text.index(words)
        for words in (
            "Speed and error of 7 experiments",
            "A CPU, 2 cores",
            "The fused trainer takes 54 times as many rows per second as fit.",
            "below the constant mean's in 7 of 7 experiments, and below PCA's in 7.",
            "1 case skipped",
            "Crude models with crude data",
            "Does the number of features matter?",
            "The digits dataset",
            "Timings",
            "The machine and the run",
            "0123456789ab on a-branch",
            "What did not run",
            "nobody has the data",
        )
    ]
    assert places == sorted(places)


def test_self_contained(made):
    """The page names nothing outside itself: no address, no file, nothing to fetch."""
    reader = Reader((made / "index.html").read_text())
    links = [attributes.get(name, "") for _, attributes in reader.tags for name in ("src", "href", "srcset")]
    assert {re.match(r"data:|#|$", link) is not None for link in links if link is not None} == {True}


def test_a_record_by_plain_pytest_benchmark(tiny, tmp_path):
    """It is drawn with time only: its cases, no headline."""
    page = report.write([tiny], tmp_path / "out").page
    reader = Reader(page.read_text())
    assert "Speed of 2 benchmarks" in reader.text
    assert "a-host" in reader.text
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "table"] == ["cases-1"]
    assert "| `slow` | 205 ms |" in re.sub(" +", " ", (page.parent / "summary.md").read_text())


def hostile(tmp_path):
    """Save a record whose names are hostile wherever it has names."""
    case = recordings.whole("crude-simple")
    case = msgspec.structs.replace(case, experiment=HOSTILE, trainer=HOSTILE, backend=HOSTILE)
    entry = {**recordings.benchmark(case, 1.0), "name": f"test_experiment[{HOSTILE}]"}
    left = [record.NotRun(HOSTILE, HOSTILE)]
    machine = msgspec.structs.replace(recordings.MACHINE, cpu=HOSTILE, accelerators=[HOSTILE])
    context = {**recordings.RUN.context, "backend": HOSTILE, HOSTILE: HOSTILE}
    run = msgspec.structs.replace(recordings.RUN, machine=machine, context=context, skipped=left, failed=left)
    found = recordings.content(run=run, entries=[entry])
    found["commit_info"]["branch"] = found["datetime"] = found["version"] = HOSTILE
    return recordings.save(tmp_path, found)


def test_hostile_names_on_the_page(tmp_path):
    """Hostile names of cases, machines, branches and libraries show as text, and name no file."""
    page = report.write([hostile(tmp_path)], tmp_path / "out").page
    reader = Reader(page.read_text())
    assert HOSTILE in reader.text.replace("\ufffd", "\x00")
    assert "49" not in re.findall(r"\{\{.{8}", reader.text)
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert all(image["src"].startswith("data:image/svg") and "onerror" not in image for image in images)
    names = [name for name in files(tmp_path / "out") if name not in ("index.html", "summary.md")]
    assert all(re.fullmatch(r"figures/[a-z0-9_-]+\.(svg|png)", name) for name in names)
    for name in names:
        if name.endswith(".svg"):
            ElementTree.fromstring((tmp_path / "out" / name).read_bytes())


def test_hostile_names_in_the_summary(tmp_path):
    """In Markdown they stand in code spans, on one line."""
    summary = report.write([hostile(tmp_path)], tmp_path / "out").page.with_name("summary.md").read_text()
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", summary)
    assert "img" not in outside
    assert "@all" not in outside
    assert "\x1b" not in summary
    assert "\n# one" not in summary


# Several records


def test_several_records(path, tiny, tmp_path):
    """Each has its section and its folder of figures, also where two have one name."""
    other = recordings.save(tmp_path / "other", recordings.content(["crude-simple"]))
    assert other.name == path.name
    written = report.write([path, other, tiny], tmp_path / "out")
    folders = sorted(one.name for one in (tmp_path / "out" / "figures").iterdir() if one.is_dir())
    assert folders == ["1-0001_small", "2-0001_small", "3-0001_plain"]
    reader = Reader(written.page.read_text())
    assert "3 records" in reader.text
    identities = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(identities)) == len(identities)
    assert {"record-1", "record-2", "record-3", "headline-1", "headline-2", "cases-3"} < set(identities)


def test_unreadable_among_readable(tiny, tmp_path):
    """What cannot be read is listed on both pages with its reason; the others are drawn."""
    broken = tmp_path / "0002_broken.json"
    broken.write_text("{")
    written = report.write([broken, tiny, tmp_path / "none.json"], tmp_path / "out")
    assert [left.case for left in written.unreadable] == [str(broken), str(tmp_path / "none.json")]
    for text in (Reader(written.page.read_text()).text, written.page.with_name("summary.md").read_text()):
        assert "Not readable" in text
        assert "not a readable record" in text
        assert "no such record" in text


def test_the_same_record_twice(tiny, tmp_path):
    """A record that is named twice is drawn once."""
    assert "records" not in Reader(report.write([tiny, tiny], tmp_path / "out").page.read_text()).text[:40]


# Bad input


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
    _scored(found)["error"]["absolute"]["counts"] = [1, 2, 3]


def _no_ends(found):
    _scored(found)["error"]["absolute"]["quantiles"] = {}


def _no_rows(found):
    _scored(found)["rows"] = 0


def _odd_sample(found):
    _scored(found)["sample"]["reconstruction"] = [0.5]


def _no_epochs(found):
    _scored(found)["curve"] = []


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
def test_records_that_do_not_fit(tmp_path, change, field, expectation, capsys):
    """A record that no run can have written: one sentence with file, field and expectation, status 2, no files."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    changed(path, change)
    assert cli.main(["report", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"autoenc-bench: {path}: ")
    assert said.count("\n") == 1
    assert field in said
    assert expectation in said
    assert not (tmp_path / "out").exists()


def test_a_curve_without_epochs(tmp_path):
    """An empty curve is no curve; the rest is drawn."""
    path = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    changed(path, _no_epochs)
    report.write([path], tmp_path / "out")
    assert not (tmp_path / "out" / "figures" / "training-curves.svg").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"benchmarks": 1}', "\x00"])
def test_files_that_are_no_records(tmp_path, text, capsys):
    """An empty, truncated or foreign file is refused by name, with status 2."""
    path = tmp_path / "0001_x.json"
    path.write_text(text)
    assert cli.main(["report", str(path), "--out", str(tmp_path / "out")]) == 2
    assert f"{path}: not a readable record" in capsys.readouterr().err


def test_missing_and_unreadable_paths(tmp_path, capsys):
    """A missing file and a folder are refused by name."""
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
def test_side_files_that_do_not_fit(tmp_path, change, expectation, capsys):
    """A side file that is missing or does not fit its record is refused by name, with status 2."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    change(path.with_suffix(".npz"))
    assert cli.main(["report", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"autoenc-bench: {path.with_suffix('.npz')}: ")
    assert expectation in said


# Writing


def test_an_error_leaves_the_last_report(tiny, tmp_path, monkeypatch):
    """Where drawing fails, the report that was there stays as it was, and nothing lies about."""
    out = tmp_path / "out"
    report.write([tiny], out)
    before = files(out)
    monkeypatch.setattr(render, "markdown", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write([tiny], out)
    assert files(out) == before


def test_figures_come_before_pages(tiny, tmp_path):
    """Where a figure cannot be put in place, the page is still the one that was there."""
    out = tmp_path / "out"
    (out / "figures" / "time-per-case.svg").mkdir(parents=True)
    (out / "index.html").write_text("before")
    with pytest.raises(ValueError, match="cannot be written"):
        report.write([tiny], out)
    assert (out / "index.html").read_text() == "before"
    assert sorted(path.name for path in out.iterdir()) == ["figures", "index.html"]


def test_a_newer_report_replaces_figures(path, tiny, tmp_path):
    """Figures of an earlier report go; what somebody else put there stays."""
    out = tmp_path / "out"
    report.write([path], out)
    (out / "figures" / "mine.png").write_bytes(b"\x89PNG mine")
    (out / "figures" / "notes.txt").write_text("autoenc-bench")
    (out / "README.md").write_text("mine")
    report.write([tiny], out)
    kept = {"README.md", "figures/mine.png", "figures/notes.txt"}
    assert set(files(out)) == kept | {
        "index.html",
        "summary.md",
        "figures/time-per-case.svg",
        "figures/time-per-case.png",
    }


def test_a_folder_that_cannot_be_written(tiny, tmp_path, capsys):
    """Where the folder cannot be written, the command says so with status 2."""
    (tmp_path / "file").write_text("")
    assert cli.main(["report", str(tiny), "--out", str(tmp_path / "file")]) == 2
    assert "file: cannot be written: File exists; choose another folder" in capsys.readouterr().err


def test_step_summary(tiny, tmp_path, monkeypatch):
    """In a GitHub Actions job the summary is appended to the job's own."""
    job = tmp_path / "job.md"
    job.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    page = report.write([tiny], tmp_path / "out").page
    assert job.read_text() == "before\n" + page.with_name("summary.md").read_text()


# The command


def test_command(tiny, tmp_path, monkeypatch, capsys):
    """The command draws the newest record into reports/, says where, and opens the page when asked."""
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.webbrowser, "open", opened.append)
    folder = tmp_path / ".benchmarks" / "Linux"
    folder.mkdir(parents=True)
    tiny.rename(folder / tiny.name)
    assert cli.main(["report", "--open"]) == 0
    assert capsys.readouterr().out == "report: reports/index.html\n"
    assert opened == [(tmp_path / "reports" / "index.html").as_uri()]


def test_command_leaves_out(tiny, tmp_path, capsys):
    """Of several records the unreadable are named, and the status stays 0."""
    missing = tmp_path / "none.json"
    assert cli.main(["report", str(tiny), str(missing), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == f"autoenc-bench: left out {missing}: no such record\n"


def test_no_records_yet(tmp_path, monkeypatch, capsys):
    """Without any record the command says how to make one."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report"]) == 2
    assert "no records yet; run 'pytest benchmarks/' first" in capsys.readouterr().err


def test_progress(monkeypatch, capsys):
    """Progress is silent for a moment, then says what is being drawn, each few seconds where nobody looks on."""
    now = [0.0]
    monkeypatch.setattr(cli, "monotonic", lambda: now[0])
    progress = cli._Progress()
    for now[0] in (0.1, 3.5, 4.0, 7.0):
        progress.tell(f"figure at {now[0]}")
    assert capsys.readouterr().err == "drawing figure at 3.5\ndrawing figure at 7.0\n"


def test_origin_in_any_form(tmp_path):
    """What pytest-benchmark says of machine and commit is used as far as it is there."""
    path = recordings.save_plain(tmp_path)
    for machine, commit in (([], None), ({"cpu": []}, {}), (None, {"id": None})):
        found = {**json.loads(path.read_text()), "machine_info": machine, "commit_info": commit}
        path.write_text(json.dumps(found))
        assert loading.read(path).setting == "pytest-benchmark 5.3.1"


# At the end of a run


def run(folder, *options):
    """Run one short benchmark from a folder; return its status and what it printed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    chosen = [
        f"--config-file={ROOT / 'pyproject.toml'}",
        "--scale=smoke",
        "--experiment=digits",
        "--threads=all",
        ROOT / "benchmarks" / "test_scoring.py",
    ]
    done = subprocess.run([*command, *chosen, *options], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_run_ends_with_a_report(tmp_path):
    """A run of the suite ends with the report of its record, and says where it is."""
    status, said = run(tmp_path)
    assert status == 0, said
    assert "\nreport: reports/index.html\n" in said
    assert "score[digits]" in (tmp_path / "reports" / "index.html").read_text()
    assert (tmp_path / "reports" / "summary.md").exists()


def test_a_run_without_report(tmp_path):
    """With --no-report a run saves its record only."""
    status, said = run(tmp_path, "--no-report")
    assert (status, "report:" in said) == (0, False)
    assert [path.name for path in tmp_path.iterdir()] == [".benchmarks"]


def test_a_run_whose_report_fails(tmp_path):
    """A report that cannot be written costs neither the record nor the status, and says so."""
    (tmp_path / "reports").write_text("in the way")
    status, said = run(tmp_path)
    assert status == 0
    assert "the report could not be drawn: ValueError: reports: cannot be written: File exists" in said
    assert len(list(tmp_path.glob(".benchmarks/*/0001_smoke.json"))) == 1
