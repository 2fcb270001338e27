"""Figure of validation loss against wall-clock seconds of training."""

from operator import attrgetter

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from autoenc_bench import formatting
from autoenc_bench.records.case import Case
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.view import Section


def curves(section: Section) -> style.Drawing | None:
    """Draw validation loss against seconds of training, per experiment and trainer, with the time to a common loss."""
    trained: dict[str, dict[str | None, Case]] = {timed.case.experiment: {} for timed in section.experiments}
    for case in sorted((timed.case for timed in section.experiments), key=attrgetter("seed")):
        if case.curve and len(case.curve) > 1:  # one epoch is a point
            trained[case.experiment].setdefault(case.trainer, case)
    trained = {name: cases for name, cases in trained.items() if cases}
    if not trained:
        return None
    across = min(3, len(trained))
    width, height = max(4.6, 3.1 * across), 1 + 1.85 * -(-len(trained) // across)
    figure = style.blank("Validation loss over training time", section.setting, width=width, height=height)
    sentences = ["One panel per experiment: validation loss against seconds of training."]
    panels = layout.panels(figure, len(trained), across)
    for place, (axes, (name, cases)) in enumerate(zip(panels, trained.items(), strict=True)):
        sentences.append(_draw_curves(axes, name, cases))
        axes.set_ylabel("" if place % across else "val_loss (cross-entropy)")
        axes.set_xlabel("" if place + across < len(trained) else "time of training")
    trainers = sorted({str(trainer) for cases in trained.values() for trainer in cases})
    note = (
        "At the dotted line, the loss has made nine tenths of its way from the first epoch to its minimum (of two "
        "trainers: from the higher first loss to the higher minimum). A mark is the first epoch that reaches it. Times "
        "include validation, not compiling."
    )
    note += f" In this run only {trainers[0]} trained whole experiments." if len(trainers) == 1 else ""
    alternative = " ".join(sentences)
    return style.Drawing("training-curves", "Training curves against wall-clock seconds", alternative, figure, note)


def _draw_curves(axes: Axes, name: str, cases: dict[str | None, Case]) -> str:
    losses = {trainer: np.array([epoch.val_loss for epoch in case.curve or ()]) for trainer, case in cases.items()}
    times = {trainer: np.cumsum([epoch.seconds for epoch in case.curve or ()]) for trainer, case in cases.items()}
    target, colour = stated_loss(list(losses.values())), style.colour(name)
    phrases, lines = [], [f"time to {target:.4g}:"]
    axes.axhline(target, color=style.MUTED, linewidth=0.8, linestyle=":")
    for trainer, loss in losses.items():
        axes.plot(times[trainer], loss, style.mark(trainer).line, color=colour, linewidth=1.4)
        epoch = int(np.argmax(loss <= target))
        seconds = float(times[trainer][epoch])
        layout.points(axes, seconds, loss[epoch], trainer, colour, 6, clip_on=False)
        after = formatting.seconds(seconds)
        lines.append(f"{style.plain(trainer, 16)} {after}")
        phrases.append(f"{trainer} reaches {target:.4g} after {after}, in epoch {epoch + 1} of {len(loss)}")
    # A curve that starts late leaves room before it, others after it.
    last = max(float(seconds[-1]) for seconds in times.values())
    late = min(float(seconds[0]) for seconds in times.values()) > 0.5 * last
    x, side = (0.04, "left") if late else (0.97, "right")
    axes.text(x, 0.96, "\n".join(lines), ha=side, va="top", transform=axes.transAxes, fontsize=8.5, linespacing=1.35)
    axes.set_xlim(0, 1.05 * last)
    axes.xaxis.set_major_locator(MaxNLocator(3))  # labels with units need room
    axes.xaxis.set_major_formatter(lambda value, _: formatting.seconds(value) if value else "0")
    axes.set_title(style.plain(name, 28), color=colour)
    return f"{name}: {'; '.join(phrases)}."


def stated_loss(losses: list[NDArray[np.float64]]) -> float:
    """Return a loss that all curves reach: nine tenths of the way from the highest start to the highest end."""
    highest = max(float(curve.min()) for curve in losses)
    start = max(float(curve[0]) for curve in losses)
    return highest + 0.1 * (start - highest)
