"""Figures show the data of a record, look the same each time, and need no pyplot."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import msgspec
import numpy as np
import pytest
import recordings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from pages import section

from autoenc_bench.core import metrics
from autoenc_bench.records import case, loading
from autoenc_bench.report.figures import (
    chapters,
    curves,
    histograms,
    layout,
    scaling,
    side_by_side,
    style,
    timings,
)
from autoenc_bench.report.side_by_side import RecordResult, Together
from autoenc_bench.report.summary import ExperimentSummary
from autoenc_bench.report.view import Section


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return the section of a record of seven experiments, with pictures of one."""
    return section(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def drawn(full):
    """Return the drawings of the full record by name."""
    return draw(full)


def draw(shown):
    """Return the drawings of a section by name."""
    with style.style():
        return {drawing.name: drawing for _, drawing in chapters.draw(shown)}


def statistics(values):
    """Return an Error whose absolute errors are these values."""
    made = recordings.error(1.0, 0.1)
    return msgspec.structs.replace(made, absolute=metrics.statistics(np.asarray(values, np.float64)))


def test_every_figure(drawn):
    """Figures are in the order of the notebook, then the timings."""
    assert list(drawn) == [
        "sample-crude",
        "error-crude-simple",
        "error-crude-complex",
        "error-crude-both",
        "error-features",
        "scaling-features",
        "first-digits",
        "worst-digits",
        "best-digits",
        "website-digits",
        "error-digits",
        "training-curves",
        "speed-up",
        "first-call",
        "efficiency",
        "time-per-case",
    ]


def test_stages():
    """One module of the report asks for verdicts; figures do not, and read no records."""
    folder = Path(style.__file__).parent.parent
    sources = {path.relative_to(folder): path.read_text() for path in folder.rglob("*.py")}
    assert [str(path) for path, text in sources.items() if "from autoenc_bench.verdicts" in text] == ["side_by_side.py"]
    reading = ("records.loading import", "records.reading import", "records import")
    figures = [text for path, text in sources.items() if path.parent.name == "figures"]
    assert not [text for text in figures if any(f"from autoenc_bench.{module}" in text for module in reading)]


def test_heading(monkeypatch):
    """A chapter's heading is the catalogue's titles of its experiments, with their names."""
    assert chapters.heading(["mnist"], "Else") == "The MNIST Dataset (mnist)"
    titled = {name: SimpleNamespace(title="A title") for name in "ab"} | {"c": SimpleNamespace(title="Another")}
    monkeypatch.setattr(chapters, "EXPERIMENTS", titled)
    assert chapters.heading(["a", "b"], "Both") == "A title (a, b)"
    assert chapters.heading(["a", "c"], "Both") == "A title (a), Another (c)"
    assert {chapters.heading(names, "Else") for names in ([], ["a", "unknown"])} == {"Else"}


def test_figures_are_free(drawn):
    """Each figure is a plain Figure with its own alternative text."""
    assert {type(drawing.figure) for drawing in drawn.values()} == {Figure}
    alternatives = [drawing.alternative for drawing in drawn.values()]
    assert len(set(alternatives)) == len(drawn)
    assert all(
        any(sign.isdigit() for sign in text) and text.endswith(".") for text in alternatives if "notebook" not in text
    )


def test_captions(drawn):
    """Each figure names machine, device, backend, versions, threads and scale."""
    for drawing in drawn.values():
        caption = drawing.figure.get_supxlabel().replace("\n", " ").replace("\xa0", " ")
        for words in (
            "A CPU",
            "2 cores",
            "tensorflow on CPU",
            "1 thread pinned",
            "machine 0123456789ab",
            "scale standard",
            "keras 3.1",
        ):
            assert words in caption


def test_units(drawn):
    """Every horizontal axis of numbers, or the lowest one of its column, has a label."""
    for drawing in drawn.values():
        for axes in drawing.figure.axes:
            labels = [label.get_text() for label in axes.get_xticklabels()]
            numbers = [text for text in labels if text.strip("0123456789.\u2212 ") == "" != text]
            assert axes.images or not numbers or axes.get_xlabel() or _above(drawing, axes), drawing.name


def _above(drawing, axes):
    """Return whether an axes is above one that has a label, as in a grid of panels."""
    column = [other for other in drawing.figure.axes if abs(other.get_position().x0 - axes.get_position().x0) < 0.05]
    return any(other.get_xlabel() for other in column)


def test_same_bytes(full):
    """The same record gives the same bytes, as SVG and as PNG, also in another order."""

    def files(*draws):
        drawings = [draw(full) for draw in draws]
        return {drawing.name: (style.svg(drawing.figure, "t"), style.png(drawing.figure, "t")) for drawing in drawings}

    with style.style():
        first = files(timings.speed_up, timings.first_calls)
        assert len(first) == 2
        assert files(timings.first_calls, timings.speed_up) == first


def test_style_is_ours(full):
    """Matplotlib settings of the user change nothing."""

    def drawn():
        with style.style():
            return style.svg(timings.speed_up(full).figure, "t")

    usual = drawn()
    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.hashsalt": "other"}):
        assert drawn() == usual
        assert matplotlib.rcParams["font.size"] == 20


@given(values=arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 100)))
def test_hundred_bins(values):
    """The 100 bins count every sample in the same bin as NumPy."""
    counts, edges = histograms.hundred_bins(statistics(values))
    assert len(counts) == 100
    assert counts.sum() == len(values)
    assert edges[0] <= values.min() <= values.max() <= edges[-1]
    if np.ptp(values) > 1e-6:  # bin by bin, a value at an edge may fall to either side
        cumulated = np.cumsum(np.histogram(values, edges)[0])
        beyond = np.array([np.isclose(values, edge, rtol=1e-9, atol=1e-9 * np.ptp(values)).sum() for edge in edges[1:]])
        assert (np.abs(np.cumsum(counts) - cumulated) <= beyond).all()


