"""The least work of a case follows from its shapes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.core.training import TRAINERS
from autoenc_bench.machine import roofline

SMALL = Experiment(
    name="small",
    data="uniform",
    rows=10,
    features=4,
    encoder=(2,),
    decoder=(3, 4),
    activation="relu",
    batch_size=4,
)


def test_training_by_hand():
    """Training takes the work that was counted by hand for a small network."""
    work = roofline.training(SMALL, "fit", rows=9, test_rows=2, epochs=5)
    forward = 2 * (4 * 2 + 2 * 3 + 3 * 4)
    assert work.flops == 5 * (9 * (3 * forward - 2 * 4 * 2) + 2 * forward)
    assert work.bytes == 4 * (5 * 11 * 4 + 2 * 3 * SMALL.parameters)
    assert work.exponentials == 5 * 11 * (4 + 4)  # sigmoid outputs, and a logarithm of the loss per output
    assert work.calls == 5 * (3 + 1)
    assert roofline.training(SMALL, "fused", rows=9, test_rows=2, epochs=5).calls == 5
    streamed = roofline.training(replace(SMALL, data="stream"), "fused", rows=9, test_rows=2, epochs=5)
    assert streamed.bytes == 4 * (5 * 2 * 4 + 2 * 3 * SMALL.parameters)  # only test rows are in memory


def test_inference_by_hand():
    """A call takes the work of its part of the network for each row."""
    encode = roofline.inference(SMALL, "encode", rows=3, calls=7)
    assert (encode.flops, encode.bytes) == (21 * 2 * 4 * 2, 21 * 4 * (4 + 2))
    assert (encode.exponentials, encode.calls) == (0, 7)
    decode = roofline.inference(SMALL, "decode", rows=3, calls=7)
    assert (decode.flops, decode.bytes) == (21 * 2 * (2 * 3 + 3 * 4), 21 * 4 * (2 + 4))
    assert decode.exponentials == 21 * 4


@given(experiments(), st.integers(1, 50), st.integers(1, 9))
def test_parts_make_the_whole(experiment, rows, calls):
    """Encoding and decoding together take the operations and exponentials of reconstructing."""
    encode, decode, both = (
        roofline.inference(experiment, phase, rows=rows, calls=calls) for phase in ("encode", "decode", "reconstruct")
    )
    assert encode.flops + decode.flops == both.flops
    assert encode.exponentials + decode.exponentials == both.exponentials
    assert encode.calls == decode.calls == both.calls == calls


@given(experiments(), st.integers(1, 50), st.integers(1, 9), st.sampled_from(sorted(TRAINERS)))
def test_training_grows_with_epochs(experiment, rows, epochs, trainer):
    """All work grows in proportion to the epochs, except for the bytes of the state, which moves once."""
    one, many = (roofline.training(experiment, trainer, rows=rows, test_rows=3, epochs=count) for count in (1, epochs))
    assert many.flops == epochs * one.flops
    assert many.exponentials == epochs * one.exponentials
    assert many.calls == epochs * one.calls
    state = 2 * 3 * 4 * experiment.parameters
    assert many.bytes - state == epochs * (one.bytes - state)
    widths = (experiment.features, *experiment.encoder, *experiment.decoder)
    assert one.flops >= rows * 4 * sum(inputs * outputs for inputs, outputs in pairwise(widths))


def test_unknown_phase():
    """A phase that is no inference call raises KeyError."""
    with pytest.raises(KeyError):
        roofline.inference(SMALL, "score", rows=1, calls=1)
