"""Timelines: a panel per case with at least two runs, a lane per machine, levels and changes where they are."""

import histories
import numpy as np
import pytest

from autoenc_bench.history import timelines
from autoenc_bench.report.figures import style


def drawn(found):
    """Draw a history; return its drawings."""
    with style.style():
        return [drawing for _, drawing in timelines.draw(found)]


def titles(drawing):
    """List a figure's panels."""
    return [axes.get_title(loc="left") for axes in drawing.figure.axes]


@pytest.fixture
def two(tmp_path):
    """Read a history of two machines, one of which slows down by a tenth."""
    others = [histories.content(day + 0.5, 0.6, machine=histories.OTHER) for day in range(12)]
    return histories.read(tmp_path, [*histories.slower(), *others])


def test_panels(two):
    """An experiment has a figure: times of all cases, the error, and the efficiency, for it changed; not the memory."""
    (drawing,) = drawn(two)
    assert titles(drawing) == [
        "epoch fused: time",
        "experiment fused-seed0: time",
        "experiment fused-seed0: error",
        "epoch fused: efficiency",
    ]
    words = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert {"A", "B"} < set(words)
    assert any(word.startswith("+1") and word.endswith(" %") for word in words)


def test_words(two):
    """The words that stand for a figure name every series with its newest level and its changes."""
    (drawing,) = drawn(two)
    assert "epoch fused: time: A 23" in drawing.alternative
    assert "from 2026-01-09; B 630 ms, no change." in drawing.alternative
    assert drawing.alternative.endswith(".")


def test_one_run_is_no_timeline(tmp_path):
    """A single run draws nothing."""
    assert drawn(histories.read(tmp_path, [histories.content(0)])) == []


def test_scales_apart(tmp_path):
    """Each scale has figures of its own, under names of its own."""
    made = [histories.content(day, scale=scale) for day, scale in enumerate(("smoke", "standard") * 2)]
    names = [drawing.name for drawing in drawn(histories.read(tmp_path, made))]
    assert names == ["timelines-digits-smoke", "timelines-digits-standard"]


def test_lanes(two):
    """Values are per cent against the first level, a machine's in its own lane, and zeros do not break them."""
    panel = next(timelines.panels(two.series))
    first, second = panel.lanes(two.machines)
    assert (first.letter, second.letter) == ("A", "B")
    assert first.timelines[0].levels == pytest.approx([0, 10], abs=1.5)
    assert second.timelines[0].values == pytest.approx(np.zeros(12))
    low, high = first.limits
    assert low <= -0.5
    assert high >= 10


def test_an_outlier_does_not_squeeze_its_lane(tmp_path):
    """A run a hundred times as slow stands at the edge of its lane as an arrow."""
    made = [histories.content(day, 0.2 * (1 + 0.01 * (day % 3)) * (100 if day == 5 else 1)) for day in range(12)]
    found = histories.read(tmp_path, made)
    (lane,) = next(timelines.panels(found.series)).lanes(found.machines)
    assert lane.limits[1] < 10
    markers = [line.get_marker() for line in drawn(found)[0].figure.axes[0].lines]
    assert markers.count("^") == 1


def test_many_panels_are_several_figures(tmp_path, monkeypatch):
    """More panels than one figure holds go into another, under another name."""
    monkeypatch.setattr(timelines, "MOST", 2)
    drawings = drawn(histories.read(tmp_path, histories.slower(3)))
    assert [drawing.name for drawing in drawings] == ["timelines-digits-standard", "timelines-digits-standard-2"]
    assert len({drawing.alternative for drawing in drawings}) == 2
