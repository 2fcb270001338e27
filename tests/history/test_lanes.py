"""Lanes lie one above the other and fill their panel."""

import histories
import pytest

from autoenc_bench.history import timelines
from autoenc_bench.report.figures import style


def test_lanes_fill_their_panel(tmp_path):
    """The first lane ends just below the panel's upper edge, and the last begins just above its lower edge."""
    others = [histories.content(day + 0.5, 0.6, machine=histories.OTHER) for day in range(12)]
    found = histories.read(tmp_path, [*histories.slower(), *others])
    low, high = next(timelines.panels(found.series)).lanes(found.machines)[0].limits
    low = min(low, -timelines.LEAST["time"])
    with style.style():
        ((_, drawing),) = timelines.draw(found)
    axes = drawing.figure.axes[0]
    bottom, top = axes.get_ylim()
    upper, lower = (text.get_position()[1] for text in axes.texts if text.get_text() in ("A", "B"))  # their 0 %
    margin = 0.1 * (high - low)
    assert upper - lower == pytest.approx(1.08 * (high - low))
    assert upper + high < top < upper + high + margin
    assert lower + low - margin < bottom < lower + low
