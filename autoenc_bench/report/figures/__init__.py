"""Records in, Matplotlib figures out: every figure of a report, chapter by chapter in the notebook's order."""

from collections.abc import Iterator

from autoenc_bench.records.loading import Source, bracketed
from autoenc_bench.report.figures import curves, devices, efficiency, histograms, samples, scaling, style, timings
from autoenc_bench.report.figures.style import Drawing

CHAPTERS = {"mnist": "The MNIST dataset", "digits": "The digits dataset"}
CRUDE = ("crude-simple", "crude-complex")


def draw(source: Source) -> Iterator[tuple[str, Drawing]]:
    """Draw what a record holds, as pairs (chapter, drawing); call it, and save them, within ``looks.style()``.

    Figures are ``matplotlib.figure.Figure`` objects apart from pyplot. What a record lacks is not drawn.
    """
    if not source.cases:
        yield from (("Timings", drawing) for drawing in timings.bare(source))
        return
    if any(case.devices for _, case in source.cases):
        yield from (("More devices", drawing) for drawing in devices.scale_out(source))
        return
    yield from (("Crude models with crude data", drawing) for drawing in crude(source))
    yield from (("Does the number of features matter?", drawing) for drawing in features(source))
    for name, drawing in others(source):
        yield CHAPTERS.get(name, f"The {style.plain(name)} experiment"), drawing
    for draws in (curves.curves, timings.speed_up, timings.first_calls, efficiency.efficiency, timings.phases):
        yield from (("Timings", drawing) for drawing in draws(source))


def crude(source: Source) -> Iterator[Drawing]:
    """Draw the two models on random data: a sample, the histogram of each, and both upon each other."""
    wholes = {name: case for name, (_, case) in source.wholes().items() if name in CRUDE}
    sampled = {name: case for name, case in wholes.items() if case.sample}
    if sampled:
        yield samples.first(source.setting, sampled)
    drawable = {name: case for name, case in wholes.items() if histograms.drawable(case)}
    for case in drawable.values():
        yield histograms.histogram(source.setting, case)
    if len(drawable) == len(CRUDE):
        yield histograms.overlay(source.setting, drawable)


def features(source: Source) -> Iterator[Drawing]:
    """Draw the models that differ in their number of features only: errors, and what grows with the number."""
    drawable = {name: case for name, case in scaling.by_features(source).items() if histograms.drawable(case)}
    if len(drawable) > 1:
        yield histograms.overlay_features(source.setting, drawable)
    yield from scaling.scaling(source)


def others(source: Source) -> Iterator[tuple[str, Drawing]]:
    """Draw each other experiment, MNIST among them: its pictures where samples are pictures, and its histogram."""
    series = scaling.by_features(source)
    for name, (benchmark, case) in source.wholes().items():
        if name in CRUDE or name in series:
            continue
        key = bracketed(benchmark.name)
        pictures = {which: source.pictures.get(f"{key}/{which}") for which in ("first", "best", "worst")}
        held = {which: array for which, array in pictures.items() if array is not None}
        drawings = list(samples.montages(source.setting, case, held)) if case.image else []
        drawings += [histograms.histogram(source.setting, case)] if histograms.drawable(case) else []
        yield from ((name, drawing) for drawing in drawings)
