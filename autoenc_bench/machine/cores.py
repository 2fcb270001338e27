"""Kinds of cores: some cores of hybrid CPUs are faster than others, as Linux reports in /sys."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

DEVICES = Path("/sys/devices")
NAMED = {"cpu_core": "performance", "cpu_atom": "efficiency"}  # Intel's hybrid CPUs, by the name of their counters
LIKE = 0.9  # cores that reach this share of the fastest core's speed are of its kind


def numbers(text: str) -> list[int]:
    """Return the numbers in a list of cores as Linux writes it: ``0-3,8``."""
    ranges = (part.partition("-") for part in text.strip().split(",") if part)
    return [core for first, _, last in ranges for core in range(int(first), int(last or first) + 1)]


def kinds(devices: Path = DEVICES) -> dict[int, str]:
    """Return the kind of each core of this machine, the fastest kind first; empty if all are alike.

    Intel's hybrid CPUs name two kinds. On others, capacities decide, or else the highest clock speeds, where cores less
    than 10 % apart are of one kind.
    """
    named: dict[int, str] = {}
    for folder, kind in NAMED.items():
        with suppress(OSError, ValueError):
            named |= dict.fromkeys(numbers((devices / folder / "cpus").read_text()), kind)
    if len(set(named.values())) > 1:
        return named
    for file, shown, factor in (("cpu_capacity", "capacity {:g}", 1), ("cpufreq/cpuinfo_max_freq", "{:.3g} GHz", 1e-6)):
        speeds = {}
        for cpu in (devices / "system/cpu").glob("cpu[0-9]*"):
            with suppress(OSError, ValueError):
                speeds[int(cpu.name.removeprefix("cpu"))] = float((cpu / file).read_text()) * factor
        if speeds:
            return _grouped(speeds, shown)
    return {}


def _grouped(speeds: dict[int, float], shown: str) -> dict[int, str]:
    grouped: dict[int, str] = {}
    fastest = 0.0  # of the current kind
    for core in sorted(speeds, key=lambda core: (-speeds[core], core)):
        if not grouped or speeds[core] < LIKE * fastest:
            fastest = speeds[core]
        grouped[core] = shown.format(fastest)
    return grouped if len(set(grouped.values())) > 1 else {}


def by_speed(usable: Iterable[int], core_kinds: dict[int, str]) -> list[int]:
    """Sort cores: the fastest kind last, and within a kind by their numbers."""
    ranks = {kind: rank for rank, kind in enumerate(dict.fromkeys(core_kinds.values()))}
    return sorted(usable, key=lambda core: (-ranks.get(core_kinds.get(core, ""), len(ranks)), core))


def kind_of(cores: Sequence[int], core_kinds: dict[int, str]) -> str | None:
    """Return the kinds of these cores in words; ``None`` if all cores of the machine are alike."""
    used = {core_kinds.get(core, "unknown") for core in cores}
    return ", ".join(sorted(used)) if core_kinds else None
