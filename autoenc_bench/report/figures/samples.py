"""Figures of single samples beside their reconstructions, as numbers and as pictures."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from autoenc_bench.records.case import Case
from autoenc_bench.report.figures import layout, style

Bytes = NDArray[np.uint8]


def first(setting: str, cases: dict[str, Case]) -> style.Drawing | None:
    """Draw the first test sample beside each model's reconstruction: the error is the sum of the gaps."""
    cases = {name: case for name, case in cases.items() if case.sample}
    if not cases:
        return None
    title = "The first test sample and its reconstructions"
    figure = style.blank(title, setting, height=1.1 + 1.45 * len(cases))
    panels = layout.panels(figure, len(cases), 1, sharex=True)
    phrases = []
    for axes, (name, case) in zip(panels, cases.items(), strict=True):
        assert case.sample
        original, reconstruction = np.array(case.sample.original), np.array(case.sample.reconstruction)
        error, colour, at = np.abs(original - reconstruction).sum(), style.colour(name), np.arange(1, len(original) + 1)
        axes.vlines(at, original, reconstruction, color=colour, alpha=0.5, linewidth=1.3)
        axes.plot(at, original, "o", markersize=4.5, color=style.INK)
        layout.points(axes, at, reconstruction, "fused", colour, 4.5)
        axes.set(ylim=(-0.05, 1.05), ylabel="value", xlim=(0, len(original) + 1))
        axes.set_title(f"{style.plain(name)}: the gaps add up to an error of {error:.2f}", color=colour)
        span = f"{reconstruction.min():.2f} to {reconstruction.max():.2f}"
        phrases.append(f"{name} {error:.2f}, with reconstructions from {span}")
    panels[0].set_title("● original    ◆ reconstruction", loc="right", fontsize=8.5)
    panels[-1].set_xlabel("feature")
    alternative = (
        f"The {len(original)} random features of the first test sample, {original.min():.2f} to {original.max():.2f}, "
        f"beside their reconstructions. Sums of absolute differences: {'; '.join(phrases)}."
    )
    note = (
        "The notebook prints these numbers. Each line is the absolute difference in one feature. The sum of the "
        "differences is the error that the histograms show."
    )
    return style.Drawing("sample-crude", title, alternative, figure, note)


def montages(setting: str, case: Case, pictures: Mapping[str, Bytes]) -> Iterator[style.Drawing]:
    """Draw a case's first, worst and best pictures above their reconstructions, and the plot of the notebook's website.

    ``pictures`` maps ``storage.PICTURE_KINDS`` to arrays of shape (2, n, features); a case without images has none.
    """
    if not (case.image and case.error and pictures):
        return
    name, first, pairs = case.experiment, pictures["first"], pictures["first"][:, :2]
    numbers = [f"#{index}" for index in range(first.shape[1])]
    montages = [("first", f"the first {len(numbers)} test samples", first, numbers, "")]
    for which, extremes in (("worst", case.error.worst), ("best", case.error.best)):
        title = f"the {len(extremes)} {which} reconstructions and their errors"
        samples = ", ".join(str(extreme.index) for extreme in extremes)
        words = f", from {extremes[0].error:.4g} to {extremes[-1].error:.4g} (test samples {samples})"
        montages.append((which, title, pictures[which], [f"{extreme.error:#.3g}" for extreme in extremes], words))
    words = ", as in the plot for the notebook's website"
    montages.append(("website", "input and output", pairs, [""] * pairs.shape[1], words))
    for which, title, shown, labels, words in montages:
        size = (3.8, 3.9) if which == "website" else (5.8, 2.05)
        figure = style.blank(f"{style.plain(name, 24)}: {title}", setting, *size)
        _montage(figure, shown, case.image, labels)
        alternative = f"Test pictures of {name} above their reconstructions: {title}{words}."
        yield style.Drawing(f"{which}-{name}", f"{name}: {title}", alternative, figure)


def _montage(figure: Figure, pairs: Bytes, image: tuple[int, int], labels: Sequence[str]) -> None:
    """Draw originals, ``pairs[0]``, above their reconstructions, ``pairs[1]``, each with its label on top."""
    axes, (height, width) = figure.subplots(), image
    gap = max(1, width // 8)
    axes.imshow(_sheet(pairs, image, gap), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_xticks([(width + gap) * at + width / 2 - 0.5 for at in range(pairs.shape[1])], labels)
    axes.set_yticks([height / 2, height + gap + height / 2], ["original", "reconstruction"])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)


def _sheet(pairs: Bytes, image: tuple[int, int], gap: int) -> NDArray[np.uint8]:
    """Return pictures of shape (2, n, features) in two rows as an RGBA image, transparent between them."""
    (rows, count, _), (height, width) = pairs.shape, image
    cells = np.zeros((rows, height + gap, count, width + gap, 4), np.uint8)
    cells[:, :height, :, :width, :3] = pairs.reshape(rows, count, height, width, 1).transpose(0, 2, 1, 3, 4)
    cells[:, :height, :, :width, 3] = 255
    return cells.reshape(rows * (height + gap), count * (width + gap), 4)[:-gap, :-gap]
