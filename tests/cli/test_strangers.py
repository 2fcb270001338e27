"""Records by other people's pytest-benchmark: what can be read is read, and a status means what it says."""

import json
import os
import subprocess
import sys

import histories
import pytest
import recordings
import strangers
from fuzzing import call

from autoenc_bench import cli
from autoenc_bench.machine import context
from autoenc_bench.records import storage
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import github
from autoenc_bench.verdicts.baseline import Baseline

BROKEN = {
    "zero-median": "its median is 0 s; the clock is too coarse for it",
    "broken-times": "Expected `float`, got `str` - at `$.stats.data[1]`",
    "broken-median": "stats.median",
    "broken-name": "Expected `str`, got `null` - at `$.name`",
    "no-stats": "Expected `object`, got `null` - at `$.stats`",
}
HARMLESS = ["zero-round", "odd-extra-info", "no-extra-info", "odd-machine-info", "odd-stats", *strangers.ENCODINGS]
NO_COMMIT = ["odd-commit-info", "no-commit-info"]
CASE = "tests/test_letters.py::test_a"
TOO_FEW = "no case was decided in time: too few runs to know how far times spread; "
TOO_FEW += "record 3 runs on each side, or 8 on one"
UNKNOWN = "machine unknown, for no record names its CPU (--across machine takes it for one)"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Write all records once; nobody changes them."""
    return strangers.write(tmp_path_factory.mktemp("strangers"))


@pytest.fixture(autouse=True)
def outside_of_a_job(there, monkeypatch):
    """Run beside the records, whoever runs the tests."""
    monkeypatch.chdir(there)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def compare(base, head, *options):
    """Compare two sides: the status, the joined verdict of each case, and what was said."""
    status, out, err = call("compare", base, head, "--format", "json", *options)
    document = json.loads(out)
    assert document["status"] == status
    verdicts = {one["case"]: one["joined"] for one in document["verdicts"]}
    assert len(verdicts) == len(document["verdicts"])
    return status, verdicts, err


ONE = "test_first.py::TestOne::test_cubed[int]"  # as shortly as is unique
TWO = "TestTwo::test_cubed[int]"
THREE = "test_second.py::TestOne::test_cubed[int]"


@pytest.mark.parametrize(
    ("head", "options", "status", "verdicts"),
    [
        ("cubes", [], 0, {ONE: "unchanged", TWO: "unchanged", THREE: "unchanged"}),
        ("cubes-one-slow", [], 1, {ONE: "unchanged", TWO: "worse", THREE: "unchanged"}),
        ("cubes-one-gone", [], 2, {ONE: "unchanged", THREE: "unchanged", TWO: "missing"}),
        ("cubes-one-gone", ["--allow-missing"], 0, {ONE: "unchanged", THREE: "unchanged", TWO: "missing"}),
    ],
)
def test_one_bare_name(head, options, status, verdicts):
    """Cases of one name are told apart by file and class: one that is gone or slow says nothing of the others."""
    found, cases, err = compare("cubes", head, *options)
    assert (found, cases) == (status, verdicts)
    assert (TWO in err) == (status in (1, 2))


def test_one_bare_name_in_a_history():
    """A history has a series for each of them."""
    status, out, _ = call("history", "cubes", "cubes-one-slow", "--format", "json")
    assert status == 0
    assert {one["case"] for one in json.loads(out)["series"]} == {ONE, TWO, THREE}


def test_twins():
    """Two cases that nothing tells apart are not compared, and do not keep the others from it."""
    status, cases, err = compare("twins.json", "twins.json")
    assert status == 2
    assert cases == {**dict.fromkeys("bcd", "undecided"), "a": "incomparable"}
    assert "time is incomparable in a: several cases of twins.json have this name" in err
    assert call("history", "twins.json")[0] == 0


@pytest.mark.parametrize(
    ("base", "head", "unlike"),
    [
        ("brand-1", "brand-2", "machine Old CPU v1 → Old CPU v2"),
        ("plain", "other-cpu", "machine Some CPU v1 → Some CPU v2"),
        ("plain", "more-cores", "cores 4 → 8"),
        ("plain", "python-patch", "python CPython 3.11.7 → CPython 3.11.9"),
        ("plain", "unknown-cpu", "machine Some CPU v1 → unknown"),
        ("unknown-cpu", "unknown-cpu-elsewhere", UNKNOWN),
        ("unknown-cpu", "unnamed-cpu", UNKNOWN),
        ("no-cpu", "no-cpu", UNKNOWN),
    ],
)
def test_unlike(base, head, unlike):
    """Times of two machines, or of two that nobody knows, are not compared."""
    status, cases, err = compare(f"{base}.json", f"{head}.json")
    assert status == 2
    assert set(cases.values()) == {"incomparable"}
    assert f"times are incomparable: {unlike}; if that is what you test, name it with --across" in err


@pytest.mark.parametrize(
    ("across", "base", "head", "status", "said"),
    [
        ("machine", "unknown-cpu", "unknown-cpu-elsewhere", 3, TOO_FEW),
        ("machine", "no-cpu", "no-cpu", 3, TOO_FEW),
        ("machine", "brand-1", "brand-2", 3, TOO_FEW),
        ("python", "unknown-cpu", "unknown-cpu", 2, UNKNOWN),
        ("python", "plain", "python-patch", 3, TOO_FEW),
        ("python", "plain", "other-cpu", 2, "machine Some CPU v1 → Some CPU v2"),
        ("python", "plain", "python-patch-other-cpu", 2, "incomparable: machine Some CPU v1 → Some CPU v2;"),
        ("python,machine", "plain", "python-patch-other-cpu", 3, TOO_FEW),
        ("cores", "plain", "more-cores", 3, TOO_FEW),
        ("keras", "plain", "python-patch", 2, "unknown part 'keras'; choose from env, cores, machine, python, system"),
    ],
)
def test_across(across, base, head, status, said):
    """What is under test may differ on plain records too, and nothing else."""
    found, _, err = call("compare", f"{base}.json", f"{head}.json", "--across", across)
    assert found == status
    assert said in err


def test_across_decides(tmp_path):
    """Runs enough on CPUs that nobody knows get a verdict on demand."""
    for name, factor in (("base", 1.0), ("head", 2.0)):
        contents = strangers.runs(lambda wobble, factor=factor: strangers.letters(factor * wobble))
        for content in contents:
            content["machine_info"]["cpu"] = {"brand_raw": "unknown"}
        strangers.save_numbered(tmp_path / name, contents)
    assert compare(tmp_path / "base", tmp_path / "head")[0] == 2
    assert compare(tmp_path / "base", tmp_path / "head", "--across", "machine")[0] == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name):
    """What is not ours to judge, one round that a coarse clock gave zero, and encodings cost no case."""
    status, cases, err = compare("plain.json", f"{name}.json")
    assert (status, list(cases)) == (3, list("abcd"))
    assert "left out" not in err
    assert call("history", f"{name}.json")[::2] == (0, "")


CONTROLLED = r"a[\x1b[31mred\n::error::injected\x07]"


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        (["compare", "controls", "controls-slow"], 1, f"regressed: {CONTROLLED}"),
        (["compare", "controls", "controls-slow", "--format", "markdown"], 1, f"regressed: {CONTROLLED}"),
        (["compare", "controls", "plain.json"], 2, "the two sides have no case in common"),
        (["history", "controls"], 0, ""),
        (["history", "controls", "--format", "markdown"], 0, ""),
    ],
)
def test_controls(command, status, told, monkeypatch, tmp_path):
    """A name's control characters are shown as escapes, in each output, on standard error and on a job's page."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    found, out, err = call(*command)
    page = (tmp_path / "job.md").read_text() if command[0] == "compare" else ""
    assert found == status
    assert told in err
    assert CONTROLLED in out
    for text in (out, err, page):
        assert not {"\x1b", "\a"} & set(text)
        assert "\n::" not in text
        assert text.count("::error") == text.count(CONTROLLED)


