"""A distributed run's record -> how training scales with its devices, and where that cannot help."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from autoenc_bench import text
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Fact
from autoenc_bench.report.summary import Timed


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one experiment trains on so many devices; ``None`` stands for what was not measured.

    Rates are training rows per second. ``step`` and ``all_reduce`` are seconds: of one strong step, and of one mean of
    the gradients over the devices, which each step needs. Efficiencies are the rate over that of one device, per
    device.
    """

    experiment: str
    devices: int
    strong: float | None
    strong_efficiency: float | None
    weak: float | None
    weak_efficiency: float | None
    step: float | None
    all_reduce: float | None


def rows(timed: Iterable[Timed]) -> list[Row]:
    """Sum up each experiment on each number of devices, fewest first."""
    found: dict[str, dict[tuple[str, int], tuple[Case, float]]] = {}
    for case, seconds in timed:
        if case.devices and seconds:
            found.setdefault(case.experiment, {})[case.phase, case.devices] = case, seconds
    return [
        _row(experiment, held, devices)
        for experiment, held in found.items()
        for devices in sorted({devices for _, devices in held})
    ]


def _row(experiment: str, held: Mapping[tuple[str, int], tuple[Case, float]], devices: int) -> Row:
    def rate(phase: str, devices: int) -> float | None:
        case, seconds = held.get((phase, devices), (None, 0.0))
        return case.rows / seconds if case else None

    def efficiency(phase: str) -> float | None:
        alone, together = rate(phase, 1), rate(phase, devices)
        return together / alone / devices if alone and together else None

    def each(phase: str) -> float | None:
        case, seconds = held.get((phase, devices), (None, 0.0))
        return seconds / case.steps if case and case.steps else None

    return Row(
        experiment=experiment,
        devices=devices,
        strong=rate("strong", devices),
        strong_efficiency=efficiency("strong"),
        weak=rate("weak", devices),
        weak_efficiency=efficiency("weak"),
        step=each("strong"),
        all_reduce=each("all_reduce"),
    )


HEADERS = (
    "experiment",
    "devices",
    "strong rows/s",
    "efficiency",
    "weak rows/s",
    "efficiency",
    "step",
    "all-reduce",
)
LEGEND = (
    "strong: the batch stays, and each device takes a part; weak: it grows with the devices; efficiency: the rate\n"
    "over that of one device, per device; step: of strong training; all-reduce: one mean of as many numbers as the\n"
    "model has parameters over the devices, which each step needs; –: not measured"
)


def cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Say each row in words, one per header."""
    return [
        (
            row.experiment,
            f"{row.devices:,}",
            "–" if row.strong is None else f"{row.strong:,.0f}",
            "–" if row.strong_efficiency is None else text.share(row.strong_efficiency),
            "–" if row.weak is None else f"{row.weak:,.0f}",
            "–" if row.weak_efficiency is None else text.share(row.weak_efficiency),
            "–" if row.step is None else text.seconds(row.step),
            "–" if row.all_reduce is None else text.seconds(row.all_reduce),
        )
        for row in rows
    ]


def table(rows: Iterable[Row], style: str = "simple") -> str:
    """Lay the rows out as text, in one of tabulate's styles (``github`` for Markdown)."""
    return text.table(cells(rows), HEADERS, style)


def answer(rows: list[Row], context: Mapping[str, Fact]) -> list[str]:
    """Say in sentences what more devices bring, and what these devices can prove."""
    said = [*_hopeless(rows), *_gains(rows)]
    if context.get("virtual_devices"):
        said.insert(
            0,
            "These devices are virtual, parts of one CPU: that training runs on them proves its arithmetic, and its "
            "times say nothing of real devices.",
        )
    return said


def _hopeless(rows: list[Row]) -> Iterator[str]:
    """Name the experiments that more devices did not help, or cannot, since their step is too short for it."""
    alone = {row.experiment: row.step for row in rows if row.devices == 1}
    reduced = {row.experiment: row for row in rows if row.all_reduce}  # the largest of each
    gaining = {row.experiment for row in rows if _gain(row.strong_efficiency, row.devices)}
    for row in reduced.values():
        step = alone.get(row.experiment)
        if not (step and row.step and row.all_reduce) or row.experiment in gaining:
            continue
        cannot = step / row.devices + row.all_reduce >= step
        yield (
            f"More devices {'cannot' if cannot else 'did not'} help {row.experiment} at this batch: a step takes "
            f"{text.seconds(step)} on one, {text.seconds(row.step)} on {row.devices}, and one all-reduce of its "
            f"gradients {text.seconds(row.all_reduce)}."
        )


def _gains(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        for kind, efficiency in (("strong", row.strong_efficiency), ("weak", row.weak_efficiency)):
            if gain := _gain(efficiency, row.devices):
                yield (
                    f"{row.experiment} trains {gain:.1f} times as many rows per second on "
                    f"{row.devices} devices as on one ({kind} scaling)."
                )


def _gain(efficiency: float | None, devices: int) -> float | None:
    """Give how many times as fast so many devices are as one, where that is more than noise."""
    gain = (efficiency or 0) * devices
    return gain if devices > 1 and gain >= 1.05 else None
