"""Where commands find records, and where they write: other folders, encodings, closed outputs, pages of jobs."""

import os
import subprocess
import sys

import histories
import pytest
import recordings
import strangers
from fuzzing import call

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.machine import context
from autoenc_bench.records import storage
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import github

pytestmark = pytest.mark.usefixtures("beside_third_party_records")


def ours(day=0, factor=1.0, skipped=()):
    """Make a record of this suite in which the cases of these names were skipped."""
    return histories.content(day, 0.2 * factor, skipped=[NotRun(case, "σ → ✓") for case in skipped])


@pytest.fixture
def store(tmp_path):
    """Save named records in another folder; the newest by number has the oldest file time."""
    folder = tmp_path / "else where"
    for number, name in enumerate(["before", "before", "before", "after", "after", "after"], start=1):
        content = ours(number, 1 + (name == "after"), ["the newest"] if number == 6 else [])
        path = strangers.save(folder / "Linux-CPython-3.11-64bit" / f"{number:04}_{name}.json", content)
        os.utime(path, (2e9 - number, 2e9 - number))
    return folder


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_names_elsewhere(store, scheme):
    """Commands look names up in the folder of --storage, also with pytest-benchmark's prefix file://."""
    storage_option = ["--storage", f"{scheme}{store}"]
    assert call("compare", "before", "before", *storage_option)[0] == 0
    status, _, err = call("compare", "before", "after", *storage_option)
    assert status == 1
    assert "regressed: epoch[digits-fused]" in err
    status, out, err = call("summary", *storage_option)
    assert (status, err) == (0, "")
    assert "skipped the newest: " in out
    status, _, err = call("compare", "before", "after")
    assert status == 2
    assert "before: no such record" in err


