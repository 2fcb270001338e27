"""Hypothesis strategies: any small valid experiment, and data for it."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autoenc_bench.catalogue.experiments import ACTIVATIONS, Experiment

widths = st.integers(1, 6)
unit = st.floats(0, 1, width=32)


@st.composite
def experiments(draw, activations=ACTIVATIONS, output_activations=("sigmoid",)):
    """Draw an experiment of at most five small layers."""
    features = draw(widths)
    return Experiment(
        name="any",
        data="uniform",
        rows=draw(st.integers(20, 60)),
        features=features,
        encoder=tuple(draw(st.lists(widths, min_size=1, max_size=3))),
        decoder=(*draw(st.lists(widths, max_size=1)), features),
        activation=draw(st.sampled_from(activations)),
        output_activation=draw(st.sampled_from(output_activations)),
        epochs=1,
        batch_size=draw(st.integers(1, 30)),
    )


def samples(min_rows=1, max_rows=12):
    """Draw data of shape (rows, features) in [0, 1]."""
    return st.tuples(st.integers(min_rows, max_rows), st.integers(1, 6)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=unit)
    )


@st.composite
def pairs(draw):
    """Draw samples and reconstructions of the same shape."""
    first = draw(samples())
    return first, draw(arrays(np.float32, first.shape, elements=unit))
