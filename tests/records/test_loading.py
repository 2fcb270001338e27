"""Records are read with their pictures, several at once; what cannot be read is listed, and a bug is not."""

import json

import histories
import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import loading


def test_read(tmp_path):
    """A record comes with its pictures, unless these are not wanted; then a damaged side file does not matter."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    assert set(loading.read(path).pictures) == {f"digits-fused-seed0/{name}" for name in ("first", "best", "worst")}
    path.with_suffix(".npz").write_bytes(b"damaged")
    source = loading.read(path, pictured=False)
    assert (source.pictures, source.left_out) == ({}, [])
    assert loading.read_all([path], pictured=False)[0] == [source]
    assert loading.read_all([path])[0] == [loading.read(path)] != [source]


def test_read_all(tmp_path):
    """Each record is read once; those that cannot be are listed with their reasons, without the path twice."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    missing, empty = tmp_path / "none.json", tmp_path / "empty.json"
    empty.touch()
    sources, unreadable = loading.read_all([missing, good, empty, good])
    assert [source.path for source in sources] == [good]
    assert [(entry.case, entry.reason) for entry in unreadable] == [
        (str(missing), "no such record"),
        (str(empty), "not a readable record: Input data was truncated"),
    ]


def test_nothing_to_read(tmp_path):
    """Where no record can be read, the first one's error is raised; no record at all is an error, too."""
    (tmp_path / "empty.json").touch()
    with pytest.raises(InvalidInputError, match=r"empty\.json: not a readable record"):
        loading.read_all([tmp_path / "empty.json", tmp_path / "none.json"])
    with pytest.raises(NotFoundError, match="no records; name at least one"):
        loading.read_all([])


