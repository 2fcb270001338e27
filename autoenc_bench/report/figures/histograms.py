"""How errors are distributed: the notebook's histograms, one by one and upon each other."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from autoenc_bench.records.case import Case, Error
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing

Values = NDArray[np.float64]


def histogram(setting: str, case: Case) -> Drawing:
    """Draw the errors of one model in 100 bins, beside its yardsticks."""
    assert case.error
    name, colour, (mean, sigma) = case.experiment, style.colour(case.experiment), moments(case.error)
    counts, edges = hundred_bins(case.error)
    figure = style.blank(f"{style.plain(name)}: error {mean:#.4g} ± {sigma:#.3g}", setting)
    axes = figure.subplots()
    axes.stairs(counts, edges, fill=True, color=colour, alpha=0.85)
    axes.set(ylim=(0, counts.max() * 1.28), xlabel=_error_label(case), ylabel="test samples per bin")
    axes.yaxis.set_major_formatter(style.count_axis())
    _yardsticks(axes, case.error)
    _whisker(axes, case.error, counts.max() * 1.09, colour)
    samples = sum(case.error.absolute.counts)
    return Drawing(
        f"error-{name}",
        f"{name}: distribution of errors",
        f"Histogram, 100 bins, of the absolute errors of {samples:,} test samples of {name}: from {edges[0]:.4g} to "
        f"{edges[-1]:.4g}, most often near {edges[counts.argmax()]:.4g}; mean {mean:.4g}, σ {sigma:.4g}. "
        f"Yardsticks: {yardstick_words(case.error)}.",
        figure,
        _which(case),
    )


def _whisker(axes: Axes, error: Error, height: float, colour: str) -> None:
    """Mark mean and σ above the bars, and write them on the side that has room."""
    mean, sigma = moments(error)
    axes.hlines(height, mean - sigma, mean + sigma, color=colour, linewidth=2)
    axes.plot([mean], [height], linestyle="", **style.mark(None, colour))
    low, high = axes.get_xlim()
    left = mean > (low + high) / 2
    axes.annotate(
        f"mean {mean:#.4g}, σ = {sigma:#.3g}",
        (mean - sigma if left else mean + sigma, height),
        xytext=(-7 if left else 7, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color=colour,
        bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5},
    )


def _yardsticks(axes: Axes, error: Error) -> None:
    """Mark what methods without a network reach, on top of the axes."""
    found = sorted((stick.mean, name) for name, stick in error.yardsticks.items())
    for mean, name in found:
        axes.axvline(mean, color=style.INK, linewidth=0.9, linestyle=":" if name == "PCA" else "-.")
    low, high = axes.get_xlim()
    for place, (mean, name) in enumerate(found):
        # Two that are close stand back to back, and no label leaves the axes.
        close = len(found) > 1 and place == 0 and found[1][0] - mean < (high - low) / 3 and mean > (3 * low + high) / 4
        left = close or mean > (low + 3 * high) / 4
        axes.annotate(
            f"{style.plain(name)} {mean:#.4g}",
            (mean, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if left else 4, -1),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=8,
        )


def overlay(setting: str, cases: dict[str, Case]) -> Drawing:
    """Draw the errors of the two models upon each other, on 100 common bins."""
    errors = {name: case.error for name, case in cases.items() if case.error}
    edges = common_edges(errors.values(), 100)
    simple, complex_ = (moments(error)[0] for error in errors.values())
    finding = "better" if complex_ < simple else "no better"
    figure = style.blank(f"Simple and complex: the larger model is {finding}", setting)
    axes = figure.subplots()
    words = []
    for name, error in errors.items():
        colour, (mean, sigma), counts = style.colour(name), moments(error), rebinned(error, edges)
        axes.stairs(counts, edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(counts, edges, color=colour, linewidth=1.5)
        left = mean == min(moments(error)[0] for error in errors.values())
        axes.text(
            mean - 1.3 * sigma if left else mean + 1.3 * sigma,
            counts.max() * 0.72,
            f"{name}\nmean {mean:#.4g}\nσ = {sigma:#.3g}",
            ha="right" if left else "left",
            color=colour,
            linespacing=1.4,
        )
        words.append(f"{name}: mean {mean:#.4g}, σ {sigma:#.3g}")
    axes.set(ylim=(0, None), xlabel=_error_label(next(iter(cases.values()))), ylabel="test samples per bin")
    axes.yaxis.set_major_formatter(style.count_axis())
    return Drawing(
        "error-crude-both",
        "Both crude models: distributions of errors",
        f"Two error histograms upon each other, on 100 common bins from {edges[0]:.4g} to {edges[-1]:.4g}. "
        f"{'; '.join(words)}. They overlap for the most part.",
        figure,
    )


def overlay_features(setting: str, cases: dict[str, Case]) -> Drawing:
    """Draw the errors of several numbers of features upon each other, on 200 common bins from 0."""
    errors = {name: case.error for name, case in cases.items() if case.error}
    edges = np.linspace(0, common_edges(errors.values(), 1)[-1], 201)
    counts = {name: rebinned(error, edges) for name, error in errors.items()}
    peaks = sorted(found.max() for found in counts.values())
    # One narrow distribution would press all others flat: it is cut, and says how high it is.
    top = peaks[-1] * 1.12 if peaks[-1] < 3 * peaks[-2] else peaks[-2] * 1.25
    figure = style.blank("The more features, the larger and the wider the errors", setting, height=3.6)
    axes = figure.subplots()
    words = []
    for name, found in counts.items():
        colour, (mean, sigma), number = style.colour(name), moments(errors[name]), name.rpartition("-")[2]
        axes.stairs(found, edges, fill=True, color=colour, alpha=0.75)
        cut = found.max() > top
        axes.annotate(
            f"{number} features" + (f", peak {found.max():,.0f} ↑\nσ = " if cut else "\nσ = ") + f"{sigma:#.3g}",
            (mean if cut else mean + 1.0 * sigma, top if cut else 0.8 * found.max()),
            xytext=(6, -1),
            textcoords="offset points",
            va="top" if cut else "center",
            color=colour,
            linespacing=1.3,
        )
        words.append(f"{number} features: mean {mean:.4g}, σ {sigma:.3g}, peak {found.max():,.0f}")
    axes.set(xlim=(0, edges[-1]), ylim=(0, top), ylabel="test samples per bin")
    axes.set_xlabel("absolute error per test sample (sum over features, units of the data)")
    axes.yaxis.set_major_formatter(style.count_axis())
    return Drawing(
        "error-features",
        "Distributions of errors by number of features",
        f"Error histograms upon each other, on 200 common bins from 0 to {edges[-1]:.4g}. {'; '.join(words)}.",
        figure,
        "A sum over more features is larger; its spread grows more slowly than its mean."
        + (" The narrowest distribution is cut at the top; its peak is written beside it." if peaks[-1] > top else ""),
    )


def hundred_bins(error: Error) -> tuple[Values, Values]:
    """Sum a record's fine bins to 100 (a quarter of what it holds): counts, and their edges."""
    counts = np.array(error.absolute.counts, np.float64).reshape(-1, 4).sum(axis=1)
    return counts, _edges(error, len(counts))


