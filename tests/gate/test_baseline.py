"""A run is judged against records that were read before it began, by limits that were given with them."""

import histories
import pytest

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.gate.baseline import Baseline
from autoenc_bench.gate.verdicts import status


@pytest.fixture
def store(tmp_path):
    """Save runs: three of a baseline, a slower one, and one that lacks a case."""
    fewer = histories.content(0)
    del fewer["benchmarks"][1:]
    histories.write(tmp_path / "good", [histories.content(day) for day in range(3)])
    histories.write(tmp_path / "new", [histories.content(3, 0.4), fewer])
    return tmp_path


SLOWER, FEWER = "0001_standard.json", "0002_standard.json"


def test_slower(store):
    """A slower run ends as regressed, unless that is within the limit that was given."""
    comparison, ended = Baseline("good", [], [store]).judge(store / "new" / SLOWER, partial=False)
    assert ended.code == status.REGRESSED
    assert len(comparison.base.sources) == 3
    _, ended = Baseline("good", ["time:200%"], [store]).judge(store / "new" / SLOWER, partial=False)
    assert ended.code == status.PASSED


@pytest.mark.parametrize(("partial", "code"), [(False, status.NOT_COMPARED), (True, status.PASSED)])
def test_partial(store, partial, code):
    """A run of chosen cases may lack others; a whole one may not."""
    assert Baseline("good", [], [store]).judge(store / "new" / FEWER, partial=partial)[1].code == code


def test_refused(store):
    """A name without records, or a limit that is none, is refused before anything is measured."""
    with pytest.raises(NotFoundError, match="nobody: no such record"):
        Baseline("nobody", [], [store])
    with pytest.raises(InvalidInputError, match="limit 'time'"):
        Baseline("good", ["time"], [store])


def test_read_before(store):
    """What is saved as the baseline while the run goes on does not count."""
    baseline = Baseline("good", [], [store])
    histories.write(store / "good", [histories.content(0, 0.4)] * 3)
    assert baseline.judge(store / "new" / SLOWER, partial=False)[1].code == status.REGRESSED