def test_rebinned():
    """A histogram on other bins keeps its samples and nearly its shape."""
    values = np.random.default_rng(1).normal(5, 1, 100_000).clip(1)
    edges = np.linspace(0, 10, 201)
    counts = histograms.rebinned(statistics(values), edges)
    assert counts.sum() == pytest.approx(len(values))
    assert np.abs(counts - np.histogram(values, edges)[0]).max() < 0.05 * counts.max()


def test_power():
    """The fit of an exact power law is exact; fewer than three points have no fit."""
    power = scaling.fit_power([2, 4, 8, 16], [3 * number**1.5 for number in (2, 4, 8, 16)])
    assert (power.exponent, power.factor) == (pytest.approx(1.5), pytest.approx(3))
    assert power.half_width == pytest.approx(0, abs=1e-9)
    assert scaling.fit_power([2, 4], [1, 2]) is None


def test_power_interval():
    """The interval holds the true exponent in about 95 of 100 noisy repetitions."""
    noise = np.random.default_rng(0)
    numbers = np.array([2.0, 4, 8, 16, 32])
    covered = 0
    for _ in range(400):
        power = scaling.fit_power(numbers, numbers**0.7 * np.exp(noise.normal(0, 0.1, 5)))
        covered += abs(power.exponent - 0.7) <= power.half_width
    assert 0.92 <= covered / 400 <= 0.98


def test_stated_loss():
    """Every curve reaches the stated loss; the curve that ends higher reaches it after nine tenths of its way."""
    slow, fast = np.array([1.0, 0.6, 0.5]), np.array([0.9, 0.4, 0.3])
    assert curves.stated_loss([slow, fast]) == pytest.approx(0.55)


def test_time_to_loss(drawn):
    """The alternative text has the time and the epoch at which the stated loss is reached."""
    assert "crude-simple: fused reaches 0.628 after 1.7 s, in epoch 3 of 5." in drawn["training-curves"].alternative


def test_speed_up(drawn):
    """The speed-up is the ratio of rows per second, with the range of the rounds, without fit's set-up."""
    drawing = drawn["speed-up"]
    assert "digits 54 (49.1 to 59.4)" in drawing.alternative
    assert "fit's set-up is left out" in drawing.note


def test_first_call(drawn):
    """The first call is compared with a steady round of the same work."""
    assert "fused: crude-simple +0.99 s" in drawn["first-call"].alternative


def test_compressing_only(drawn):
    """A model whose code is as wide as its data is drawn, but is not part of the fit."""
    assert "2 features 0.01" in drawn["scaling-features"].alternative
    assert "power 1.00 ± 0.0" in drawn["scaling-features"].alternative


def test_plain_record(tmp_path):
    """The figure of a plain pytest-benchmark record shows times only, the slowest first."""
    with style.style():
        [(chapter, drawing)] = chapters.draw(Section(loading.read_record(recordings.save_plain(tmp_path))))
    assert (chapter, drawing.name) == ("Timings", "time-per-case")
    assert "from slow with a median of 205 ms to fast with 110 µs" in drawing.alternative


