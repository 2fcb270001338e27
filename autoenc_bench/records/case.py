"""What a record has of one benchmark beside its times: what it did, how well, and with how much memory."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.counts import Counts

Positive = Annotated[float, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]  # that a float holds
Count = Annotated[int, Meta(ge=1, le=2**53)]
USUAL_WAITING = 0.05  # of a round
IDLE_STEP = 0.01  # seconds in which Linux tells for how long a core was idle


class Statistics(msgspec.Struct, frozen=True):
    """One error per test sample, summarised; what is not finite (the PSNR of a perfect one) is ``None``."""

    mean: float | None
    std: float | None
    quantiles: dict[str, float | None]  # by shares, "0" to "1"
    counts: list[Whole]  # in equal bins from the smallest to the largest error; none where one is not finite


class Yardstick(msgspec.Struct, frozen=True):
    """How well a method without a network reconstructs the same test samples."""

    mean: float  # absolute error
    std: float
    mean_squared: float
    components: int | None = None  # of PCA


class Extreme(msgspec.Struct, frozen=True):
    """A test sample and its absolute error."""

    index: Whole
    error: float


class Error(msgspec.Struct, frozen=True):
    """How well the trained model reconstructs the test samples."""

    absolute: Statistics
    mean_squared: Statistics
    psnr: Statistics
    best: list[Extreme]
    worst: list[Extreme]
    yardsticks: dict[str, Yardstick]


class Epoch(msgspec.Struct, frozen=True):
    """Both losses of an epoch, and the seconds it took, validation included."""

    loss: float
    val_loss: float
    seconds: float


class Sample(msgspec.Struct, frozen=True):
    """The first test sample beside its reconstruction, as the notebook prints them."""

    original: list[float]
    reconstruction: list[float]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What one timed call must do at least, whoever does it (see machine/roofline.py)."""

    flops: Amount  # float32 operations of the matrix products
    bytes: Amount  # that must be read from memory or written to it once
    exponentials: Amount  # logarithms included
    calls: Amount  # of compiled programs


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What one case held, in bytes; ``None`` where the system or the backend does not tell."""

    before: Amount | None = None  # resident in the process, as the case began
    peak: Amount | None = None  # the most that was resident during it
    accelerator: Amount | None = None  # the most that was allocated on the device during it


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One benchmark: what it did, how well, and what stood beside its times."""

    phase: str
    backend: str
    seed: int
    rows: Count  # samples that one timed call processed; 1 where there are none, as in building a model
    experiment: str = ""  # none of the catalogue: a case of the user's own
    trainer: str | None = None
    batch: str | None = None  # of an inference call: bulk or one
    epochs: int | None = None
    error: Error | None = None
    val_loss: float | None = None
    curve: list[Epoch] | None = None
    sample: Sample | None = None
    image: tuple[Count, Count] | None = None  # rows and columns, of samples that are pictures
    work: Work | None = None  # where a roof bounds the case
    counts: Counts | None = None  # what it does, which work is the least of
    reference: list[Positive] | None = None  # seconds of the reference workload beside each round
    cpu: list[float] | None = None  # seconds of all threads in each round, and likewise
    queued: list[float] | None = None  # that threads were ready to run and on no core,
    stolen: list[float] | None = None  # that the hypervisor took from the cores,
    idle: list[float] | None = None  # that the cores had nothing to do,
    set_up: list[float] | None = None  # and of fit's own set-up, which the round leaves out
    between: list[float] | None = (
        None  # CPU seconds while others had their turns, before each round of a live comparison
    )
    memory: Memory | None = None
    devices: Count | None = None  # that train together
    steps: Count | None = None  # of training, or all-reduces, in a call on several devices

    def waiting(self, times: Sequence[float]) -> float | None:
        """Return the mean seconds of a round in which one pinned thread neither ran nor was kept from it.

        That is wall less CPU, less stolen time, less preemption, given the rounds' seconds. Preemption is the time in
        the queue, but no more than others had the core: threads of one process keep each other waiting as well.
        Returns ``None`` where the system does not report it.
        """
        if not (times and self.cpu and self.queued and self.stolen and self.idle):
            return None
        unused = sum(times) - sum(self.cpu) - sum(self.stolen)
        others = unused - (sum(self.idle) - IDLE_STEP)
        preempted = max(0.0, min(sum(self.queued), others))
        return max(0.0, unused - preempted) / len(times)

    def waited(self, times: Sequence[float], context: Mapping[str, object]) -> float | None:
        """Return ``waiting`` where it is more than usual, and one pinned thread on a CPU lets it be told."""
        alone = (context.get("threads"), context.get("pinned"), context.get("device")) == (1, True, "CPU")
        waiting = self.waiting(times) if alone else None
        return waiting if waiting and waiting > USUAL_WAITING * median(times) else None


def infinities(value: object) -> Iterator[str]:
    """Locate NaN and infinities, which Python's json writes, also for pytest-benchmark, but JSON has not."""
    left = [("$", value)]
    while left:
        at, part = left.pop()
        if isinstance(part, float) and not isfinite(part):
            yield f"{part} - at `{at}`; expected a finite number"
        elif isinstance(part, dict):
            left += [(f"{at}.{key}", one) for key, one in part.items()]
        elif isinstance(part, list):
            left += [(f"{at}[{index}]", one) for index, one in enumerate(part)]


def case(extra_info: dict[str, Any]) -> Case:
    """Return the case in a benchmark's ``extra_info``; raise InvalidInputError for a field that is not as it should."""
    try:
        found = msgspec.convert(extra_info["autoenc"], Case)
    except msgspec.ValidationError as problem:
        raise InvalidInputError(str(problem)) from problem
    if misfit := next(infinities(extra_info["autoenc"]), None):
        raise InvalidInputError(misfit)
    return found
