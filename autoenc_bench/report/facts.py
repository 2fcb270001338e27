"""What ran the suite, in words: machine, roofs, context and conditions of a run, one line each."""

from collections.abc import Iterator, Mapping

import msgspec

from autoenc_bench.records.record import Roofs, Survey
from autoenc_bench.text import fact

UNITS = {
    "reference": ("reference workload", ""),
    "memory_gib": ("memory", "GiB"),
    "clock_mhz": ("clock", "MHz"),
    "temperature_c": ("temperature", "°C"),
}


def facts(survey: Survey) -> list[tuple[str, str]]:
    """List the facts as pairs (name, words); an environment variable keeps its name."""
    machine = msgspec.structs.asdict(survey.machine)
    return [
        ("machine", machine.pop("id")),
        *_named(machine),
        *((f"{name} roof", words) for name, words in (roofs(survey.roofs) if survey.roofs else ())),
        *_named(survey.context),
        *_named(survey.conditions),
    ]


def roofs(found: Roofs) -> list[tuple[str, str]]:
    """Say what a machine does at most; what could not be measured is unknown."""
    rates = (
        ("compute", found.flops, 1e-9, "GFLOP/s"),
        ("memory", found.bytes, 1e-9, "GB/s"),
        ("exponentials", found.exponentials, 1e-9, "billion/s"),
        ("dispatch", found.dispatch, 1e6, "µs per call"),
    )
    return [
        (name, "unknown" if value is None else f"{float(f'{value * factor:.3g}'):,g} {unit}")
        for name, value, factor, unit in rates
    ]


def _named(facts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        said, unit = UNITS.get(name, (name if name.isupper() else name.replace("_", " "), ""))
        words = fact(name, value)
        yield said, words if words == "unknown" else f"{words} {unit}".strip()
