"""Several records side by side, experiment by experiment: speed, first call, memory, efficiency, and the errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, count, mebibytes, percent, seconds, share
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.report import summary
from autoenc_bench.report.summary import ExperimentSummary
from autoenc_bench.report.view import Picture
from autoenc_bench.verdicts import limits, status, tables
from autoenc_bench.verdicts.comparison import Comparison, compare, compare_sides
from autoenc_bench.verdicts.judgements import Judgement, Outcome
from autoenc_bench.verdicts.limits import VerdictOptions
from autoenc_bench.verdicts.sides import gather, under_test


@dataclass(frozen=True, kw_only=True)
class RecordResult:
    """What one record holds of one experiment; ``None`` stands for what was not measured."""

    experiment: str
    label: str
    fit: float | None  # training rows per second of a steady epoch
    fused: float | None
    first_call: float | None  # of the fused trainer, as are the next two; in seconds
    peak: float | None  # in bytes
    efficiency: float | None
    error: float | None
    agreement: Judgement | None  # of the error with that of the first record


@dataclass(frozen=True)
class RoundByRound:
    """What a page shows of the records of a live comparison together."""

    comparison: Comparison
    judging: VerdictOptions
    pictures: Sequence[Picture] = ()
    title: str = "Base and head, round by round"

    @property
    def legend(self) -> str:
        looks = (
            "Intervals are of one look at these records; the live comparison looked more often, and had its verdict."
        )
        return f"{self.judging} {looks}"

    @property
    def answer(self) -> str:
        """Return in a sentence each what changed, by how much, and why; else what is known."""
        sentences = [
            f"{one.case}: time {tables.change(one.time)}, {one.explained}."
            for one in self.comparison.verdicts
            if one.time and one.explained
        ]
        asked = self.judging
        ended = status.of(self.comparison, allow_missing=asked.allow_missing, strict=asked.strict)
        return " ".join(sentences) or f"{ended.reason}."

    @property
    def table(self) -> Table:
        return tables.table(self.comparison)


@dataclass(frozen=True)
class SideBySide:
    """What a page shows of several records together."""

    rows: list[RecordResult]
    pictures: list[Picture]
    title: str = "Side by side"
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
        sentences = []
        for label, names in fastest.items():
            where = ", ".join(names) if len(names) < 4 else count(len(names), "experiment")
            sentences.append(f"{label} trains fastest in {where}.")
        judged = [(f"{row.experiment} ({row.label})", row.agreement) for row in self.rows if row.agreement]
        if differing := [name for name, agreement in judged if not _agrees(agreement)]:
            sentences.append(f"Errors differ in {', '.join(differing)}.")
        elif judged:
            sentences.append("All errors agree.")
        return " ".join(sentences)

    @property
    def table(self) -> Table:
        columns: Columns[RecordResult] = (
            ("experiment", lambda row: Cell(row.experiment)),
            ("record", lambda row: Cell(row.label)),
            ("fit rows/s", lambda row: cell(row.fit, "{:,.0f}".format)),
            ("fused rows/s", lambda row: cell(row.fused, "{:,.0f}".format)),
            ("first call", lambda row: cell(row.first_call, seconds)),
            ("peak memory", lambda row: cell(row.peak, mebibytes)),
            ("efficiency", lambda row: cell(row.efficiency, share)),
            ("error", lambda row: cell(row.error, "{:.4g}".format)),
            ("against the first", lambda row: Cell(_agreement(row.agreement))),
        )
        return Table.of(columns, self.rows, names=2)


def paired(sources: Sequence[Source]) -> RoundByRound | None:
    """Compare the records of a live comparison among these by its own limits; ``None`` where a side is not there.

    Raises InvalidInputError where the limits, kept beside the records, cannot be read.
    """
    runs = [(source, source.record.autoenc) for source in sources]
    base, head = ([source for source, run in runs if run and run.pair and run.side == side] for side in SIDE_NAMES)
    if not (base and head):
        return None
    both, asked = (gather(base), gather(head)), limits.saved_options(source.path for source in (*base, *head))
    return RoundByRound(compare_sides(*both, asked.overrides, under_test(*both)), asked)


def drawn_alone(sources: Sequence[Source]) -> list[Source]:
    """Pick the records that are drawn by themselves: of a live comparison, whose records are alike, the first pair."""
    names = [source.record.autoenc.pair for source in sources if source.record.autoenc and source.record.autoenc.pair]
    first = min(names, default=None)
    return [source for source in sources if not (run := source.record.autoenc) or run.pair in (None, first)]


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
        # Errors are compared with the first record's seed by seed, as the gate does.
        judged = [] if source is sources[0] else compare(sources[:1], [source]).verdicts
        agreements = {one.experiment: one.error for one in judged if one.error and one.error.interval}
        for summed in summary.rows(source.record.timed()):
            row = _row(label, source, summed, agreements.get(summed.experiment))
            by_experiment.setdefault(summed.experiment, []).append(row)
    return [row for results in by_experiment.values() for row in results]


def _row(label: str, source: Source, summed: ExperimentSummary, agreement: Judgement | None) -> RecordResult:
    run = source.record.autoenc
    cases = [(benchmark, case) for benchmark, case in source.cases if case.experiment == summed.experiment]
    fused = {case.phase: (benchmark, case) for benchmark, case in reversed(cases) if case.trainer == "fused"}
    epoch, first_call = fused.get("epoch"), fused.get("first_call")
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
