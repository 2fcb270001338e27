"""Several records side by side, experiment by experiment: speed, first call, memory, efficiency, and the errors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp

from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Judgement, Outcome
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark
from autoenc_bench.report import summary
from autoenc_bench.report.view import Cell, Picture
from autoenc_bench.text import mebibytes, seconds, share


@dataclass(frozen=True, kw_only=True)
class Row:
    """Hold what one record says of one experiment; ``None`` stands for what was not measured.

    Rates are training rows per second of a steady epoch; ``first_call``, ``peak`` (bytes) and ``efficiency`` are those
    of the fused trainer. ``agreement`` holds the error against that of the first record.
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


HEADERS = (
    "experiment",
    "record",
    "fit rows/s",
    "fused rows/s",
    "first call",
    "peak memory",
    "efficiency",
    "error",
    "against the first",
)
LEGEND = (
    "First call, peak memory and efficiency are the fused trainer's; errors agree when neither their mean nor their "
    "distribution moved past the experiment's limit."
)


@dataclass(frozen=True)
class Contrast:
    """Hold what a page says of several records together."""

    rows: list[Row]
    pictures: list[Picture]

    @property
    def answer(self) -> str:
        """Say in sentences who is fastest where, and whether errors agree."""
        fastest: dict[str, list[str]] = {}
        for experiment in dict.fromkeys(row.experiment for row in self.rows):
            timed = [row for row in self.rows if row.experiment == experiment and row.fused]
            if len(timed) > 1:
                fastest.setdefault(max(timed, key=lambda row: row.fused or 0).label, []).append(experiment)
        said = [f"{label} trains fastest in {_names(names)}." for label, names in fastest.items()]
        judged = [row for row in self.rows if row.agreement]
        differing = [f"{row.experiment} ({row.label})" for row in judged if row.agreement and not agrees(row.agreement)]
        if differing:
            said.append(f"Errors differ in {', '.join(differing)}.")
        elif judged:
            said.append("All errors agree.")
        return " ".join(said)

    @property
    def cells(self) -> list[list[Cell]]:
        """Say each row in words, one cell per header."""
        return [
            [
                Cell(row.experiment),
                Cell(row.label),
                _cell(row.fit, "{:,.0f}".format),
                _cell(row.fused, "{:,.0f}".format),
                _cell(row.first_call, seconds),
                _cell(row.peak, mebibytes),
                _cell(row.efficiency, share),
                _cell(row.error, "{:.4g}".format),
                Cell(_agreement(row.agreement)),
            ]
            for row in self.rows
        ]


def together(sources: Sequence[Source]) -> list[Source]:
    """Pick what can stand side by side: usual records of this suite at one scale, that of the first; at least two."""
    ours = [source for source in sources if source.cases and not any(case.devices for _, case in source.cases)]
    scales = [source.record.autoenc.scale for source in ours if source.record.autoenc]
    found = [source for source, scale in zip(ours, scales, strict=True) if scale == scales[0]]
    return found if len(found) > 1 else []


def labels(sources: Sequence[Source]) -> list[str]:
    """Name records by their backends, where each has another, else by their files."""
    backends = [str(source.record.autoenc.context.get("backend")) for source in sources if source.record.autoenc]
    if len(set(backends)) == len(sources):
        return backends
    return [f"{place} {source.path.stem}" for place, source in enumerate(sources, start=1)]


def setting(sources: Sequence[Source]) -> str:
    """Say in one line on what records were made: what they share, and their names."""
    told = [source.setting.split(" · ") for source in sources]
    return " · ".join([part for part in told[0] if all(part in parts for parts in told)] + labels(sources))


def rows(sources: Sequence[Source]) -> list[Row]:
    """Lay records side by side, as ``together`` picked them: per experiment a row for each record that has it."""
    found: dict[str, list[Row]] = {}
    for label, source in zip(labels(sources), sources, strict=True):
        agreements = {} if source is sources[0] else _agreements(sources[0], source)
        for summed in summary.rows(source.record.timed()):
            row = _row(label, source, summed, agreements.get(summed.experiment))
            found.setdefault(summed.experiment, []).append(row)
    return [row for held in found.values() for row in held]


def _row(label: str, source: Source, summed: summary.Row, agreement: Judgement | None) -> Row:
    run = source.record.autoenc
    epoch, first = (next(_fused(source, summed.experiment, phase), None) for phase in ("epoch", "first_call"))
    bound = epoch[0].bound(run.roofs) if epoch and run else None
    held = epoch[1].memory if epoch else None
    return Row(
        experiment=summed.experiment,
        label=label,
        fit=summed.fit,
        fused=summed.fused,
        first_call=first[0].stats.median if first else None,
        peak=(held.accelerator or held.peak) if held else None,
        efficiency=bound[1] if bound else None,
        error=summed.error,
        agreement=agreement,
    )


def _fused(source: Source, experiment: str, phase: str) -> Iterator[tuple[Benchmark, Case]]:
    for benchmark, case in source.cases:
        if (case.experiment, case.phase, case.trainer) == (experiment, phase, "fused"):
            yield benchmark, case


def _agreements(first: Source, other: Source) -> dict[str, Judgement]:
    """Hold errors of a record against the first one's, seed by seed, as the gate does."""
    return {
        verdict.experiment: verdict.error
        for verdict in verdicts.compare([first], [other]).verdicts
        if verdict.experiment and verdict.error and verdict.error.interval
    }


def agrees(judgement: Judgement) -> bool:
    """Tell whether errors agree: neither regressed nor improved."""
    return judgement.outcome not in (Outcome.REGRESSED, Outcome.IMPROVED)


def _cell(value: float | None, say: Callable[[float], str]) -> Cell:
    return Cell("–") if value is None else Cell(say(value), value)


def _agreement(judgement: Judgement | None) -> str:
    if judgement is None or judgement.interval is None:
        return "–"
    held = judgement.interval
    moved = exp(held.estimate) - 1
    if not agrees(judgement):
        return f"differs by {moved:+.1%}".replace("%", " %")
    return (
        "equal"
        if held.low == held.high == 0
        else f"agrees to {exp(max(held.high, -held.low)) - 1:.1%}".replace("%", " %")
    )


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{len(names)} experiments"
