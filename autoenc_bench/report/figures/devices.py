"""How training scales with devices: rates beside what would be ideal, and a step beside its all-reduce."""

from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from autoenc_bench import text
from autoenc_bench.records.loading import Source
from autoenc_bench.report import devices
from autoenc_bench.report.devices import DeviceScaling
from autoenc_bench.report.figures import style as looks
from autoenc_bench.report.figures.style import Drawing

PANELS = (("strong", "strong scaling, rows/s"), ("weak", "weak scaling, rows/s"))


def scale_out(source: Source) -> Iterator[Drawing]:
    """Draw what each experiment gains from more devices, and its step beside its all-reduce."""
    rows = devices.rows(source.record.timed())
    run = source.record.autoenc
    if not rows or not run:
        return
    virtual = " (virtual devices: no measure of speed)" if run.context.get("virtual_devices") else ""
    figure = looks.blank(f"What more devices bring{virtual}", source.setting, width=9.6, height=3.9)
    left, middle, right = figure.subplots(1, 3)
    left.sharey(middle)
    counts = sorted({row.devices for row in rows})
    for axes, (kind, title) in zip((left, middle), PANELS, strict=True):
        _rates(axes, kind, rows)
        _axis(axes, title, counts)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.rate(value)))
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8.5)
    _steps(right, rows)
    _axis(right, "◆ step, ○ all-reduce", counts)
    right.yaxis.set_major_formatter(looks.time_axis())
    yield Drawing(
        "scale-out",
        "What more devices bring",
        " ".join([_in_words(row) for row in rows]),
        figure,
        "Dotted: one device's rate times the devices, which is ideal. Each step waits for one mean of all gradients, "
        "the all-reduce; where that takes as long as a step on one device, more of them cannot help. All axes are "
        "logarithmic.",
    )


def _rates(axes: Axes, kind: str, rows: list[DeviceScaling]) -> None:
    for experiment in dict.fromkeys(row.experiment for row in rows):
        points = [(row.devices, getattr(row, kind)) for row in rows if row.experiment == experiment]
        points = [(devices, rate) for devices, rate in points if rate is not None]
        if not points:
            continue
        colour = looks.colour(experiment)
        axes.plot(
            *zip(*points, strict=True), color=colour, **looks.mark("fused", colour), label=looks.plain(experiment)
        )
        first = points[0]
        ideal = [(devices, first[1] * devices / first[0]) for devices, _ in points]
        axes.plot(*zip(*ideal, strict=True), color=colour, linestyle=":", linewidth=1)


def _steps(axes: Axes, rows: list[DeviceScaling]) -> None:
    for experiment in dict.fromkeys(row.experiment for row in rows):
        colour = looks.colour(experiment)
        for field, kind in (("step", "fused"), ("all_reduce", "fit")):
            points = [(row.devices, getattr(row, field)) for row in rows if row.experiment == experiment]
            points = [(devices, value) for devices, value in points if value is not None]
            if points:
                style: dict[str, Any] = {"linestyle": "-" if kind == "fused" else "--", "linewidth": 1.2}
                axes.plot(*zip(*points, strict=True), color=colour, **style, **looks.mark(kind, colour))


def _axis(axes: Axes, title: str, counts: list[int]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="devices", xlim=(counts[0] / 1.25, counts[-1] * 1.25))
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_major_formatter(looks.count_axis())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")
    axes.set_title(title)


def _in_words(row: DeviceScaling) -> str:
    table = devices.table([row])
    said = {header: cell.text for header, cell in zip(table.headers, table.rows[0], strict=True)}
    reduced = f", all-reduce {text.seconds(row.all_reduce)}" if row.all_reduce else ""
    return (
        f"{row.experiment} on {row.devices}: strong {said['strong rows/s']} rows/s, weak {said['weak rows/s']} rows/s, "
        f"step {said['step']}{reduced}."
    )