def rebinned(error: Error, edges: Values) -> Values:
    """Count errors on other bins: read off the cumulative counts, straight between the fine bins' edges."""
    counts = error.absolute.counts
    reached = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    return np.diff(np.interp(edges, _edges(error, len(counts)), reached))


def common_edges(errors: Iterable[Error], bins: int) -> Values:
    """Give equal bins from the smallest error of all to the largest."""
    ends = [_edges(error, 1) for error in errors]
    return np.linspace(min(low for low, _ in ends), max(high for _, high in ends), bins + 1)


def _edges(error: Error, bins: int) -> Values:
    low, high = error.absolute.quantiles["0"] or 0.0, error.absolute.quantiles["1"] or 0.0
    if high <= low:  # as the record's own bins are where all errors are equal
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def moments(error: Error) -> tuple[float, float]:
    """Give mean and σ of the absolute errors; NaN for what is not finite."""
    nan = float("nan")
    absolute = error.absolute
    return nan if absolute.mean is None else absolute.mean, nan if absolute.std is None else absolute.std


def yardstick_words(error: Error) -> str:
    """Say how well the methods without a network do."""
    sticks = (
        f"{name}{f' with {stick.components} components' if stick.components else ''} {stick.mean:.4g}"
        for name, stick in error.yardsticks.items()
    )
    return ", ".join(sticks)


def drawable(case: Case) -> bool:
    """Tell whether a case has a histogram to draw."""
    return bool(case.error and case.error.absolute.counts)


def _error_label(case: Case) -> str:
    count = f"{len(case.sample.original)} " if case.sample else ""
    return f"absolute error per test sample (sum over {count}features, units of the data)"


def _which(case: Case) -> str:
    return f"Trained by the {case.trainer} trainer, seed {case.seed}."