@pytest.mark.parametrize("name", NO_COMMIT)
def test_no_commit(name):
    """Without a commit that can be read it is an unknown one, and all cases are there."""
    status, out, err = call("compare", "plain.json", f"{name}.json")
    assert status == 3
    assert "base: 1 run of c0ffeec0ffee on a-branch; head: 1 run of an unknown commit" in out
    assert "left out" not in err
    assert call("history", f"{name}.json")[::2] == (0, "")


@pytest.mark.parametrize(("name", "reason"), BROKEN.items())
def test_broken_case(name, reason):
    """A case that cannot be read is left out by name and reason, and is missing from what is compared."""
    file = f"{name}.json"
    status, cases, err = compare("plain.json", file)
    assert (status, cases) == (2, {**dict.fromkeys("bcd", "undecided"), "a": "missing"})
    left_out, verdict = err.splitlines()
    assert left_out.startswith(f"autoenc-bench: left out of {file}: {CASE}: ")
    assert reason in left_out
    assert verdict.startswith("autoenc-bench: missing from the head: a: ")
    status, cases, err = compare("plain.json", file, "--allow-missing")
    assert (status, cases["a"]) == (3, "missing")
    assert TOO_FEW in err
    status, out, err = call("history", file, "--format", "json")
    assert (status, err) == (0, f"{left_out}\n")
    assert {one["case"] for one in json.loads(out)["series"]} == set("bcd")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["zero-round", "odd-extra-info", "twins", "no-cpu", "signs", "controls/0001_run", "utf-16", *BROKEN]
)
def test_report(tmp_path, name):
    """A page is drawn of what can be read, and names what cannot."""
    status, out, err = call("report", f"{name}.json", "--out", tmp_path)
    assert (status, out) == (0, f"report: {tmp_path}/index.html\n")
    left_out = [f"left out of {name}.json: {CASE}: "] if name in BROKEN else []
    assert err.count("\n") == len(left_out)
    assert all(line in err for line in left_out)
    for page in ("index.html", "summary.md"):
        assert (name in BROKEN) == (CASE in (tmp_path / page).read_text("utf-8"))


