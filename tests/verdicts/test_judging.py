"""A live comparison's options lie beside its records, and say how a report judges these."""

import pytest

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.verdicts import judging
from autoenc_bench.verdicts.judging import FILE, Judging

DEFAULT = "Limits: time:3%, memory:10%, error:1% (the default, for its options are not beside its records)."


@pytest.fixture
def records(tmp_path):
    """Return the paths of a record of either side of a live comparison."""
    paths = [tmp_path / "store" / side / "1-1" / "Linux" / f"0001_{side}-1-1.json" for side in ("base", "head")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    return paths


def test_kept(tmp_path, records):
    """What was asked for is read back as it was, with a sentence that says what it is."""
    given = ["time:20%", "mnist:error:.5%", "counts:0%"]
    judging.keep(tmp_path / "store", given, allow_missing=True, strict=True)
    found = judging.read(records)
    shares = {(None, "time"): 0.2, ("mnist", "error"): 0.005, (None, "counts"): 0.0}
    assert found.overrides.shares == shares
    assert found[1:] == (True, True, True)
    limits = "time:20%, memory:10%, error:1%, counts:0%, mnist:error:0.5%, --allow-missing, --strict"
    assert str(found) == f"Limits: {limits} (as in the live comparison)."


def test_nothing_asked(tmp_path, records):
    """Where nothing was asked for, the limits are the default, and known to be those of the live comparison."""
    judging.keep(tmp_path / "store", [], allow_missing=False, strict=False)
    found = judging.read(records)
    assert found == Judging(is_known=True)
    assert str(found) == "Limits: time:3%, memory:10%, error:1% (as in the live comparison)."


def test_not_kept(tmp_path, records):
    """Without options beside all of the records, or with others beside some, the default is judged by, and said."""
    assert str(judging.read(records)) == DEFAULT
    (tmp_path / FILE).write_text("--strict\n")  # too far above
    assert judging.read(records) == Judging()
    judging.keep(records[0].parent, ["time:20%"], allow_missing=False, strict=False)
    assert str(judging.read(records)) == DEFAULT
    judging.keep(records[1].parent, ["time:30%"], allow_missing=False, strict=False)
    assert judging.read(records) == Judging()
    judging.keep(records[1].parent, ["time:20%"], allow_missing=False, strict=False)
    assert judging.read(records).overrides.shares == {(None, "time"): 0.2}


def test_no_records(tmp_path):
    """Where nothing was recorded, no folder is made for the options."""
    judging.keep(tmp_path / "store", [], allow_missing=False, strict=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"--fail-on time\n", "limit 'time'; give time"),
        (b"--fail-on nobody:time:3%\n", "unknown experiment 'nobody'"),
        (b"\n", "line ''; expected --fail-on EXPR, --allow-missing or --strict"),
        (b"\xff", "can't decode byte"),
    ],
)
def test_unreadable(tmp_path, records, content, said):
    """A file that holds something else is refused by name, and what to do is said."""
    path = tmp_path / "store" / FILE
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as raised:
        judging.read(records)
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)
    assert str(raised.value).endswith("; remove it to judge by the default limits")
