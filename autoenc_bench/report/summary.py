"""A record's headline: one row per experiment, its speed beside its error beside the yardsticks."""

from collections.abc import Iterable
from statistics import fmean

import msgspec

from autoenc_bench import text
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import NotRun


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Sum up one experiment; ``None`` stands for what was not measured.

    Rates are training rows per second of a steady epoch. Errors are means over seeds of the mean and σ of the
    absolute error per test sample.
    """

    experiment: str
    fit: float | None
    fused: float | None
    seconds: float | None  # of the whole experiment's training
    error: float | None
    sigma: float | None
    constant_mean: float | None
    pca: float | None
    val_loss: float | None

    @property
    def speed_up(self) -> float | None:
        """Divide the fused rate by that of fit."""
        return self.fused / self.fit if self.fit and self.fused else None


Timed = tuple[Case, float | None]  # a case and its median seconds, None where it was not timed


def rows(timed: Iterable[Timed]) -> list[Row]:
    """Sum up each experiment, in the order in which they ran; scaleout.py does so for a distributed run."""
    cases: dict[str, list[Timed]] = {}
    for case, seconds in timed:
        if case.devices is None:
            cases.setdefault(case.experiment, []).append((case, seconds))
    return [_row(experiment, timed) for experiment, timed in cases.items()]


def _row(experiment: str, timed: list[Timed]) -> Row:
    # The fused trainer runs whole at every scale; fit's errors are the same arithmetic in another order.
    whole = [(case, seconds) for case, seconds in timed if case.error and case.trainer == "fused"]
    errors = [case.error for case, _ in whole if case.error]
    return Row(
        experiment=experiment,
        fit=_rate(timed, "fit"),
        fused=_rate(timed, "fused"),
        seconds=_mean(seconds for _, seconds in whole),
        error=_mean(error.absolute.mean for error in errors),
        sigma=_mean(error.absolute.std for error in errors),
        constant_mean=_mean(error.yardsticks["constant mean"].mean for error in errors),
        pca=_mean(error.yardsticks["PCA"].mean for error in errors),
        val_loss=_mean(case.val_loss for case, _ in whole),
    )


def _rate(timed: list[Timed], trainer: str) -> float | None:
    rates = (
        case.rows / seconds for case, seconds in timed if case.phase == "epoch" and case.trainer == trainer and seconds
    )
    return next(rates, None)


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None


HEADERS = (
    "experiment",
    "fit rows/s",
    "fused rows/s",
    "speed-up",
    "whole, s",
    "error ± σ",
    "constant mean",
    "PCA",
    "val_loss",
)
LEGEND = (
    "rows/s: a steady training epoch; whole: all epochs with validation, once compiled; error: sum of absolute\n"
    "differences per test sample, mean ± σ, beside two yardsticks: the constant mean, and PCA with as many\n"
    "components as the code has units, clipped to [0, 1]; –: not measured"
)


def cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Say each row in words, one per header."""
    return [
        (
            row.experiment,
            _count(row.fit),
            _count(row.fused),
            _number(row.speed_up, ".1f", " ×"),
            _number(row.seconds, ".3g"),
            _spread(row.error, row.sigma),
            _number(row.constant_mean, ".3f"),
            _number(row.pca, ".3f"),
            _number(row.val_loss, ".4f"),
        )
        for row in rows
    ]


def table(rows: Iterable[Row], style: str = "simple") -> str:
    """Lay the rows out as text, in one of tabulate's styles (``github`` for Markdown)."""
    return text.table(cells(rows), HEADERS, style)


def _count(value: float | None) -> str:
    return _number(value, ",.0f")


def _spread(mean: float | None, sigma: float | None) -> str:
    return "–" if mean is None or sigma is None else f"{mean:.3f} ± {sigma:.3f}"


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def leftovers(left: Iterable[NotRun], what: str) -> list[str]:
    """Say in one line per reason which cases share it."""
    reasons: dict[str, list[str]] = {}
    for entry in left:
        reasons.setdefault(entry.reason, []).append(entry.case)
    return [f"{what} {_cases(names)}: {reason}" for reason, names in reasons.items()]


def _cases(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} cases ({names[0]} … {names[-1]})"
