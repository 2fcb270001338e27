"""How training scales with devices: rates beside what would be ideal, and a step beside its all-reduce."""

from collections.abc import Iterator

from autoenc_bench import formatting
from autoenc_bench.report.devices import DeviceScaling
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.view import Section

PANELS = (("strong", "strong scaling, rows/s"), ("weak", "weak scaling, rows/s"))


def scale_out(section: Section) -> style.Drawing:
    """Draw what each experiment gains from more devices, and its step beside its all-reduce."""
    rows = section.scaled
    virtual = " (virtual devices: no measure of speed)" if section.has_virtual_devices else ""
    figure = style.blank(f"What more devices bring{virtual}", section.setting, width=9.6, height=3.9)
    panels = left, middle, right = figure.subplots(1, 3)
    left.sharey(middle)
    for axes in panels:
        layout.log_log(axes, "devices", sorted({row.devices for row in rows}), (1.25, 1.25))
    for axes, (kind, title) in zip((left, middle), PANELS, strict=True):
        for experiment, _, counts, rates in _measured(rows, kind):
            colour, ideal = style.colour(experiment), [rates[0] * count / counts[0] for count in counts]
            layout.points(axes, counts, rates, "fused", colour, 5.5, linestyle="-", label=style.plain(experiment))
            axes.plot(counts, ideal, color=colour, linestyle=":", linewidth=1)
        axes.set_title(title)
        axes.yaxis.set_major_formatter(lambda value, _: formatting.rate(value))
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8.5)
    for experiment, field, counts, times in _measured(rows, "step", "all_reduce"):
        colour, kind = style.colour(experiment), "fused" if field == "step" else "fit"
        layout.points(right, counts, times, kind, colour, 5.5, linestyle=style.mark(kind).line, linewidth=1.2)
    right.set_title("◆ step, ○ all-reduce")
    right.yaxis.set_major_formatter(lambda value, _: formatting.seconds(value))
    note = (
        "The dotted line is ideal: the rate of one device times the number of devices. Each step waits for one "
        "all-reduce, the mean of all gradients. If that takes as long as a step on one device, more devices cannot "
        "help. All axes are logarithmic."
    )
    return style.Drawing("scale-out", "What more devices bring", " ".join(map(_in_words, rows)), figure, note)


def _measured(rows: list[DeviceScaling], *fields: str) -> Iterator[tuple[str, str, list[int], list[float]]]:
    """Yield each experiment and field with the numbers of devices at which it was measured, and its values there."""
    for experiment in dict.fromkeys(row.experiment for row in rows):
        for field in fields:
            every = {row.devices: getattr(row, field) for row in rows if row.experiment == experiment}
            if known := {devices: value for devices, value in every.items() if value is not None}:
                yield experiment, field, list(known), list(known.values())


def _in_words(row: DeviceScaling) -> str:
    strong, weak = (formatting.cell(rate, "{:,.0f}".format).text for rate in (row.strong, row.weak))
    step = formatting.cell(row.step, formatting.seconds).text
    step += f", all-reduce {formatting.seconds(row.all_reduce)}" if row.all_reduce else ""
    return f"{row.experiment} on {row.devices}: strong {strong} rows/s, weak {weak} rows/s, step {step}."
