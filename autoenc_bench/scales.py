"""How large the suite runs: smoke, standard and notebook."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autoenc_bench.experiments import Experiment

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Say how large the suite runs: the whole experiments, and the timed rounds.

    ``rows`` and ``epochs`` cap the whole experiment (``None``: as the catalogue says); ``trainers`` are those
    that run it whole, once per seed. A timed training round takes about ``steps`` optimiser steps of its
    trainer, but at most ``values`` numbers (rows x features) and ``epoch_limit`` epochs. A timed inference round
    is ``calls`` calls for a batch of one, and for a bulk of rows as many as process ``bulk_values`` numbers.
    ``rounds`` are the timed repetitions. ``roof_seconds`` is what measuring the machine's roofs may take.
    """

    name: str
    rows: int | None
    epochs: int | None
    trainers: tuple[str, ...]
    seeds: int
    steps: dict[str, int]
    epoch_limit: dict[str, int]
    values: int
    calls: int
    bulk_values: int
    rounds: int
    roof_seconds: float

    @property
    def full_size(self) -> bool:
        """Tell whether experiments run as the catalogue has them."""
        return self.rows is None and self.epochs is None

    def apply(self, experiment: Experiment) -> Experiment:
        """Return the experiment at this scale."""
        return replace(
            experiment,
            rows=min(experiment.rows, self.rows or experiment.rows),
            epochs=min(experiment.epochs, self.epochs or experiment.epochs),
        )

    def round_size(self, experiment: Experiment, trainer: str, train_rows: int) -> tuple[int, int]:
        """Size one timed training round: (rows of training data, epochs over them).

        It is a slice where an epoch is longer than a round, and several epochs where it is shorter.
        """
        wanted = min(self.steps[trainer] * experiment.batch_size, self.values // experiment.features)
        return max(1, min(train_rows, wanted)), max(1, min(self.epoch_limit[trainer], wanted // train_rows))

    def repeats(self, values: "NDArray[Any]") -> int:
        """Say how many inference calls on these rows, shape (n, width), one timed round makes."""
        return self.calls if len(values) == 1 else max(1, self.bulk_values // values.size)

    def estimate(self, experiments: Iterable[Experiment], seeds: int) -> float:
        """Estimate the seconds that the suite takes, to within a factor of two on a core of about 3 GHz.

        Measured there: ``fit`` takes 1 ms per step and 20 ns per unit activated, ``fused`` 7 ns per unit;
        everything but training takes some 10 s per experiment.
        """
        total = 0.0
        for experiment in map(self.apply, experiments):
            units = sum(experiment.encoder) + sum(experiment.decoder)
            seconds = {
                "fit": 1e-3 / experiment.batch_size + 20e-9 * units,
                "fused": 7e-9 * units,
            }  # per row
            for trainer, per_row in seconds.items():
                rows, epochs = self.round_size(experiment, trainer, experiment.rows)
                total += 2 * (self.rounds + 1) * rows * epochs * per_row  # first calls and steady epochs
                if trainer in self.trainers:
                    total += seeds * experiment.epochs * experiment.rows * per_row
            total += 10 if self.full_size else 4
        return total


_STANDARD = Scale(
    name="standard",
    rows=None,
    epochs=None,
    trainers=("fused",),
    seeds=1,
    steps={"fit": 600, "fused": 10_000},
    epoch_limit={"fit": 10, "fused": 200},  # an epoch of fit has a set-up of its own
    values=50_000_000,
    calls=300,
    bulk_values=10_000_000,
    rounds=5,
    roof_seconds=6,
)
_SMOKE = replace(
    _STANDARD,
    name="smoke",
    rows=2_000,
    epochs=2,
    steps={"fit": 20, "fused": 20},
    calls=10,
    bulk_values=1,
    rounds=1,
    roof_seconds=1.5,
)
_NOTEBOOK = replace(
    _STANDARD,
    name="notebook",
    trainers=("fused", "fit"),
    seeds=3,
    steps={"fit": 10_000, "fused": 10_000},
)
SCALES = {scale.name: scale for scale in (_SMOKE, _STANDARD, _NOTEBOOK)}
