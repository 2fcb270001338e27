"""How error and time grow with the number of features: measured points, yardsticks and fitted powers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from scipy.special import stdtrit

from autoenc_bench import formatting
from autoenc_bench.records.case import Case
from autoenc_bench.report.cases import TimedCase
from autoenc_bench.report.figures import layout, style, timings
from autoenc_bench.report.view import Section

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Power:
    """A fitted power law, value = factor x number ** exponent, with the half-width of the exponent's interval."""

    exponent: float
    half_width: float
    factor: float

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.half_width:.2f}"


def fit_power(numbers: Sequence[float], values: Sequence[float]) -> Power | None:
    """Fit a power law by least squares of the logarithms; None for fewer than three points.

    The interval is Student's, from the residuals, with n - 2 degrees of freedom, at ``CONFIDENCE``. It says how
    well a power law describes these points, not how the points would vary in another run.
    """
    if len(numbers) < 3:
        return None
    x, y = np.log(numbers), np.log(values)
    (slope, offset), covariance = np.polyfit(x, y, 1, cov=True)
    half_width = stdtrit(len(x) - 2, (1 + CONFIDENCE) / 2) * np.sqrt(covariance[0, 0])
    return Power(float(slope), float(half_width), float(np.exp(offset)))


def by_features(wholes: dict[str, Case]) -> dict[str, Case]:
    """Return the experiments named features-N that were scored, by N."""
    series = {name: case for name, case in wholes.items() if re.fullmatch(r"features-[1-9]\d{0,8}", name)}
    return dict(sorted(series.items(), key=lambda item: number(item[0])))


def number(name: str) -> int:
    """Return N of features-N."""
    return int(name.rpartition("-")[2])


def scaling(section: Section, series: dict[str, Case]) -> style.Drawing | None:
    """Draw error and training time against the number of features, with the powers that fit them."""
    errors = {name: mean for name, case in series.items() if case.error and (mean := case.error.absolute.mean)}
    if len(errors) < 2:
        return None
    figure = style.blank("What more features cost", section.setting, width=6.8, height=3.9)
    left, right = figure.subplots(1, 2)
    numbers = [number(name) for name in series]
    for axes in (left, right):
        layout.log_log(axes, "features", numbers, (1.3, 1.35))
    sentences = [
        *_draw_errors(left, series, errors),
        *_draw_times(right, timings.by_trainer(section.experiments, "epoch"), list(series)),
    ]
    note = (
        f"Exponents with {CONFIDENCE:.0%} intervals, from a straight line through the logarithms. A model whose code "
        "is as wide as its data need not compress; its error is drawn, but not fitted."
    )
    alternative = f"Two panels over {', '.join(map(str, numbers))} features. {' '.join(sentences)}"
    return style.Drawing("scaling-features", "Error and time against the number of features", alternative, figure, note)


def _draw_errors(axes: Axes, series: dict[str, Case], errors: dict[str, float]) -> Iterator[str]:
    axes.set(title="absolute error per test sample", ylabel="mean, summed over features")
    layout.log_ticks(axes.yaxis, (1.0, 2.0, 5.0), "{:g}".format)
    for name, mean in errors.items():
        layout.points(axes, number(name), mean, "fused", style.colour(name), 6.5, zorder=3)
    axes.lines[-1].set_label("autoencoder")
    yield f"Mean absolute errors of the models: {_list(errors)}."
    for yardstick, line in (("constant mean", "-."), ("PCA", ":")):
        means = {name: case.error.yardsticks[yardstick].mean for name, case in series.items() if case.error}
        # PCA with as many components as there are features reconstructs exactly, which no logarithm can show.
        means = {name: mean for name, mean in means.items() if mean > 1e-3 * errors.get(name, 0)}
        if means:
            axes.plot([*map(number, means)], [*means.values()], line, color=style.INK, linewidth=1.1, label=yardstick)
        yield f"{yardstick}: {_list(means)}."
    if power := _draw_power(axes, {name: mean for name, mean in errors.items() if _compresses(series[name])}):
        axes.lines[-1].set_label(f"features^{power}")
        yield f"Error grows as features to the power {power}."
    axes.legend(frameon=False, loc="best", fontsize=8.5, labelspacing=0.4, borderpad=0)


def _compresses(case: Case) -> bool:
    """Return whether the code is narrower than the data: PCA has as many components as the code has units."""
    assert case.error
    components = case.error.yardsticks["PCA"].components
    return components is None or components < number(case.experiment)


def _draw_times(axes: Axes, epochs: dict[tuple[str, str | None], TimedCase], names: list[str]) -> Iterator[str]:
    axes.set(title="training time per row", ylabel="seconds per row of a steady epoch")
    axes.yaxis.set_major_formatter(lambda value, _: formatting.seconds(value))
    for trainer in ("fit", "fused"):
        times = {name: epochs[name, trainer].per_row for name in names if (name, trainer) in epochs}
        if not times:
            continue
        for name, time in times.items():
            layout.points(axes, number(name), time, trainer, style.colour(name), 6.5, zorder=3)
        listed = ", ".join(f"{name} {formatting.seconds(time)}" for name, time in times.items())
        yield f"Training time per row by {trainer}: {listed}."
        if power := _draw_power(axes, times, style.mark(trainer).line):
            yield f"It grows as features to the power {power}."
        shown = f"{trainer}: features^{power}" if power else trainer
        layout.beside(axes, shown, (number([*times][-1]), max(times.values())), (5, 7), ha="right", va="bottom")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.12)


def _draw_power(axes: Axes, values: dict[str, float], line: str = "-") -> Power | None:
    """Fit a power law to values by experiment, and draw it from the first to the last; None where there are too few."""
    numbers = [number(name) for name in values]
    if power := fit_power(numbers, list(values.values())):
        ends = np.array([numbers[0], numbers[-1]], np.float64)
        axes.plot(ends, power.factor * ends**power.exponent, line, color=style.MUTED, linewidth=1.1, zorder=1)
    return power


def _list(values: dict[str, float]) -> str:
    return ", ".join(f"{number(name)} features {value:.4g}" for name, value in values.items())
