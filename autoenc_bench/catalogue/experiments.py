"""The catalogue: the eight experiments of the notebook, and two of our own (docs/notebook.md maps the cells)."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, prod
from typing import TYPE_CHECKING

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import count

if TYPE_CHECKING:
    from autoenc_bench.verdicts.limits import Limits

STREAM = "stream"  # the name of data whose rows are drawn during training and never stored
MAX_STREAMED_ROWS = 2**32  # because a row's number is one 32-bit word of the generator's counter
ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: data, model and length of training.

    - ``name``: lower-case words joined by ``-``; it is part of the case ids, so it never changes
    - ``title``: for people; in the catalogue the heading of the notebook's section
    - ``data``: ``uniform``, ``mnist``, ``digits``, ``stream``, or a name given to ``register_data``
    - ``rows``, ``features``: the size of the data, test rows included
    - ``encoder``: layer widths from the first hidden layer to the code
    - ``decoder``: layer widths after the code; the last is the number of features
    - ``activation``: of every layer but the last: sigmoid, relu, tanh or linear
    - ``output_activation``: of the last layer
    - ``epochs``, ``batch_size``: the length of training
    - ``mean_error``: lowest and highest mean error that training on all rows and epochs may give, with any seed; a test
      sample's error is its sum of absolute differences; ``None``: the mean error must be below the constant mean's
    - ``image``: rows and columns of a sample that is a picture
    - ``limits``: the smallest changes that count as regressions; ``None``: the usual ones, ``Limits()``
    - ``rounding``: how much float rounding alone changes a seed's mean error: standard deviation / mean error

    Raises InvalidInputError when the values do not describe an experiment.
    """

    name: str
    title: str = ""
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
            needed = f"it must be the number of features, {self.features}"
            return f"the last decoder width is {self.decoder[-1]}; {needed}"
        if self.image and prod(self.image) != self.features:
            return f"image {self.image} has {prod(self.image)} pixels; it must have {self.features}, one per feature"
        for activation in (self.activation, self.output_activation):
            if activation not in ACTIVATIONS:
                return f"unknown activation {activation!r}; choose from {', '.join(ACTIVATIONS)}"
        return None

    @property
    def code(self) -> int:
        """Return the width of the code, the narrowest layer between encoder and decoder."""
        return self.encoder[-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the widths of all layers, input and output included."""
        return (self.features, *self.encoder, *self.decoder)

    @property
    def parameters(self) -> int:
        """Return the number of weights and biases: the sum of (inputs + 1) x outputs over the dense layers."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    @property
    def is_streamed(self) -> bool:
        """Return whether rows are drawn during training; ``rows`` then counts training rows only."""
        return self.data == STREAM

    def describe(self) -> str:
        """Return one line: data, layer widths and length of training."""
        widths = " → ".join(map(str, self.widths))
        length = f"{count(self.epochs, 'epoch')}, batches of {self.batch_size}"
        return f"{self.data} {self.rows:,} × {self.features}, {widths}, {length}"


NOTEBOOK = (
    Experiment(
        name="crude-simple",
        title="Crude Model with Crude Data",
        data="uniform",
        rows=1_000_000,
        features=32,
        encoder=(2,),
        decoder=(32,),
        mean_error=(7.4, 7.75),
    ),
    Experiment(
        name="crude-complex",
        title="Complex Model with Crude Data",
        data="uniform",
        rows=1_000_000,
        features=32,
        encoder=(16, 8, 4, 2),
        decoder=(32, 32, 32, 32),
        mean_error=(7.3, 7.9),
        rounding=0.003,  # of twelve trainings one differed by 0.46 %, because a late epoch went another way
    ),
    *(
        Experiment(
            name=f"features-{features}",
            title="Do the Number of Features Matter?",
            data="uniform",
            rows=1_000_000,
            features=features,
            encoder=(2,),
            decoder=(features,),
            mean_error=mean_error,
        )
        for features, mean_error in ((2, (0.0, 0.08)), (4, None), (8, None), (16, None), (32, (7.4, 7.75)))
    ),
    Experiment(
        name="mnist",
        title="The MNIST Dataset",
        data="mnist",
        rows=70_000,
        features=784,
        image=(28, 28),
        encoder=(32,),
        decoder=(784,),
        activation="relu",
        batch_size=256,
        mean_error=(27.0, 31.0),
    ),
)
OURS = (
    Experiment(
        name="crude-simple-streamed",
        title="Not in the notebook: streamed rows",
        data=STREAM,
        rows=10_000_000,  # as many steps as crude-simple's ten epochs over a million rows
        features=32,
        encoder=(2,),
        decoder=(32,),
        epochs=1,
        mean_error=(7.4, 7.75),
    ),
    Experiment(
        name="digits",
        title="Not in the notebook: small digits",
        data="digits",
        rows=1_797,
        features=64,
        image=(8, 8),
        encoder=(32,),
        decoder=(64,),
        activation="relu",
        epochs=200,
        batch_size=32,
        mean_error=(1.7, 3.0),
    ),
)
EXPERIMENTS = {experiment.name: experiment for experiment in (*NOTEBOOK, *OURS)}


def register(experiment: Experiment) -> Experiment:
    """Add an experiment to the catalogue and return it.

    Raises InvalidInputError when a different experiment has this name, because records are matched by it.
    """
    if EXPERIMENTS.setdefault(experiment.name, experiment) != experiment:
        raise InvalidInputError(f"experiment {experiment.name!r} is already in the catalogue; choose another name")
    return EXPERIMENTS[experiment.name]


def find(name: str) -> Experiment:
    """Return the experiment with this name; raise NotFoundError, which lists the known names."""
    if name not in EXPERIMENTS:
        raise NotFoundError(f"unknown experiment {name!r}; choose from {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def resize(experiment: Experiment, rows: int) -> Experiment:
    """Register a streamed experiment with another number of rows, which becomes part of its name.

    With fewer rows than the catalogue's it has no bounds of error. Raises InvalidInputError when the experiment is not
    streamed, or the number is out of range.
    """
    if not experiment.is_streamed:
        raise InvalidInputError(f"experiment {experiment.name!r} is not streamed, so its number of rows is fixed")
    if not 2 <= rows <= MAX_STREAMED_ROWS:
        raise InvalidInputError(f"{rows} streamed rows; give 2 to {MAX_STREAMED_ROWS:,}")
    if rows == experiment.rows:
        return experiment
    bounds = experiment.mean_error if rows > experiment.rows else (0.0, inf)
    return register(replace(experiment, name=f"{experiment.name}-{rows}", rows=rows, mean_error=bounds))
