"""The figures of a report, chapter by chapter in the notebook's order."""

from collections.abc import Collection, Iterable, Iterator

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.report.figures import curves, devices, histograms, pairs, samples, scaling, side_by_side, timings
from autoenc_bench.report.figures.style import Drawing, plain
from autoenc_bench.report.side_by_side import Together
from autoenc_bench.report.view import Section

CRUDE = ("crude-simple", "crude-complex")


def draw(section: Section) -> Iterator[tuple[str, Drawing]]:
    """Yield the figures of a record as pairs (chapter, drawing); call this and save them within ``style.style()``.

    A figure is a ``matplotlib.figure.Figure`` without pyplot. A figure is left out if the record lacks its data.
    """
    chapters: Iterable[tuple[str, Drawing | None]]
    if not section.experiments:
        chapters = [("Timings", timings.bare(section))]
    elif section.scaled:
        chapters = [("More devices", devices.scale_out(section))]
    else:
        chapters = _experiments(section)
    yield from ((chapter, drawing) for chapter, drawing in chapters if drawing)


def draw_together(together: Together) -> Iterator[tuple[str, Drawing]]:
    """Yield the figures of several records together as pairs (chapter, drawing), within ``style.style()``."""
    drawings = [*pairs.draw(together), *side_by_side.draw(together)]
    yield from ((together.title, drawing) for drawing in drawings)


def heading(experiments: Collection[str], otherwise: str) -> str:
    """Return the catalogue's titles of these experiments, each with the names, or ``otherwise`` if one has no title."""
    names: dict[str, list[str]] = {}
    for name in experiments:
        names.setdefault(EXPERIMENTS[name].title if name in EXPERIMENTS else "", []).append(name)
    if not names or "" in names:
        return otherwise
    return ", ".join(f"{title} ({', '.join(names[title])})" for title in names)


def _experiments(section: Section) -> Iterator[tuple[str, Drawing | None]]:
    setting, wholes = section.setting, section.wholes
    crude = {name: case for name, case in wholes.items() if name in CRUDE}
    by_features = scaling.by_features(wholes)
    features = {case.experiment: case for case in by_features.values()}
    for drawing in (
        samples.first(setting, crude),
        *(histograms.histogram(setting, case) for case in crude.values()),
        histograms.overlay(setting, crude),
    ):
        yield heading(crude, "Crude models with crude data"), drawing
    for drawing in (histograms.overlay_features(setting, features), scaling.scaling(section, by_features)):
        yield heading(features, "Does the number of features matter?"), drawing
    for name, case in wholes.items():
        if name not in {*crude, *features}:
            chapter = heading([name], f"The {plain(name)} experiment")
            for drawing in samples.montages(setting, case, section.images.get(name, {})):
                yield chapter, drawing
            yield chapter, histograms.histogram(setting, case)
    for draws in (curves.curves, timings.speed_up, timings.first_calls, timings.efficiency, timings.phases):
        yield "Timings", draws(section)
