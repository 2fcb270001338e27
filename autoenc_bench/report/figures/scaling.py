"""Figure of how error and time grow with the number of features, with reference values and fitted powers."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from scipy.special import stdtrit

from autoenc_bench import formatting
from autoenc_bench.records.case import Case
from autoenc_bench.report.figures import layout, style, timings
from autoenc_bench.report.view import Section

CONFIDENCE = 0.95


class Power(NamedTuple):
    """A fitted power law, value = factor x number ** exponent, with the half-width of the exponent's interval."""

    exponent: float
    half_width: float
    factor: float

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.half_width:.2f}"


def fit_power(numbers: Sequence[float], values: Sequence[float]) -> Power | None:
    """Return a power law fitted by least squares of the logarithms, None for fewer than three points.

    The interval is Student's, from the residuals, with n - 2 degrees of freedom, at ``CONFIDENCE``. It shows how well a
    power law describes these points. It does not show how they would vary in another run.
    """
    if len(numbers) < 3:
        return None
    x, y = np.log(numbers), np.log(values)
    (slope, offset), covariance = np.polyfit(x, y, 1, cov=True)
    half_width = stdtrit(len(x) - 2, (1 + CONFIDENCE) / 2) * np.sqrt(covariance[0, 0])
    return Power(float(slope), float(half_width), float(np.exp(offset)))


def by_features(wholes: dict[str, Case]) -> dict[int, Case]:
    """Return the experiments named features-N that were scored, by N."""
    names = [name for name in wholes if re.fullmatch(r"features-[1-9]\d{0,8}", name)]
    return {number: wholes[f"features-{number}"] for number in sorted(int(name.rpartition("-")[2]) for name in names)}


def scaling(section: Section, series: dict[int, Case]) -> style.Drawing | None:
    """Draw error and training time against the number of features, with the powers that fit them."""
    errors = {number: mean for number, case in series.items() if case.error and (mean := case.error.absolute.mean)}
    if len(errors) < 2:
        return None
    figure = style.blank("What more features cost", section.setting, width=6.8, height=3.9)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        layout.log_log(axes, "features", [*series], (1.3, 1.35))
    sentences = [*_draw_errors(left, series, errors), *_draw_times(right, section, [*series])]
    note = (
        f"The exponents, with {CONFIDENCE:.0%} intervals, come from a straight line fitted to the logarithms. A model "
        "whose code is as wide as its data does not compress: its error is drawn, but not part of the fit."
    )
    alternative = f"Two panels over {', '.join(map(str, series))} features. {' '.join(sentences)}"
    title = "Error and time against the number of features"
    return style.Drawing("scaling-features", title, alternative, figure, note)


def _draw_errors(axes: Axes, series: dict[int, Case], errors: dict[int, float]) -> Iterator[str]:
    axes.set(title="absolute error per test sample", ylabel="mean, summed over features")
    layout.log_ticks(axes.yaxis, (1.0, 2.0, 5.0), "{:g}".format)
    _points(axes, errors, "fused")
    axes.lines[-1].set_label("autoencoder")
    yield f"Mean absolute errors of the models: {_list(errors)}."
    references = {number: case.error.yardsticks for number, case in series.items() if case.error}
    for name, line in (("constant mean", "-."), ("PCA", ":")):
        # PCA with one component per feature is exact, and a logarithmic axis cannot show zero.
        means = {number: every[name].mean for number, every in references.items()}
        means = {number: mean for number, mean in means.items() if mean > 1e-3 * errors.get(number, 0)}
        if means:
            axes.plot([*means], [*means.values()], line, color=style.INK, linewidth=1.1, label=name)
        yield f"{name}: {_list(means)}."
    # PCA has as many components as the code has units. With fewer units than features, the model compresses.
    compressing = {
        number: mean for number, mean in errors.items() if (references[number]["PCA"].components or 0) < number
    }
    if power := _draw_power(axes, compressing):
        axes.lines[-1].set_label(f"features^{power}")
        yield f"Error grows as features to the power {power}."
    axes.legend(frameon=False, loc="best", fontsize=8.5, labelspacing=0.4, borderpad=0)


def _draw_times(axes: Axes, section: Section, numbers: list[int]) -> Iterator[str]:
    axes.set(title="training time per row", ylabel="seconds per row of a steady epoch")
    axes.yaxis.set_major_formatter(lambda value, _: formatting.seconds(value))
    epochs = timings.by_trainer(section.experiments, "epoch")
    for trainer in ("fit", "fused"):
        timed = {number: epochs.get((f"features-{number}", trainer)) for number in numbers}
        times = {number: epoch.per_row for number, epoch in timed.items() if epoch}
        if not times:
            continue
        _points(axes, times, trainer)
        listed = ", ".join(f"features-{number} {formatting.seconds(time)}" for number, time in times.items())
        yield f"Training time per row by {trainer}: {listed}."
        if power := _draw_power(axes, times, style.mark(trainer).line):
            yield f"It grows as features to the power {power}."
        shown = f"{trainer}: features^{power}" if power else trainer
        layout.beside(axes, shown, ([*times][-1], max(times.values())), (5, 7), ha="right", va="bottom")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.12)


def _points(axes: Axes, values: dict[int, float], trainer: str) -> None:
    for number, value in values.items():
        layout.points(axes, number, value, trainer, style.colour(f"features-{number}"), 6.5, zorder=3)


def _draw_power(axes: Axes, values: dict[int, float], line: str = "-") -> Power | None:
    """Fit a power law to values, and draw it from the first to the last; return None where there are too few."""
    if power := fit_power([*values], [*values.values()]):
        ends = np.array([min(values), max(values)], np.float64)
        axes.plot(ends, power.factor * ends**power.exponent, line, color=style.MUTED, linewidth=1.1, zorder=1)
    return power


def _list(values: dict[int, float]) -> str:
    return ", ".join(f"{number} features {value:.4g}" for number, value in values.items())
