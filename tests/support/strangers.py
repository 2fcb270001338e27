"""Third-party records: those that plain pytest-benchmark may write on other machines, each with one difficulty.

``python tests/support/strangers.py FOLDER`` writes all of them, to try commands by hand.
"""

import copy
import json
import os
import sys
from pathlib import Path
from statistics import fmean, pstdev

import recordings

NAN, INFINITY = float("nan"), float("inf")
CPU = {"brand_raw": "Some CPU v1", "count": 4, "arch": "X86_64"}
OLDER = {"family": 6, "model": 79, "stepping": 0, "l2_cache_size": 2**18, "l3_cache_size": 2**21}
SIGNS = "test_σ[é → ✓ 日本]"
CONTROLS = "test_a[\x1b[31mred\n::error::injected\a]"  # a terminal and GitHub Actions execute these
FOREIGN = {"rows": [[1, 2], [3, 4]]}
CUBED = {  # one name in two classes and in two files
    "x": "tests/test_first.py::TestOne::test_cubed[int]",
    "y": "tests/test_first.py::TestTwo::test_cubed[int]",
    "z": "tests/test_second.py::TestOne::test_cubed[int]",
}
MANY = 4000  # with such long names that two pages with them exceed GitHub's limit
LONG = "test_with_parameters_that_take_some_room[{:04}-" + "long" * 15 + "]"


