"""Text from records cannot control a terminal or a job's log: each command and format escapes it."""

import json
from pathlib import Path

import histories
import msgspec
import pytest
import recordings
import strangers
from fuzzing import call

from autoenc_bench.machine import context
from autoenc_bench.records import record

ODD = "\x1b[31m\n::error::x\r\x9b\u202e\u2028##[error]y"
FOREIGN = f"some broken/{ODD}.json"  # a file's name
KEPT = ("datetime", "side")  # texts with a meaning, which must stay as they are


def odd(value, key=""):
    """Add control characters to every text of a record, and to the names of facts and functions."""
    if isinstance(value, dict):
        made = {name: odd(one, name) for name, one in value.items()}
        return made | ({f"XLA_{ODD}": ODD} if key == "context" else {f"f{ODD}": 1} if key in ("step", "types") else {})
    if isinstance(value, list):
        return [odd(one, key) for one in value]
    return f"{value}{ODD}" if isinstance(value, str) and key not in KEPT else value


def counts(calls):
    """Make the counts of a case that calls a function so often."""
    part = {"instructions": {"add": calls}, "types": {"f32": 1}}
    return {"programs": [{"identity": str(calls), "once": part, "loops": part}], "calls": {"step": {"f": calls}}}


def ours(run, factor=1.0, calls=1):
    """Make a record of this suite: one of three runs with a small spread."""
    skipped = [record.NotRun("first_call[digits-fused]", "no time"), record.NotRun("build[digits]", "no time")]
    made = histories.content(run, 0.2 * factor * (1 + 0.003 * run), skipped=skipped)
    made["autoenc"]["failed"] = [{"case": "encode[digits-bulk]", "reason": "no data"}]
    for entry in made["benchmarks"]:
        entry["group"] = "a group"
        entry["extra_info"]["autoenc"]["counts"] = counts(calls)
    return odd(made)


def live(side, number):
    """Make a record of a live comparison with a slower head, whose counts show the cause."""
    made = histories.content(0, 0.2, reference=0.01)
    made["autoenc"] |= {"pair": f"run-{number}", "side": side}
    for entry in made["benchmarks"]:
        factor = (1.5 if side == "head" else 1.0) * (1 + 0.002 * number)
        entry["stats"]["data"] = [factor * time for time in entry["stats"]["data"]]
        entry["stats"]["median"] *= factor
        noted = entry["extra_info"]["autoenc"]
        noted |= {"reference": None, "between": [0.001] * 3, "counts": counts(1 + (side == "head"))}
    return odd(made)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Write records of this suite, of plain pytest-benchmark and of a live comparison, and broken ones."""
    folder = tmp_path_factory.mktemp("odd")
    histories.write(folder / "base", [ours(run) for run in range(3)])
    histories.write(folder / "head", [ours(run, 2.0, calls=2) for run in range(3)])
    fewer = [ours(run, calls=2) for run in range(3)]
    for one in fewer:
        del one["benchmarks"][1]
    histories.write(folder / "fewer", fewer)
    histories.write(folder / "live", [live(side, number) for side in ("base", "head") for number in range(3)])
    plain, slower = odd(strangers.record()), odd(strangers.record(strangers.letters(2.0)))
    strangers.save_numbered(folder / "plain", [plain] * 3)
    strangers.save_numbered(folder / "slower", [slower] * 3)
    unknown = odd(strangers.record(cpu={"brand_raw": "Another CPU"}, node="a host"))
    strangers.save_numbered(folder / "unlike", [unknown] * 3)
    broken = odd(strangers.record())
    broken["benchmarks"][0]["stats"]["median"] = strangers.NAN
    strangers.save_numbered(folder / "some broken", [broken])
    for entry in broken["benchmarks"]:
        entry["stats"] = {}
    strangers.save_numbered(folder / "all broken", [broken])
    strangers.save(folder / FOREIGN, strangers.FOREIGN)
    strangers.save(folder / "odd time" / "0001_run.json", plain | {"datetime": ODD})
    return folder


@pytest.fixture
def job(there, monkeypatch, tmp_path):
    """Run beside the records, in a GitHub Actions job; return the file of its page."""
    monkeypatch.chdir(there)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    return tmp_path / "job.md"


def check(text, *, is_page=False):
    """Fail if a text has a control character but line breaks or, unless it is a page, a command to a job's log."""
    assert {sign for sign in text if not (sign.isprintable() or sign == "\n")} == set()
    for line in () if is_page else text.split("\n"):
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line


