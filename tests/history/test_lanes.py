"""Lanes fill their panel from the top down, and each has a tick where its values reach."""

import histories
import pytest

from autoenc_bench.history import timelines
from autoenc_bench.report.figures import style


def first_axes(found):
    """Draw a history; return the axes of its first panel."""
    with style.style():
        ((_, drawing),) = timelines.draw(found)
    return drawing.figure.axes[0]


def test_lanes_fill_their_panel(tmp_path):
    """The first lane ends just below the panel's upper edge, and the last begins just above its lower edge."""
    others = [histories.content(day + 0.5, 0.6, machine=histories.OTHER) for day in range(12)]
    found = histories.read(tmp_path, [*histories.slower(), *others])
    low, high = next(timelines.panels(found.series)).lanes(found.machines)[0].limits
    low = min(low, -timelines.LEAST_RANGE["time"])
    axes = first_axes(found)
    bottom, top = axes.get_ylim()
    upper, lower = (text.get_position()[1] for text in axes.texts if text.get_text() in ("A", "B"))  # their 0 %
    margin = 0.1 * (high - low)
    assert upper - lower == pytest.approx(1.08 * (high - low))
    assert upper + high < top < upper + high + margin
    assert lower + low - margin < bottom < lower + low


@pytest.mark.parametrize(("factor", "tick"), [(1.2, "+10 %"), (0.8, "-10 %"), (1.0, "+3 %")])
def test_the_second_tick(tmp_path, factor, tick):
    """A lane has a second tick on the side where its values reach further from 0 %."""
    contents = [histories.content(day, 0.2 * (factor if day >= 6 else 1)) for day in range(12)]
    axes = first_axes(histories.read(tmp_path, contents))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0 %", tick]


@pytest.mark.parametrize(("most", "marker", "line"), [(6, "o", "None"), (5, "None", "-")])
def test_many_runs_are_a_line(tmp_path, monkeypatch, most, marker, line):
    """Few runs are drawn as dots, more runs as a line."""
    monkeypatch.setattr(timelines, "MOST_DOTS", most)
    runs = first_axes(histories.read(tmp_path, [histories.content(day) for day in range(6)])).lines[0]
    assert (runs.get_marker(), runs.get_linestyle()) == (marker, line)


def test_a_tick_at_the_rim(tmp_path, monkeypatch):
    """A tick lies at most at 85 per cent of the way to the edge of its lane."""
    flat = histories.read(tmp_path, [histories.content(day) for day in range(6)])
    monkeypatch.setitem(timelines.LEAST_RANGE, "time", 4 / 0.85)
    assert [label.get_text() for label in first_axes(flat).get_yticklabels()] == ["0 %", "+4 %"]
    monkeypatch.setitem(timelines.LEAST_RANGE, "time", 3.99 / 0.85)
    assert [label.get_text() for label in first_axes(flat).get_yticklabels()] == ["0 %", "+3 %"]


def test_rows_add_to_the_height(tmp_path):
    """A second row of panels makes a figure higher, by more than an inch."""
    one_row, two_rows = (histories.read(tmp_path / f"{days}", histories.slower(days)) for days in (3, 12))
    figures = [first_axes(found).figure for found in (one_row, two_rows)]
    assert [len(figure.axes) for figure in figures] == [3, 4]  # three in a row
    low, high = (figure.get_figheight() for figure in figures)
    assert high - low > 1
