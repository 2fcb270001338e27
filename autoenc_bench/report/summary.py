"""Headline rows and table of a run: the speed of each experiment beside its error and the reference values."""

from collections.abc import Iterable
from statistics import fmean

import msgspec

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, count, line, share
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import NotRun, Roofs, by_reason

Timed = tuple[Case, float | None]  # a case and its median seconds, None where it was not timed


class ExperimentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one experiment; ``None`` stands for what was not, and errors are means over seeds."""

    experiment: str
    fit: float | None = None  # training rows per second of a steady epoch
    fused: float | None = None
    first_call: float | None = None  # seconds; of the fused trainer, as are the next two
    peak: float | None = None  # bytes of memory in a steady epoch, on the accelerator where there is one
    efficiency: float | None = None  # of a steady epoch
    seconds: float | None = None  # of the whole training
    error: float | None = None  # mean of the absolute error per test sample
    sigma: float | None = None
    constant_mean: float | None = None  # the same error of the reference values
    pca: float | None = None
    val_loss: float | None = None

    @property
    def speed_up(self) -> float | None:
        return self.fused / self.fit if self.fit and self.fused else None


def rows(timed: Iterable[Timed], roofs: Roofs | None = None) -> list[ExperimentSummary]:
    """Return a row for each experiment, in the order in which they ran; devices.py does so for a distributed run."""
    cases: dict[str, list[Timed]] = {}
    for case, seconds in timed:
        if case.devices is None:
            cases.setdefault(case.experiment, []).append((case, seconds))
    return [_row(experiment, timed, roofs) for experiment, timed in cases.items()]


def _row(experiment: str, timed: list[Timed], roofs: Roofs | None) -> ExperimentSummary:
    first = {(case.phase, case.trainer): (case, seconds) for case, seconds in reversed(timed) if seconds}
    fit, fused, first_call = (first.get(key) for key in (("epoch", "fit"), ("epoch", "fused"), ("first_call", "fused")))
    # The fused trainer runs whole trainings at every scale; fit's errors are the same arithmetic in another order.
    whole = [(case, seconds) for case, seconds in timed if case.error and case.trainer == "fused"]
    errors = [case.error for case, _ in whole if case.error]
    memory = fused[0].memory if fused else None
    bound = roofs.bound(fused[0].work) if roofs and fused and fused[0].work else None
    return ExperimentSummary(
        experiment=experiment,
        fit=_rate(fit),
        fused=_rate(fused),
        first_call=first_call[1] if first_call else None,
        peak=(memory.accelerator or memory.peak) if memory else None,
        efficiency=bound[1] / fused[1] if bound and fused and fused[1] else None,
        seconds=_mean(seconds for _, seconds in whole),
        error=_mean(error.absolute.mean for error in errors),
        sigma=_mean(error.absolute.std for error in errors),
        constant_mean=_mean(error.yardsticks["constant mean"].mean for error in errors),
        pca=_mean(error.yardsticks["PCA"].mean for error in errors),
        val_loss=_mean(case.val_loss for case, _ in whole),
    )


def _rate(timed: Timed | None) -> float | None:
    return timed[0].rows / timed[1] if timed and timed[1] else None


def _mean(values: Iterable[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return fmean(measured) if measured else None


LEGEND = {
    "fit": "Keras's own training loop",
    "fused": "the same training as one compiled program per epoch",
    "rows/s": "rows that an epoch trains per second, after compiling",
    "speed-up": "fused rows/s ÷ fit rows/s",
    "training": "seconds of all epochs with fused, without compiling",
    "error": "sum of absolute differences between a test sample and its reconstruction, mean ± σ",
    "constant mean": "error if every reconstruction is the mean of the training rows",
    "PCA": "error of PCA (components: units of the code), with reconstructions clipped to [0, 1]",
    "val_loss": "Keras's loss on the test rows",
}


def table(rows: Iterable[ExperimentSummary]) -> Table:
    """Return the headline table."""
    columns: Columns[ExperimentSummary] = (
        ("experiment", lambda row: Cell(row.experiment)),
        ("fit rows/s", lambda row: cell(row.fit, "{:,.0f}".format)),
        ("fused rows/s", lambda row: cell(row.fused, "{:,.0f}".format)),
        ("speed-up", lambda row: cell(row.speed_up, "{:.1f} ×".format)),
        ("training, s", lambda row: cell(row.seconds, "{:.3g}".format)),
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
    """Return in sentences how much faster the fused trainer is, and how many errors are below the reference values."""
    sentences = []
    if gains := sorted(row.speed_up for row in rows if row.speed_up):
        span = dict.fromkeys(f"{float(f'{gain:.2g}'):,g}" for gain in (gains[0], gains[-1]))
        sentences.append(f"With fused, training is {' to '.join(span)} times as fast as with fit.")
    if scored := [(row.error, row.constant_mean or 0, row.pca or 0, row) for row in rows if row.error is not None]:
        better = sum(error < constant_mean for error, constant_mean, _, _ in scored)
        than_pca = sorted((error / pca, row.experiment) for error, _, pca, row in scored if error < pca)
        most = f", most clearly for {than_pca[0][1]} ({share(1 - than_pca[0][0])} lower)" if than_pca else ""
        sentences.append(
            f"The autoencoder's error is lower than that of the constant mean in {better} of "
            f"{count(len(scored), 'experiment')}, and lower than that of PCA in {len(than_pca)}{most}."
        )
    return sentences


def not_run(entries: Iterable[NotRun], outcome: str) -> list[str]:
    """Return a line for each reason: how many cases were skipped, or failed, for it, and which."""
    return [line(f"{outcome} {_cases(cases)}: {reason}") for reason, cases in by_reason(entries).items()]


def _cases(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{count(len(names), 'case')} ({names[0]} … {names[-1]})"
