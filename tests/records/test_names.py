"""Each case has a unique identity, and the shortest name that is unique."""

import msgspec
import pytest
from contents import CASE, TIMING
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.records import names
from autoenc_bench.records.record import Benchmark


def benchmark(fullname, own=False):
    """Return a benchmark of this name, of this suite or of a third party."""
    name = fullname.rpartition("::")[2]
    extra = {"extra_info": {"autoenc": CASE}} if own else {}
    return msgspec.convert({"name": name, "fullname": fullname, "stats": TIMING, **extra}, Benchmark)


def test_identity():
    """The identity of a case is its id in this suite, else file, class and name."""
    assert names.identity(benchmark("a.py::test_epoch[digits-fit]", own=True)) == "epoch[digits-fit]"
    assert names.identity(benchmark("a.py::TestX::test_y[1]")) == "a.py::TestX::test_y[1]"


@pytest.mark.parametrize(
    ("identity", "shared"),
    [
        ("experiment[digits-fused-seed0]", "experiment[digits-fused]"),
        ("experiment[digits-fused-seed12]", "experiment[digits-fused]"),
        ("experiment[seed1-fused-seed0]", "experiment[seed1-fused]"),
        ("epoch[digits-fused]", "epoch[digits-fused]"),
        ("a.py::test_x-seed0", "a.py::test_x-seed0"),
    ],
)
def test_without_seed(identity, shared):
    """The name without seed lacks only the seed at the end of the brackets."""
    assert names.without_seed(identity) == shared


def test_identities():
    """Repeated cases are numbered from the second on, and each is listed once."""
    cases = [benchmark(f"a.py::test_{name}") for name in "xyxx"]
    assert names.identities(cases) == ["a.py::test_x", "a.py::test_y", "a.py::test_x (2)", "a.py::test_x (3)"]
    assert names.repeated(cases) == ["a.py::test_x"]
    assert names.repeated(cases[:2]) == []


def test_two_files_of_one_suite():
    """The file does not change the identity of a case of this suite."""
    cases = [benchmark(f"{file}::test_epoch[digits]", own=True) for file in ("a.py", "b.py")]
    assert names.repeated(cases) == ["epoch[digits]"]


@pytest.mark.parametrize(
    ("identities", "shown"),
    [
        (["a.py::test_x", "a.py::test_y"], ["x", "y"]),
        (["a.py::test_x[1]", "a.py::test_x[2]"], ["x[1]", "x[2]"]),
        (["a.py::TestA::test_x", "a.py::TestB::test_x"], ["TestA::test_x", "TestB::test_x"]),
        (["a.py::TestA::test_x", "a.py::test_x"], ["TestA::test_x", "a.py::test_x"]),
        (["a.py::test_x", "b.py::test_x", "b.py::test_y"], ["a.py::test_x", "b.py::test_x", "y"]),
        (["a/c.py::test_x", "b/c.py::test_x"], ["a/c.py::test_x", "b/c.py::test_x"]),
        (["a/b/c/d.py::test_x", "a/b/e/d.py::test_x"], ["c/d.py::test_x", "e/d.py::test_x"]),
        (["a.py::test_x", "a.py::test_x (2)"], ["x", "x (2)"]),
        (["a.py::test_x[b::c/d]", "b.py::test_x[b::c/d]"], ["a.py::test_x[b::c/d]", "b.py::test_x[b::c/d]"]),
        (["a.py::test_x[b::c/d]", "a.py::test_x[b::d]"], ["x[b::c/d]", "x[b::d]"]),
        (["epoch[digits]", "a.py::test_epoch[digits]"], ["epoch[digits]", "a.py::test_epoch[digits]"]),
        (["x", "y"], ["x", "y"]),
        ([], []),
    ],
)
def test_shown(identities, shown):
    """The shortest name has the class or parts of the file only if other cases share the name."""
    assert list(names.shown(identities).items()) == list(zip(identities, shown, strict=True))


PARTS = st.sampled_from(["a", "b", "test_a", "test_b"])
IDENTITIES = st.builds(
    lambda folders, scopes, end: "::".join(["/".join(folders), *scopes]) + end,
    st.lists(PARTS, min_size=1, max_size=3),
    st.lists(PARTS, max_size=3),
    st.sampled_from(["", "[a]", "[a::b/c]", "[", " (2)"]),
)


@given(st.lists(IDENTITIES, unique=True))
def test_shown_is_unique(identities):
    """The shortest names of any cases are unique, and none is longer than the identity."""
    shown = names.shown(identities)
    assert list(shown) == identities
    assert len(set(shown.values())) == len(identities)
    assert all(len(name) <= len(identity) for identity, name in shown.items())
