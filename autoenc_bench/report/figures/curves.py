"""How soon training is good: validation loss against wall-clock seconds."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoenc_bench import text as words
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing

Losses = np.ndarray[tuple[int], np.dtype[np.float64]]


def curves(source: Source) -> Iterator[Drawing]:
    """Draw validation loss against seconds of training, per experiment and trainer, with the time to a stated loss."""
    found: dict[str, dict[str | None, Case]] = {}
    for _, case in sorted(source.cases, key=lambda timed: timed[1].seed):
        if case.curve and len(case.curve) > 1:  # one epoch is a point
            found.setdefault(case.experiment, {}).setdefault(case.trainer, case)
    if not found:
        return
    order = [name for name in dict.fromkeys(case.experiment for _, case in source.cases) if name in found]
    wide = min(3, len(order))
    deep = -(-len(order) // wide)
    figure = style.blank(
        "How soon the validation loss is low", source.setting, width=max(4.6, 3.1 * wide), height=1 + 1.85 * deep
    )
    grid = figure.subplots(deep, wide, squeeze=False)
    said = [_draw_curves(axes, name, found[name]) for axes, name in zip(grid.flat, order, strict=False)]
    for axes in grid.flat[len(order) :]:
        axes.remove()
    _outer_labels(figure, order, wide)
    note = (
        "The stated loss lies nine tenths of the way from the first epoch's to the last's (of the trainer that ends "
        "higher); a mark shows the first epoch that reaches it. Validation is in the seconds, compiling is not."
    )
    trainers = sorted({str(trainer) for cases in found.values() for trainer in cases})
    yield Drawing(
        "training-curves",
        "Training curves against wall-clock seconds",
        f"A panel per experiment, validation loss falling over seconds. {' '.join(said)}",
        figure,
        note + (f" Only {trainers[0]} trained whole experiments in this run." if len(trainers) == 1 else ""),
    )


def _outer_labels(figure: Figure, order: list[str], wide: int) -> None:
    for place, axes in enumerate(figure.axes):
        if place % wide == 0:
            axes.set_ylabel("val_loss (cross-entropy)")
        if place + wide >= len(order):
            axes.set_xlabel("seconds of training")


def _draw_curves(axes: Axes, name: str, cases: dict[str | None, Case]) -> str:
    losses = {trainer: np.array([epoch.val_loss for epoch in case.curve or ()]) for trainer, case in cases.items()}
    spent = {trainer: np.cumsum([epoch.seconds for epoch in case.curve or ()]) for trainer, case in cases.items()}
    target, colour = stated_loss(list(losses.values())), style.colour(name)
    said, lines = [], [f"to {target:.4g}:"]
    axes.axhline(target, color=style.MUTED, linewidth=0.8, linestyle=":")
    for trainer, loss in losses.items():
        axes.plot(spent[trainer], loss, style.line(trainer), color=colour, linewidth=1.4)
        reached = int(np.argmax(loss <= target))
        seconds = float(spent[trainer][reached])
        axes.plot([seconds], [loss[reached]], linestyle="", clip_on=False, **style.mark(trainer, colour, 6))
        lines.append(f"{style.plain(trainer, 16)} {words.seconds(seconds)}")
        said.append(
            f"{trainer} reaches {target:.4g} after {words.seconds(seconds)}, in epoch {reached + 1} of {len(loss)}"
        )
    # A curve that starts late leaves room before it, others after it.
    late = min(float(times[0]) for times in spent.values()) > 0.5 * max(float(times[-1]) for times in spent.values())
    x, side = (0.04, "left") if late else (0.97, "right")
    text = axes.text(x, 0.96, "\n".join(lines), ha=side, va="top", transform=axes.transAxes, fontsize=8.5)
    text.set_linespacing(1.35)
    axes.set_xlim(0, 1.05 * max(float(times[-1]) for times in spent.values()))
    axes.set_title(style.plain(name, 28), color=colour)
    return f"{name}: {'; '.join(said)}."


def stated_loss(losses: list[Losses]) -> float:
    """State a loss that all of these curves reach: nine tenths of the way from the highest start to the highest end."""
    highest = max(float(curve.min()) for curve in losses)
    start = max(float(curve[0]) for curve in losses)
    return highest + 0.1 * (start - highest)
