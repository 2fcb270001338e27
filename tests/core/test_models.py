"""Models have the shapes and names that the widths define, and the initial weights of a seed."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.catalogue.experiments import EXPERIMENTS, find
from autoenc_bench.core.models import build, initial_weights


@given(experiments(), st.integers(0, 2**31))
@settings(max_examples=15)
def test_shapes_and_counts(experiment, seed):
    """Outputs have the input's shape and dtype, codes the last hidden width, and counts follow the formula."""
    autoencoder = build(experiment, seed)
    values = np.random.default_rng(seed).random((3, experiment.features), dtype=np.float32)
    codes = np.asarray(autoencoder.encoder(values))
    outputs = np.asarray(autoencoder.model(values))
    assert codes.shape == (3, experiment.encoder[-1])
    assert outputs.shape == values.shape
    assert outputs.dtype == values.dtype
    assert outputs.min() >= 0
    assert outputs.max() <= 1  # the output is a sigmoid
    np.testing.assert_allclose(np.asarray(autoencoder.decoder(codes)), outputs, atol=1e-6)
    assert autoencoder.model.count_params() == experiment.parameters


@given(experiments(), st.integers(0, 2**31))
def test_initial_weights(experiment, seed):
    """A seed gives the same weights each time: kernels within Glorot's bound, biases zero."""
    weights = initial_weights(experiment, seed)
    for first, second in zip(weights, initial_weights(experiment, seed), strict=True):
        np.testing.assert_array_equal(first, second)
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        assert np.abs(kernel).max() <= np.float32(np.sqrt(6 / sum(kernel.shape)))
        assert not bias.any()
    assert not np.array_equal(weights[0], initial_weights(experiment, seed + 1)[0])


def test_initial_weights_are_keras_defaults():
    """The weights that NumPy draws have the distribution of the initial weights of Keras's Dense."""
    autoencoder = build(find("mnist"), seed=0)
    kernel = np.asarray(autoencoder.model.get_layer("code").kernel)
    own = np.asarray(autoencoder.model.get_layer("code").kernel_initializer(kernel.shape))
    assert abs(kernel.std() / own.std() - 1) < 0.02
    assert abs(kernel.max() / own.max() - 1) < 0.01


def test_layers_are_shared_and_named():
    """Encoder and decoder use the named layers of the autoencoder."""
    autoencoder = build(find("crude-complex"), seed=0)
    names = [layer.name for layer in autoencoder.model.layers]
    encoder = ["encoder_1", "encoder_2", "encoder_3", "code"]
    decoder = ["decoder_1", "decoder_2", "decoder_3", "reconstruction"]
    assert names == ["sample", *encoder, *decoder]
    for part, own in ((autoencoder.encoder, encoder), (autoencoder.decoder, decoder)):
        for name in own:
            assert part.get_layer(name) is autoencoder.model.get_layer(name)


def test_activations():
    """The last layer has the output activation, all others have the experiment's activation."""
    layers = build(find("mnist"), seed=0).model.layers[1:]
    assert [layer.activation.__name__ for layer in layers] == ["relu", "sigmoid"]


def test_summary_counts_as_the_notebook():
    """Keras's summary shows the notebook's layers and counts."""
    lines = []
    build(EXPERIMENTS["crude-simple"], seed=0).model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for shown in ("(None, 32)", "(None, 2)", "66", "96", "Total params: 162", "Trainable params: 162"):
        assert shown in text
