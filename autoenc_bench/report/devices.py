"""A distributed run's record -> how training scales with its devices, and where that cannot help."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from autoenc_bench.formatting import Cell, Columns, Table, cell, seconds, share
from autoenc_bench.records.record import Fact
from autoenc_bench.report import summary
from autoenc_bench.report.summary import Timed


class DeviceScaling(msgspec.Struct, frozen=True, kw_only=True):
    """How one experiment trains on so many devices; ``None`` stands for what was not measured."""

    experiment: str
    devices: int
    strong: float | None  # training rows per second
    strong_efficiency: float | None  # rate over that of one device, per device
    weak: float | None
    weak_efficiency: float | None
    step: float | None  # seconds of one strong step
    all_reduce: float | None  # seconds of one mean of the gradients over the devices, which each step needs


def rows(timed: Iterable[Timed]) -> list[DeviceScaling]:
    """Return a row for each experiment and number of devices, fewest first."""
    cases = {(case.experiment, case.phase, case.devices): (case, time) for case, time in timed if case.devices and time}
    rates = {key: case.rows / time for key, (case, time) in cases.items() if time}
    steps = {key: time / case.steps for key, (case, time) in cases.items() if time and case.steps}

    def efficiency(experiment: str, phase: str, devices: int) -> float | None:
        rate, alone = rates.get((experiment, phase, devices)), rates.get((experiment, phase, 1))
        return rate / alone / devices if rate and alone else None

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
        for experiment in dict.fromkeys(experiment for experiment, _, _ in rates)
        for devices in sorted({devices for name, _, devices in rates if name == experiment and devices})
    ]


LEGEND = (
    "strong: the batch stays, and each device takes a part; weak: it grows with the devices; efficiency: the rate\n"
    "over that of one device, per device; step: of strong training; all-reduce: one mean of as many numbers as the\n"
    "model has parameters over the devices, which each step needs; –: not measured"
)


def table(rows: Iterable[DeviceScaling]) -> Table:
    """Return the headline table of a distributed run."""
    columns: Columns[DeviceScaling] = (
        ("experiment", lambda row: Cell(row.experiment)),
        ("devices", lambda row: cell(row.devices, "{:,}".format)),
        ("strong rows/s", lambda row: cell(row.strong, "{:,.0f}".format)),
        ("efficiency", lambda row: cell(row.strong_efficiency, share)),
        ("weak rows/s", lambda row: cell(row.weak, "{:,.0f}".format)),
        ("efficiency", lambda row: cell(row.weak_efficiency, share)),
        ("step", lambda row: cell(row.step, seconds)),
        ("all-reduce", lambda row: cell(row.all_reduce, seconds)),
    )
    return Table.of(columns, rows)


class Headline(NamedTuple):
    """The headline table of a run, what it holds, and what it tells of devices, in sentences."""

    table: Table
    legend: str
    answer: list[str]


def headline(timed: Sequence[Timed], context: Mapping[str, Fact]) -> Headline:
    """Return the headline of any run, distributed or not."""
    if scaled := rows(timed):
        return Headline(table(scaled), LEGEND, answer(scaled, context))
    return Headline(summary.table(summary.rows(timed)), summary.LEGEND, [])


def answer(rows: list[DeviceScaling], context: Mapping[str, Fact]) -> list[str]:
    """Return in sentences what more devices bring, and what these devices can prove."""
    virtual = (
        "These devices are virtual, parts of one CPU: that training runs on them proves its arithmetic, and its "
        "times say nothing of real devices."
    )
    gains = [
        (row.experiment, f"{efficiency * row.devices:.1f} times", row.devices, kind)
        for row in rows
        for kind, efficiency in (("strong", row.strong_efficiency), ("weak", row.weak_efficiency))
        if efficiency and row.devices > 1 and efficiency * row.devices >= 1.05  # else it is noise
    ]
    gaining = {experiment for experiment, _, _, kind in gains if kind == "strong"}
    return [
        *([virtual] if context.get("virtual_devices") else []),
        *_hopeless([row for row in rows if row.experiment not in gaining]),
        *(
            f"{experiment} trains {gain} as many rows per second on {devices} devices as on one ({kind} scaling)."
            for experiment, gain, devices, kind in gains
        ),
    ]


def _hopeless(rows: list[DeviceScaling]) -> Iterator[str]:
    """List the experiments that more devices did not help, or cannot, since their step is too short for it."""
    alone = {row.experiment: row.step for row in rows if row.devices == 1}
    for row in {row.experiment: row for row in rows if row.all_reduce}.values():
        if (step := alone.get(row.experiment)) and row.step and row.all_reduce:
            verb = "cannot" if step / row.devices + row.all_reduce >= step else "did not"
            yield (
                f"More devices {verb} help {row.experiment} at this batch: a step takes {seconds(step)} on one, "
                f"{seconds(row.step)} on {row.devices}, and one all-reduce of its gradients {seconds(row.all_reduce)}."
            )
