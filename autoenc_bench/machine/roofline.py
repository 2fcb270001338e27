"""Work from shapes, the roofline's numerator: what a case must do at least (docs/methodology.md has what counts)."""

from itertools import pairwise

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.records.case import Work

VALUE = 4  # bytes of a float32
EXPONENTIAL = ("sigmoid", "tanh")
STATE = 3  # values that Adam keeps per parameter: the parameter and its two moments


def training(experiment: Experiment, trainer: str, *, rows: int, test_rows: int, epochs: int) -> Work:
    """Count the work of training for some epochs, each with its validation.

    A step's backward pass takes two products of the forward one's size per layer, the gradients of weights and of
    inputs, but the first layer needs none of the latter. ``fit`` calls a program per batch, ``fused`` one per epoch.
    """
    forward = 2 * _weights(experiment.widths)
    first = 2 * experiment.features * experiment.encoder[0]
    seen = rows + test_rows
    stored = test_rows if experiment.is_streamed else seen
    exponentials = _exponentials(experiment, "reconstruct") + experiment.features  # the loss takes a logarithm each
    batches = -(-rows // experiment.batch_size) + -(-test_rows // experiment.batch_size)
    return Work(
        flops=epochs * (rows * (3 * forward - first) + test_rows * forward),
        bytes=VALUE * (epochs * stored * experiment.features + 2 * STATE * experiment.parameters),
        exponentials=epochs * seen * exponentials,
        calls=epochs * (batches if trainer == "fit" else 1),
    )


def inference(experiment: Experiment, phase: str, *, rows: int, calls: int) -> Work:
    """Count the work of that many ``encode``, ``decode`` or ``reconstruct`` calls on so many rows each."""
    encoder, decoder = (experiment.features, *experiment.encoder), (experiment.code, *experiment.decoder)
    widths = {"encode": encoder, "decode": decoder, "reconstruct": encoder[:-1] + decoder}[phase]
    samples = calls * rows
    return Work(
        flops=samples * 2 * _weights(widths),
        bytes=VALUE * samples * (widths[0] + widths[-1]),
        exponentials=samples * _exponentials(experiment, phase),
        calls=calls,
    )


def _weights(widths: tuple[int, ...]) -> int:
    return sum(inputs * outputs for inputs, outputs in pairwise(widths))


def _exponentials(experiment: Experiment, phase: str) -> int:
    """Count the exponentials per sample: one for each unit with a sigmoid or a tanh."""
    encoder = [(units, experiment.activation) for units in experiment.encoder]
    decoder = [(units, experiment.activation) for units in experiment.decoder]
    decoder[-1] = (experiment.decoder[-1], experiment.output_activation)
    layers = {"encode": encoder, "decode": decoder, "reconstruct": encoder + decoder}[phase]
    return sum(units for units, activation in layers if activation in EXPONENTIAL)
