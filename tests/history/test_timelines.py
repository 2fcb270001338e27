"""Timelines have a panel per case with at least two runs, a lane per machine, levels and changes."""

import json

import histories
import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.history import timelines
from autoenc_bench.history.history import read_history
from autoenc_bench.report.figures import style


def drawn(found):
    """Return the drawings of a history."""
    with style.style():
        return [drawing for _, drawing in timelines.draw(found)]


def titles(drawing):
    """List the titles of a figure's panels."""
    return [axes.get_title(loc="left") for axes in drawing.figure.axes]


@pytest.fixture
def two(tmp_path):
    """Read a history of two machines, one of which slows down by a tenth."""
    others = [histories.content(day + 0.5, 0.6, machine=histories.OTHER) for day in range(12)]
    return histories.read(tmp_path, [*histories.slower(), *others])


def test_panels(two):
    """The figure of an experiment has all times, the error, and the efficiency, which changed; not the memory."""
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
    """The alternative text of a figure names each series with its newest level and its changes."""
    (drawing,) = drawn(two)
    assert "epoch fused: time: A 23" in drawing.alternative
    assert "from 2026-01-09; B 630 ms, no change." in drawing.alternative
    assert drawing.alternative.endswith(".")


def test_one_run_is_no_timeline(tmp_path):
    """A single run is not drawn."""
    assert drawn(histories.read(tmp_path, [histories.content(0)])) == []


def test_scales_apart(tmp_path):
    """Each scale has its own figures and file names."""
    made = [histories.content(day, scale=scale) for day, scale in enumerate(("smoke", "standard") * 2)]
    names = [drawing.name for drawing in drawn(histories.read(tmp_path, made))]
    assert names == ["timelines-digits-smoke", "timelines-digits-standard"]


def test_lanes(two):
    """Each machine has a lane with its values in per cent against the first level."""
    panel = next(timelines.panels(two.series))
    first, second = panel.lanes(two.machines)
    assert (first.letter, second.letter) == ("A", "B")
    assert first.timelines[0].levels == pytest.approx([0, 10], abs=1.5)
    assert second.timelines[0].values == pytest.approx(np.zeros(12))
    low, high = first.limits
    assert low <= -0.5
    assert high >= 10


def test_an_outlier_does_not_squeeze_its_lane(tmp_path):
    """A run that is a hundred times slower is an arrow at the edge of its lane."""
    made = [histories.content(day, 0.2 * (1 + 0.01 * (day % 3)) * (100 if day == 5 else 1)) for day in range(12)]
    found = histories.read(tmp_path, made)
    (lane,) = next(timelines.panels(found.series)).lanes(found.machines)
    assert lane.limits[1] < 10
    markers = [line.get_marker() for line in drawn(found)[0].figure.axes[0].lines]
    assert markers.count("^") == 1


def test_many_panels_are_several_figures(tmp_path, monkeypatch):
    """Panels that do not fit into one figure are in another one with another name."""
    monkeypatch.setattr(timelines, "MOST_PANELS", 2)
    drawings = drawn(histories.read(tmp_path, histories.slower(3)))
    assert [drawing.name for drawing in drawings] == ["timelines-digits-standard", "timelines-digits-standard-2"]
    assert len({drawing.alternative for drawing in drawings}) == 2


def benchmarks(folder, number, days=2, changed=()):
    """Read a history of benchmarks outside the experiments; the changed ones become slower in the middle."""
    for day in range(days):
        entries = [
            recordings.plain(f"test_{one:03}", [2.0 if one in changed and 2 * day >= days else 1.0])
            for one in range(number)
        ]
        found = recordings.content(run=None, entries=entries)
        found["datetime"] = f"2026-01-{day + 1:02}T00:00:00"
        (folder / f"{day + 1:04}_plain.json").write_text(json.dumps(found))
    return read_history([folder])


def test_other_benchmarks(tmp_path, monkeypatch):
    """Of many benchmarks outside the experiments only some are drawn, changes first; the title gives both numbers."""
    monkeypatch.setattr(timelines, "MOST_OTHER_PANELS", 3)
    (drawing,) = drawn(benchmarks(tmp_path, 5, 12, changed=(4, 2)))
    assert titles(drawing) == ["002: time", "004: time", "000: time"]
    assert drawing.title == "How other benchmarks moved: 3 of 5 panels, changes first"


def test_enough_benchmarks(tmp_path):
    """Up to that number all of them are drawn, in their order, in several figures."""
    made = drawn(benchmarks(tmp_path, timelines.MOST_OTHER_PANELS))
    assert sum(len(titles(drawing)) for drawing in made) == timelines.MOST_OTHER_PANELS == 96
    assert titles(made[0])[:2] == ["000: time", "001: time"]
    assert {drawing.title for drawing in made} == {"How other benchmarks moved"}
    assert [drawing.name for drawing in made] == [f"timelines-others{part}" for part in ("", "-2", "-3", "-4")]


def test_an_experiment_is_drawn_whole(tmp_path, monkeypatch):
    """All cases of an experiment are drawn."""
    monkeypatch.setattr(timelines, "MOST_OTHER_PANELS", 1)
    (drawing,) = drawn(histories.read(tmp_path, histories.slower(3)))
    assert len(titles(drawing)) == 3
    assert "panels" not in drawing.title


def setting(drawing):
    """Return the line that names the machines."""
    return drawing.figure.get_supxlabel().replace("\N{NO-BREAK SPACE}", " ")


def test_the_setting_names_drawn_machines(tmp_path):
    """A figure names only the machines that are drawn in it."""
    many = [msgspec.structs.replace(recordings.MACHINE, id=f"{number:012}", cpu=f"CPU {number}") for number in range(9)]
    made = [histories.content(day, machine=one) for day, one in enumerate(many)]
    made += [histories.content(20 + day, machine=many[4], scale="smoke") for day in range(2)]
    made += [histories.content(30 + day, machine=one) for day, one in enumerate(many[:2])]
    smoke, standard = drawn(histories.read(tmp_path, made))
    assert setting(smoke) == "E: CPU 4 (2 cores)"
    assert setting(standard) == "A: CPU 0 (2 cores) · B: CPU 1 (2 cores)"


def test_room_for_a_tall_caption(tmp_path):
    """The line with the names of many machines is below the panels and their dates."""
    many = [
        msgspec.structs.replace(recordings.MACHINE, id=f"{number:012}", cpu=f"A CPU of a long name, {number}")
        for number in range(30)
    ]
    made = [histories.content(day + place, machine=one) for place, one in enumerate(many) for day in (0, 40)]
    (drawing,) = drawn(histories.read(tmp_path, made))
    figure = drawing.figure
    with style.style():
        style.png(figure, drawing.title)
    assert len(setting(drawing).splitlines()) > 5
    caption = figure._supxlabel
    top = caption.get_window_extent().y1
    for axes in figure.axes:
        assert axes.get_tightbbox().y0 >= top
    assert caption.get_window_extent().y0 >= 0


@pytest.mark.parametrize("days", [1, 4, 10, 30, 53, 60, 120, 400, 2000])
def test_dates(tmp_path, days):
    """The axis of a history of any length has two to six dates."""
    (drawing,) = drawn(histories.read(tmp_path, [histories.content(day) for day in (0, days / 2, days)]))
    axes = drawing.figure.axes[-1]
    low, high = axes.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in axes.get_xticks()) <= 6
