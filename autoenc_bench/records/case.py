"""The schema of one case: what it did, its errors and its memory. record.py has its times."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Annotated

import msgspec
from msgspec import Meta

from autoenc_bench.records.counts import Counts, Number, References

Positive = Annotated[float, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1, le=2**53)]
REFERENCE_METHODS = ("constant mean", "PCA")
USUAL_OFF_CPU = 0.05  # share of a round
IDLE_STEP = 0.01  # seconds; Linux reports the idle time of cores in these steps


class Statistics(msgspec.Struct, frozen=True):
    """Summary of one error per test sample. ``None`` is a value that is not finite: the PSNR of a perfect sample."""

    mean: float | None
    std: Amount | None
    quantiles: dict[str, float | None]  # by shares, "0" to "1"
    counts: list[Number]  # in equal bins from the smallest to the largest error; empty if one of them is not finite


class ReferenceValue(msgspec.Struct, frozen=True):
    """Errors of a method without a network on the same test samples."""

    mean: float  # absolute error
    std: float
    mean_squared: float
    components: int | None = None  # of PCA


class Extreme(msgspec.Struct, frozen=True):
    """A test sample and its absolute error."""

    index: Number
    error: float


class Error(msgspec.Struct, frozen=True):
    """Reconstruction errors of the trained model on the test samples."""

    absolute: Statistics
    mean_squared: Statistics
    psnr: Statistics
    best: list[Extreme]
    worst: list[Extreme]
    yardsticks: dict[str, ReferenceValue]  # by method

    def __post_init__(self) -> None:
        """Raise ValueError for statistics that no run can have written."""
        for method in REFERENCE_METHODS:
            if method not in self.yardsticks:
                raise ValueError(f"yardsticks: {method!r} is missing; expected {' and '.join(REFERENCE_METHODS)}")
        mean, std, counts = self.absolute.mean, self.absolute.std, self.absolute.counts
        if mean is not None and mean < 0:
            raise ValueError(f"absolute.mean: {mean}; expected a number of at least 0")
        if not counts:
            return
        if len(counts) % 4 or not any(counts):
            raise ValueError("absolute.counts: no histogram; expected a multiple of four counts, at least one above 0")
        lowest, highest = (self.absolute.quantiles.get(share) for share in ("0", "1"))
        if mean is None or std is None or lowest is None or highest is None:
            raise ValueError("absolute: counts without mean, std and the quantiles '0' and '1'; expected all of them")
        if max(mean, std) > 2 * max(abs(lowest), abs(highest)):  # twice, because rounding must not matter
            raise ValueError("absolute: mean or std is larger than the quantiles; expected errors between them")


class Epoch(msgspec.Struct, frozen=True):
    """Both losses of an epoch, and its seconds, validation included."""

    loss: float
    val_loss: float
    seconds: float


class Sample(msgspec.Struct, frozen=True):
    """The first test sample and its reconstruction, as the notebook prints them."""

    original: list[float]
    reconstruction: list[float]

    def __post_init__(self) -> None:
        """Raise ValueError if the two differ in length."""
        if len(self.original) != len(self.reconstruction):
            raise ValueError("original and reconstruction differ in length; expected as many numbers in both")


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Lower bound of the work of one timed call, for any implementation (see machine/roofline.py)."""

    flops: Amount  # float32 operations of the matrix products
    bytes: Amount  # read from memory or written to it once
    exponentials: Amount  # logarithms included
    calls: Amount  # of compiled programs


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of one case in bytes; ``None`` if the system or the backend does not report it."""

    before: Amount | None = None  # resident in the process when the case began
    peak: Amount | None = None  # largest resident amount during the case
    accelerator: Amount | None = None  # largest amount allocated on the device during the case


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case, and the measurements beside its times."""

    phase: str
    backend: str
    seed: int
    rows: Count  # samples that one timed call processed; 1 if it processes none, such as building a model
    experiment: str = ""  # empty: a user's own case, outside the catalogue
    trainer: str | None = None
    batch: str | None = None  # of an inference call: bulk or one
    epochs: int | None = None
    error: Error | None = None
    val_loss: float | None = None
    curve: list[Epoch] | None = None
    sample: Sample | None = None
    image: tuple[Count, Count] | None = None  # rows and columns, if samples are pictures
    work: Work | None = None  # if a roof bounds the case
    counts: Counts | None = None  # what it executes; ``work`` is the lower bound of that
    counted: References | None = None  # only in files: replaced by ``counts`` when the record is read
    reference: list[Positive] | None = None  # seconds of the reference workload beside each round
    cpu: list[float] | None = None  # CPU seconds of all threads, in each round
    queued: list[float] | None = None  # seconds in each round in which threads were ready to run but had no core
    stolen: list[float] | None = None  # seconds in each round that the hypervisor took from the cores
    idle: list[float] | None = None  # seconds in each round in which the cores were idle
    set_up: list[float] | None = None  # seconds of fit's set-up, which the round leaves out
    between: list[float] | None = None  # CPU seconds before each round, while the other processes ran theirs
    memory: Memory | None = None
    devices: Count | None = None  # that train together
    steps: Count | None = None  # training steps, or all-reduces, in a call on several devices

    def off_cpu(self, times: Sequence[float]) -> float | None:
        """Return the mean off-CPU seconds of a round of one pinned thread, given the seconds of the rounds.

        Off-CPU time is wall time minus CPU time, steal and preemption. Preemption is the time in the run queue, but at
        most the time for which other processes had the core, because threads of one process also wait for each other.
        Returns ``None`` if the system does not report these times.
        """
        if not (times and self.cpu and self.queued and self.stolen and self.idle):
            return None
        unused = sum(times) - sum(self.cpu) - sum(self.stolen)
        used_by_others = unused - (sum(self.idle) - IDLE_STEP)
        preempted = max(0.0, min(sum(self.queued), used_by_others))
        return max(0.0, unused - preempted) / len(times)

    def unusual_off_cpu(self, times: Sequence[float], context: Mapping[str, object]) -> float | None:
        """Return ``off_cpu`` if one pinned thread on a CPU ran, and it is above ``USUAL_OFF_CPU`` of a round."""
        is_pinned_thread = (context.get("threads"), context.get("pinned"), context.get("device")) == (1, True, "CPU")
        off_cpu = self.off_cpu(times) if is_pinned_thread else None
        return off_cpu if off_cpu and off_cpu > USUAL_OFF_CPU * median(times) else None
