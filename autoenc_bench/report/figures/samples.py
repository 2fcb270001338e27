"""Single samples beside their reconstructions: the first one as numbers, and those that are pictures as pictures."""

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
    return style.Drawing(
        "sample-crude",
        "The first test sample beside its reconstructions",
        f"The {len(original)} random features of the first test sample, {original.min():.2f} to {original.max():.2f}, "
        f"beside their reconstructions. Sums of absolute differences: {'; '.join(phrases)}.",
        figure,
        "The notebook prints these numbers. Each line is the absolute difference in one feature. The sum of the "
        "differences is the error that the histograms show.",
    )


def montages(setting: str, case: Case, pictures: Mapping[str, Bytes]) -> Iterator[style.Drawing]:
    """Draw a case's first, worst and best pictures above their reconstructions, and the website's plot.

    ``pictures`` maps ``loading.PICTURES`` to arrays of shape (2, n, features); a case that is no picture needs none.
    """
    if not (case.image and case.error):
        return
    name, first = case.experiment, pictures["first"]
    count = first.shape[1]
    numbers = [f"#{index}" for index in range(count)]
    words = f"The first {count} test pictures of {name}, above their reconstructions."
    figure = _montage(f"{name}: the first {count} test samples", setting, first, case.image, numbers)
    yield style.Drawing(f"first-{name}", f"{name}: first test samples", words, figure)
    for which, extremes in (("worst", case.error.worst), ("best", case.error.best)):
        errors = [f"{extreme.error:#.3g}" for extreme in extremes]
        title = f"{name}: the {len(extremes)} {which} reconstructions and their errors"
        figure = _montage(title, setting, pictures[which], case.image, errors)
        words = (
            f"The {len(extremes)} test pictures of {name} that are reconstructed {which}, above their "
            f"reconstructions, with errors from {extremes[0].error:.4g} to {extremes[-1].error:.4g} "
            f"(test samples {', '.join(str(extreme.index) for extreme in extremes)})."
        )
        yield style.Drawing(f"{which}-{name}", f"{name}: {which} reconstructions", words, figure)
    words = f"Two test pictures of {name} above their two reconstructions, as in the notebook's plot for its website."
    figure = _montage(f"{name}: input and output", setting, first[:, :2], case.image, [""] * min(2, count), 3.8, 3.9)
    yield style.Drawing(f"website-{name}", f"{name}: input and output", words, figure)


def _montage(
    title: str,
    setting: str,
    pairs: Bytes,
    image: tuple[int, int],
    labels: Sequence[str],
    width: float = 5.8,
    height: float = 2.05,
) -> Figure:
    """Return a figure of originals, ``pairs[0]``, above their reconstructions, ``pairs[1]``, with labels on top."""
    figure = style.blank(style.plain(title), setting, width=width, height=height)
    axes, (down, across) = figure.subplots(), image
    gap = max(1, across // 8)
    axes.imshow(_sheet(pairs, image, gap), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_xticks([(across + gap) * at + across / 2 - 0.5 for at in range(pairs.shape[1])], labels)
    axes.set_yticks([down / 2, down + gap + down / 2], ["original", "reconstruction"])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    return figure


def _sheet(pairs: Bytes, image: tuple[int, int], gap: int) -> NDArray[np.uint8]:
    """Lay pictures out in two rows, (2, n, features) -> RGBA with gaps that let the paper through."""
    (rows, count, _), (height, width) = pairs.shape, image
    cells = np.zeros((rows, height + gap, count, width + gap, 4), np.uint8)
    cells[:, :height, :, :width, :3] = pairs.reshape(rows, count, height, width, 1).transpose(0, 2, 1, 3, 4)
    cells[:, :height, :, :width, 3] = 255
    return cells.reshape(rows * (height + gap), count * (width + gap), 4)[:-gap, :-gap]