@pytest.mark.parametrize("command", ["compare", "history", "report", "summary"])
def test_nothing_to_read(command):
    """A record without a case that can be read is refused, and the first reason is given."""
    sides = ["all-broken.json"] * (1 + (command == "compare"))
    status, out, err = call(command, *sides)
    assert (status, out) == (2, "")
    assert f"all-broken.json: benchmarks: none of 4 can be read; expected at least one; the first, {CASE}: " in err


def test_one_run_a_side():
    """Single runs of one commit, 80 % apart, prove nothing: the answer is how many runs it takes."""
    status, cases, err = compare("once.json", "once-more-80-percent-slower.json")
    assert (status, set(cases.values())) == (3, {"undecided"})
    assert err == f"autoenc-bench: {TOO_FEW}\n"
    out = call("compare", "once.json", "once-more-80-percent-slower.json")[1]
    assert "+80.0 %" in out
    assert "regressed" not in out


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["compare", "with-a-foreign-one", "plain.json"], 3),
        (["compare", "plain.json", "with-a-foreign-one"], 3),
        (["history", "with-a-foreign-one"], 0),
        (["history", "foreign-ones-alone"], 2),
        (["compare", "foreign-ones-alone", "plain.json"], 2),
    ],
)
def test_foreign_file(command, status):
    """A file that is no record is left out by name, and refused only where there is nothing else."""
    found, _, err = call(*command)
    assert found == status
    alone = "foreign-ones-alone" in command
    assert ("left out with-a-foreign-one/0002_run.json: not a readable record: " in err) == (not alone)
    assert ("foreign-ones-alone/0001_run.json: not a readable record: " in err) == alone


def test_foreign_file_in_a_baseline():
    """The same holds of what a run of the suite is compared with."""
    (left_out,) = Baseline("with-a-foreign-one", [], []).left_out
    assert left_out.startswith("left out with-a-foreign-one/0002_run.json: not a readable record: ")


def test_unknown_machines_in_a_history():
    """Runs on CPUs that nobody knows stand apart, each alone, beside those that are known."""
    files = [f"{name}.json" for name in ("plain", "unknown-cpu", "unknown-cpu-elsewhere", "unnamed-cpu", "no-cpu")]
    status, out, _ = call("history", *files)
    assert status == 0
    text = " ".join(out.split())
    assert "5 runs on 5 machines" in text
    assert "4 runs name no CPU, so nobody knows which machine it was: each stands alone." in text
    assert out.count("unnamed CPU, so alone: 1 run") == 4
    assert "Some CPU v1, as pytest-benchmark names it: 1 run" in out


