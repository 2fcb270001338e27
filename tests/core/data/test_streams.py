"""Streamed rows are a function of seed and number; training on them equals training on the same rows in memory."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.stats import kstest

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.data.streams import TEST, Stream, threefry
from autoenc_bench.core.training import Streamed, prepare


def rows_of(stream, first, rows, **part):
    """Draw rows as an array."""
    return ops.convert_to_numpy(stream.draw(ops.cast(first, "uint32"), rows, **part))


def weights(trainer):
    """Return all weights as one vector."""
    return np.concatenate([np.ravel(value) for value in trainer.model.get_weights()])


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_known_answers(key, counter, words):
    """The generator gives the words that its authors published."""
    drawn = threefry(key, tuple(ops.convert_to_tensor(np.array([word], np.uint32)) for word in counter))
    assert tuple(int(ops.convert_to_numpy(word)[0]) for word in drawn) == words


@given(st.integers(1, 7), st.integers(0, 2**20), st.integers(0, 2**32 - 20), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=25)
def test_any_order(features, seed, first, some, more):
    """Rows are the same in one draw and in several, in any order."""
    stream = Stream(100, features, seed)
    whole = rows_of(stream, first, some + more)
    assert whole.shape == (some + more, features)
    pieces = [rows_of(stream, first + some, more), rows_of(stream, first, some)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces[::-1]))
    np.testing.assert_array_equal(whole * 2**24, np.floor(whole * 2**24))
    assert whole.min() >= 0
    assert whole.max() < 1


def test_uniform_and_distinct():
    """Values are uniform, columns uncorrelated; no training row is a test row or a row of another seed."""
    stream = Stream(20_000, 5, seed=1)
    sample = stream.sample()
    assert kstest(sample.train.ravel(), "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(sample.train.T) - np.eye(5)).max() < 0.03
    drawn = [sample.train, sample.test, Stream(20_000, 5, seed=2).sample().train]
    assert len(np.unique(np.concatenate(drawn), axis=0)) == sum(map(len, drawn))


def test_parts():
    """There are a tenth as many test rows, at most 100,000, and they do not depend on the number of training rows."""
    small, large = Stream(15, 3, seed=0), Stream(2**32, 3, seed=0)
    assert (small.sample().rows, len(small.test)) == (15, 2)
    assert (large.sample().rows, len(large.test)) == (100_000, 100_000)
    np.testing.assert_array_equal(small.test, large.test[:2])
    np.testing.assert_array_equal(small.test, rows_of(small, 0, 2, test=True))
    head = Stream(1_000, 3, seed=0).head(35)
    assert (head.rows, len(head.test)) == (35, 4)


@pytest.mark.parametrize(
    ("rows", "features", "message"),
    [(0, 2, "0 streamed rows; take 1 to 4,294,967,296"), (2**32 + 1, 2, "take 1 to"), (9, TEST + 1, "features")],
)
def test_refused(rows, features, message):
    """Rows and features that cannot be numbered are refused."""
    with pytest.raises(ValueError, match=message):
        Stream(rows, features, seed=0)
    with pytest.raises(ValueError, match="slice of 10 rows; there are 9"):
        Stream(9, 2, seed=0).head(10)


@pytest.mark.slow
def test_streamed_equals_fit(monkeypatch):
    """Two epochs of several program calls, with a partial last batch, equal two epochs on the same rows in memory."""
    monkeypatch.setattr(Streamed, "STEPS", 4)
    experiment = replace(find("crude-simple-streamed"), rows=1_030)
    stream = Stream(experiment.rows, experiment.features, seed=3)
    in_memory = Split(rows_of(stream, 0, experiment.rows), stream.test)
    streamed, fit = prepare(experiment, "fused", stream, seed=1), prepare(experiment, "fit", in_memory, seed=1)
    before = weights(streamed)
    histories = [trainer.train(2, shuffle=False) for trainer in (streamed, fit)]
    assert np.abs(weights(streamed) - before).max() > 1e-3, "nothing was trained"
    np.testing.assert_allclose(weights(streamed), weights(fit), atol=1e-4)
    for epochs in zip(*histories, strict=True):
        for loss in ("loss", "val_loss"):
            assert getattr(epochs[0], loss) == pytest.approx(getattr(epochs[1], loss), rel=1e-5)
    assert histories[0][-1].val_loss == pytest.approx(streamed.evaluate(), rel=1e-5)


@pytest.mark.slow
def test_reset():
    """After a reset, training gives the same losses again; progress is called after each epoch."""
    experiment, noted = replace(find("crude-simple-streamed"), rows=1_030), []
    trainer = prepare(experiment, "fused", Stream(1_030, 32, seed=0), seed=0)
    trainer.warm()
    first = trainer.train(2, progress=lambda done, epoch: noted.append((done, epoch)))
    assert noted == list(enumerate(first, start=1))
    trainer.reset()
    again = trainer.train(2)
    assert [(epoch.loss, epoch.val_loss) for epoch in again] == [(epoch.loss, epoch.val_loss) for epoch in first]


def test_fit_needs_memory():
    """Fit cannot train on rows that are not in memory."""
    with pytest.raises(ValueError, match="trainer fit needs its rows in memory; streamed rows take fused"):
        prepare(find("crude-simple-streamed"), "fit", Stream(100, 32, seed=0), seed=0)
