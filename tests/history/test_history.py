"""The command ``history`` prints a table, Markdown or JSON and writes a page, or prints one sentence as an error."""

import json
import re
import subprocess
import sys

import histories
import msgspec
import pytest
import recordings

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.history import tables

HOSTILE = "<img src=x onerror=alert(1)>\"'&$x^2$|`@all` *b* {{ 7*7 }}\x1b[31m\n# one"


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    """Run outside a GitHub Actions job."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return records of two machines with different errors. The first slows down and changes its context."""
    slower = histories.slower(12, 8)
    later = [histories.content(20 + day, 0.25, keras="3.2") for day in range(2)]
    others = [histories.content(day + 0.5, 0.6, error=5.02, machine=histories.OTHER) for day in range(12)]
    return histories.write(tmp_path_factory.mktemp("history") / "records", [*slower, *later, *others])


def run(capsys, *arguments):
    """Run the command; return its exit code, its output and its errors."""
    status = cli.main(["history", *map(str, arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_table(folder, capsys):
    """The table has a summary, machines, changes, machines side by side, and a line per series, in 110 columns."""
    status, out, err = run(capsys, folder)
    assert (status, err) == (0, "")
    assert out.startswith("26 runs on 2 machines, 2026-01-01 to 2026-01-22: 2 cases, 6 series, ")
    places = [
        out.index(words)
        for words in (
            "A  A CPU, 2 cores (0123456789ab): 14 runs, 2026-01-01 – 2026-01-22",
            "A2: 2 runs from 2026-01-21, keras 3.1 → 3.2",
            "B  Another CPU, 2 cores, A GPU (ba9876543210): 12 runs",
            "2026-01-09 12:00 UTC, machine A1, commit 000800080008 on a-branch, ",
            "B compared with A (the base), scale standard, 2 cases:",
            "Their contexts differ: keras 3.2 → 3.1",
            "Scale standard:",
        )
    ]
    assert places == sorted(places)
    assert re.search(r"epoch\[digits-fused\] +time +\+\d+\.\d % +\+\d+\.\d … \+\d+\.\d % +\d+ ms +\d+ ms", out)
    assert re.search(r"epoch\[digits-fused\] +A2 +2 +2026-01-21 – 2026-01-22 +262 ms +no", out)
    assert re.search(r"experiment\[digits-fused-seed0\].* \+0\.\d\d %\n", out)
    assert max(len(line) for line in out.splitlines() if str(folder) not in line) <= 110


def test_the_default_folders(tmp_path, monkeypatch, capsys):
    """Without an argument the saved records and the baselines are read, if there are any."""
    monkeypatch.chdir(tmp_path)
    assert run(capsys) == (2, "", "autoenc-bench: .benchmarks: no such folder or record\n")
    histories.write(tmp_path / ".benchmarks" / "Linux", histories.slower(2))
    assert run(capsys)[1].startswith("2 runs on 1 machine")
    histories.write(tmp_path / "reports" / "baselines", [histories.content(7)])
    assert run(capsys)[1].startswith("3 runs on 1 machine")


def test_short_histories(tmp_path, capsys):
    """One, two or three runs have no changes, however much they differ."""
    for days in (1, 2, 3):
        made = [histories.content(day, 0.1 * 3**day) for day in range(days)]
        _, out, _ = run(capsys, histories.write(tmp_path / str(days), made))
        assert "No changes." in out
        assert f"{days} run" in out


def test_left_out(folder, tmp_path, capsys):
    """A file that is no record is listed with the reason in errors and output; the exit code is 0."""
    (tmp_path / "package.json").write_text('{"name": "x"}')
    status, out, err = run(capsys, folder, tmp_path)
    assert status == 0
    assert "26 runs" in out
    assert re.fullmatch(r"autoenc-bench: left out .*package\.json: not a readable record: .*`benchmarks`\n", err)
    assert "1 file could not be read." in out
    assert "not readable: " in out


def test_left_out_of_a_run(tmp_path, capsys):
    """An invalid case is listed in the errors; its run counts."""
    made = histories.slower(3)
    made[1]["benchmarks"][0]["stats"]["median"] = 0
    status, out, err = run(capsys, histories.write(tmp_path, made))
    assert status == 0
    assert out.startswith("3 runs on 1 machine")
    assert "could not be read" not in out
    which = f"{tmp_path / '0002_standard.json'}: epoch[digits-fused]"
    assert err == f"autoenc-bench: left out of {which}: its median is 0 s; the clock is too coarse for it\n"


def test_unnamed_machines(tmp_path, capsys):
    """A run with an unknown CPU is a machine of its own, and the output explains it."""
    path = recordings.save_plain(tmp_path)
    path.write_text(path.read_text().replace("A CPU", "unknown"))
    _, out, _ = run(capsys, tmp_path)
    assert "1 run names no CPU and cannot be compared with other runs." in " ".join(out.split())
    assert "A  unnamed CPU, compared with no other run: 1 run, 2026-01-02" in out


@pytest.mark.parametrize("name", ["none", "empty", "empty/x.json", "file"])
def test_nothing_to_show(tmp_path, name, capsys):
    """A missing path, and one without a record, give one sentence and exit code 2."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    status, out, err = run(capsys, tmp_path / name)
    assert (status, out) == (2, "")
    assert err.startswith(f"autoenc-bench: {tmp_path / name}: ")
    assert err.count("\n") == 1


def test_an_unwritable_folder(folder, tmp_path, capsys):
    """A page that cannot be written gives one sentence and exit code 2."""
    (tmp_path / "file").write_text("")
    status, out, err = run(capsys, folder, "--out", tmp_path / "file")
    assert (status, out) == (2, "")
    assert err == f"autoenc-bench: {tmp_path / 'file'}: cannot be written: File exists; choose another folder\n"


def test_json(folder, capsys):
    """The document has all series with their timelines, as plain numbers, and null for unknown ones."""
    _, out, _ = run(capsys, folder, "--format", "json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert set(found) == {"schema_version", "runs", "machines", "series", "sides", "unreadable"}
    assert (len(found["runs"]), len(found["series"])) == (26, 6)
    assert [machine["letter"] for machine in found["machines"]] == ["A", "B"]
    epoch = next(one for one in found["series"] if one["case"] == "epoch[digits-fused]")
    assert [line["kind"] for line in epoch["timelines"]] == ["time", "efficiency", "memory"]
    time = epoch["timelines"][0]
    assert len(time["values"]) == len(time["runs"]) == 12
    (change,) = time["changes"]
    first = found["runs"][change["run"]]
    assert (first["datetime"], first["commit"]) == ("2026-01-09T12:00:00+00:00", "000800080008 on a-branch")
    assert first["file"].endswith("0009_standard.json")
    assert change["low"] < change["ratio"] < change["high"]
    (side,) = found["sides"]
    epoch, whole = side["cases"]
    assert epoch["roof"] == ["compute", "compute"]
    assert epoch["error_ratio"] is epoch["same_error"] is None
    assert (whole["same_error"], whole["efficiency"]) == (False, [None, None])


def test_json_of_infinite_changes(tmp_path, capsys):
    """The ratio of a rise from zero is null, because JSON has no infinity."""
    made = [histories.content(day) for day in range(12)]
    for day, found in enumerate(made):
        found["benchmarks"][1]["extra_info"]["autoenc"]["error"]["absolute"]["mean"] = 0.0 if day < 6 else 1.0
    folder = histories.write(tmp_path, made)
    found = json.loads(run(capsys, folder, "--format", "json")[1])
    (change,) = found["series"][1]["timelines"][1]["changes"]
    assert (change["run"], change["ratio"], change["low"]) == (6, None, None)
    assert re.search(r"error +from 0 +– +0 +1\n", run(capsys, folder)[1])


def test_markdown(folder, capsys):
    """Markdown has a table of changes, and the series in a closed details element."""
    _, out, _ = run(capsys, folder, "--format", "markdown")
    assert out.startswith("# autoenc-bench history\n\n26 runs")
    assert "| `epoch[digits-fused]` |" in re.sub(" +", " ", out)
    assert "<details><summary>6 series</summary>" in out


def hostile(tmp_path):
    """Write records in which every name is hostile."""
    machine = msgspec.structs.replace(recordings.MACHINE, cpu=HOSTILE, accelerators=[HOSTILE])
    made = [histories.content(day, machine=machine, **{HOSTILE: str(day > 1)}) for day in range(3)]
    for found in made:
        found["commit_info"]["branch"] = HOSTILE
        for entry in found["benchmarks"]:
            entry["name"] = f"test_epoch[{HOSTILE}]" + entry["name"]
            entry["extra_info"]["autoenc"]["experiment"] = HOSTILE
    return histories.write(tmp_path, made)


def test_hostile_names(tmp_path, capsys):
    """Hostile names stay on one line of the table, in code spans of Markdown, and as text on the page."""
    folder = hostile(tmp_path / "records")
    _, out, _ = run(capsys, folder, "--out", tmp_path / "out")
    assert "\x1b" not in out
    assert "\n# one" not in out
    _, out, _ = run(capsys, folder, "--format", "markdown")
    assert "img" not in re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", out)
    page = (tmp_path / "out" / "history.html").read_text()
    assert "<img src=x" not in page
    assert "{{" in page
    names = [path.name for path in (tmp_path / "out" / "history").iterdir()]
    assert len(names) == 2
    assert all(re.fullmatch(r"[a-z0-9_-]+\.(svg|png)", name) for name in names)


def test_plain_records(tmp_path, capsys):
    """Records of plain pytest-benchmark have separate series with raw times, under the CPU that they name."""
    recordings.save_plain(tmp_path)
    histories.write(tmp_path / "ours", histories.slower(2))
    _, out, _ = run(capsys, tmp_path)
    assert "A CPU, as pytest-benchmark names it: 1 run" in out
    assert re.search(r"slow +B +1 +2026-01-02 +205 ms raw +no", out)
    assert "No scale:" in out


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_many_changes(tmp_path, capsys, monkeypatch, form):
    """Of many changes the newest are listed, with the number of the others."""
    monkeypatch.setattr(tables, "MOST_CHANGES", 1)
    made = [histories.content(day, 0.2 * 1.5 ** (day // 6)) for day in range(24)]
    _, out, _ = run(capsys, histories.write(tmp_path, made), "--format", form)
    assert out.index("2026-01-19 12:00 UTC") < out.index("… and ")
    assert "2026-01-13 12:00 UTC" not in out
    assert re.search(r"… and [1-9]\d* more", out)


def test_files(folder, tmp_path, capsys):
    """The page has every figure as SVG and PNG, and the same records give the same bytes."""
    status, _, err = run(capsys, folder, "--out", tmp_path / "one")
    assert (status, err) == (0, f"history: {tmp_path / 'one' / 'history.html'}\n")
    run(capsys, folder, "--out", tmp_path / "two")
    one, two = (
        {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
        for out in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
    name = "history/timelines-digits-standard"
    assert set(one) == {"history.html", f"{name}.svg", f"{name}.png"}


def test_pages_link_each_other(folder, tmp_path, capsys):
    """The pages of a report and of a history in one folder link each other and keep each other's figures."""
    out = tmp_path / "out"
    run(capsys, folder, "--out", out)
    assert "index.html" not in (out / "history.html").read_text()
    assert cli.main(["report", str(recordings.save_plain(tmp_path)), "--out", str(out)]) == 0
    assert 'href="history.html"' in (out / "index.html").read_text()
    run(capsys, folder, "--out", out)
    assert 'href="index.html"' in (out / "history.html").read_text()
    assert sorted(path.name for path in out.iterdir()) == [
        "figures",
        "history",
        "history.html",
        "index.html",
        "summary.md",
    ]
    assert len(list((out / "figures").iterdir())) == len(list((out / "history").iterdir())) == 2


def test_step_summary(folder, tmp_path, monkeypatch, capsys):
    """In a GitHub Actions job, ``--out`` appends the Markdown to the job's summary."""
    job = tmp_path / "job.md"
    job.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    run(capsys, folder)
    assert job.read_text() == "before\n"
    _, out, _ = run(capsys, folder, "--out", tmp_path / "out", "--format", "markdown")
    assert job.read_text().rstrip("\n") == "before\n" + out.rstrip("\n")


def test_the_table_loads_no_matplotlib(folder):
    """The table loads neither Matplotlib nor a framework."""
    code = (
        "import sys, autoenc_bench.cli.__main__ as cli; cli.main(['history', sys.argv[1]]);"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'sklearn', 'matplotlib', 'jinja2')))"
    )
    assert subprocess.run([sys.executable, "-c", code, folder], check=False, capture_output=True).returncode == 0
