"""A record's headline: one row per experiment, its speed beside its error beside the yardsticks."""

from collections.abc import Iterable
from statistics import fmean

import msgspec

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, count, line
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import NotRun, by_reason


class ExperimentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What one experiment came to; ``None`` stands for what was not measured, errors are means over seeds."""

    experiment: str
    fit: float | None  # training rows per second of a steady epoch
    fused: float | None
    seconds: float | None  # of the whole experiment's training
    error: float | None  # mean of the absolute error per test sample
    sigma: float | None
    constant_mean: float | None  # of the yardsticks, likewise
    pca: float | None
    val_loss: float | None

    @property
    def speed_up(self) -> float | None:
        return self.fused / self.fit if self.fit and self.fused else None


Timed = tuple[Case, float | None]  # a case and its median seconds, None where it was not timed


def rows(timed: Iterable[Timed]) -> list[ExperimentSummary]:
    """Sum up each experiment, in the order in which they ran; devices.py does so for a distributed run."""
    cases: dict[str, list[Timed]] = {}
    for case, seconds in timed:
        if case.devices is None:
            cases.setdefault(case.experiment, []).append((case, seconds))
    return [_row(experiment, timed) for experiment, timed in cases.items()]


def _row(experiment: str, timed: list[Timed]) -> ExperimentSummary:
    # The fused trainer runs whole at every scale; fit's errors are the same arithmetic in another order.
    whole = [(case, seconds) for case, seconds in timed if case.error and case.trainer == "fused"]
    errors = [case.error for case, _ in whole if case.error]
    return ExperimentSummary(
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
    epochs = [(case, seconds) for case, seconds in timed if (case.phase, case.trainer) == ("epoch", trainer)]
    return next((case.rows / seconds for case, seconds in epochs if seconds), None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


LEGEND = (
    "rows/s: a steady training epoch; whole: all epochs with validation, once compiled; error: sum of absolute\n"
    "differences per test sample, mean ± σ, beside two yardsticks: the constant mean, and PCA with as many\n"
    "components as the code has units, clipped to [0, 1]; –: not measured"
)


def table(rows: Iterable[ExperimentSummary]) -> Table:
    """Return the headline table."""
    columns: Columns[ExperimentSummary] = (
        ("experiment", lambda row: Cell(row.experiment)),
        ("fit rows/s", lambda row: cell(row.fit, "{:,.0f}".format)),
        ("fused rows/s", lambda row: cell(row.fused, "{:,.0f}".format)),
        ("speed-up", lambda row: cell(row.speed_up, "{:.1f} ×".format)),
        ("whole, s", lambda row: cell(row.seconds, "{:.3g}".format)),
        ("error ± σ", _error),
        ("constant mean", lambda row: cell(row.constant_mean, "{:.3f}".format)),
        ("PCA", lambda row: cell(row.pca, "{:.3f}".format)),
        ("val_loss", lambda row: cell(row.val_loss, "{:.4f}".format)),
    )
    return Table.of(columns, rows)


def _error(row: ExperimentSummary) -> Cell:
    known = row.error is not None and row.sigma is not None
    return Cell(f"{row.error:.3f} ± {row.sigma:.3f}", row.error) if known else Cell(NONE)


def answer(rows: list[ExperimentSummary]) -> list[str]:
    """Return in sentences how much faster the fused trainer is, and how many errors are below the yardsticks'."""
    sentences = []
    if gains := sorted(row.speed_up for row in rows if row.speed_up):
        span = dict.fromkeys(f"{gain:.3g}" for gain in (gains[0], gains[-1]))
        sentences.append(f"The fused trainer takes {' to '.join(span)} times as many rows per second as fit.")
    if scored := [(row.error, row.constant_mean, row.pca) for row in rows if row.error is not None]:
        mean = sum(error < (constant_mean or 0) for error, constant_mean, _ in scored)
        pca = sum(error < (pca or 0) for error, _, pca in scored)
        below = f"below the constant mean's in {mean} of {len(scored)} experiments, and below PCA's in {pca}"
        sentences.append(f"The autoencoder's error is {below}.")
    return sentences


def not_run(entries: Iterable[NotRun], outcome: str) -> list[str]:
    """Return a line for each reason: how many cases were skipped, or failed, for it, and which."""
    return [line(f"{outcome} {_cases(cases)}: {reason}") for reason, cases in by_reason(entries).items()]


def _cases(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{count(len(names), 'case')} ({names[0]} … {names[-1]})"
