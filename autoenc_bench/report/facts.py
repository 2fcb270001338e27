"""What ran the suite, in words: machine, roofs, context and conditions of a run, one line each."""

from collections.abc import Iterator, Mapping

import msgspec

from autoenc_bench.records.record import Roofs, Survey

NONE = {"threads": "all", "cpu_limit": "no limit"}  # what a missing value of these facts means
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
        words = told(name, value)
        yield said, words if words == "unknown" else f"{words} {unit}".strip()


def told(name: str, value: object) -> str:
    """Say the value of a fact, without its unit."""
    if value is None:
        return NONE.get(name, "unknown")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):  # before and after a run, where both can be read
        return " – ".join(dict.fromkeys(told(name, held) for held in value)) if value else "none"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)
