"""How training scales with the devices of a distributed run, and the headline of any run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from autoenc_bench.formatting import Cell, Columns, Table, cell, seconds, share
from autoenc_bench.records.record import Fact
from autoenc_bench.report import summary
from autoenc_bench.report.summary import Timed


class DeviceScaling(NamedTuple):
    """How one experiment trains on a number of devices; ``None`` stands for what was not measured."""

    experiment: str
    devices: int
    strong: float | None  # training rows per second
    strong_efficiency: float | None  # rate per device, divided by the rate of one device alone
    weak: float | None
    weak_efficiency: float | None
    step: float | None  # seconds of one strong step
    all_reduce: float | None  # seconds of averaging the gradients over the devices, which each step needs


def rows(timed: Iterable[Timed]) -> list[DeviceScaling]:
    """Return a row for each experiment and number of devices, fewest first."""
    cases = {(case.experiment, case.devices or 0, case.phase): (case, time) for case, time in timed if time}
    rates = {key: case.rows / time for key, (case, time) in cases.items() if key[1]}
    steps = {key: time / case.steps for key, (case, time) in cases.items() if case.steps}

    def rate_and_efficiency(experiment: str, devices: int, phase: str) -> tuple[float | None, float | None]:
        rate, alone = rates.get((experiment, devices, phase)), rates.get((experiment, 1, phase))
        return rate, rate / alone / devices if rate and alone else None

    return [
        DeviceScaling(
            *at,
            *rate_and_efficiency(*at, "strong"),
            *rate_and_efficiency(*at, "weak"),
            steps.get((*at, "strong")),
            steps.get((*at, "all_reduce")),
        )
        for experiment in dict.fromkeys(experiment for experiment, _, _ in rates)
        for at in sorted({(name, devices) for name, devices, _ in rates if name == experiment})
    ]


LEGEND = {
    "strong": "the batch keeps its size, and each device takes a part of it",
    "weak": "the batch grows with the devices",
    "efficiency": "rows per second of one device, divided by those of a device that trains alone",
    "step": "one step of strong training",
    "all-reduce": "averages the gradients over the devices, which every step needs",
}


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


VIRTUAL = (
    "These devices are virtual: they are parts of one CPU. They show that the arithmetic is correct. Their times are "
    "not those of real devices."
)


SMOKE = (
    "Warning: scale smoke shows only that everything works. Its rounds are very short and its "
    "models are hardly trained, so its speeds and errors mean nothing. For results, run without --scale smoke."
)


class Headline(NamedTuple):
    """The headline table of a run, its legend, and what was found, in sentences."""

    table: Table
    legend: str
    answer: list[str]


def headline(timed: Sequence[Timed], context: Mapping[str, Fact]) -> Headline:
    """Return the headline of any run, distributed or not; ``context`` also has its scale."""
    if scaled := rows(timed):
        shown, meanings, sentences = table(scaled).filled(), LEGEND, answer(scaled, context)
    else:
        experiments = summary.rows(timed)
        shown, meanings, sentences = summary.table(experiments).filled(), summary.LEGEND, summary.answer(experiments)
    sentences = sentences if shown.rows else ["No case measured training or an error, so there is no table."]
    return Headline(shown, shown.legend(meanings), [SMOKE] if context.get("scale") == "smoke" else sentences)


def answer(rows: list[DeviceScaling], context: Mapping[str, Fact]) -> list[str]:
    """Return in sentences what more devices bring, and whether the devices are virtual."""
    sentences = [VIRTUAL] if context.get("virtual_devices") else []
    gains = [
        (kind, row, efficiency * row.devices)
        for row in rows
        for kind, efficiency in (("strong", row.strong_efficiency), ("weak", row.weak_efficiency))
        if efficiency and row.devices > 1 and efficiency * row.devices >= 1.05  # less is noise
    ]
    gaining = {row.experiment for kind, row, _ in gains if kind == "strong"}
    alone = {row.experiment: row.step for row in rows if row.devices == 1}
    most = {row.experiment: row for row in rows if row.all_reduce and row.experiment not in gaining}
    for experiment, row in most.items():
        if (step := alone.get(experiment)) and row.step and row.all_reduce:
            verb = "cannot" if step / row.devices + row.all_reduce >= step else "did not"
            sentences.append(
                f"More devices {verb} speed up {experiment} at this batch size: a step takes {seconds(step)} on one, "
                f"{seconds(row.step)} on {row.devices}, and one all-reduce of its gradients {seconds(row.all_reduce)}."
            )
    for kind, row, gain in gains:
        more = f"{gain:.1f} times as many rows per second on {row.devices} devices as on one"
        sentences.append(f"{row.experiment} trains {more} ({kind} scaling).")
    return sentences
