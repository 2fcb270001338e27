"""Limits have defaults, a grammar to replace them, and a file in which a live comparison saves its options."""

import pytest

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.verdicts import limits
from autoenc_bench.verdicts.limits import OPTIONS_FILE, Limits, VerdictOptions

DEFAULT = "Limits: time:3%, memory:10%, error:1% (the defaults, because the records have no common judged-by.txt)."


def test_experiment_precedes_all():
    """A limit for one experiment precedes one for all, in any order."""
    overrides = limits.parse(["mnist:time:10%", "time:5%", "error:.5%"], ["mnist", "digits"])
    assert overrides.apply("mnist", Limits()) == Limits(time=0.10, error=0.005)
    assert overrides.apply("digits", Limits()) == Limits(time=0.05, error=0.005)
    assert overrides.apply(None, Limits(memory=0.2)) == Limits(time=0.05, error=0.005, memory=0.2)


@pytest.mark.parametrize("expression", ["time", "time:5", "speed:5%", "time:-5%", "time:5%:mnist", "", "min:0.001"])
def test_invalid(expression):
    """An invalid expression is refused, with the grammar."""
    with pytest.raises(ValueError, match="give time, memory, error, counts with a share in per cent"):
        limits.parse([expression], ["mnist"])


def test_unknown_experiment():
    """An unknown experiment is refused, with the known ones."""
    with pytest.raises(LookupError, match="unknown experiment 'mnits'; choose from mnist"):
        limits.parse(["mnits:time:5%"], ["mnist"])


# Saved options


@pytest.fixture
def records(tmp_path):
    """Return the paths of two records, one of each side of a live comparison."""
    paths = [tmp_path / "store" / side / "1-1" / "Linux" / f"0001_{side}-1-1.json" for side in ("base", "head")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    return paths


def test_saved(tmp_path, records):
    """Saved options are read back, and their sentence states them."""
    given = ["time:20%", "mnist:error:.5%", "counts:0%"]
    limits.save_options(tmp_path / "store", given, allow_missing=True, strict=True)
    found = limits.saved_options(records)
    shares = {(None, "time"): 0.2, ("mnist", "error"): 0.005, (None, "counts"): 0.0}
    assert found.overrides.shares == shares
    assert found[1:] == (True, True, True)
    shown = "time:20%, memory:10%, error:1%, counts:0%, mnist:error:0.5%, --allow-missing, --strict"
    assert str(found) == f"Limits: {shown} (as in the live comparison)."


def test_saved_without_options(tmp_path, records):
    """Without options the saved limits are the defaults, and known to be those of the live comparison."""
    limits.save_options(tmp_path / "store", [], allow_missing=False, strict=False)
    found = limits.saved_options(records)
    assert found == VerdictOptions(is_saved=True)
    assert str(found) == "Limits: time:3%, memory:10%, error:1% (as in the live comparison)."


def test_not_saved(tmp_path, records):
    """Without saved options, and for records of two comparisons, the defaults are used and the sentence says why."""
    assert str(limits.saved_options(records)) == DEFAULT
    (tmp_path / OPTIONS_FILE).write_text("--strict\n")  # too far above
    assert limits.saved_options(records) == VerdictOptions()
    limits.save_options(tmp_path / "store", ["time:20%"], allow_missing=False, strict=False)
    elsewhere = tmp_path / "other" / "base" / "1-1" / "Linux" / "0001_base-1-1.json"
    assert limits.saved_options([*records, elsewhere]) == VerdictOptions()


def test_no_records(tmp_path):
    """If nothing was recorded, no folder is made for the options."""
    limits.save_options(tmp_path / "store", [], allow_missing=False, strict=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"--fail-on time\n", "limit 'time'; give time"),
        (b"--fail-on unknown:time:3%\n", "unknown experiment 'unknown'"),
        (b"\n", "line ''; expected --fail-on EXPR, --allow-missing or --strict"),
        (b"\xff", "can't decode byte"),
    ],
)
def test_unreadable(tmp_path, records, content, reason):
    """An unreadable file is refused by name, with what to do."""
    path = tmp_path / "store" / OPTIONS_FILE
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as raised:
        limits.saved_options(records)
    assert str(raised.value).startswith(f"{path}: ")
    assert reason in str(raised.value)
    assert str(raised.value).endswith("; remove it to judge by the default limits")
