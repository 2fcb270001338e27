"""Third-party records, by plain pytest-benchmark: commands read what can be read, and the exit status is right."""

import json

import pytest
import strangers
from fuzzing import call

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
TOO_FEW = "time is undecided in every case: too few runs to measure their spread; "
TOO_FEW += "record 3 runs on each side, or 8 on one side"
UNKNOWN = "machine unknown: no record names its CPU (--across machine assumes one machine)"


pytestmark = pytest.mark.usefixtures("beside_third_party_records")


def compare(base, head, *options):
    """Compare two sides; return the status, the joined verdict of each case, and the messages."""
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
    """File and class distinguish cases of one name: a missing or slow one does not affect the others."""
    actual, cases, err = compare("cubes", head, *options)
    assert (actual, cases) == (status, verdicts)
    assert (TWO in err) == (status in (1, 2))


def test_one_bare_name_in_a_history():
    """A history has a series for each case of one name."""
    status, out, _ = call("history", "cubes", "cubes-one-slow", "--format", "json")
    assert status == 0
    assert {one["case"] for one in json.loads(out)["series"]} == {ONE, TWO, THREE}


def test_twins():
    """Two cases that cannot be distinguished are not compared, and all others are."""
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
    """Times of two different or unknown machines are not compared."""
    status, cases, err = compare(f"{base}.json", f"{head}.json")
    assert status == 2
    assert set(cases.values()) == {"incomparable"}
    assert f"times are incomparable: {unlike}; if that is what you test, name it with --across" in err


@pytest.mark.parametrize(
    ("across", "base", "head", "status", "message"),
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
def test_across(across, base, head, status, message):
    """Third-party records may differ in the parts that --across names, and in no others."""
    actual, _, err = call("compare", f"{base}.json", f"{head}.json", "--across", across)
    assert actual == status
    assert message in err


def test_across_decides(tmp_path):
    """With --across machine, enough runs on unknown CPUs get a verdict."""
    for name, factor in (("base", 1.0), ("head", 2.0)):
        contents = strangers.runs(lambda wobble, factor=factor: strangers.letters(factor * wobble))
        for content in contents:
            content["machine_info"]["cpu"] = {"brand_raw": "unknown"}
        strangers.save_numbered(tmp_path / name, contents)
    assert compare(tmp_path / "base", tmp_path / "head")[0] == 2
    assert compare(tmp_path / "base", tmp_path / "head", "--across", "machine")[0] == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name):
    """Unusual fields of pytest-benchmark, one round of 0 s by a coarse clock, and encodings leave out no case."""
    status, cases, err = compare("plain.json", f"{name}.json")
    assert (status, list(cases)) == (3, list("abcd"))
    assert "left out" not in err
    assert call("history", f"{name}.json")[::2] == (0, "")


@pytest.mark.parametrize("name", NO_COMMIT)
def test_no_commit(name):
    """A record without a readable commit is one of an unknown commit, with all its cases."""
    status, out, err = call("compare", "plain.json", f"{name}.json")
    assert status == 3
    assert "base: 1 run of c0ffeec0ffee on a-branch; head: 1 run of an unknown commit" in out
    assert "left out" not in err
    assert call("history", f"{name}.json")[::2] == (0, "")


@pytest.mark.parametrize(("name", "reason"), BROKEN.items())
def test_broken_case(name, reason):
    """An unreadable case is left out with its name and the reason, and counts as missing."""
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
    """A report draws what can be read, and names what cannot."""
    status, out, err = call("report", f"{name}.json", "--out", tmp_path)
    assert (status, out) == (0, f"report: {tmp_path}/index.html\n")
    left_out = [f"left out of {name}.json: {CASE}: "] if name in BROKEN else []
    assert err.count("\n") == len(left_out)
    assert all(line in err for line in left_out)
    for page in ("index.html", "summary.md"):
        assert (name in BROKEN) == (CASE in (tmp_path / page).read_text("utf-8"))


@pytest.mark.parametrize("command", ["compare", "history", "report", "summary"])
def test_nothing_to_read(command):
    """A record without a readable case is refused, with the reason of the first case."""
    sides = ["all-broken.json"] * (1 + (command == "compare"))
    status, out, err = call(command, *sides)
    assert (status, out) == (2, "")
    assert f"all-broken.json: benchmarks: none of 4 can be read; expected at least one; the first, {CASE}: " in err


