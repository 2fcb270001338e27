"""Kinds of cores: on hybrid CPUs some are faster than others, by what Linux says of them in /sys."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

DEVICES = Path("/sys/devices")
NAMED = {"cpu_core": "performance", "cpu_atom": "efficiency"}  # Intel's hybrid CPUs, by the name of their counters
LIKE = 0.9  # of the fastest core's speed: cores that reach it are of its kind


def numbers(text: str) -> list[int]:
    """Read a list of cores as Linux writes it: ``0-3,8``."""
    cores: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            cores += range(int(first), int(last or first) + 1)
    return cores


def kinds(devices: Path = DEVICES) -> dict[int, str]:
    """Return the kind of each core of this machine, the fastest kind first; nothing where all are alike.

    Intel's hybrid CPUs name two kinds. Of others the cores' capacities count, else their highest clocks, where less
    than 10 % apart is one kind.
    """
    if named := _named(devices):
        return named
    for file, show in (("cpu_capacity", "capacity {:g}".format), ("cpufreq/cpuinfo_max_freq", _gigahertz)):
        if speeds := _speeds(devices, file):
            return _grouped(speeds, show)
    return {}


def _named(devices: Path) -> dict[int, str]:
    found: dict[int, str] = {}
    for folder, kind in NAMED.items():
        with suppress(OSError, ValueError):
            found |= dict.fromkeys(numbers((devices / folder / "cpus").read_text()), kind)
    return found if len(set(found.values())) > 1 else {}


def _speeds(devices: Path, file: str) -> dict[int, float]:
    speeds = {}
    for path in (devices / "system/cpu").glob(f"cpu[0-9]*/{file}"):
        with suppress(OSError, ValueError):
            speeds[int(path.relative_to(devices / "system/cpu").parts[0].removeprefix("cpu"))] = float(path.read_text())
    return speeds


def _gigahertz(kilohertz: float) -> str:
    return f"{kilohertz / 1e6:.3g} GHz"


def _grouped(speeds: dict[int, float], show: Callable[[float], str]) -> dict[int, str]:
    grouped: dict[int, str] = {}
    top = 0.0
    for core in sorted(speeds, key=lambda core: (-speeds[core], core)):
        if not grouped or speeds[core] < LIKE * top:
            top = speeds[core]
        grouped[core] = show(top)
    return grouped if len(set(grouped.values())) > 1 else {}


def by_speed(usable: Iterable[int], known: dict[int, str]) -> list[int]:
    """Sort cores: the fastest kind last, and within a kind by their numbers."""
    ranks = {kind: place for place, kind in enumerate(dict.fromkeys(known.values()))}
    return sorted(usable, key=lambda core: (-ranks.get(known.get(core, ""), len(ranks)), core))


def kind_of(cores: Sequence[int], known: dict[int, str]) -> str | None:
    """Return the kinds of some cores in words, ``None`` where the machine's cores are all alike."""
    used = {known.get(core, "unknown") for core in cores}
    return ", ".join(sorted(used)) if known else None