def test_many_plain_benchmarks(tmp_path):
    """A figure of hundreds of benchmarks shows the slowest, and its note counts all."""
    entries = [recordings.plain(f"test_{number}", [1 + number]) for number in range(300)]
    drawing = timings.bare(section(tmp_path, run=None, entries=entries))
    assert "60 slowest of 300" in drawing.note
    assert drawing.figure.get_figheight() < 15


def test_plain_names_in_a_figure(tmp_path):
    """Benchmarks with the same name have their own rows, named by their files."""
    long = f"{'long' * 7}.py::test_a"
    entries = [recordings.plain("test_a", [1.0]), {**recordings.plain("test_a", [2.0]), "fullname": long}]
    drawing = timings.bare(section(tmp_path, run=None, entries=entries))
    rows = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert rows == [long, "test_x.py::test_a"]
    assert f"from {long} with a median of 2 s to test_x.py::test_a with 1 s" in drawing.alternative


def marks(folder, times):
    """Return the seconds of the marks of a benchmark with these rounds."""
    entries = [recordings.plain("test_a", list(map(float, times)))]
    drawing = timings.bare(section(folder, run=None, entries=entries))
    line, points = drawing.figure.axes[0].lines
    assert [*line.get_xdata()] == [min(filter(None, times)), max(times)]
    return points.get_xdata()


def test_many_rounds(tmp_path):
    """Very many rounds are drawn as their quantiles, with the fastest and the slowest."""
    times = np.random.default_rng(0).lognormal(0, 0.5, 10 * timings.MOST_ROUNDS)
    drawn = marks(tmp_path, times)
    assert len(drawn) == timings.MOST_ROUNDS
    assert set(drawn) <= set(times)
    assert (drawn.min(), drawn.max()) == (times.min(), times.max())
    shares = np.linspace(0, 1, 11)
    assert np.quantile(drawn, shares) == pytest.approx(np.quantile(times, shares), rel=0.05)


def test_every_round(tmp_path):
    """All rounds up to the limit are drawn, except those of zero seconds."""
    times = np.linspace(1, 2, timings.MOST_ROUNDS)
    assert [*marks(tmp_path, times)] == [*times]
    assert [*marks(tmp_path, [0.0, 0.5, 0.7])] == [0.5, 0.7]


@pytest.mark.parametrize("experiment", ["crude-simple", "features-4", "mine"])
def test_one_experiment(tmp_path, experiment):
    """The figures of one experiment are drawn, also if the catalogue does not have it."""
    drawings = draw(section(tmp_path, experiments=[experiment]))
    if experiment == "mine":
        with style.style():
            assert all(style.svg(drawing.figure, drawing.title) for drawing in drawings.values())
    assert [*drawings][-5:] == ["training-curves", "speed-up", "first-call", "efficiency", "time-per-case"]


def test_two_trainers_and_seeds(tmp_path):
    """Each trainer has one curve, that of the first seed."""
    curve = [case.Epoch(loss, loss, 0.1) for loss in (0.9, 0.8)]
    made = [
        recordings.benchmark(recordings.whole("crude-simple", trainer, seed, **({"curve": curve} if seed else {})), 2.0)
        for seed in (1, 0)
        for trainer in ("fit", "fused")
    ]
    shown = section(tmp_path, entries=made)
    assert curves.curves(shown).alternative.count("reaches 0.628") == 2
    assert (shown.wholes["crude-simple"].trainer, shown.wholes["crude-simple"].seed) == ("fused", 0)


def test_errors_that_are_not_finite(tmp_path):
    """An experiment whose errors are not finite has no histogram, and the rest is drawn."""
    broken = recordings.whole("crude-simple")
    nothing = metrics.statistics(np.array([1.0, np.inf]))
    broken = msgspec.structs.replace(broken, error=msgspec.structs.replace(broken.error, absolute=nothing))
    made = [recordings.benchmark(broken, 1.0), recordings.benchmark(recordings.whole("crude-complex"), 1.0)]
    names = draw(section(tmp_path, entries=made))
    assert "error-crude-simple" not in names
    assert "error-crude-complex" in names


def test_colours():
    """An experiment has one colour, also outside the catalogue, and another one for dark pages."""
    assert style.colour("mine") == style.colour("mine") != style.colour("crude-simple")
    assert style.colour("mine") in dict(style.OTHERS)
    assert len(style.DARK) == len(style.GREYS) + len(style.EXPERIMENTS) + len(style.OTHERS)


