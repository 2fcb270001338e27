"""The roofline's numerator: the least work of a case, from its shapes (docs/methodology.md defines what counts)."""

from itertools import pairwise

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.records.case import Work

VALUE = 4  # bytes of a float32
EXPONENTIAL = ("sigmoid", "tanh")
STATE = 3  # values that Adam keeps per parameter: the parameter and its two moments


def training(experiment: Experiment, trainer: str, *, rows: int, test_rows: int, epochs: int) -> Work:
    """Return the work of training for some epochs, each with its validation.

    A layer's backward pass takes two products of the forward one's size, for the gradients of weights and of inputs;
    the first layer needs none for its inputs. ``fit`` calls a program per batch, ``fused`` one per epoch.
    """
    layers = _layers(experiment, "reconstruct")
    forward = sum(inputs * outputs for inputs, outputs, _ in layers)
    first = experiment.features * experiment.encoder[0]
    samples = rows + test_rows
    stored = test_rows if experiment.is_streamed else samples
    batches = -(-rows // experiment.batch_size) + -(-test_rows // experiment.batch_size)
    return Work(
        flops=epochs * 2 * (rows * (3 * forward - first) + test_rows * forward),
        bytes=VALUE * (epochs * stored * experiment.features + 2 * STATE * experiment.parameters),
        exponentials=epochs * samples * (_exponentials(layers) + experiment.features),  # and the loss's logarithms
        calls=epochs * (batches if trainer == "fit" else 1),
    )


def inference(experiment: Experiment, phase: str, *, rows: int, calls: int) -> Work:
    """Return the work of that many ``encode``, ``decode`` or ``reconstruct`` calls on so many rows each."""
    layers = _layers(experiment, phase)
    samples = calls * rows
    return Work(
        flops=samples * 2 * sum(inputs * outputs for inputs, outputs, _ in layers),
        bytes=VALUE * samples * (layers[0][0] + layers[-1][1]),
        exponentials=samples * _exponentials(layers),
        calls=calls,
    )


def _layers(experiment: Experiment, phase: str) -> list[tuple[int, int, str]]:
    """Return the inputs, outputs and activation of each layer that a phase runs."""
    activations = [experiment.activation] * (len(experiment.widths) - 2) + [experiment.output_activation]
    layers = [(*widths, name) for widths, name in zip(pairwise(experiment.widths), activations, strict=True)]
    depth = len(experiment.encoder)
    return {"encode": layers[:depth], "decode": layers[depth:], "reconstruct": layers}[phase]


def _exponentials(layers: list[tuple[int, int, str]]) -> int:
    """Return the exponentials per sample: one for each unit with a sigmoid or a tanh."""
    return sum(outputs for _, outputs, activation in layers if activation in EXPONENTIAL)
