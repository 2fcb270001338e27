"""The three sizes of a run: smoke, standard and notebook."""

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from autoenc_bench.catalogue.experiments import Experiment

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPWISE = ("torch",)  # backends whose fused trainer runs each step from Python, about as slowly as fit elsewhere


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The timed rounds of a trainer.

    ``seconds`` sets the work of a round: as much as a core of 3 GHz does in that time. It is the same on every machine.
    ``epochs`` is the largest number of epochs in a round.
    """

    seconds: float
    rounds: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One size of a run.

    - ``rows``, ``epochs``: the most that a whole experiment uses; ``None``: as many as the catalogue gives
    - ``trainers``, ``seeds``: which trainers run the whole experiments, and with how many seeds
    - ``training``: the timed rounds of each trainer; ``untouched``: those of a plain call of Keras's ``fit``
    - ``calls``: inference calls in a round with a batch of one
    - ``bulk_values``: how many numbers the inference calls of a round with a large batch process
    - ``rounds``: timed rounds of every case that does not train
    - ``roof_seconds``: time for measuring the machine's roofs
    - ``longest``, ``stepwise_rounds``: on ``STEPWISE`` backends, the longest whole experiment that runs (seconds), and
      the largest number of timed rounds; ``stepwise`` is set there
    """

    name: str
    rows: int | None = None
    epochs: int | None = None
    trainers: tuple[str, ...]
    seeds: int
    training: dict[str, Rounds]
    untouched: Rounds
    calls: int
    bulk_values: int
    rounds: int
    roof_seconds: float
    longest: float = inf
    stepwise_rounds: int | None = None
    stepwise: bool = False

    def on(self, backend: str) -> "Scale":
        """Return the scale for a backend: rounds of the same size, but fewer on slow backends."""
        if backend not in STEPWISE:
            return self
        fewer = dict(self.training)
        for name, timed in fewer.items():
            fewer[name] = replace(timed, rounds=min(timed.rounds, self.stepwise_rounds or timed.rounds))
        return replace(self, training=fewer, stepwise=True)

    def is_too_long(self, experiment: Experiment) -> bool:
        """Return whether this scale leaves out the whole experiment on this backend."""
        return self.stepwise and experiment.epochs * experiment.rows * self._model(experiment, "fused") > self.longest

    def _model(self, experiment: Experiment, trainer: str) -> float:
        return _seconds_per_row(experiment, "fit" if self.stepwise else trainer)

    @property
    def full_size(self) -> bool:
        """Return whether whole experiments use all rows and epochs of the catalogue."""
        return self.rows is None and self.epochs is None

    def apply(self, experiment: Experiment) -> Experiment:
        """Return the experiment with the rows and epochs of this scale."""
        rows, epochs = self.rows or experiment.rows, self.epochs or experiment.epochs
        return replace(experiment, rows=min(experiment.rows, rows), epochs=min(experiment.epochs, epochs))

    def round_size(
        self, experiment: Experiment, trainer: str, train_rows: int, timed: Rounds | None = None
    ) -> tuple[int, int]:
        """Return the size of one timed training round: the number of training rows, and the epochs over them.

        Where an epoch takes longer than a round, the rows are a slice of whole batches. Where it takes less, a round is
        several epochs. ``timed`` replaces the trainer's own rounds.
        """
        timed = timed or self.training[trainer]
        rows_in_time = max(1, int(timed.seconds / _seconds_per_row(experiment, trainer)))
        whole_batches = max(experiment.batch_size, rows_in_time // experiment.batch_size * experiment.batch_size)
        return min(train_rows, whole_batches), max(1, min(timed.epochs, rows_in_time // train_rows))

    def repeats(self, values: "NDArray[Any]") -> int:
        """Return the number of inference calls in a timed round on these rows, shape (n, width)."""
        return self.calls if len(values) == 1 else max(1, self.bulk_values // values.size)


def _seconds_per_row(experiment: Experiment, trainer: str) -> float:
    """Return the seconds that training takes per row, measured on a core of about 3 GHz."""
    per_step, per_unit = {"fit": (1e-3, 20e-9), "fused": (1.5e-6, 7e-9)}[trainer]
    return per_step / experiment.batch_size + per_unit * (sum(experiment.encoder) + sum(experiment.decoder))


_STANDARD = Scale(
    name="standard",
    trainers=("fused",),
    seeds=1,
    training={
        "fit": Rounds(seconds=0.15, rounds=10, epochs=10),
        "fused": Rounds(seconds=0.05, rounds=30, epochs=200),  # many short rounds, each beside a reference workload
    },
    untouched=Rounds(seconds=0.3, rounds=1, epochs=10),
    calls=150,
    bulk_values=5_000_000,
    rounds=5,
    roof_seconds=6,
    longest=60,
    stepwise_rounds=3,
)
_ONCE = dict.fromkeys(
    ("fit", "fused"), Rounds(seconds=0.02, rounds=1, epochs=2)
)  # two epochs over all rows, so only one program is compiled
_SMOKE = replace(
    _STANDARD,
    name="smoke",
    rows=2_000,
    epochs=2,
    training=_ONCE,
    untouched=_ONCE["fit"],
    calls=10,
    bulk_values=1,
    rounds=1,
    roof_seconds=1,
)
_LONG = {"fit": Rounds(seconds=12, rounds=3, epochs=10), "fused": Rounds(seconds=0.25, rounds=40, epochs=200)}
_NOTEBOOK = replace(
    _STANDARD,
    name="notebook",
    longest=inf,
    stepwise_rounds=None,
    trainers=("fused", "fit"),
    seeds=3,
    training=_LONG,
    untouched=replace(_LONG["fit"], rounds=1),
)
SCALES = {scale.name: scale for scale in (_SMOKE, _STANDARD, _NOTEBOOK)}