def run(*arguments):
    """Run a command and check its output; return (status, standard output, standard error)."""
    status, out, err = call(*arguments)
    assert status != 70, err
    check(out)
    check(err)
    return status, out, err


ESCAPED = r"\x1b[31m\n::error::x\r\x9b\u202e\u2028\u0023#[error]y"


def has_odd(out, layout):
    """Return whether an output has the odd text: unchanged in a JSON document, else with escapes."""
    return repr(ODD)[1:-1] in repr(json.loads(out)) if layout == "json" else ESCAPED in out


@pytest.mark.parametrize("layout", ["table", "markdown", "json"])
@pytest.mark.parametrize(
    ("base", "head", "status", "message"),
    [
        ("base", "head", 1, f"regressed: epoch[digits-fused]{ESCAPED}"),
        ("base", "fewer", 2, f"missing from the head: experiment[digits-fused-seed0]{ESCAPED}"),
        ("plain", "slower", 1, f"regressed: a{ESCAPED}"),
        ("plain", "unlike", 2, f"times are incomparable: machine Some CPU v1{ESCAPED} → Another CPU{ESCAPED}"),
        ("base", "plain", 2, "no case in common"),
        ("some broken", "plain", 2, f"left out {FOREIGN.replace(ODD, ESCAPED)}: not a readable record"),
    ],
)
def test_compare(job, base, head, status, message, layout):
    """A comparison escapes text from records on standard error, in its table and on the page of a job."""
    actual, out, err = run("compare", base, head, "--format", layout)
    assert actual == status
    assert message in err
    assert has_odd(out, layout)
    check(job.read_text("utf-8"))
    assert ESCAPED in job.read_text("utf-8")


def test_nothing_to_read(job):
    """An unreadable record is refused in one line, which names its first case with escapes."""
    assert job
    for command in (["compare", "all broken", "plain"], ["summary", "all broken/0001_run.json"]):
        status, out, err = run(*command)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"the first, tests/test_letters.py::test_a{ESCAPED}: " in err


@pytest.mark.parametrize("layout", ["text", "markdown"])
def test_summary(job, layout):
    """The headline table and the reasons below it have escapes."""
    content = json.loads(Path("base/0001_standard.json").read_text())
    for entry in content["benchmarks"]:  # else nothing is known to have been measured
        entry["extra_info"]["autoenc"] |= {"phase": "epoch", "trainer": "fused"}
    known = job.with_name("known.json")
    known.write_text(json.dumps(content))
    status, out, _ = run("summary", str(known), "--format", layout)
    assert status == 0
    assert f"digits{ESCAPED}" in out
    assert f"failed encode[digits-bulk]{ESCAPED}: no data{ESCAPED}" in out


@pytest.mark.parametrize("layout", ["table", "markdown", "json"])
def test_history(job, layout):
    """A history shows machines, commits, contexts, files and cases with escapes."""
    assert job
    status, out, err = run("history", "base", "head", "plain", "unlike", "some broken", "odd time", "--format", layout)
    assert status == 0
    assert ESCAPED in err
    assert has_odd(out, layout)
    assert run("history", "odd time")[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "sides", [["base/0001_standard.json", "plain/0001_run.json", "some broken"], ["live"]], ids=["side by side", "live"]
)
def test_report(tmp_path, job, sides):
    """Neither page of a report has control characters, nor has the page of a job."""
    status, _, err = run("report", *sides, "--out", tmp_path / "out")
    assert status == 0
    assert (ESCAPED in err) == ("some broken" in sides)
    check((tmp_path / "out" / "index.html").read_text("utf-8"), is_page=True)
    for path in (tmp_path / "out" / "summary.md", job):
        check(path.read_text("utf-8"))
        assert ESCAPED in path.read_text("utf-8")


@pytest.mark.slow
def test_history_page(tmp_path, job):
    """The page of a history has no control characters."""
    assert run("history", "base", "plain", "some broken", "--out", tmp_path / "out")[0] == 0
    check((tmp_path / "out" / "history.html").read_text("utf-8"), is_page=True)
    check(job.read_text("utf-8"))


@pytest.mark.parametrize("layout", ["text", "json"])
def test_machine(monkeypatch, layout):
    """The command machine escapes the names that the system gives its parts."""
    survey = msgspec.convert(odd(msgspec.to_builtins(recordings.RUN)), record.Run)
    monkeypatch.setattr(context, "survey", lambda _: survey)
    status, out, _ = run("machine", "--format", layout)
    assert status == 0
    assert has_odd(out, layout)
