"""Figure of how training scales with devices: rates beside the ideal, and a step beside its all-reduce."""

from itertools import product

from autoenc_bench import formatting
from autoenc_bench.report.devices import DeviceScaling
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.view import Section

PANELS = (
    ("strong scaling, rows/s", ("strong",), formatting.rate),
    ("weak scaling, rows/s", ("weak",), formatting.rate),
    ("◆ step, ○ all-reduce", ("step", "all_reduce"), formatting.seconds),
)


def scale_out(section: Section) -> style.Drawing:
    """Draw what each experiment gains from more devices, and its step beside its all-reduce."""
    rows = section.scaled
    virtual = " (virtual devices: no measure of speed)" if section.has_virtual_devices else ""
    figure = style.blank(f"What more devices bring{virtual}", section.setting, width=9.6, height=3.9)
    panels = figure.subplots(1, 3)
    panels[0].sharey(panels[1])
    for axes, (title, fields, show) in zip(panels, PANELS, strict=True):
        layout.log_log(axes, "devices", sorted({row.devices for row in rows}), (1.25, 1.25))
        axes.set_title(title)
        axes.yaxis.set_major_formatter(lambda value, _, show=show: show(value))
        for experiment, field in product(dict.fromkeys(row.experiment for row in rows), fields):
            every = [(row.devices, getattr(row, field)) for row in rows if row.experiment == experiment]
            if measured := {devices: value for devices, value in every if value is not None}:
                colour, kind = style.colour(experiment), "fit" if field == "all_reduce" else "fused"
                look = {"linestyle": style.mark(kind).line, "linewidth": 1.4, "label": style.plain(experiment)}
                layout.points(axes, [*measured], [*measured.values()], kind, colour, 5.5, **look)
                if show is formatting.rate:
                    (first, rate), *_ = measured.items()
                    ideal = [rate / first * devices for devices in measured]
                    axes.plot([*measured], ideal, color=colour, linestyle=":", linewidth=1)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8.5)
    note = (
        "The dotted line is ideal: the rate of one device times the number of devices. Each step waits for one "
        "all-reduce, the mean of all gradients. If that takes as long as a step on one device, more devices cannot "
        "help. All axes are logarithmic."
    )
    return style.Drawing("scale-out", "What more devices bring", " ".join(map(_in_words, rows)), figure, note)


def _in_words(row: DeviceScaling) -> str:
    strong, weak = (formatting.cell(rate, "{:,.0f}".format).text for rate in (row.strong, row.weak))
    step = formatting.cell(row.step, formatting.seconds).text
    step += f", all-reduce {formatting.seconds(row.all_reduce)}" if row.all_reduce else ""
    return f"{row.experiment} on {row.devices}: strong {strong} rows/s, weak {weak} rows/s, step {step}."
