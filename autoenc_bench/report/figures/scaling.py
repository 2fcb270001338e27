"""How error and time grow with the number of features: measured points, yardsticks and fitted powers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from scipy.special import stdtrit

from autoenc_bench import text
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.report.figures import style as looks
from autoenc_bench.report.figures.style import Drawing

Values = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Power:
    """Hold a fitted power law, value = factor x number ** exponent, and the half width of the exponent's interval."""

    exponent: float
    half_width: float
    factor: float

    def __str__(self) -> str:
        """Say the exponent with its interval."""
        return f"{self.exponent:.2f} ± {self.half_width:.2f}"


def fit_power(numbers: Sequence[float], values: Sequence[float]) -> Power | None:
    """Fit a power law by least squares of the logarithms; None for fewer than three points.

    The interval is Student's, from the residuals, with n - 2 degrees of freedom, at ``CONFIDENCE``. It says how
    well a power law describes these points, not how the points would vary in another run.
    """
    if len(numbers) < 3:
        return None
    x, y = np.log(numbers), np.log(values)
    slope, offset = np.polyfit(x, y, 1)
    residuals = y - (slope * x + offset)
    free = len(x) - 2
    error = np.sqrt(np.square(residuals).sum() / free / np.square(x - x.mean()).sum())
    quantile = float(stdtrit(free, (1 + CONFIDENCE) / 2))
    return Power(float(slope), quantile * float(error), float(np.exp(offset)))


def by_features(source: Source) -> dict[str, Case]:
    """Give the experiments named features-N that were scored, by N."""
    found = {name: case for name, (_, case) in source.wholes().items() if re.fullmatch(r"features-[1-9]\d{0,8}", name)}
    return dict(sorted(found.items(), key=lambda item: number(item[0])))


def number(name: str) -> int:
    """Return N of features-N."""
    return int(name.rpartition("-")[2])


def scaling(source: Source) -> Iterator[Drawing]:
    """Draw error and training time against the number of features, with the powers that fit them."""
    series = by_features(source)
    errors = {name: case.error.absolute.mean for name, case in series.items() if case.error}
    known = {name: value for name, value in errors.items() if value}
    if len(known) < 2:
        return
    figure = looks.blank("What more features cost", source.setting, width=6.8, height=3.9)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.set(xscale="log", yscale="log")
    said = [*_draw_errors(left, series, known), *_draw_times(right, source, list(series))]
    numbers = [number(name) for name in series]
    for axes in (left, right):
        axes.set(xlabel="features", xlim=(numbers[0] / 1.3, numbers[-1] * 1.35))
        axes.set_xticks(numbers, [str(value) for value in numbers])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y")
    yield Drawing(
        "scaling-features",
        "Error and time against the number of features",
        f"Two panels over {', '.join(map(str, numbers))} features. {' '.join(said)}",
        figure,
        f"Exponents with {CONFIDENCE:.0%} intervals, from a straight line through the logarithms. A model whose code "
        "is as wide as its data need not compress; its error is drawn, but not fitted. The rounds of fit train on a "
        "slice, and its set-up per call, some 0.1 s, is in its time per row.",
    )


def _draw_errors(axes: Axes, series: dict[str, Case], errors: dict[str, float]) -> Iterator[str]:
    axes.set_title("absolute error per test sample")
    axes.set_ylabel("mean, summed over features")
    axes.yaxis.set_major_formatter(looks.number_axis())
    for name, value in errors.items():
        axes.plot(number(name), value, linestyle="", zorder=3, **looks.mark("fused", looks.colour(name), 6.5))
    axes.lines[-1].set_label("autoencoder")
    yield f"Mean absolute errors of the models: {_list(errors)}."
    for stick, style in (("constant mean", "-."), ("PCA", ":")):
        found = {name: case.error.yardsticks[stick].mean for name, case in series.items() if case.error}
        # PCA with as many components as there are features reconstructs exactly, which no logarithm can show.
        found = {name: value for name, value in found.items() if value > 1e-3 * errors.get(name, 0)}
        if found:
            numbers = [number(name) for name in found]
            axes.plot(numbers, list(found.values()), style, color=looks.INK, linewidth=1.1, label=stick)
        yield f"{stick}: {_list(found)}."
    compressed = {name: value for name, value in errors.items() if _compresses(series[name])}
    power = fit_power([number(name) for name in compressed], list(compressed.values()))
    if power:
        _draw_power(axes, power, [number(name) for name in compressed], looks.MUTED)
        axes.lines[-1].set_label(f"features^{power}")
        yield f"Error grows as features to the power {power}."
    axes.legend(frameon=False, loc="lower right", fontsize=8.5, labelspacing=0.4, borderpad=0)


def _compresses(case: Case) -> bool:
    """Tell whether the code is narrower than the data: PCA has as many components as the code has units."""
    assert case.error
    components = case.error.yardsticks["PCA"].components
    return components is None or components < number(case.experiment)


def _draw_times(axes: Axes, source: Source, names: list[str]) -> Iterator[str]:
    axes.set_title("training time per row")
    axes.set_ylabel("seconds per row of a steady epoch")
    axes.yaxis.set_major_formatter(looks.time_axis())
    for trainer in ("fit", "fused"):
        found = {
            case.experiment: benchmark.stats.median / case.rows
            for benchmark, case in source.cases
            if case.phase == "epoch" and case.trainer == trainer and case.experiment in names
        }
        found = {name: found[name] for name in names if name in found}
        if not found:
            continue
        for name, value in found.items():
            axes.plot(number(name), value, zorder=3, **looks.mark(trainer, looks.colour(name), 6.5))
        last = list(found)[-1]
        power = fit_power([number(name) for name in found], list(found.values()))
        said = ", ".join(f"{name} {text.seconds(value)}" for name, value in found.items())
        yield f"Training time per row by {trainer}: {said}."
        if power:
            _draw_power(axes, power, [number(name) for name in found], looks.MUTED, looks.line(trainer))
            yield f"It grows as features to the power {power}."
        _above(axes, number(last), max(found.values()), f"{trainer}: features^{power}" if power else trainer)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.12)


def _draw_power(axes: Axes, power: Power, numbers: list[int], colour: str, line: str = "-") -> None:
    ends = np.array([numbers[0], numbers[-1]], np.float64)
    axes.plot(ends, power.factor * ends**power.exponent, line, color=colour, linewidth=1.1, zorder=1)


def _above(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(5, 7), textcoords="offset points", ha="right", va="bottom", fontsize=8.5)


def _list(values: dict[str, float]) -> str:
    return ", ".join(f"{number(name)} features {value:.4g}" for name, value in values.items())
