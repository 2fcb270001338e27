"""Several records side by side, experiment by experiment: speed, first call, memory, efficiency, and the errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Judgement, Outcome
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark
from autoenc_bench.report import summary
from autoenc_bench.report.summary import ExperimentSummary
from autoenc_bench.report.view import Picture
from autoenc_bench.text import NONE, Cell, Table, cell, count, mebibytes, percent, seconds, share


@dataclass(frozen=True, kw_only=True)
class RecordResult:
    """What one record holds of one experiment; ``None`` stands for what was not measured.

    Rates are training rows per second of a steady epoch; ``first_call``, ``peak`` (bytes) and ``efficiency`` are those
    of the fused trainer. ``agreement`` compares the error with that of the first record.
    """

    experiment: str
    label: str
    fit: float | None
    fused: float | None
    first_call: float | None  # seconds
    peak: float | None
    efficiency: float | None
    error: float | None
    agreement: Judgement | None


@dataclass(frozen=True)
class SideBySide:
    """What a page shows of several records together."""

    rows: list[RecordResult]
    pictures: list[Picture]
    legend: str = (
        "First call, peak memory and efficiency are the fused trainer's; errors agree when neither their mean nor "
        "their distribution moved past the experiment's limit."
    )

    @property
    def answer(self) -> str:
        """Return in sentences who is fastest where, and whether errors agree."""
        fastest: dict[str, list[str]] = {}
        for experiment in dict.fromkeys(row.experiment for row in self.rows):
            timed = [row for row in self.rows if row.experiment == experiment and row.fused]
            if len(timed) > 1:
                fastest.setdefault(max(timed, key=lambda row: row.fused or 0).label, []).append(experiment)
        sentences = [f"{label} trains fastest in {_names(names)}." for label, names in fastest.items()]
        judged = [(f"{row.experiment} ({row.label})", row.agreement) for row in self.rows if row.agreement]
        if differing := [name for name, agreement in judged if not _agrees(agreement)]:
            sentences.append(f"Errors differ in {', '.join(differing)}.")
        elif judged:
            sentences.append("All errors agree.")
        return " ".join(sentences)

    @property
    def table(self) -> Table:
        return Table.of(
            (
                ("experiment", lambda row: Cell(row.experiment)),
                ("record", lambda row: Cell(row.label)),
                ("fit rows/s", lambda row: cell(row.fit, "{:,.0f}".format)),
                ("fused rows/s", lambda row: cell(row.fused, "{:,.0f}".format)),
                ("first call", lambda row: cell(row.first_call, seconds)),
                ("peak memory", lambda row: cell(row.peak, mebibytes)),
                ("efficiency", lambda row: cell(row.efficiency, share)),
                ("error", lambda row: cell(row.error, "{:.4g}".format)),
                ("against the first", lambda row: Cell(_agreement(row.agreement))),
            ),
            self.rows,
            names=2,
        )


def together(sources: Sequence[Source]) -> list[Source]:
    """Pick what can stand side by side: usual records of this suite at one scale, that of the first; at least two."""
    ours = [source for source in sources if source.cases and not any(case.devices for _, case in source.cases)]
    scales = [source.record.autoenc.scale for source in ours if source.record.autoenc]
    alike = [source for source, scale in zip(ours, scales, strict=True) if scale == scales[0]]
    return alike if len(alike) > 1 else []


def labels(sources: Sequence[Source]) -> list[str]:
    """Label records by their backends, where each has another, else by their files."""
    backends = [str(source.record.autoenc.context.get("backend")) for source in sources if source.record.autoenc]
    if len(set(backends)) == len(sources):
        return backends
    return [f"{place} {source.path.stem}" for place, source in enumerate(sources, start=1)]


def setting(sources: Sequence[Source]) -> str:
    """Return in one line on what records were made: what they share, and their labels."""
    first, *others = [source.setting.split(" · ") for source in sources]
    return " · ".join([part for part in first if all(part in parts for parts in others)] + labels(sources))


def rows(sources: Sequence[Source]) -> list[RecordResult]:
    """Lay records side by side, as ``together`` picked them: per experiment a row for each record that has it."""
    by_experiment: dict[str, list[RecordResult]] = {}
    for label, source in zip(labels(sources), sources, strict=True):
        agreements = {} if source is sources[0] else _agreements(sources[0], source)
        for summed in summary.rows(source.record.timed()):
            row = _row(label, source, summed, agreements.get(summed.experiment))
            by_experiment.setdefault(summed.experiment, []).append(row)
    return [row for results in by_experiment.values() for row in results]


def _row(label: str, source: Source, summed: ExperimentSummary, agreement: Judgement | None) -> RecordResult:
    run = source.record.autoenc
    epoch, first_call = (_fused(source, summed.experiment, phase) for phase in ("epoch", "first_call"))
    bound = epoch[0].bound(run.roofs) if epoch and run else None
    memory = epoch[1].memory if epoch else None
    return RecordResult(
        experiment=summed.experiment,
        label=label,
        fit=summed.fit,
        fused=summed.fused,
        first_call=first_call[0].stats.median if first_call else None,
        peak=(memory.accelerator or memory.peak) if memory else None,
        efficiency=bound[1] if bound else None,
        error=summed.error,
        agreement=agreement,
    )


def _fused(source: Source, experiment: str, phase: str) -> tuple[Benchmark, Case] | None:
    for benchmark, case in source.cases:
        if (case.experiment, case.phase, case.trainer) == (experiment, phase, "fused"):
            return benchmark, case
    return None


def _agreements(first: Source, other: Source) -> dict[str, Judgement]:
    """Compare errors of a record with the first one's, seed by seed, as the gate does."""
    return {
        verdict.experiment: verdict.error
        for verdict in verdicts.compare([first], [other]).verdicts
        if verdict.experiment and verdict.error and verdict.error.interval
    }


def _agrees(judgement: Judgement) -> bool:
    return judgement.outcome not in (Outcome.REGRESSED, Outcome.IMPROVED)


def _agreement(judgement: Judgement | None) -> str:
    if judgement is None or judgement.interval is None:
        return NONE
    interval = judgement.interval
    if not _agrees(judgement):
        return f"differs by {percent(exp(interval.estimate))}"
    if interval.low == interval.high == 0:
        return "equal"
    return f"agrees to {percent(exp(max(interval.high, -interval.low))).removeprefix('+')}"


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else count(len(names), "experiment")
