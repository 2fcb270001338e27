"""A distributed run's record -> how training scales with its devices, and where that cannot help."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from autoenc_bench.records.record import Fact
from autoenc_bench.report import summary
from autoenc_bench.report.summary import Timed
from autoenc_bench.text import Cell, Table, cell, seconds, share


class DeviceScaling(msgspec.Struct, frozen=True, kw_only=True):
    """How one experiment trains on so many devices; ``None`` stands for what was not measured.

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


def rows(timed: Iterable[Timed]) -> list[DeviceScaling]:
    """Sum up each experiment on each number of devices, fewest first."""
    experiments: dict[str, set[int]] = {}
    rates: dict[tuple[str, str, int], float] = {}
    steps: dict[tuple[str, str, int], float | None] = {}
    for case, time in timed:
        if case.devices and time:
            experiments.setdefault(case.experiment, set()).add(case.devices)
            key = case.experiment, case.phase, case.devices
            rates[key] = case.rows / time
            steps[key] = time / case.steps if case.steps else None

    def efficiency(experiment: str, phase: str, devices: int) -> float | None:
        alone, together = rates.get((experiment, phase, 1)), rates.get((experiment, phase, devices))
        return together / alone / devices if alone and together else None

    return [
        DeviceScaling(
            experiment=experiment,
            devices=devices,
            strong=rates.get((experiment, "strong", devices)),
            strong_efficiency=efficiency(experiment, "strong", devices),
            weak=rates.get((experiment, "weak", devices)),
            weak_efficiency=efficiency(experiment, "weak", devices),
            step=steps.get((experiment, "strong", devices)),
            all_reduce=steps.get((experiment, "all_reduce", devices)),
        )
        for experiment, numbers in experiments.items()
        for devices in sorted(numbers)
    ]


LEGEND = (
    "strong: the batch stays, and each device takes a part; weak: it grows with the devices; efficiency: the rate\n"
    "over that of one device, per device; step: of strong training; all-reduce: one mean of as many numbers as the\n"
    "model has parameters over the devices, which each step needs; –: not measured"
)


def table(rows: Iterable[DeviceScaling]) -> Table:
    """Return the headline table of a distributed run."""
    return Table.of(
        (
            ("experiment", lambda row: Cell(row.experiment)),
            ("devices", lambda row: cell(row.devices, "{:,}".format)),
            ("strong rows/s", lambda row: cell(row.strong, "{:,.0f}".format)),
            ("efficiency", lambda row: cell(row.strong_efficiency, share)),
            ("weak rows/s", lambda row: cell(row.weak, "{:,.0f}".format)),
            ("efficiency", lambda row: cell(row.weak_efficiency, share)),
            ("step", lambda row: cell(row.step, seconds)),
            ("all-reduce", lambda row: cell(row.all_reduce, seconds)),
        ),
        rows,
    )


class Headline(NamedTuple):
    """The headline table of a run, what it holds, and what it tells of devices, in sentences."""

    table: Table
    legend: str
    answer: list[str]


def headline(timed: Iterable[Timed], context: Mapping[str, Fact]) -> Headline:
    """Return the headline of any run, distributed or not."""
    cases = list(timed)
    if scaled := rows(cases):
        return Headline(table(scaled), LEGEND, answer(scaled, context))
    return Headline(summary.table(summary.rows(cases)), summary.LEGEND, [])


def answer(rows: list[DeviceScaling], context: Mapping[str, Fact]) -> list[str]:
    """Return in sentences what more devices bring, and what these devices can prove."""
    virtual = (
        "These devices are virtual, parts of one CPU: that training runs on them proves its arithmetic, and its "
        "times say nothing of real devices."
    )
    return [*([virtual] if context.get("virtual_devices") else []), *_hopeless(rows), *_gains(rows)]


def _hopeless(rows: list[DeviceScaling]) -> Iterator[str]:
    """List the experiments that more devices did not help, or cannot, since their step is too short for it."""
    alone = {row.experiment: row.step for row in rows if row.devices == 1}
    largest = {row.experiment: row for row in rows if row.all_reduce}
    gaining = {row.experiment for row in rows if _gain(row.strong_efficiency, row.devices)}
    for row in largest.values():
        step = alone.get(row.experiment)
        if not (step and row.step and row.all_reduce) or row.experiment in gaining:
            continue
        cannot = step / row.devices + row.all_reduce >= step
        yield (
            f"More devices {'cannot' if cannot else 'did not'} help {row.experiment} at this batch: a step takes "
            f"{seconds(step)} on one, {seconds(row.step)} on {row.devices}, and one all-reduce of its gradients "
            f"{seconds(row.all_reduce)}."
        )


def _gains(rows: list[DeviceScaling]) -> Iterator[str]:
    for row in rows:
        for kind, efficiency in (("strong", row.strong_efficiency), ("weak", row.weak_efficiency)):
            if gain := _gain(efficiency, row.devices):
                yield (
                    f"{row.experiment} trains {gain:.1f} times as many rows per second on "
                    f"{row.devices} devices as on one ({kind} scaling)."
                )


def _gain(efficiency: float | None, devices: int) -> float | None:
    """Return how many times as fast so many devices are as one, where that is more than noise."""
    gain = (efficiency or 0) * devices
    return gain if devices > 1 and gain >= 1.05 else None
