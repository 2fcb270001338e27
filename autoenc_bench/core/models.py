"""The Keras autoencoder of an experiment, with an encoder and a decoder that share its layers."""

from itertools import pairwise
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core.seeds import generator


class Autoencoder(NamedTuple):
    """Three Keras models over the same layers and weights."""

    model: keras.Model  # (n, features) -> (n, features)
    encoder: keras.Model  # (n, features) -> (n, code)
    decoder: keras.Model  # (n, code) -> (n, features)


def build(experiment: Experiment, seed: int) -> Autoencoder:
    """Build the experiment's autoencoder with the initial weights of a seed, as the notebook builds its models.

    Layers are named ``encoder_1`` ... ``code``, ``decoder_1`` ... ``reconstruction``.
    """
    encoding = _layers("encoder", experiment.encoder, "code", experiment.activation)
    decoding = _layers("decoder", experiment.decoder, "reconstruction", experiment.activation)
    decoding[-1].activation = keras.activations.get(experiment.output_activation)

    sample = keras.Input((experiment.features,), name="sample")  # (n, features)
    code = _chain(encoding, sample)  # (n, code)
    code_input = keras.Input((experiment.code,), name="code_input")  # (n, code)
    autoencoder = Autoencoder(
        keras.Model(sample, _chain(decoding, code), name="autoencoder"),
        keras.Model(sample, code, name="encoder"),
        keras.Model(code_input, _chain(decoding, code_input), name="decoder"),
    )
    autoencoder.model.set_weights(initial_weights(experiment, seed))
    return autoencoder


def initial_weights(experiment: Experiment, seed: int) -> list[NDArray[np.float32]]:
    """Draw a kernel (inputs, outputs) and a bias (outputs,) for each layer, as Keras's Dense does by default.

    Kernels are Glorot uniform, U(-l, l) with l = sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010);
    biases are zero. NumPy draws them, so that a seed gives the same weights on every backend.
    """
    random = generator(seed, "weights")
    weights = []
    for inputs, outputs in pairwise(experiment.widths):
        limit = np.sqrt(6 / (inputs + outputs))
        kernel = random.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
        weights += [kernel, np.zeros(outputs, np.float32)]
    return weights


def _layers(side: str, widths: tuple[int, ...], last: str, activation: str) -> list[keras.layers.Dense]:
    names = [*(f"{side}_{number}" for number in range(1, len(widths))), last]
    return [keras.layers.Dense(width, activation, name=name) for width, name in zip(widths, names, strict=True)]


def _chain(layers: list[keras.layers.Dense], tensor: keras.KerasTensor) -> keras.KerasTensor:
    for layer in layers:
        tensor = layer(tensor)
    return tensor
