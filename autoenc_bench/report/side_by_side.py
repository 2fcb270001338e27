"""Judge several records together: those of a live comparison round by round, others side by side.

Only this module of the report asks for verdicts. Figures and templates show the plain data that it returns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from autoenc_bench.formatting import NONE, Cell, Columns, Table, cell, count, mebibytes, percent, seconds, share
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.records.storage import stem
from autoenc_bench.report import summary
from autoenc_bench.report.summary import ExperimentSummary
from autoenc_bench.report.view import Picture
from autoenc_bench.verdicts import limits, status, tables
from autoenc_bench.verdicts.comparison import Comparison, compare, compare_sides
from autoenc_bench.verdicts.intervals import Interval, Values
from autoenc_bench.verdicts.judgements import CHANGES, Judgement
from autoenc_bench.verdicts.sides import gather, under_test


class RecordResult(NamedTuple):
    """What one record holds about one experiment, and in words how its error compares with the first record's."""

    label: str
    summary: ExperimentSummary
    agreement: str = NONE
    differs: bool = False


@dataclass(frozen=True)
class PairedCase:
    """The interleaved rounds of one case of a live comparison, as logarithms of seconds, and their verdict."""

    case: str
    experiment: str | None
    rounds: list[tuple[Values, Values]]  # of each pair: base and head, equally many
    interval: Interval
    limit: float
    outcome: str
    change: str  # the interval in words


@dataclass
class Together:
    """What a page shows of several records together, and what its figures draw: paired cases, or rows."""

    title: str
    answer: str
    table: Table
    legend: str
    setting: str
    paired: Sequence[PairedCase] = ()
    rows: Sequence[RecordResult] = ()
    pictures: Sequence[Picture] = ()


def judge(sources: Sequence[Source]) -> Together | None:
    """Judge several records; return ``None`` where there are no two that can be compared.

    Raises InvalidInputError when the limits of a live comparison, kept beside its records, cannot be read.
    """
    runs = [(source, source.record.autoenc) for source in sources]
    base, head = ([source for source, run in runs if run and run.pair and run.side == side] for side in SIDE_NAMES)
    if base and head:
        return _round_by_round(base, head, sources[0].setting)
    alike = _alike(sources)
    return _side_by_side(alike) if len(alike) > 1 else None


def drawn_alone(sources: Sequence[Source]) -> list[Source]:
    """Return the records that get figures of their own: the first pair of a live comparison, and all others."""
    pairs = [(source, source.record.autoenc.pair if source.record.autoenc else None) for source in sources]
    first = min((pair for _, pair in pairs if pair), default=None)
    return [source for source, pair in pairs if pair in (None, first)]


def _round_by_round(base: list[Source], head: list[Source], setting: str) -> Together:
    """Compare the records of a live comparison by its own limits."""
    sides, options = (gather(base), gather(head)), limits.saved_options(source.path for source in (*base, *head))
    comparison = compare_sides(*sides, options.overrides, under_test(*sides))
    changed = [
        f"{one.case}: time {tables.change(one.time)}, {one.explained}."
        for one in comparison.verdicts
        if one.time and one.explained
    ]
    ended = status.of(comparison, allow_missing=options.allow_missing, strict=options.strict)
    analyses = "The intervals assume a single analysis; the live comparison's verdict allows for its interim ones."
    return Together(
        title="Base and head, round by round",
        answer=" ".join(changed) or f"{ended.reason}.",
        table=tables.table(comparison),
        legend=f"{options} {analyses}",
        setting=setting,
        paired=_paired(comparison),
    )


def _paired(comparison: Comparison) -> list[PairedCase]:
    """Return the cases whose rounds were interleaved, those that changed first."""
    paired = []
    for verdict in comparison.verdicts:
        if (time := verdict.time) and time.paired and time.interval:
            base, head = (side.cases[verdict.case].pairs for side in (comparison.base, comparison.head))
            shared = [(base[name], head[name]) for name in base if name in head]
            rounds = [(one[: len(other)], other[: len(one)]) for one, other in shared]
            words = str(time.outcome), tables.change(time)
            paired.append(PairedCase(verdict.case, verdict.experiment, rounds, time.interval, time.limit, *words))
    return sorted(paired, key=lambda one: one.outcome not in CHANGES)


