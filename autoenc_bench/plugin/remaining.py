"""How long the selected cases take, and how much of that is left."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from statistics import median
from time import monotonic

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.catalogue.scales import Scale
from autoenc_bench.instruments import reference_workload

REFERENCE = 0.009  # seconds of the reference workload on a core of about 3 GHz, on which the weights were measured
WITHOUT_TRAINING = {"first_call": 1.0, "epoch": 1.0}  # seconds of a case; most of them compile
OTHERWISE = 0.2
AT_FULL_SIZE = 1.6  # times as long as at scale smoke
TRUST = 10  # the first estimate counts as much as finished cases of this weight


def weight(scale: Scale, phase: str, experiment: Experiment | None, trainer: str | None) -> float:
    """Return about how many seconds a case takes on a core of 3 GHz, within a factor of two for a whole run."""
    fixed = WITHOUT_TRAINING.get(phase, OTHERWISE) * (AT_FULL_SIZE if scale.full_size else 1)
    timed = scale.untouched if phase == "untouched_fit" else scale.training.get(trainer or "")
    if experiment is None or timed is None:
        return fixed
    if phase != "experiment":
        return fixed + timed.seconds * (1 if phase == "first_call" else 1 + timed.rounds)
    if scale.is_too_long(experiment):
        return 0.0
    trains_like = "fit" if scale.stepwise else str(trainer)
    rows_per_second, _ = scale.round_size(experiment, trains_like, 2**62, replace(timed, seconds=1.0))
    return fixed + experiment.epochs * experiment.rows / rows_per_second


def slowness(run: Callable[[], float] = reference_workload.seconds) -> float:
    """Return how many times as long as a core of 3 GHz this machine takes now."""
    return median(run() for _ in range(5)) / REFERENCE


class Remaining:
    """The weights of the cases that have not ended, and the seconds that they take."""

    def __init__(self, weights: Mapping[str, float], slowness: float, clock: Callable[[], float] = monotonic) -> None:
        self._weights, self._slowness, self._clock = dict(weights), slowness, clock
        self._done = 0.0
        self._began: float | None = None

    def seconds(self) -> float:
        """Return the seconds that are left: at first as estimated, later more and more at the pace of this run."""
        self._began = self._clock() if self._began is None else self._began
        elapsed = self._clock() - self._began
        pace = (elapsed + TRUST * self._slowness) / (self._done + TRUST)
        return pace * sum(self._weights.values())

    def end(self, case: str) -> None:
        """Take a case that has ended off the list."""
        self._done += self._weights.pop(case, 0.0)


def minutes(seconds: float) -> str:
    """Return a time as minutes and seconds: ``2:05``."""
    return "{}:{:02}".format(*divmod(ceil(seconds), 60))