def test_a_bug_is_not_listed(tmp_path, monkeypatch):
    """A mistake in reading passes through; it is not one more record that cannot be read."""
    good = recordings.save(tmp_path, recordings.content(["crude-simple"]))
    monkeypatch.setattr(loading.storage, "pictures", lambda _: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        loading.read_all([good, good])


def test_wholes(tmp_path):
    """Of an experiment's whole trainings the fused trainer's first seed counts, else what there is."""
    wholes = [("digits", "fit", 0), ("digits", "fused", 2), ("digits", "fused", 1), ("mnist", "fit", 3)]
    entries = [recordings.benchmark(recordings.whole(*axes), 1.0, rounds=1) for axes in wholes]
    source = loading.read(recordings.save(tmp_path, recordings.content(entries=entries)))
    chosen = {name: (case.trainer, case.seed) for name, (_, case) in source.wholes().items()}
    assert chosen == {"digits": ("fused", 1), "mnist": ("fit", 3)}


def changed(path, change):
    """Change a record's JSON in place; return its path."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))
    return path


def whole(found):
    """Return the case of the first whole training of a record."""
    return next(
        entry["extra_info"]["autoenc"] for entry in found["benchmarks"] if "error" in entry["extra_info"]["autoenc"]
    )


def _no_yardstick(found):
    del whole(found)["error"]["yardsticks"]["PCA"]


def _odd_counts(found):
    whole(found)["error"]["absolute"]["counts"] = [1] * 405


def _empty_counts(found):
    whole(found)["error"]["absolute"]["counts"] = [0] * 400


def _no_ends(found):
    whole(found)["error"]["absolute"]["quantiles"] = {}


def _negative_error(found):
    whole(found)["error"]["absolute"]["mean"] = -0.5


def _far_mean(found):
    whole(found)["error"]["absolute"]["mean"] = 1e308


def _far_std(found):
    whole(found)["error"]["absolute"]["std"] = 1e308


def _negative_std(found):
    whole(found)["error"]["absolute"]["std"] = -1.0


def _odd_sample(found):
    whole(found)["sample"]["reconstruction"] = [0.5]


MISFITS = [
    (_no_yardstick, "error.yardsticks: 'PCA' is missing; expected constant mean and PCA"),
    (_odd_counts, "error.absolute.counts: no histogram; expected a multiple of four counts"),
    (_empty_counts, "error.absolute.counts: no histogram; expected a multiple of four counts"),
    (_no_ends, "error.absolute: counts without mean, std and the quantiles '0' and '1'"),
    (_negative_error, "error.absolute.mean: -0.5; expected a number of at least 0"),
    (_far_mean, "error.absolute: mean 1e+308, std"),
    (_far_std, "error.absolute: mean 7.998, std 1e+308; expected those of errors between the quantiles '0' and '1'"),
    (_negative_std, "error.absolute: mean 7.998, std -1; expected those of errors between the quantiles '0' and '1'"),
    (_odd_sample, "sample: original and reconstruction differ in length"),
]


@pytest.mark.parametrize(("change", "reason"), MISFITS)
def test_cases_that_do_not_fit(tmp_path, change, reason):
    """A case of the right shape that no run can have written is left out by name; the others are read."""
    path = changed(recordings.save(tmp_path, recordings.content(["crude-simple"])), change)
    source = loading.read(path)
    (left,) = source.left_out
    assert left.case == "experiment[crude-simple-fused-seed0]"
    assert left.reason.startswith(reason)
    assert [benchmark.name for benchmark, _ in source.cases] == [
        *("test_build[crude-simple]", "test_first_call[crude-simple-fit]", "test_epoch[crude-simple-fit]"),
        *("test_first_call[crude-simple-fused]", "test_epoch[crude-simple-fused]"),
        *("test_encode[crude-simple-bulk]", "test_encode[crude-simple-one]"),
    ]


def test_only_misfits(tmp_path):
    """A record none of whose cases fits is refused with the first reason."""
    entries = [recordings.benchmark(recordings.whole(name), 1.0) for name in ("digits", "mnist")]
    for entry in entries:
        entry["extra_info"]["autoenc"]["sample"]["original"] = []
    path = tmp_path / "0001_x.json"
    path.write_text(json.dumps(recordings.content(entries=entries)))
    said = r"none of its cases can be read; the first, experiment\[digits-fused-seed0\]: sample: original and"
    with pytest.raises(InvalidInputError, match=rf"0001_x\.json: {said}"):
        loading.read(path)


def test_cases_without_their_run(tmp_path):
    """Cases of this suite without the block that describes the run are refused."""
    path = changed(recordings.save(tmp_path, recordings.content(["crude-simple"])), lambda found: found.pop("autoenc"))
    with pytest.raises(InvalidInputError, match="autoenc: missing beside cases of this suite; expected the block"):
        loading.read(path)


def _missing(side):
    side.unlink()


def _damaged(side):
    side.write_bytes(side.read_bytes()[:100])


def _foreign(side):
    np.savez(side, weights=np.zeros((2, 3)))


def _lacks_one(side):
    _rewrite(side, lambda name, array: None if name.endswith("worst") else array)


def _of_other_size(side):
    _rewrite(side, lambda _, array: array[:, :, :9])


def _of_fewer(side):
    _rewrite(side, lambda name, array: array[:, :3] if name.endswith("best") else array)


def _without_first(side):
    _rewrite(side, lambda name, array: array[:, :0] if name.endswith("first") else array)


def _rewrite(side, change):
    with np.load(side) as arrays:
        found = {name: change(name, arrays[name]) for name in arrays.files}
    np.savez(side, **{name: array for name, array in found.items() if array is not None})


SIDES = [
    (_missing, "pictures of experiment[digits-fused-seed0]", "no such side file; expected one beside the record with"),
    (_damaged, "pictures", "not a readable side file"),
    (_foreign, "pictures", "weights is float64 of shape (2, 3); expected uint8 of shape (2, n, features)"),
    (_lacks_one, "pictures of experiment[digits-fused-seed0]", "digits-fused-seed0/worst is missing; expected"),
    (
        _of_other_size,
        "pictures of experiment[digits-fused-seed0]",
        "digits-fused-seed0/first has shape (2, 10, 9); expected (2, 10, 16)",
    ),
    (
        _of_fewer,
        "pictures of experiment[digits-fused-seed0]",
        "digits-fused-seed0/best has shape (2, 3, 16); expected (2, 10, 16)",
    ),
    (
        _without_first,
        "pictures of experiment[digits-fused-seed0]",
        "digits-fused-seed0/first has shape (2, 0, 16); expected (2, 1, 16)",
    ),
]


@pytest.mark.parametrize(("change", "case", "reason"), SIDES)
def test_pictures_that_do_not_fit(tmp_path, change, case, reason):
    """A side file that is missing, damaged or does not fit leaves the pictures out, by its path, and nothing else."""
    path = recordings.save(tmp_path, recordings.content(["digits"]))
    change(path.with_suffix(".npz"))
    source = loading.read(path)
    (left,) = source.left_out
    assert left.case == case
    assert left.reason.startswith(f"{path.with_suffix('.npz')}: ")
    assert reason in left.reason
    assert {case.image for _, case in source.cases} == {None}
    plain = [msgspec.structs.replace(case, image=None) for _, case in loading.read(path, pictured=False).cases]
    assert [case for _, case in source.cases] == plain


def test_pictures_of_one_case(tmp_path):
    """Of two cases with pictures only the one whose pictures do not fit is without."""
    wholes = [recordings.whole("digits", seed=seed, image=(4, 4)) for seed in (0, 1)]
    entries = [recordings.benchmark(one, 1.0, rounds=1) for one in wholes]
    path = recordings.save(tmp_path, recordings.content(entries=entries))
    _rewrite(path.with_suffix(".npz"), lambda name, array: array[:, :, :9] if "seed1" in name else array)
    source = loading.read(path)
    assert [case.image for _, case in source.cases] == [(4, 4), None]
    assert [entry.case for entry in source.left_out] == ["pictures of experiment[digits-fused-seed1]"]


def test_left_out(tmp_path):
    """A line says which file was not read, or which parts of one, those of one reason together."""
    entries = [recordings.plain(f"test_{number}", [0.0 if number < 5 else 1.0]) for number in range(6)]
    entries[0]["stats"]["median"] = -1
    path = tmp_path / "0001_x.json"
    path.write_text(json.dumps(recordings.content(run=None, entries=entries)))
    sources, unreadable = loading.read_all([path, tmp_path / "none\nthere.json"])
    assert list(loading.left_out(sources, unreadable)) == [
        rf"left out {tmp_path}/none\nthere.json: no such record",
        f"left out of {path}: benchmarks/test_x.py::test_0: Expected `float` >= 1e-15 - at `$.stats.median`",
        f"left out of {path}: "
        + ", ".join(f"benchmarks/test_x.py::test_{number}" for number in (1, 2, 3))
        + " and 1 more: its median is 0 s; the clock is too coarse for it",
    ]
    assert list(loading.left_out([])) == []


@pytest.mark.parametrize("name", ["", " ", "-", "unknown", "Unknown", " UNKNOWN ", "none", "n/a", None, 7, ["A CPU"]])
def test_no_name_of_a_cpu(name):
    """What stands for not knowing a CPU is no name."""
    assert loading.named(name) is None


def test_name_of_a_cpu():
    """Anything else names one, without the spaces around it."""
    assert loading.named(" A CPU ") == "A CPU"


@pytest.mark.parametrize(
    ("info", "machine"),
    [
        ({"cpu": {"brand_raw": "A CPU"}}, "A CPU"),
        ({"cpu": {"brand": "A CPU"}}, "A CPU"),  # of older versions
        ({"cpu": {"brand_raw": "unknown", "brand": "A CPU"}}, "A CPU"),
        ({"cpu": {"brand_raw": "unknown"}}, None),
        ({"cpu": {"count": 2}}, None),
        ({"cpu": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_machine_of_a_plain_record(tmp_path, info, machine):
    """A record by plain pytest-benchmark is known by its CPU, which versions name differently."""
    found = recordings.content(run=None, entries=[recordings.plain("test_a", [1.0])])
    source = loading.read(recordings.save(tmp_path, {**found, "machine_info": info}))
    assert source.machine == source.origin.cpu == machine


def test_machine_of_this_suite(tmp_path):
    """A record of this suite is known by the machine's id, unless nobody knows the CPU."""
    for cpu, machine in (("A CPU", "0123456789ab"), ("-", None), (None, None)):
        known = msgspec.structs.replace(recordings.MACHINE, cpu=cpu)
        assert loading.read(recordings.save(tmp_path, histories.content(0, machine=known))).machine == machine


def test_facts(tmp_path):
    """Times compare within equal facts: this suite's context, or what pytest-benchmark notes of cores and Python."""
    ours = loading.read(recordings.save(tmp_path))
    assert ours.facts == recordings.RUN.context
    found = recordings.content(run=None, entries=[recordings.plain("test_a", [1.0])])
    found["machine_info"] |= {"machine": "x86_64", "python_implementation": "CPython", "python_version": "3.11.7"}
    found["machine_info"]["cpu"]["count"] = 8
    plain = loading.read(recordings.save(tmp_path, found))
    assert plain.facts == {"cores": 8, "system": "Linux x86_64", "python": "CPython 3.11.7"}
    assert plain.setting == "a-host · A CPU · Linux x86_64 · CPython 3.11.7 · pytest-benchmark 5.3.1"
    bare = loading.read(recordings.save(tmp_path, {**found, "machine_info": {"cpu": {"count": "8"}}}))
    assert (bare.facts, bare.setting) == ({}, "pytest-benchmark 5.3.1")


def test_labels(tmp_path):
    """Each benchmark has a name of its own, also where a record has one twice, as short as that allows."""
    entries = [recordings.plain(name, [1.0]) for name in ("test_a", "test_b", "test_b")]
    entries.append({**recordings.plain("test_a", [1.0]), "fullname": "other.py::test_a"})
    source = loading.read(recordings.save(tmp_path, recordings.content(run=None, entries=entries)))
    assert source.labels == ["test_x.py::test_a", "b", "b (2)", "other.py::test_a"]
    ours = loading.read(recordings.save(tmp_path, recordings.content(["digits"])))
    assert ours.labels[0] == "build[digits]"