def _side_by_side(sources: Sequence[Source]) -> Together:
    """Lay records side by side, a row for each record that has an experiment."""
    labelled, rows = labels(sources), []
    for label, source in zip(labelled, sources, strict=True):
        # Errors are compared with the first record's seed by seed, as 'compare' does.
        verdicts = [] if source is sources[0] else compare(sources[:1], [source]).verdicts
        errors = {one.experiment: one.error for one in verdicts if one.error and one.error.interval}
        roofs = source.record.autoenc.roofs if source.record.autoenc else None
        for row in summary.rows(source.record.timed(), roofs):
            rows.append(RecordResult(label, row, *_agreement(errors.get(row.experiment))))
    order = list(dict.fromkeys(row.summary.experiment for row in rows))
    rows.sort(key=lambda row: order.index(row.summary.experiment))
    first, *others = [source.setting.split(" · ") for source in sources]
    shared = [part for part in first if all(part in parts for parts in others)]
    return Together(
        title="Side by side",
        answer=answer(rows),
        table=table(rows),
        legend="First call, peak memory and efficiency are those of the fused trainer. Errors are compared with the "
        "first record's by mean, σ, 95 % and 99 % quantile. They differ if one of these changed by the error's limit "
        "(1 %, unless the experiment has its own) or more.",
        setting=" · ".join([*shared, *labelled]),
        rows=rows,
    )


def _alike(sources: Sequence[Source]) -> list[Source]:
    """Return the records that can stand side by side: of this suite, not distributed, at the scale of the first."""
    ours = [source for source in sources if source.cases and not any(case.devices for _, case in source.cases)]
    scales = [source.record.autoenc.scale for source in ours if source.record.autoenc]
    return [source for source, scale in zip(ours, scales, strict=True) if scale == scales[0]]


def labels(sources: Sequence[Source]) -> list[str]:
    """Return what to call each record: by its backend where no two share one, else by its file."""
    backends = [str(source.record.autoenc.context.get("backend")) for source in sources if source.record.autoenc]
    if len(set(backends)) == len(sources):
        return backends
    return [f"({place}) {stem(source.path)}" for place, source in enumerate(sources, start=1)]


def _agreement(error: Judgement | None) -> tuple[str, bool]:
    """Return in words how an error compares with the first record's, and whether they differ."""
    if error is None or error.interval is None:
        return NONE, False
    estimate, low, high = error.interval[:3]
    if error.outcome in CHANGES:
        return f"differs by {percent(exp(estimate))}", True
    return "equal" if low == high == 0 else f"agrees to {percent(exp(max(high, -low))).removeprefix('+')}", False


def answer(rows: Sequence[RecordResult]) -> str:
    """Return in sentences which record is fastest in which experiments, and whether errors agree."""
    fastest: dict[str, list[str]] = {}
    for experiment in dict.fromkeys(row.summary.experiment for row in rows):
        rates = {row.label: row.summary.fused for row in rows if row.summary.experiment == experiment}
        timed = {label: rate for label, rate in rates.items() if rate}
        if len(timed) > 1:
            fastest.setdefault(max(timed, key=timed.__getitem__), []).append(experiment)
    sentences = []
    for label, names in fastest.items():
        where = ", ".join(names) if len(names) < 4 else count(len(names), "experiment")
        sentences.append(f"{label} trains fastest in {where}.")
    if differing := [f"{row.summary.experiment} ({row.label})" for row in rows if row.differs]:
        sentences.append(f"Errors differ in {', '.join(differing)}.")
    elif any(row.agreement != NONE for row in rows):
        sentences.append("All errors agree.")
    return " ".join(sentences)


def table(rows: Iterable[RecordResult]) -> Table:
    """Return the table of records side by side."""
    columns: Columns[RecordResult] = (
        ("experiment", lambda row: Cell(row.summary.experiment)),
        ("record", lambda row: Cell(row.label)),
        ("fit rows/s", lambda row: cell(row.summary.fit, "{:,.0f}".format)),
        ("fused rows/s", lambda row: cell(row.summary.fused, "{:,.0f}".format)),
        ("first call", lambda row: cell(row.summary.first_call, seconds)),
        ("peak memory", lambda row: cell(row.summary.peak, mebibytes)),
        ("efficiency", lambda row: cell(row.summary.efficiency, share)),
        ("error", lambda row: cell(row.summary.error, "{:.4g}".format)),
        ("error against first", lambda row: Cell(row.agreement)),
    )
    return Table.of(columns, rows, names=2)
