"""How errors are distributed: the notebook's histograms, one by one and upon each other."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from autoenc_bench.records.case import Case, Error
from autoenc_bench.report.figures import layout, style

Values = NDArray[np.float64]


def drawable(cases: Mapping[str, Case]) -> dict[str, Error]:
    """Return the errors of the cases that have a histogram to draw, by experiment."""
    return {name: case.error for name, case in cases.items() if case.error and case.error.absolute.counts}


def histogram(setting: str, case: Case) -> style.Drawing | None:
    """Draw the errors of one model in 100 bins, beside its yardsticks."""
    if not (case.error and case.error.absolute.counts):
        return None
    name, colour, (mean, sigma) = case.experiment, style.colour(case.experiment), moments(case.error)
    counts, edges = hundred_bins(case.error)
    figure, axes = _blank(f"{style.plain(name)}: error {mean:#.4g} ± {sigma:#.3g}", setting, case)
    axes.stairs(counts, edges, fill=True, color=colour, alpha=0.85)
    axes.set_ylim(0, counts.max() * 1.28)
    _yardsticks(axes, case.error)
    _whisker(axes, case.error, counts.max() * 1.09, colour)
    yardsticks = (
        f"{name}{f' with {yardstick.components} components' if yardstick.components else ''} {yardstick.mean:.4g}"
        for name, yardstick in case.error.yardsticks.items()
    )
    alternative = (
        f"Histogram, 100 bins, of the absolute errors of {counts.sum():,.0f} test samples of {name}: from "
        f"{edges[0]:.4g} to {edges[-1]:.4g}, most often near {edges[counts.argmax()]:.4g}; mean {mean:.4g}, "
        f"σ {sigma:.4g}. Yardsticks: {', '.join(yardsticks)}."
    )
    note = f"Trained by the {case.trainer} trainer, seed {case.seed}."
    return style.Drawing(f"error-{name}", f"{name}: distribution of errors", alternative, figure, note)


def _blank(title: str, setting: str, case: Case | None = None, height: float = 3.4) -> tuple[Figure, Axes]:
    """Return a figure and its axes, labelled as a histogram of errors; of a case, with its number of features."""
    features = f"{len(case.sample.original)} features" if case and case.sample else "features"
    figure = style.blank(title, setting, height=height)
    axes = figure.subplots()
    axes.set_xlabel(f"absolute error per test sample (sum over {features}, units of the data)")
    axes.set_ylabel("test samples per bin")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    return figure, axes


def _whisker(axes: Axes, error: Error, height: float, colour: str) -> None:
    """Mark mean and σ above the bars, and write them on the side that has room."""
    mean, sigma = moments(error)
    axes.hlines(height, mean - sigma, mean + sigma, color=colour, linewidth=2)
    layout.points(axes, mean, height, None, colour, 5.5)
    side = -1 if mean > sum(axes.get_xlim()) / 2 else 1
    label, at = f"mean {mean:#.4g}, σ = {sigma:#.3g}", (mean + side * sigma, height)
    layout.beside(axes, label, at, (7 * side, 0), fontsize=9, color=colour, paper=1.5)


def _yardsticks(axes: Axes, error: Error) -> None:
    """Mark what methods without a network reach, on top of the axes."""
    means = sorted((yardstick.mean, name) for name, yardstick in error.yardsticks.items())
    for mean, name in means:
        axes.axvline(mean, color=style.INK, linewidth=0.9, linestyle=":" if name == "PCA" else "-.")
    low, high = axes.get_xlim()
    for place, (mean, name) in enumerate(means):
        # Two that are close stand back to back, and no label leaves the axes.
        close = len(means) > 1 and place == 0 and means[1][0] - mean < (high - low) / 3 and mean > (3 * low + high) / 4
        aside = -4 if close or mean > (low + 3 * high) / 4 else 4
        label, fraction = f"{style.plain(name)} {mean:#.4g}", ("data", "axes fraction")
        layout.beside(axes, label, (mean, 1), (aside, -1), va="top", fontsize=8, xycoords=fraction)


def overlay(setting: str, cases: Mapping[str, Case]) -> style.Drawing | None:
    """Draw the errors of the two models, the simple one first, upon each other, on 100 common bins."""
    errors = drawable(cases)
    if len(errors) < 2:
        return None
    ends = np.array([_edges(error, 1) for error in errors.values()])
    edges = np.linspace(ends.min(), ends.max(), 101)
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
        f"Two error histograms upon each other, on 100 common bins from {edges[0]:.4g} to {edges[-1]:.4g}. "
        f"{'; '.join(phrases)}. They overlap for the most part."
    )
    return style.Drawing("error-crude-both", "Both crude models: distributions of errors", alternative, figure)


def overlay_features(setting: str, cases: Mapping[str, Case]) -> style.Drawing | None:
    """Draw the errors of several numbers of features upon each other, on 200 common bins from 0."""
    errors = drawable(cases)
    if len(errors) < 2:
        return None
    edges = np.linspace(0, max(_edges(error, 1)[-1] for error in errors.values()), 201)
    counts = {name: rebinned(error, edges) for name, error in errors.items()}
    peaks = sorted(bins.max() for bins in counts.values())
    # One narrow distribution would press all others flat: it is cut, and says how high it is.
    top = peaks[-1] * 1.12 if peaks[-1] < 3 * peaks[-2] else peaks[-2] * 1.25
    figure, axes = _blank("The more features, the larger and the wider the errors", setting, height=3.6)
    phrases = []
    for name, bins in counts.items():
        colour, (mean, sigma), number = style.colour(name), moments(errors[name]), name.rpartition("-")[2]
        axes.stairs(bins, edges, fill=True, color=colour, alpha=0.75)
        peak, cut = bins.max(), bins.max() > top
        label = f"{number} features" + (f", peak {peak:,.0f} ↑\nσ = " if cut else "\nσ = ") + f"{sigma:#.3g}"
        at, aligned = ((mean, top), "top") if cut else ((mean + sigma, 0.8 * peak), "center")
        layout.beside(axes, label, at, (6, -1), va=aligned, fontsize=9, color=colour, linespacing=1.3)
        phrases.append(f"{number} features: mean {mean:.4g}, σ {sigma:.3g}, peak {peak:,.0f}")
    axes.set(xlim=(0, edges[-1]), ylim=(0, top))
    lead = f"Error histograms upon each other, on 200 common bins from 0 to {edges[-1]:.4g}."
    alternative = f"{lead} {'; '.join(phrases)}."
    note = "A sum over more features is larger; its spread grows more slowly than its mean."
    note += " The narrowest distribution is cut at the top; its peak is written beside it." if peaks[-1] > top else ""
    return style.Drawing("error-features", "Distributions of errors by number of features", alternative, figure, note)


def hundred_bins(error: Error) -> tuple[Values, Values]:
    """Sum a record's fine bins to 100 (a quarter of what it holds): counts, and their edges."""
    counts = np.array(error.absolute.counts, np.float64).reshape(-1, 4).sum(axis=1)
    return counts, _edges(error, len(counts))


def rebinned(error: Error, edges: Values) -> Values:
    """Count errors on other bins: read off the cumulative counts, straight between the fine bins' edges."""
    counts = error.absolute.counts
    reached = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    return np.diff(np.interp(edges, _edges(error, len(counts)), reached))


def _edges(error: Error, bins: int) -> Values:
    low, high = error.absolute.quantiles["0"] or 0.0, error.absolute.quantiles["1"] or 0.0
    if high <= low:  # as the record's own bins are where all errors are equal
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def moments(error: Error) -> tuple[float, float]:
    """Return mean and σ of the absolute errors, which a record with a histogram has."""
    return error.absolute.mean or 0.0, error.absolute.std or 0.0