def entry(case, seconds, rounds=5):
    """Return a benchmark with all statistics of pytest-benchmark; its rounds are 1 % apart."""
    name = case.rpartition("::")[2]
    times = [seconds * (1 + 0.01 * (place - rounds // 2)) for place in range(rounds)]
    made = recordings.plain(name, times)
    made["stats"] |= {"max": max(times), "mean": fmean(times), "stddev": pstdev(times), "ops": 1 / fmean(times)}
    made["stats"] |= {"q1": times[rounds // 4], "q3": times[3 * rounds // 4], "iterations": 1, "outliers": "0;0"}
    return made | {"fullname": case, "group": None, "params": None, "param": None, "options": {"warmup": False}}


def letters(factor=1.0):
    """Return four benchmarks of a file, each twice as slow as the one before."""
    return [entry(f"tests/test_letters.py::test_{one}", 0.001 * factor * 2**place) for place, one in enumerate("abcd")]


def record(entries=None, minute=0, commit="c0ffee" * 5, cpu=CPU, **machine):
    """Return a record of benchmarks, without a CPU if that is ``None``."""
    found = recordings.content(run=None, entries=letters() if entries is None else entries)
    found["machine_info"] |= {"machine": "x86_64", "python_implementation": "CPython", "python_version": "3.11.7"}
    found["machine_info"] |= {"cpu": cpu, **machine}
    if cpu is None:
        del found["machine_info"]["cpu"]
    found["commit_info"] |= {"id": commit, "project": "someone", "time": "2026-01-02T03:00:00+00:00"}
    return found | {"datetime": f"2026-01-02T03:{minute:02}:00.123+00:00"}


def changed(at, value):
    """Return a record with another value at these keys of the first benchmark."""
    found = record()
    holder = found["benchmarks"][0]
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = value
    return found


def runs(make, commit="c0ffee" * 5):
    """Return three runs, 0.3 % apart, of the benchmarks that ``make`` returns for a factor."""
    return [record(make(1 + 0.003 * run), minute=run, commit=commit) for run in range(3)]


def cubes(which="xyz", slow=""):
    """Return a maker of benchmarks of one name; those in ``slow`` are twice as slow."""
    return lambda factor: [entry(CUBED[one], 0.002 * factor * (1 + (one in slow))) for one in which]


def signs(factor=1.0):
    """Return a benchmark with characters in its name that few encodings have."""
    return [entry(f"tests/test_signs.py::{SIGNS}", 0.001 * factor)]


def controls(factor=1.0):
    """Return a benchmark with control characters in its name."""
    return [entry(f"tests/test_controls.py::{CONTROLS}", 0.001 * factor)]


def many():
    """Return a record of thousands of benchmarks without the times of rounds."""
    entries = [entry(f"tests/test_long.py::{LONG.format(number)}", 0.001) for number in range(MANY)]
    for one in entries:
        del one["stats"]["data"]
    return record(entries)


def letters_of(names="abc", changes=()):
    """Return a maker of benchmarks of these letters; ``changes`` maps letters to a further factor."""
    slower = dict(changes)
    return lambda factor: [entry(f"tests/test_x.py::test_{one}", 0.001 * factor * slower.get(one, 1)) for one in names]


def ticking(ticks, tick=41.67e-9, iterations=1, keeps_data=True, odd=0):
    """Return nine runs of a benchmark with rounds of so many ticks, ``odd`` more in the last, beside finer ones."""
    made = []
    for run in range(9):
        one = entry("tests/test_x.py::test_tick", 1.0)
        seconds = ticks * tick / iterations
        one["stats"] |= {
            "data": [seconds] * 4 + [seconds + odd * tick],
            "median": seconds,
            "min": seconds,
            "iterations": iterations,
        }
        if not keeps_data:
            del one["stats"]["data"]
        made.append(record([one, *letters_of()(1 + 0.003 * (run % 3 - 1))], minute=run))
    return made


def seeded(factors):
    """Return a maker of benchmarks whose parameters end like the seeds of this suite."""
    return lambda factor: [
        entry(f"tests/test_x.py::test_train[adam-seed{seed}]", 0.001 * seed * slower * factor)
        for seed, slower in factors.items()
    ]


def below(folder, make):
    """Return a maker of the same benchmarks below another folder."""
    return lambda factor: [one | {"fullname": f"{folder}/{one['fullname']}"} for one in make(factor)]


def timed_by(timer, factor=1.0, **options):
    """Return three runs with this clock, and with other options."""
    made = runs(lambda wobble: letters_of()(factor * wobble))
    for content in made:
        for one in content["benchmarks"]:
            one["options"].update(options, timer=timer)
    return made


def on_kind(**cpu):
    """Return three runs on a CPU of one name and of this kind."""
    return [content | {"machine_info": content["machine_info"] | {"cpu": CPU | cpu}} for content in runs(letters_of())]


def singles():
    """Map the names of single records to their contents."""
    patch, other = {"python_version": "3.11.9"}, {**CPU, "brand_raw": "Some CPU v2"}
    too_quick = {"median": 0.0, "min": 0.0, "max": 0.0, "mean": 0.0, "rounds": 3, "data": [0.0] * 3}
    nowhere = {"nan": NAN, "inf": -INFINITY, "array": "UNSERIALIZABLE[array([1.])]", "autoenc": ["not", "ours"]}
    made = {
        "plain": record(),
        "other-cpu": record(cpu=other),
        "python-patch": record(**patch),
        "python-patch-other-cpu": record(cpu=other, **patch),
        "more-cores": record(cpu={**CPU, "count": 8}),
        "brand-1": record(cpu={"brand": "Old CPU v1", "count": 4}),
        "brand-2": record(cpu={"brand": "Old CPU v2", "count": 4}),
        "unknown-cpu": record(cpu={"brand_raw": "unknown", "count": 4}),
        "unknown-cpu-elsewhere": record(
            letters(1.1), minute=1, cpu={"brand_raw": " Unknown ", "count": 4}, node="other"
        ),
        "unnamed-cpu": record(minute=2, cpu={"brand_raw": "", "brand": None, "count": 4}),
        "no-cpu": record(minute=3, cpu=None),
        "twins": record([*letters(), entry("tests/test_letters.py::test_a", 0.003)]),
        "zero-round": changed(("stats", "data"), [0.0, 0.00099, 0.001, 0.00101, 0.00102]),
        "zero-median": changed(("stats",), too_quick),
        "broken-times": changed(("stats", "data"), [0.1, "and so on"]),
        "broken-median": changed(("stats", "median"), NAN),
        "broken-name": changed(("name",), None),
        "no-stats": changed(("stats",), None),
        "all-broken": record([one | {"stats": {}} for one in letters()]),
        "odd-extra-info": changed(("extra_info",), nowhere),
        "no-extra-info": changed(("extra_info",), None),
        "odd-machine-info": record(load=NAN, cpu={**CPU, "hz": [INFINITY, NAN], "l2": 10**400}, release={"a": [NAN]}),
        "odd-commit-info": {**record(), "commit_info": {"id": NAN, "dirty": "maybe", "time": INFINITY}},
        "no-commit-info": {**record(), "commit_info": None},
        "odd-stats": changed(("stats", "outliers"), {"low": NAN}),
        "once": record(minute=1),
        "once-more-80-percent-slower": record(letters(1.8), minute=2),
        "signs": record(signs()),
    }
    made["zero-round"]["benchmarks"][0]["stats"]["min"] = 0.0
    return made


def folders():
    """Map the names of folders to the contents of their records."""
    later = "decade" * 5
    return {
        "cubes": runs(cubes()),
        "cubes-one-slow": runs(cubes(slow="y"), later),
        "cubes-one-gone": runs(cubes("xz"), later),
        "signs-often": runs(signs),
        "controls": runs(controls),
        "controls-slow": runs(lambda factor: controls(2 * factor), later),
        "with-a-foreign-one": [record(), FOREIGN],
        "foreign-ones-alone": [FOREIGN, copy.deepcopy(FOREIGN)],
        "complete": runs(letters_of()),
        "gone-in-two-of-three": [
            record(letters_of("abc" if run == 0 else "ab")(1 + 0.003 * run), run, later) for run in range(3)
        ],
        "moved": runs(below("checkout", letters_of()), later),
        "27-ticks": ticking(27),
        "28-ticks": ticking(28),
        "27-ticks-and-28": ticking(27, odd=1),
        "32-ticks-and-33": ticking(32, odd=1),
        "27-ticks-summed-up": ticking(27, keeps_data=False),
        "28-ticks-summed-up": ticking(28, keeps_data=False),
        "27-ticks-in-9": ticking(27, iterations=9),
        "28-ticks-in-9": ticking(28, iterations=9),
        "older-model": on_kind(**OLDER),
        "newer-model": on_kind(**OLDER | {"model": 85, "stepping": 7}),
        "family-alone": on_kind(family=6),
        "no-kind": on_kind(),
        "larger-cache": on_kind(**OLDER | {"l2_cache_size": 2**20}),
        "older-model-in-words": on_kind(**OLDER | {"model": "79", "l2_cache_size": "256 KiB", "l3_cache_size": "2 MB"}),
        "perf-counter": timed_by("perf_counter"),
        "perf-counter-of-time": timed_by("time.perf_counter"),
        "process-time": timed_by("process_time", 0.7),
        "without-gc": timed_by("perf_counter", 0.7, disable_gc=True),
        "with-gc": timed_by("perf_counter", disable_gc=False),
        "seeds": runs(seeded({1: 1, 2: 1, 64: 1})),
        "seeds-one-slow-one-gone": runs(seeded({1: 1.2, 2: 1}), later),
        "stale": runs(lambda factor: letters_of()(5 * factor)),
        "fast-but-for-one": runs(letters_of(changes={"c": 2}), later),
    }


ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-be")  # of editors and shells on other systems


def save(path, content, encoding="utf-8"):
    """Write content as JSON; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding)
    return path


def save_numbered(folder, contents):
    """Write records numbered from 1, the first of them with the newest file time; return the folder."""
    for number, content in enumerate(contents, start=1):
        path = save(folder / f"{number:04}_run.json", content)
        os.utime(path, (2e9 - number, 2e9 - number))
    return folder


def write(folder):
    """Write all records of this module into a folder; return the folder."""
    for name, content in singles().items():
        save(folder / f"{name}.json", content)
    for name, contents in folders().items():
        save_numbered(folder / name, contents)
    for encoding in ENCODINGS:
        save(folder / f"{encoding}.json", record(), encoding)
    return folder


if __name__ == "__main__":
    save(write(Path(sys.argv[1])) / "many.json", many())
