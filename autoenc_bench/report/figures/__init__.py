"""Records in, Matplotlib figures out: every figure of a report, chapter by chapter in the notebook's order."""

from collections.abc import Iterable, Iterator

from autoenc_bench.records.loading import Source
from autoenc_bench.records.names import bracketed
from autoenc_bench.records.storage import PICTURE_KINDS
from autoenc_bench.report.figures import curves, devices, efficiency, histograms, samples, scaling, style, timings

CHAPTERS = {"mnist": "The MNIST dataset", "digits": "The digits dataset"}
CRUDE = ("crude-simple", "crude-complex")


def draw(source: Source) -> Iterator[tuple[str, style.Drawing]]:
    """Draw what a record holds, as pairs (chapter, drawing); call it, and save them, within ``style.style()``.

    Figures are ``matplotlib.figure.Figure`` objects apart from pyplot. What a record lacks is not drawn.
    """
    for chapter, drawings in _chapters(source):
        yield from ((chapter, drawing) for drawing in drawings)


def _chapters(source: Source) -> Iterator[tuple[str, Iterable[style.Drawing]]]:
    if not source.cases:
        yield "Timings", timings.bare(source)
    elif any(case.devices for _, case in source.cases):
        yield "More devices", devices.scale_out(source)
    else:
        yield "Crude models with crude data", crude(source)
        yield "Does the number of features matter?", features(source)
        for name, drawings in others(source):
            yield CHAPTERS.get(name, f"The {style.plain(name)} experiment"), drawings
        for draws in (curves.curves, timings.speed_up, timings.first_calls, efficiency.efficiency, timings.phases):
            yield "Timings", draws(source)


def crude(source: Source) -> Iterator[style.Drawing]:
    """Draw the two models on random data: a sample, the histogram of each, and both upon each other."""
    wholes = {name: case for name, (_, case) in source.wholes().items() if name in CRUDE}
    if sampled := {name: case for name, case in wholes.items() if case.sample}:
        yield samples.first(source.setting, sampled)
    drawable = {name: case for name, case in wholes.items() if histograms.drawable(case)}
    yield from (histograms.histogram(source.setting, case) for case in drawable.values())
    if len(drawable) == len(CRUDE):
        yield histograms.overlay(source.setting, drawable)


def features(source: Source) -> Iterator[style.Drawing]:
    """Draw the models that differ in their number of features only: errors, and what grows with the number."""
    drawable = {name: case for name, case in scaling.by_features(source).items() if histograms.drawable(case)}
    if len(drawable) > 1:
        yield histograms.overlay_features(source.setting, drawable)
    yield from scaling.scaling(source)


def others(source: Source) -> Iterator[tuple[str, Iterable[style.Drawing]]]:
    """Draw each other experiment, MNIST among them: its pictures where samples are pictures, and its histogram."""
    apart = {*CRUDE, *scaling.by_features(source)}
    for name, (benchmark, case) in source.wholes().items():
        if name not in apart:
            key = bracketed(benchmark.name)
            pictures = {which: source.pictures[f"{key}/{which}"] for which in PICTURE_KINDS if case.image}
            yield name, samples.montages(source.setting, case, pictures)
            yield name, [histograms.histogram(source.setting, case)] if histograms.drawable(case) else []
