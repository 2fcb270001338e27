"""Single samples beside their reconstructions: the first one as numbers, and those that are pictures as pictures."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from autoenc_bench.records.case import Case, Extreme
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing

Bytes = NDArray[np.uint8]


def first(setting: str, cases: dict[str, Case]) -> Drawing:
    """Draw the first test sample beside each model's reconstruction: the error is the sum of the gaps."""
    title = "The first test sample, and what the models make of it"
    figure = style.blank(title, setting, height=1.1 + 1.45 * len(cases))
    stacked = figure.subplots(len(cases), 1, sharex=True, squeeze=False)[:, 0]
    words = []
    for axes, (name, case) in zip(stacked, cases.items(), strict=True):
        assert case.sample
        original, found = np.array(case.sample.original), np.array(case.sample.reconstruction)
        error = np.abs(original - found).sum()
        _gaps(axes, original, found, style.colour(name))
        axes.set_title(f"{style.plain(name)}: the gaps add up to {error:.2f}", color=style.colour(name))
        words.append(f"{name} {error:.2f}, with reconstructions from {found.min():.2f} to {found.max():.2f}")
    stacked[0].set_title("● original    ◆ reconstruction", loc="right", fontsize=8.5)
    stacked[-1].set_xlabel("feature")
    return Drawing(
        "sample-crude",
        "The first test sample beside its reconstructions",
        f"The {len(original)} random features of the first test sample, {original.min():.2f} to {original.max():.2f}, "
        f"beside their reconstructions. Sums of absolute differences: {'; '.join(words)}.",
        figure,
        "The notebook prints these numbers. A line is the absolute difference in one feature; their sum is the error "
        "that every histogram here counts.",
    )


def _gaps(axes: Axes, original: NDArray[np.float64], found: NDArray[np.float64], colour: str) -> None:
    at = np.arange(1, len(original) + 1)
    axes.vlines(at, original, found, color=colour, alpha=0.5, linewidth=1.3)
    axes.plot(at, original, "o", markersize=4.5, color=style.INK)
    axes.plot(at, found, linestyle="", **style.mark("fused", colour, 4.5))
    axes.set(ylim=(-0.05, 1.05), ylabel="value", xlim=(0, len(original) + 1))


def montages(setting: str, case: Case, pictures: dict[str, Bytes]) -> Iterator[Drawing]:
    """Draw a case's first, worst and best pictures above their reconstructions, and the website's plot.

    ``pictures`` maps first, best and worst to arrays of shape (2, n, features).
    """
    if not (case.image and case.error):
        return
    name, shown = case.experiment, style.plain(case.experiment)
    count = pictures["first"].shape[1]
    yield _strip(
        case,
        pictures["first"],
        [f"#{index}" for index in range(count)],
        Drawing(
            f"first-{name}",
            f"{name}: first test samples",
            f"The first {count} test pictures of {name}, above their reconstructions.",
            style.blank(f"{shown}: the first {count} test samples", setting, height=2.05),
        ),
    )
    for which, extremes in (("worst", case.error.worst), ("best", case.error.best)):
        yield _strip(
            case,
            pictures[which],
            [f"{extreme.error:#.3g}" for extreme in extremes],
            Drawing(
                f"{which}-{name}",
                f"{name}: {which} reconstructions",
                f"The {len(extremes)} test pictures of {name} that are reconstructed {which}, above their "
                f"reconstructions, with errors from {extremes[0].error:.4g} to {extremes[-1].error:.4g} "
                f"({_numbers(extremes)}).",
                style.blank(f"{shown}: the {len(extremes)} {which}, and their errors", setting, height=2.05),
            ),
        )
    yield website(setting, case, pictures["first"])


def _numbers(extremes: list[Extreme]) -> str:
    return "test samples " + ", ".join(str(extreme.index) for extreme in extremes)


def _strip(case: Case, pairs: Bytes, labels: list[str], drawing: Drawing) -> Drawing:
    assert case.image
    axes = drawing.figure.subplots()
    height, width = case.image
    gap = max(1, width // 8)
    axes.imshow(_montage(pairs, case.image, gap), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_xticks([(width + gap) * at + width / 2 - 0.5 for at in range(pairs.shape[1])], labels)
    axes.set_yticks([height / 2, height + gap + height / 2], ["original", "reconstruction"])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    return drawing


def _montage(pairs: Bytes, image: tuple[int, int], gap: int) -> NDArray[np.uint8]:
    """Lay pictures out in two rows, (2, n, features) -> RGBA with gaps that let the paper through."""
    height, width = image
    rows, count, _ = pairs.shape
    sheet = np.zeros((rows * (height + gap) - gap, count * (width + gap) - gap, 4), np.uint8)
    for row in range(rows):
        for column in range(count):
            top, left = row * (height + gap), column * (width + gap)
            place = sheet[top : top + height, left : left + width]
            place[..., :3] = pairs[row, column].reshape(height, width, 1)
            place[..., 3] = 255
    return sheet


def website(setting: str, case: Case, pairs: Bytes) -> Drawing:
    """Draw the first two originals above their reconstructions, as the notebook does for its website."""
    assert case.image
    name = case.experiment
    figure = style.blank(f"{style.plain(name, 20)}: in and out", setting, width=3.8, height=3.9)
    _strip(case, pairs[:, :2], [""] * pairs[:, :2].shape[1], Drawing("", "", "", figure))
    return Drawing(
        f"website-{name}",
        f"{name}: in and out",
        f"Two test pictures of {name} above their two reconstructions, the notebook's plot for its website.",
        figure,
    )