def test_machines_by_brand_in_a_history(tmp_path):
    """Older pytest-benchmark's name of a CPU tells machines apart; a copy of a record of an unknown one is no run."""
    status, out, _ = call("history", "brand-1.json", "brand-2.json")
    assert status == 0
    assert "2 runs on 2 machines" in out
    strangers.save(tmp_path / "copy.json", strangers.singles()["unknown-cpu"])
    assert "1 run on 1 machine" in call("history", "unknown-cpu.json", tmp_path / "copy.json")[1]


@pytest.mark.parametrize(
    ("base", "head", "sees"),
    [
        ("27-ticks", "28-ticks", "+3.7 % (-"),
        ("28-ticks", "27-ticks", "-3.6 % (-"),
        ("27-ticks", "27-ticks", "+0.0 % (-"),
        ("27-ticks-summed-up", "28-ticks-summed-up", "+3.7 % (-"),
        ("27-ticks-in-9", "28-ticks-in-9", "+3.7 % (-"),
    ],
)
def test_one_tick(base, head, sees):
    """A difference of one tick of the clock is undecided, though no run differs from another; other cases go on."""
    status, cases, err = compare(base, head)
    assert (status, cases) == (0, {"tick": "undecided", **dict.fromkeys("abc", "unchanged")})
    steps = "1.13 µs" if base == head else "41.7 ns"  # without any other reading, a tick may be the whole round
    assert f"(clock steps of {steps})" in err
    assert sees in call("compare", base, head)[1]


def test_many_ticks():
    """A difference of many ticks is a regression."""
    status, cases, _ = compare("27-ticks-and-28", "32-ticks-and-33")
    assert (status, cases["tick"]) == (1, "worse")