def test_one_run_a_side():
    """Single runs of one commit, 80 % apart, are undecided; the message says how many runs are needed."""
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
    """A file that is no record is left out with its name, and refused if there is no other."""
    actual, _, err = call(*command)
    assert actual == status
    alone = "foreign-ones-alone" in command
    assert ("left out with-a-foreign-one/0002_run.json: not a readable record: " in err) == (not alone)
    assert ("foreign-ones-alone/0001_run.json: not a readable record: " in err) == alone


def test_foreign_file_in_a_baseline():
    """The same holds for a baseline."""
    (left_out,) = Baseline("with-a-foreign-one", [], []).left_out
    assert left_out.startswith("left out with-a-foreign-one/0002_run.json: not a readable record: ")


def test_unknown_machines_in_a_history():
    """A history shows each run on an unknown CPU as a machine of its own, beside known machines."""
    files = [f"{name}.json" for name in ("plain", "unknown-cpu", "unknown-cpu-elsewhere", "unnamed-cpu", "no-cpu")]
    status, out, _ = call("history", *files)
    assert status == 0
    text = " ".join(out.split())
    assert "5 runs on 5 machines" in text
    assert "4 runs name no CPU and cannot be compared with other runs." in text
    assert out.count("unnamed CPU, compared with no other run: 1 run") == 4
    assert "Some CPU v1, as pytest-benchmark names it: 1 run" in out


def test_machines_by_brand_in_a_history(tmp_path):
    """The CPU name of older pytest-benchmarks distinguishes machines; a copied record is not counted as a run."""
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
    """A difference of one clock tick is undecided, even if all runs agree; other cases get their verdicts."""
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
    """A case whose every other run is one tick slower does not invalidate the changes of other cases."""
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
    """A case that two of three runs lack does not pass; the message names these runs."""
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
    """Two kinds of CPU with one name are two machines, in a comparison and in a history."""
    status, cases, err = compare("older-model", other)
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert f"machine Some CPU v1 (family 6 model 79 stepping 0 L2 256 KiB L3 2 MiB) → Some CPU v1 ({kind})" in err
    assert "6 runs on 2 machines" in call("history", "older-model", other)[1]


def test_one_kind_in_other_words():
    """A CPU is the same machine if another version of py-cpuinfo writes its numbers and sizes as text."""
    assert compare("older-model", "older-model-in-words")[0] == 0
    assert " on 1 machine, " in call("history", "older-model", "older-model-in-words")[1]


def test_another_timer():
    """Another timer is another context, unless --across names it; the module before its name does not matter."""
    status, cases, err = compare("perf-counter", "process-time")
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert "timer perf_counter → process_time" in err
    assert compare("perf-counter", "process-time", "--across", "timer")[0] == 0
    assert compare("perf-counter", "perf-counter-of-time")[0] == 0


def test_without_garbage_collection():
    """Times without garbage collection have another context; recording that it was on changes nothing."""
    status, cases, err = compare("perf-counter", "without-gc")
    assert (status, {*cases.values()}) == (2, {"incomparable"})
    assert "disable_gc absent → yes" in err
    assert compare("perf-counter", "without-gc", "--across", "disable_gc")[0] == 0
    assert compare("perf-counter", "with-gc")[0] == 0


def test_kinds_that_are_not_named():
    """Details of a CPU that only one of two records has do not distinguish machines."""
    assert compare("older-model", "family-alone")[0] == 0
    assert compare("family-alone", "no-kind")[0] == 0


def test_seeds_of_others():
    """Third-party parameters that look like the seeds of this suite are separate cases."""
    status, cases, err = compare("seeds", "seeds-one-slow-one-gone")
    assert (status, cases["train[adam-seed1]"], cases["train[adam-seed64]"]) == (1, "worse", "missing")
    assert "regressed: train[adam-seed1]" in err
    assert cases["train[adam-seed2]"] == "unchanged"


def test_moved_folder():
    """If the names differ only by a folder in front, the refusal mentions it, in either direction."""
    for both in (("complete", "moved"), ("moved", "complete")):
        status, _, err = compare(*both)
        assert status == 2
        assert "no case in common, so nothing was compared; their names differ only by the folder 'checkout/'" in err
    _, _, err = compare("complete", "seeds")
    assert "folder" not in err


def test_stale_base():
    """A head that is much faster in most cases gets verdicts, and a warning that slowdowns may be hidden."""
    status, cases, err = compare("stale", "fast-but-for-one")
    assert (status, cases) == (0, dict.fromkeys("abc", "better"))
    assert "the head is faster in 3 of 3 cases, at the median by 80 %; this may hide a smaller slowdown" in err
    assert "faster" not in compare("fast-but-for-one", "complete", "--allow-missing")[2]
