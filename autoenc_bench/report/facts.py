"""The facts of a run in words, one line each: machine, roofs, context and conditions."""

from collections.abc import Iterator, Mapping

import msgspec

from autoenc_bench.formatting import fact, moment, share
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Roofs, Survey

NAMES = {  # with their units
    "clock": ("version of the timing method", ""),
    "reference": ("version of the reference workload", ""),
    "memory_gib": ("memory", "GiB"),
    "clock_mhz": ("clock", "MHz"),
    "cores": ("core numbers", ""),
    "temperature_c": ("temperature", "°C"),
    "throttled": ("slowed down by heat", "times"),
    "memory_stalled": ("waiting for memory", ""),
    "others": ("core used by other processes", ""),
    "sibling": ("SMT sibling used by other processes", ""),
}
SHARES = ("steal", "memory_stalled", "others", "sibling")


def facts(survey: Survey) -> list[tuple[str, str]]:
    """Return the facts as pairs (name, value). An environment variable keeps its name."""
    machine = msgspec.structs.asdict(survey.machine)
    return [
        ("machine", machine.pop("id")),
        *_named(machine),
        *((f"{name} roof", value) for name, value in (roofs(survey.roofs) if survey.roofs else ())),
        *_named(survey.context),
        *_named(survey.conditions),
    ]


def record_facts(source: Source) -> list[tuple[str, str]]:
    """Return the facts of a record as pairs (name, value): its origin, its run, and the programs that wrote it."""
    record, run, commit = source.record, source.record.autoenc, source.record.commit_info
    return [
        ("recorded", moment(record.datetime)),
        ("record", source.path.name),
        *([("commit", str(commit))] if commit and commit.known else []),
        *([*facts(run), ("scale", run.scale), ("seeds", str(run.seeds))] if run else []),
        *([] if run else [("machine", str(source.machine_info).replace(" · ", ", "))]),
        ("pytest-benchmark", record.version),
        *([("autoenc-bench", run.suite_version)] if run else []),
    ]


def roofs(measured: Roofs) -> list[tuple[str, str]]:
    """Return the maximum rates of a machine as pairs (name, value). What could not be measured is unknown."""
    rates = (
        ("compute", measured.flops, 1e-9, "GFLOP/s"),
        ("memory", measured.bytes, 1e-9, "GB/s"),
        ("exponentials", measured.exponentials, 1e-9, "billion/s"),
        ("dispatch", measured.dispatch, 1e6, "µs per call"),
    )
    return [
        (name, "unknown" if value is None else f"{float(f'{value * factor:.3g}'):,g} {unit}")
        for name, value, factor, unit in rates
    ]


def _named(facts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        name, unit = NAMES.get(key, (key if key.isupper() else key.replace("_", " "), ""))
        shown = share(value) if key in SHARES and isinstance(value, float) else fact(key, value)
        yield name, shown if shown == "unknown" else f"{shown} {unit}".strip()
