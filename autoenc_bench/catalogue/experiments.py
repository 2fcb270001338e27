"""The catalogue: one frozen row per experiment of the notebook, and one of our own."""

import dataclasses
import re
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from autoenc_bench.catalogue.limits import Limits

STREAM = "stream"  # the data whose rows are drawn as they are needed, and kept nowhere
MOST_STREAMED = 2**32  # for a row's number is one word of the generator's counter
ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Declare one experiment: data, widths, activations and the length of its training.

    ``encoder`` lists the widths from the first hidden layer to the code, ``decoder`` those after the code;
    the last one is the number of features. ``activation`` belongs to every layer but the last,
    ``output_activation`` to the last. ``mean_error`` bounds the mean absolute error per sample (summed over
    features) that the whole experiment ends with at full size, any seed; ``None`` asks only that it beats
    the constant mean. ``image`` gives the rows and columns of a sample that is a picture. ``limits`` say which changes
    a verdict minds; ``rounding`` is how far float rounding alone moves the mean error of a seed (a share of it, as a
    standard deviation).

    Raises ValueError when a value cannot describe an experiment.
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
    limits: Limits = dataclasses.field(default_factory=Limits)
    rounding: float = 0.0005

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise ValueError(f"experiment name {self.name!r}: use lower-case words and digits joined by '-'")
        for field in ("rows", "features", "epochs", "batch_size"):
            _at_least_one(self.name, field, getattr(self, field))
        for field in ("encoder", "decoder"):
            widths = getattr(self, field)
            if not widths:
                raise ValueError(f"experiment {self.name!r}: {field} is empty; give at least one width")
            for width in widths:
                _at_least_one(self.name, f"{field} width", width)
        if self.decoder[-1] != self.features:
            raise ValueError(
                f"experiment {self.name!r}: the last decoder width is {self.decoder[-1]}, "
                f"but a reconstruction needs as many as there are features, {self.features}"
            )
        if self.image and self.image[0] * self.image[1] != self.features:
            raise ValueError(f"experiment {self.name!r}: an image of {self.image} has not {self.features} pixels")
        for activation in (self.activation, self.output_activation):
            if activation not in ACTIVATIONS:
                raise ValueError(
                    f"experiment {self.name!r}: unknown activation {activation!r}; choose from {', '.join(ACTIVATIONS)}"
                )

    @property
    def code(self) -> int:
        """Give the width of the code."""
        return self.encoder[-1]

    @property
    def parameters(self) -> int:
        """Count weights and biases: the sum of (inputs + 1) x outputs over the dense layers."""
        widths = (self.features, *self.encoder, *self.decoder)
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))

    @property
    def is_streamed(self) -> bool:
        """Tell whether its rows are drawn as they are needed; then ``rows`` counts training rows alone."""
        return self.data == STREAM

    def describe(self) -> str:
        """Say in one line what is trained, on what and for how long."""
        widths = " → ".join(map(str, (self.features, *self.encoder, *self.decoder)))
        epochs = f"{self.epochs} epoch{'s'[: self.epochs > 1]}"
        return f"{self.data} {self.rows:,} × {self.features}, {widths}, {epochs} of {self.batch_size}"


def _at_least_one(name: str, field: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"experiment {name!r}: {field} is {value}; it must be at least 1")


EXPERIMENTS: dict[str, Experiment] = {}


def register(experiment: Experiment) -> Experiment:
    """Add a row to the catalogue, from this module or from outside the package.

    Raises ValueError when another row has its name: history hangs on names.
    """
    known = EXPERIMENTS.setdefault(experiment.name, experiment)
    if known != experiment:
        raise ValueError(f"experiment {experiment.name!r} is already in the catalogue; choose another name")
    return known


def find(name: str) -> Experiment:
    """Return the row of that name; raise LookupError that lists the names there are."""
    if name not in EXPERIMENTS:
        raise LookupError(f"unknown experiment {name!r}; choose from {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def resize(experiment: Experiment, rows: int) -> Experiment:
    """Add to the catalogue an experiment on another number of streamed rows, with that number in its name.

    Fewer rows promise no error. Raises ValueError when its rows are not streamed, or cannot be numbered.
    """
    if not experiment.is_streamed:
        raise ValueError(f"experiment {experiment.name!r} has its rows in memory, as many as the catalogue says")
    if not 2 <= rows <= MOST_STREAMED:
        raise ValueError(f"{rows} streamed rows; give 2 to {MOST_STREAMED:,}")
    if rows == experiment.rows:
        return experiment
    bounds = experiment.mean_error if rows > experiment.rows else (0.0, inf)
    name = f"{experiment.name}-{rows}"
    return register(dataclasses.replace(experiment, name=name, rows=rows, mean_error=bounds))


register(
    Experiment(
        name="crude-simple",
        data="uniform",
        rows=1_000_000,
        features=32,
        encoder=(2,),
        decoder=(32,),
        mean_error=(7.4, 7.75),
    )
)
register(
    Experiment(
        name="crude-complex",
        data="uniform",
        rows=1_000_000,
        features=32,
        encoder=(16, 8, 4, 2),
        decoder=(32, 32, 32, 32),
        mean_error=(7.3, 7.9),
        rounding=0.003,  # a single late epoch may turn out otherwise: 0.46 % in one of twelve trainings
    )
)
register(
    Experiment(
        name="crude-simple-streamed",
        data=STREAM,
        rows=10_000_000,  # as many steps as crude-simple's ten epochs over a million
        features=32,
        encoder=(2,),
        decoder=(32,),
        epochs=1,
        mean_error=(7.4, 7.75),
    )
)
for _features, _mean_error in ((2, (0.0, 0.08)), (4, None), (8, None), (16, None), (32, (7.4, 7.75))):
    register(
        Experiment(
            name=f"features-{_features}",
            data="uniform",
            rows=1_000_000,
            features=_features,
            encoder=(2,),
            decoder=(_features,),
            mean_error=_mean_error,
        )
    )
register(
    Experiment(
        name="mnist",
        data="mnist",
        rows=70_000,
        features=784,
        encoder=(32,),
        decoder=(784,),
        activation="relu",
        batch_size=256,
        mean_error=(27.0, 31.0),
        image=(28, 28),
    )
)
register(
    Experiment(
        name="digits",
        data="digits",
        rows=1_797,
        features=64,
        encoder=(32,),
        decoder=(64,),
        activation="relu",
        epochs=200,
        batch_size=32,
        mean_error=(1.7, 3.0),
        image=(8, 8),
    )
)