def test_a_coarse_clock_fails_no_control(tmp_path):
    """A case whose every other run is a tick slower takes back no other case's change of time."""
    for name, factor in (("base", 1), ("head", 2)):
        contents = strangers.ticking(27)[:8] + strangers.ticking(28)[:8]
        contents = [contents[place // 2 + 8 * (place % 2)] for place in range(16)]
        for run, content in enumerate(contents):
            content["datetime"] = f"2026-01-02T03:{run:02}:00+00:00"
            content["benchmarks"][1:] = strangers.letters_of()(factor * (1 + 0.002 * (run // 2 % 3)))
        strangers.save_numbered(tmp_path / name, contents)
    status, cases, _ = compare(tmp_path / "base", tmp_path / "head")
    assert (status, cases) == (1, {"tick": "undecided", **dict.fromkeys("abc", "worse")})


def test_gone_in_two_of_three():
    """A case that two of three runs lack is no pass, and the runs are named."""
    status, cases, err = compare("complete", "gone-in-two-of-three")
    assert (status, cases) == (2, {"a": "unchanged", "b": "unchanged", "c": "undecided"})
    assert "not measured: c: absent from 2 of 3 runs of the head (0002_run.json, 0003_run.json)" in err
    assert compare("complete", "gone-in-two-of-three", "--allow-missing")[0] == 0


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ("newer-model", "family 6 model 85 stepping 7 L2 256 KiB L3 2 MiB"),
        ("larger-cache", "family 6 model 79 stepping 0 L2 1 MiB L3 2 MiB"),
    ],
)
def test_one_name_of_two_kinds(other, kind):
    """One name of two kinds of CPU is two machines, in a comparison and in a history."""
    status, cases, err = compare("older-model", other)
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert f"machine Some CPU v1 (family 6 model 79 stepping 0 L2 256 KiB L3 2 MiB) → Some CPU v1 ({kind})" in err
    assert "6 runs on 2 machines" in call("history", "older-model", other)[1]


def test_one_kind_in_other_words():
    """Versions of py-cpuinfo that write numbers and sizes as text name the same machine."""
    assert compare("older-model", "older-model-in-words")[0] == 0
    assert " on 1 machine, " in call("history", "older-model", "older-model-in-words")[1]


def test_another_timer():
    """Another clock is another context, unless it is what is under test; the module before its name is not."""
    status, cases, err = compare("perf-counter", "process-time")
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert "timer perf_counter → process_time" in err
    assert compare("perf-counter", "process-time", "--across", "timer")[0] == 0
    assert compare("perf-counter", "perf-counter-of-time")[0] == 0


def test_without_garbage_collection():
    """Times without garbage collection are of another context; that it was on is the same as saying nothing."""
    status, cases, err = compare("perf-counter", "without-gc")
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert "disable_gc absent → yes" in err
    assert compare("perf-counter", "without-gc", "--across", "disable_gc")[0] == 0
    assert compare("perf-counter", "with-gc")[0] == 0


def test_kinds_that_are_not_named():
    """What only one record names of its CPU tells no two machines apart."""
    assert compare("older-model", "family-alone")[0] == 0
    assert compare("family-alone", "no-kind")[0] == 0


def test_seeds_of_others():
    """Parameters of others that look like seeds of this suite are cases of their own."""
    status, cases, err = compare("seeds", "seeds-one-slow-one-gone")
    assert (status, cases["train[adam-seed1]"], cases["train[adam-seed64]"]) == (1, "worse", "missing")
    assert "regressed: train[adam-seed1]" in err
    assert cases["train[adam-seed2]"] == "unchanged"


def test_moved_folder():
    """Where only a folder in front of all names differs, the refusal says so, in either direction."""
    for both in (("complete", "moved"), ("moved", "complete")):
        status, _, err = compare(*both)
        assert status == 2
        assert "no case in common, so nothing was compared; their names differ only by the folder 'checkout/'" in err
    _, _, err = compare("complete", "seeds")
    assert "folder" not in err


def test_stale_base():
    """A head that is faster nearly everywhere by a lot gets its verdicts, and a warning that the base hides a lot."""
    status, cases, err = compare("stale", "fast-but-for-one")
    assert (status, cases) == (0, dict.fromkeys("abc", "better"))
    assert "the head is faster in 3 of 3 cases, at the median by 80 %; a smaller slowdown hides behind that" in err
    assert "faster" not in compare("fast-but-for-one", "complete", "--allow-missing")[2]


# Where records lie


def ours(day=0, factor=1.0, skipped=()):
    """Make a record of this suite that skipped cases of these names."""
    return histories.content(day, 0.2 * factor, skipped=[NotRun(case, "σ → ✓") for case in skipped])


@pytest.fixture
def store(tmp_path):
    """Save records under names elsewhere; the newest by number has the oldest file."""
    folder = tmp_path / "else where"
    for number, name in enumerate(["before", "before", "before", "after", "after", "after"], start=1):
        content = ours(number, 1 + (name == "after"), ["the newest"] if number == 6 else [])
        path = strangers.save(folder / "Linux-CPython-3.11-64bit" / f"{number:04}_{name}.json", content)
        os.utime(path, (2e9 - number, 2e9 - number))
    return folder


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_names_elsewhere(store, scheme):
    """Names are looked up where --storage says, as pytest-benchmark writes it too."""
    storage_option = ["--storage", f"{scheme}{store}"]
    assert compare("before", "before", *storage_option)[0] == 0
    status, cases, _ = compare("before", "after", *storage_option)
    assert (status, cases["epoch[digits-fused]"]) == (1, "worse")
    status, out, err = call("summary", *storage_option)
    assert (status, err) == (0, "")
    assert "skipped the newest: " in out
    status, _, err = call("compare", "before", "after")
    assert status == 2
    assert "before: no such record" in err


@pytest.mark.slow
def test_report_of_the_newest_elsewhere(store, tmp_path):
    """The newest there is what a report is of."""
    assert call("report", "--storage", f"file://{store}", "--out", tmp_path / "out")[0] == 0
    assert "the newest" in (tmp_path / "out" / "summary.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["summary", "report"])
def test_nothing_elsewhere(tmp_path, command):
    """Where nothing was saved, the folder is named."""
    status, _, err = call(command, "--storage", f"file://{tmp_path}")
    assert status == 2
    assert err.startswith(f"autoenc-bench: {tmp_path}: no records yet")


def test_newest(tmp_path):
    """The newest is that of the highest number in its folder, and of the latest date in several, whatever files say."""
    for number in (2, 9_999, 10_000):
        path = strangers.save(tmp_path / "Linux" / f"{number:04}_x.json", strangers.record(minute=0))
        os.utime(path, (2e9 - number, 2e9 - number))
    assert storage.newest(tmp_path) == path
    odd = strangers.record(minute=5, load=strangers.NAN)
    other = strangers.save(tmp_path / "Windows" / "0001_x.json", odd, "utf-16")
    os.utime(other, (1, 1))
    assert storage.newest(tmp_path) == other


# What it is written to


def real(*arguments, cwd, **options):
    """Run the real command; what is encoded is not decoded here."""
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
    """Signs that the output cannot encode are written by stand-ins, and the status is the verdict's."""
    done = real(*command, cwd=there, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == status, done.stderr
    accent = "é" if encoding == "cp1252" else r"\xe9"
    assert rf"sigma[{accent} -> + \u65e5\u672c]" in done.stdout.decode(encoding)
    assert b"Traceback" not in done.stderr


def test_signs_in_a_summary(tmp_path):
    """The same holds of a record of this suite, and of what is written to standard error."""
    strangers.save(tmp_path / "0001_σ.json", {**ours(skipped=[strangers.SIGNS]), "commit_info": None})
    done = real("summary", "0001_σ.json", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert rb"skipped test_sigma[\xe9 -> + \u65e5\u672c]: sigma -> +" in done.stdout
    done = real("summary", "0002_σ.json", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"0002_sigma.json: no such record" in done.stderr


def closed(*streams):
    """Return what closes streams of a process that is about to run."""
    return {"preexec_fn": lambda: [os.close(stream) for stream in streams], "stdout": None, "stderr": None}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["closed", "nobody", "full", "errors too"])
@pytest.mark.parametrize(("head", "status"), [("cubes-one-slow", 1), ("cubes-one-gone", 2)])
def test_nowhere_to_write(there, where, head, status):
    """Whatever the output is, the status is the verdict's."""
    reads, writes = os.pipe()
    os.close(reads)
    with open("/dev/full", "wb") as full, os.fdopen(writes, "wb") as nobody:  # noqa: PTH123
        options = {
            "closed": closed(1) | {"stderr": subprocess.PIPE},
            "nobody": {"stdout": nobody},
            "full": {"stdout": full},
            "errors too": closed(1, 2) if status == 1 else {"stdout": full, "stderr": nobody},
        }
        done = real("compare", "cubes", head, cwd=there, **options[where])
    assert done.returncode == status, done.stderr
    if where != "errors too":
        assert done.stderr.startswith(b"autoenc-bench: ")
        assert done.stderr.count(b"\n") == 1


def test_no_output_at_all(monkeypatch):
    """Where a program has no outputs, as without a console, commands that look at them end as usual."""
    monkeypatch.setattr(context, "survey", lambda _: recordings.RUN)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    status = cli.main(["machine"]), cli.main(["compare", "cubes", "cubes-one-slow"])
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    assert status == (0, 1)


@pytest.mark.parametrize(("folder", "status"), [("cubes-one-slow", 1), ("cubes-one-gone", 2)])
def test_a_summary_that_cannot_be_written(monkeypatch, tmp_path, folder, status):
    """A job's page that cannot be written is told, and changes no status."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    found, out, err = call("compare", "cubes", folder)
    assert found == status
    assert f"{tmp_path}: cannot be written: Is a directory" in err
    assert "base: 3 runs" in out


@pytest.mark.slow
def test_thousands_of_cases(monkeypatch, tmp_path):
    """Two reports of thousands of cases fit into what GitHub takes of a job, and the second says where its rest is."""
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
    """A comparison on a job's page that is nearly full is shortened, and says that the job's log has the rest."""
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
    """A folder whose name is no UTF-8 is read, drawn and shown on a job's page, with a stand-in for the name."""
    folder = tmp_path / os.fsdecode(b"odd\xff")
    histories.write(folder, histories.slower())
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    named = folder / "0001_standard.json" if command == "report" else folder
    assert cli.main([command, str(named), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "job.md").read_text("utf-8")
