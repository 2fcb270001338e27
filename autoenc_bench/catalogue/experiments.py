"""The catalogue: one frozen row per experiment of the notebook, and one of our own."""

import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import count

if TYPE_CHECKING:
    from autoenc_bench.verdicts.limits import Limits

STREAM = "stream"  # the data whose rows are drawn as they are needed, and kept nowhere
MOST_STREAMED = 2**32  # for a row's number is one word of the generator's counter
ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: data, widths, activations and the length of its training.

    ``encoder`` lists the widths from the first hidden layer to the code, ``decoder`` those after the code; the last one
    is the number of features. ``activation`` belongs to every layer but the last, ``output_activation`` to the last.
    ``mean_error`` bounds the mean absolute error per sample (summed over features) that the whole experiment ends with
    at full size, any seed; ``None`` asks only that it beats the constant mean. ``image`` gives the rows and columns of
    a sample that is a picture. ``limits`` say which changes count as regressions, ``None`` means the usual ones.
    ``rounding`` is how far float rounding alone moves the mean error of a seed (a share, as a standard deviation).
    Raises InvalidInputError when a value cannot describe an experiment.
    """

    name: str
    data: str
    rows: int
    features: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    epochs: int = 10
    batch_size: int = 100
    mean_error: tuple[float, float] | None = None
    image: tuple[int, int] | None = None
    limits: "Limits | None" = None
    rounding: float = 0.0005

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise InvalidInputError(f"experiment name {self.name!r}: use lower-case words and digits joined by '-'")
        if problem := self._problem():
            raise InvalidInputError(f"experiment {self.name!r}: {problem}")

    def _problem(self) -> str | None:
        numbers = [(name, getattr(self, name)) for name in ("rows", "features", "epochs", "batch_size")]
        for name in ("encoder", "decoder"):
            numbers += [(f"{name} width", width) for width in getattr(self, name)]
            if not getattr(self, name):
                return f"{name} is empty; give at least one width"
        for name, value in numbers:
            if value < 1:
                return f"{name} is {value}; it must be at least 1"
        if self.decoder[-1] != self.features:
            needed = f"a reconstruction needs as many as there are features, {self.features}"
            return f"the last decoder width is {self.decoder[-1]}, but {needed}"
        if self.image and self.image[0] * self.image[1] != self.features:
            return f"an image of {self.image} has not {self.features} pixels"
        for activation in (self.activation, self.output_activation):
            if activation not in ACTIVATIONS:
                return f"unknown activation {activation!r}; choose from {', '.join(ACTIVATIONS)}"
        return None

    @property
    def code(self) -> int:
        return self.encoder[-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Return all widths, from the features by way of the code to the features again."""
        return (self.features, *self.encoder, *self.decoder)

    @property
    def parameters(self) -> int:
        """Return the number of weights and biases: the sum of (inputs + 1) x outputs over the dense layers."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    @property
    def is_streamed(self) -> bool:
        """Whether its rows are drawn as they are needed; then ``rows`` counts training rows alone."""
        return self.data == STREAM

    def describe(self) -> str:
        """Return in one line what is trained, on what and for how long."""
        widths = " → ".join(map(str, self.widths))
        length = f"{count(self.epochs, 'epoch')} of {self.batch_size}"
        return f"{self.data} {self.rows:,} × {self.features}, {widths}, {length}"


def _pictures(name: str, rows: int, side: int, **others: Any) -> Experiment:
    pixels = side**2
    shape: dict[str, Any] = {"features": pixels, "decoder": (pixels,), "image": (side, side)}
    return Experiment(name=name, data=name, rows=rows, encoder=(32,), activation="relu", **shape, **others)


_uniform = partial(Experiment, data="uniform", rows=1_000_000, features=32)
_simple = partial(_uniform, encoder=(2,), decoder=(32,), mean_error=(7.4, 7.75))
EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        _simple(name="crude-simple"),
        # Its rounding: a single late epoch may turn out otherwise, 0.46 % in one of twelve trainings.
        _uniform(name="crude-complex", encoder=(16, 8, 4, 2), decoder=(32,) * 4, mean_error=(7.3, 7.9), rounding=0.003),
        # As many steps as crude-simple's ten epochs over a million.
        _simple(name="crude-simple-streamed", data=STREAM, rows=10_000_000, epochs=1),
        _uniform(name="features-2", features=2, encoder=(2,), decoder=(2,), mean_error=(0.0, 0.08)),
        _uniform(name="features-4", features=4, encoder=(2,), decoder=(4,)),
        _uniform(name="features-8", features=8, encoder=(2,), decoder=(8,)),
        _uniform(name="features-16", features=16, encoder=(2,), decoder=(16,)),
        _simple(name="features-32"),
        _pictures("mnist", 70_000, 28, batch_size=256, mean_error=(27.0, 31.0)),
        _pictures("digits", 1_797, 8, epochs=200, batch_size=32, mean_error=(1.7, 3.0)),
    )
}


def register(experiment: Experiment) -> Experiment:
    """Add a row to the catalogue; raise InvalidInputError when another one has its name: history hangs on names."""
    known = EXPERIMENTS.setdefault(experiment.name, experiment)
    if known != experiment:
        raise InvalidInputError(f"experiment {experiment.name!r} is already in the catalogue; choose another name")
    return known


def find(name: str) -> Experiment:
    """Return the row of that name; raise NotFoundError that lists the names there are."""
    if name not in EXPERIMENTS:
        raise NotFoundError(f"unknown experiment {name!r}; choose from {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def resize(experiment: Experiment, rows: int) -> Experiment:
    """Add to the catalogue an experiment on another number of streamed rows, with that number in its name.

    Fewer rows promise no error. Raises InvalidInputError when its rows are not streamed, or cannot be numbered.
    """
    if not experiment.is_streamed:
        raise InvalidInputError(f"experiment {experiment.name!r} has its rows in memory, as many as the catalogue says")
    if not 2 <= rows <= MOST_STREAMED:
        raise InvalidInputError(f"{rows} streamed rows; give 2 to {MOST_STREAMED:,}")
    if rows == experiment.rows:
        return experiment
    bounds = experiment.mean_error if rows > experiment.rows else (0.0, inf)
    return register(replace(experiment, name=f"{experiment.name}-{rows}", rows=rows, mean_error=bounds))