@pytest.mark.slow
def test_report_of_the_newest_elsewhere(store, tmp_path):
    """Without a name, report draws the newest record in that folder."""
    assert call("report", "--storage", f"file://{store}", "--out", tmp_path / "out")[0] == 0
    assert "the newest" in (tmp_path / "out" / "summary.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["summary", "report"])
def test_nothing_elsewhere(tmp_path, command):
    """If nothing was saved there, the message names the folder."""
    status, _, err = call(command, "--storage", f"file://{tmp_path}")
    assert status == 2
    assert err.startswith(f"autoenc-bench: {tmp_path}: no records yet")


def test_newest(tmp_path):
    """The newest record has its folder's highest number, and of several folders the latest date, not file time."""
    for number in (2, 9_999, 10_000):
        path = strangers.save(tmp_path / "Linux" / f"{number:04}_x.json", strangers.record(minute=0))
        os.utime(path, (2e9 - number, 2e9 - number))
    assert storage.newest(tmp_path) == path
    odd = strangers.record(minute=5, load=strangers.NAN)
    other = strangers.save(tmp_path / "Windows" / "0001_x.json", odd, "utf-16")
    os.utime(other, (1, 1))
    assert storage.newest(tmp_path) == other


def real(*arguments, cwd, **options):
    """Run the command in a process of its own; its output stays encoded."""
    command = [sys.executable, "-m", "autoenc_bench.cli", *map(str, arguments)]
    environment = os.environ | options.pop("env", {})
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, cwd=cwd, env=environment, check=False, **piped)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["compare", "signs-often", "signs-often"], 0),
        (["compare", "signs.json", "signs.json", "--format", "markdown"], 3),
        (["history", "signs-often"], 0),
    ],
)
def test_signs(there, encoding, command, status):
    """Characters that the output cannot encode get substitutes, and the status stays that of the verdict."""
    done = real(*command, cwd=there, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == status, done.stderr
    accent = "é" if encoding == "cp1252" else r"\xe9"
    assert rf"sigma[{accent} -> + \u65e5\u672c]" in done.stdout.decode(encoding)
    assert b"Traceback" not in done.stderr


def test_signs_in_a_summary(tmp_path):
    """The same holds for a record of this suite, and for standard error."""
    strangers.save(tmp_path / "0001_σ.json", {**ours(skipped=[strangers.SIGNS]), "commit_info": None})
    done = real("summary", "0001_σ.json", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert rb"skipped test_sigma[\xe9 -> + \u65e5\u672c]: sigma -> +" in done.stdout
    done = real("summary", "0002_σ.json", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"0002_sigma.json: no such record" in done.stderr


def closed(*streams):
    """Return arguments of subprocess.run that close these streams of the process."""
    return {"preexec_fn": lambda: [os.close(stream) for stream in streams], "stdout": None, "stderr": None}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["closed", "unread", "full", "errors too"])
@pytest.mark.parametrize(("head", "status"), [("cubes-one-slow", 1), ("cubes-one-gone", 2)])
def test_nowhere_to_write(there, where, head, status):
    """The status is that of the verdict, even if the output is closed, unread or full."""
    reads, writes = os.pipe()
    os.close(reads)
    with open("/dev/full", "wb") as full, os.fdopen(writes, "wb") as unread:  # noqa: PTH123
        options = {
            "closed": closed(1) | {"stderr": subprocess.PIPE},
            "unread": {"stdout": unread},
            "full": {"stdout": full},
            "errors too": closed(1, 2) if status == 1 else {"stdout": full, "stderr": unread},
        }
        done = real("compare", "cubes", head, cwd=there, **options[where])
    assert done.returncode == status, done.stderr
    if where != "errors too":
        assert done.stderr.startswith(b"autoenc-bench: ")
        assert done.stderr.count(b"\n") == 1


def test_no_output_at_all(monkeypatch):
    """Commands end as usual in a process without outputs, such as one without a console."""
    monkeypatch.setattr(context, "survey", lambda _: recordings.RUN)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    status = cli.main(["machine"]), cli.main(["compare", "cubes", "cubes-one-slow"])
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    assert status == (0, 1)


@pytest.mark.parametrize(("folder", "status"), [("cubes-one-slow", 1), ("cubes-one-gone", 2)])
def test_a_summary_that_cannot_be_written(monkeypatch, tmp_path, folder, status):
    """If the page of a job cannot be written, a message reports it, and the exit code does not change."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    actual, out, err = call("compare", "cubes", folder)
    assert actual == status
    assert f"{tmp_path}: cannot be written: Is a directory" in err
    assert "base: 3 runs" in out


@pytest.mark.slow
def test_thousands_of_cases(monkeypatch, tmp_path):
    """Two reports of thousands of cases stay within GitHub's limit; the shortened one names its whole file."""
    path, job = strangers.save(tmp_path / "many.json", strangers.many()), tmp_path / "job.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    outs = [tmp_path / "first", tmp_path / "second"]
    assert [call("report", path, "--out", out)[0] for out in outs] == [0, 0]
    assert job.stat().st_size <= github.SUMMARY_BYTES == 2**20
    first, second = [(out / "summary.md").read_text("utf-8") for out in outs]
    shown = job.read_text("utf-8")
    assert shown.startswith(first)
    assert len(first + second) > github.SUMMARY_BYTES
    assert strangers.LONG.format(strangers.MANY - 1).removeprefix("test_") in second
    assert shown.endswith(f"\n\nShortened: the rest is in {outs[1]}/summary.md.\n")


def test_a_few_cases_on_a_full_page(monkeypatch, tmp_path):
    """On a nearly full page of a job, a comparison is shortened and refers to the job's log."""
    job = tmp_path / "job.md"
    job.write_text("x\n" * ((github.SUMMARY_BYTES - 400) // 2))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    assert call("compare", "cubes", "cubes-one-slow")[0] == 1
    assert job.stat().st_size <= github.SUMMARY_BYTES
    assert job.read_text().endswith("\n\nShortened: the rest is in the job's log.\n")
    assert "regressed: " in job.read_text()[-500:]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["report", "history"])
def test_file_names_that_are_no_text(tmp_path, monkeypatch, command):
    """A folder whose name is not UTF-8 is read, drawn, and shown on the page of a job with a substitute."""
    folder = tmp_path / os.fsdecode(b"odd\xff")
    histories.write(folder, histories.slower())
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    named = folder / "0001_standard.json" if command == "report" else folder
    assert cli.main([command, str(named), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "job.md").read_text("utf-8")