def test_style_sheet():
    """Every colour of the style sheet has one for dark pages, and ids in files stay the same."""
    with style.style():
        colours = {value for name, value in matplotlib.rcParams.items() if str(value).startswith("#")}
        salt = matplotlib.rcParams["svg.hashsalt"]
    assert {style.INK, style.MUTED, style.PAPER, style.GRID} <= {*colours} <= set(style.DARK)
    assert salt == style.DRAWN_BY


def test_marks(drawn):
    """A trainer has one mark, hollow or filled, and the axis explains it."""
    axes = next(axes for axes in drawn["efficiency"].figure.axes if axes.get_title(loc="left") == "epoch")
    assert axes.get_xlabel() == "○ fit   ◆ fused"
    fills = {line.get_marker(): line.get_markerfacecolor() for line in axes.lines if line.get_marker() != "None"}
    assert fills["o"] == style.PAPER
    assert fills["D"] in dict(style.EXPERIMENTS.values())


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(dark):
    """Text has a contrast of 4.5 and every colour one of 3 to the background, light and dark (WCAG 2)."""
    shown = (lambda colour: style.DARK[colour]) if dark else (lambda colour: colour)
    assert min(_contrast(shown(text), shown(style.PAPER)) for text in (style.INK, style.MUTED)) >= 4.5
    weakest = {
        name: _contrast(shown(colour), shown(style.PAPER))
        for name, (colour, _) in [*style.EXPERIMENTS.items(), *enumerate(style.OTHERS)]
    }
    assert min(weakest.values()) >= 3, weakest


def _contrast(first, second):
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


@given(text=st.text(max_size=200))
def test_plain(text):
    """A plain text is one line of limited length, and the font has all of its signs."""
    shown = style.plain(text, 20)
    assert len(shown) <= 20
    assert shown.isprintable()
    assert style.plain(shown, 20) == shown


def test_any_text_is_drawn():
    """Signs that no font has, markup of formulas and long words are drawn, without a warning."""
    text = "$x^2$ \x00\x1b[31m \u202e \ud7ff \U0001f600 漢字 " + "long" * 60
    with style.style():
        figure = style.blank(style.plain(text), style.plain(text, 400), width=3, height=2)
        title = figure.subplots().set_title(style.plain(text))
        drawn = style.svg(figure, text)
    assert drawn.startswith(b"<?xml")
    assert not title.get_parse_math()


def test_no_framework(tmp_path):
    """Importing and drawing load no deep-learning framework and no pyplot."""
    named = "[name for name in ('tensorflow', 'keras', 'sklearn', 'matplotlib.pyplot') if name in sys.modules]"
    code = (
        f"import sys, pathlib, autoenc_bench.report.page as report; print({named});"
        f"report.write([pathlib.Path(sys.argv[1])], pathlib.Path(sys.argv[2])); print({named})"
    )
    paths = (recordings.save(tmp_path, recordings.content(["digits"])), tmp_path / "out")
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


def test_efficiency(tmp_path, drawn):
    """Each case with a roof has a mark at its efficiency, the letter of the roof, and a phrase."""
    marks = [line for axes in drawn["efficiency"].figure.axes for line in axes.lines if line.get_marker() != "None"]
    assert {round(float(line.get_xdata()[0]), 3) for line in marks} == {0.008, 0.048}  # 10 ms of 1.26 and of 0.21 s
    letters = {text.get_text() for axes in drawn["efficiency"].figure.axes for text in axes.texts}
    assert letters == {"c"}
    assert "crude-simple fit 0.79 % of compute" in drawn["efficiency"].alternative
    without = msgspec.structs.replace(recordings.RUN, roofs=None)
    assert timings.efficiency(section(tmp_path, run=without, entries=recordings.entries_of("digits"))) is None


def test_key_of_letters(drawn):
    """The title of the efficiencies explains the letters that the figure has, and no others."""
    (letter,) = {text.get_text() for axes in drawn["efficiency"].figure.axes for text in axes.texts}
    assert drawn["efficiency"].figure.get_suptitle().endswith(f"limit: {letter} compute")


def test_facts_are_readable(drawn):
    """The facts at the bottom of each figure are set in 7.5 points."""
    for drawing in drawn.values():
        assert drawing.figure._supxlabel.get_fontsize() == 7.5


