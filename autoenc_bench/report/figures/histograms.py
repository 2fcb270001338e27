"""Histograms of errors, as in the notebook: of one model and of several."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from autoenc_bench.records.case import Case, Error
from autoenc_bench.report.figures import layout, style

Values = NDArray[np.float64]


def histogram(setting: str, case: Case) -> style.Drawing | None:
    """Draw the errors of one model in 100 bins, beside the reference values; None where it has no histogram."""
    name, colour, error = case.experiment, style.colour(case.experiment), case.error
    if not (error and error.absolute.counts):
        return None
    (mean, sigma), (counts, edges) = moments(error), hundred_bins(error)
    figure, axes = _blank(f"{style.plain(name)}: error {mean:#.4g} ± {sigma:#.3g}", setting, case)
    axes.stairs(counts, edges, fill=True, color=colour, alpha=0.85)
    axes.set_ylim(0, counts.max() * 1.28)
    _references(axes, error)
    # Mean and σ are above the bars, with their label on the side that has room.
    height, side = counts.max() * 1.09, -1 if mean > sum(axes.get_xlim()) / 2 else 1
    axes.hlines(height, mean - sigma, mean + sigma, color=colour, linewidth=2)
    layout.points(axes, mean, height, None, colour, 5.5)
    label, at = f"mean {mean:#.4g}, σ = {sigma:#.3g}", (mean + side * sigma, height)
    layout.beside(axes, label, at, (7 * side, 0), fontsize=9, color=colour, paper=1.5)
    references = (
        f"{name}{f' with {yardstick.components} components' if yardstick.components else ''} {yardstick.mean:.4g}"
        for name, yardstick in error.yardsticks.items()
    )
    alternative = (
        f"Histogram, 100 bins, of the absolute errors of {counts.sum():,.0f} test samples of {name}: from "
        f"{edges[0]:.4g} to {edges[-1]:.4g}, most often near {edges[counts.argmax()]:.4g}; mean {mean:.4g}, "
        f"σ {sigma:.4g}. Reference values: {', '.join(references)}."
    )
    note = (
        f"Trained by the {case.trainer} trainer, seed {case.seed}. Vertical lines are reference values: the constant "
        "mean of the training rows, and PCA with as many components as the code has units."
    )
    return style.Drawing(f"error-{name}", f"{name}: distribution of errors", alternative, figure, note)


def _references(axes: Axes, error: Error) -> None:
    """Mark the reference values, which methods without a network reach, and label them at the top."""
    means = sorted((yardstick.mean, name) for name, yardstick in error.yardsticks.items())
    for mean, name in means:
        axes.axvline(mean, color=style.INK, linewidth=0.9, linestyle=":" if name == "PCA" else "-.")
    low, high = axes.get_xlim()
    for place, (mean, name) in enumerate(means):
        # Labels of two close values point away from each other, and no label leaves the axes.
        close = len(means) > 1 and place == 0 and means[1][0] - mean < (high - low) / 3 and mean > (3 * low + high) / 4
        aside = -4 if close or mean > (low + 3 * high) / 4 else 4
        label, fraction = f"{style.plain(name)} {mean:#.4g}", ("data", "axes fraction")
        layout.beside(axes, label, (mean, 1), (aside, -1), va="top", fontsize=8, xycoords=fraction)


def overlay(setting: str, cases: Mapping[str, Case]) -> style.Drawing | None:
    """Draw the errors of the two models, the simple one first, on 100 common bins."""
    errors = drawable(cases)
    if len(errors) < 2:
        return None
    ends = [end for error in errors.values() for end in _edges(error, 1)]
    edges = np.linspace(min(ends), max(ends), 101)
    simple, larger = (moments(error)[0] for error in errors.values())
    title = f"Simple and complex: the larger model is {'better' if larger < simple else 'no better'}"
    figure, axes = _blank(title, setting, cases[next(iter(errors))])
    phrases = []
    for name, error in errors.items():
        colour, (mean, sigma), counts = style.colour(name), moments(error), rebinned(error, edges)
        axes.stairs(counts, edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(counts, edges, color=colour, linewidth=1.5)
        side = -1 if mean == min(simple, larger) else 1
        label, x = f"{name}\nmean {mean:#.4g}\nσ = {sigma:#.3g}", mean + side * 1.3 * sigma
        axes.text(x, counts.max() * 0.72, label, ha="right" if side < 0 else "left", color=colour, linespacing=1.4)
        phrases.append(f"{name}: mean {mean:#.4g}, σ {sigma:#.3g}")
    axes.set_ylim(0, None)
    alternative = (
        f"The error histograms of two models, on 100 common bins from {edges[0]:.4g} to {edges[-1]:.4g}. "
        f"{'; '.join(phrases)}."
    )
    return style.Drawing("error-crude-both", "Both crude models: distributions of errors", alternative, figure)


def overlay_features(setting: str, cases: Mapping[str, Case]) -> style.Drawing | None:
    """Draw the errors of several numbers of features, on 200 common bins from 0."""
    errors = drawable(cases)
    if len(errors) < 2:
        return None
    edges = np.linspace(0, max(_edges(error, 1)[-1] for error in errors.values()), 201)
    counts = {name: rebinned(error, edges) for name, error in errors.items()}
    second, highest = sorted(bins.max() for bins in counts.values())[-2:]
    # One narrow distribution would make all others look flat, so it is cut and its label gives its height.
    top = highest * 1.12 if highest < 3 * second else second * 1.25
    figure, axes = _blank("Errors by number of features", setting, height=3.6)
    phrases = []
    for name, bins in counts.items():
        colour, (mean, sigma), peak = style.colour(name), moments(errors[name]), bins.max()
        axes.stairs(bins, edges, fill=True, color=colour, alpha=0.75)
        features, cut = f"{name.rpartition('-')[2]} features", peak > top
        label = f"{features}{f', peak {peak:,.0f} ↑' if cut else ''}\nσ = {sigma:#.3g}"
        at, aligned = ((mean, top), "top") if cut else ((mean + sigma, 0.8 * peak), "center")
        layout.beside(axes, label, at, (6, -1), va=aligned, fontsize=9, color=colour, linespacing=1.3)
        phrases.append(f"{features}: mean {mean:.4g}, σ {sigma:.3g}, peak {peak:,.0f}")
    axes.set(xlim=(0, edges[-1]), ylim=(0, top))
    lead = f"Error histograms on 200 common bins from 0 to {edges[-1]:.4g}."
    alternative = f"{lead} {'; '.join(phrases)}."
    note = "A sum over more features is larger; its spread grows more slowly than its mean."
    note += " The narrowest distribution is cut at the top; its label gives its peak." if highest > top else ""
    return style.Drawing("error-features", "Distributions of errors by number of features", alternative, figure, note)


def _blank(title: str, setting: str, case: Case | None = None, height: float = 3.4) -> tuple[Figure, Axes]:
    """Return a figure and its axes, labelled as a histogram of errors, with the number of features of a case."""
    features = f"{len(case.sample.original)} features" if case and case.sample else "features"
    figure = style.blank(title, setting, height=height)
    axes = figure.subplots()
    axes.set_xlabel(f"absolute error per test sample (sum over {features}, units of the data)")
    axes.set_ylabel("test samples per bin")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    return figure, axes


def drawable(cases: Mapping[str, Case]) -> dict[str, Error]:
    """Return the errors of the cases that have a histogram to draw, by experiment."""
    return {name: case.error for name, case in cases.items() if case.error and case.error.absolute.counts}


def hundred_bins(error: Error) -> tuple[Values, Values]:
    """Return the counts and edges of 100 bins, each the sum of four bins of the record."""
    counts = np.array(error.absolute.counts, np.float64).reshape(-1, 4).sum(axis=1)
    return counts, _edges(error, len(counts))


def rebinned(error: Error, edges: Values) -> Values:
    """Return counts on other bins, from cumulative counts that are linear between the edges of the record's bins."""
    counts = error.absolute.counts
    cumulative = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    return np.diff(np.interp(edges, _edges(error, len(counts)), cumulative))


def _edges(error: Error, bins: int) -> Values:
    low, high = error.absolute.quantiles["0"] or 0.0, error.absolute.quantiles["1"] or 0.0
    if high <= low:  # equal errors: these are the bins of the record, too
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def moments(error: Error) -> tuple[float, float]:
    """Return mean and σ of the absolute errors; a record with a histogram has both."""
    return error.absolute.mean or 0.0, error.absolute.std or 0.0