@pytest.mark.parametrize("last", [0.0127, 0.00228, 0.9, 7.0, 59.0, 1234.0])
def test_time_axis_of_curves(tmp_path, last):
    """The labels of the time axis have units and keep a distance, however long the training took."""
    curve = [case.Epoch(0.7 - 0.01 * epoch, 0.7 - 0.01 * epoch, last / 3) for epoch in range(3)]
    names = ["crude-simple", "crude-complex", "digits"]
    entries = [recordings.benchmark(recordings.whole(name, curve=curve), last, rounds=1) for name in names]
    figure = draw(section(tmp_path, entries=entries))["training-curves"].figure
    figure.draw_without_rendering()
    for axes in figure.axes:
        labels = [label for label in axes.get_xticklabels() if label.get_window_extent().x1 <= axes.bbox.x1 + 9]
        assert 2 <= len(labels) <= 4
        assert labels[0].get_text() == "0"
        assert all(label.get_text().endswith("s") for label in labels[1:])
        boxes = [label.get_window_extent() for label in labels]
        assert all(left.x1 + 9 < right.x0 for left, right in pairwise(boxes))


def test_one_epoch(tmp_path):
    """A training of one epoch has no curve."""
    short = recordings.whole("crude-simple", epochs=1, curve=[case.Epoch(0.7, 0.7, 1.0)])
    assert curves.curves(section(tmp_path, entries=[recordings.benchmark(short, 2.0, rounds=1)])) is None


def test_rows_and_offsets():
    """Rows run from the top down; marks of several kinds share a row, and a single one is in its middle."""
    with style.style():
        axes = Figure().subplots()
        layout.rows(axes, ["one", "two", "a name of more than so many signs"], 10)
    assert axes.get_ylim() == (2.6, -0.6)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two", "a name of…"]
    assert layout.offset(0, 1, 0.5) == 0
    assert [layout.offset(place, 3, 0.5) for place in range(3)] == [-0.25, 0, 0.25]


def test_panels_are_as_many_as_asked():
    """Axes left over in the last row are removed."""
    figure = Figure()
    assert layout.panels(figure, 4, 3) == figure.axes
    assert len(figure.axes) == 4


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((0.01, 0.016), ["12 ms", "13.5 ms", "15 ms"]),
        ((0.01, 0.2), ["10 ms", "20 ms", "50 ms", "100 ms", "200 ms"]),
        ((0.01, 1), ["10 ms", "30 ms", "100 ms", "300 ms", "1 s"]),
        ((0.01, 100), ["10 ms", "100 ms", "1 s", "10 s", "100 s"]),
    ],
)
def test_seconds_on_a_logarithmic_axis(limits, labels):
    """Labels of a time axis are at decades, or closer if it spans few of them."""
    axes = Figure().subplots()
    axes.set_xlim(limits)
    layout.log_seconds(axes)
    ticks = axes.xaxis.get_majorticklocs()
    shown = [
        axes.xaxis.get_major_formatter()(tick) for tick in ticks if limits[0] <= tick * 1.0001 <= limits[1] * 1.001
    ]
    assert shown[-len(labels) :] == labels
    assert list(axes.xaxis.get_minorticklocs()) == []


@pytest.mark.parametrize("length", [6, 30])
def test_key_of_several_records(length):
    """A legend of long names leaves the panels their width and the title free."""
    figures_of_all = {"fit": 1e3, "fused": 1e5, "first_call": 1.0, "peak": 2.0**30, "efficiency": 0.1, "error": 5.0}
    rows = [
        RecordResult(str(record) * length, ExperimentSummary(experiment=name, **figures_of_all))
        for name in ("crude-simple", "digits")
        for record in range(5)
    ]
    with style.style():
        (drawing,) = side_by_side.draw(Together("Side by side", "", None, "", "somewhere", rows=rows))
        style.png(drawing.figure, drawing.title)
        widths = [axes.get_position().width for axes in drawing.figure.axes]
        (legend,) = drawing.figure.legends
        title = drawing.figure.texts[0] if drawing.figure.texts else drawing.figure._suptitle
        assert not legend.get_window_extent().overlaps(title.get_window_extent())
    assert len(widths) == 5
    assert max(widths) < 1.2 * min(widths)


def test_no_tex():
    """A logarithmic axis over less than a decade shows no TeX markup."""
    with style.style():
        axes = Figure().subplots()
        layout.log_log(axes, "features", [2, 4], (1.3, 1.3))
        axes.set_ylim(2, 9)
        axes.figure.canvas.draw()
        assert not [label.get_text() for label in axes.get_yticklabels(minor=True) if label.get_text()]
