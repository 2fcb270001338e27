"""Every scale makes valid rounds, and only smoke makes experiments smaller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import experiments

from autoenc_bench.catalogue.experiments import EXPERIMENTS, find
from autoenc_bench.catalogue.scales import SCALES


@given(experiments(), st.sampled_from(sorted(SCALES)), st.sampled_from(["fit", "fused"]), st.integers(1, 10**6))
def test_round_size(experiment, scale, trainer, train_rows):
    """A timed round is a slice of whole batches, or one or more epochs over all rows, at most as many as allowed."""
    rows, epochs = SCALES[scale].round_size(experiment, trainer, train_rows)
    assert 1 <= rows <= train_rows
    assert epochs == 1 or rows == train_rows
    assert rows == train_rows or rows % experiment.batch_size == 0
    assert 1 <= epochs <= SCALES[scale].training[trainer].epochs


@given(st.integers(1, 10**5), st.integers(1, 800))
def test_repeats(rows, features):
    """A timed inference round makes at least one call, and a fixed number of calls for one row."""
    values = np.broadcast_to(np.float32(0), (rows, features))
    assert SCALES["standard"].repeats(values) >= 1
    assert SCALES["standard"].repeats(values[:1]) == SCALES["standard"].calls


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_scales(name):
    """Smoke is small; the other scales leave an experiment unchanged."""
    small = SCALES["smoke"].apply(find(name))
    assert small.rows <= 2_000
    assert small.epochs <= 2
    for scale in ("standard", "notebook"):
        assert SCALES[scale].apply(find(name)) == find(name)
        assert SCALES[scale].full_size
    assert not SCALES["smoke"].full_size


def test_stepwise_backends():
    """On torch, standard has fewer rounds of the same size, and leaves out whole experiments that take minutes."""
    standard, slow = SCALES["standard"], SCALES["standard"].on("torch")
    assert standard.on("jax") is standard
    assert slow.training["fused"].rounds < standard.training["fused"].rounds
    for experiment in EXPERIMENTS.values():
        assert slow.round_size(experiment, "fused", 10**6) == standard.round_size(experiment, "fused", 10**6)
        assert not standard.is_too_long(experiment)
    assert {name for name, one in EXPERIMENTS.items() if not slow.is_too_long(one)} == {"mnist", "digits"}
    notebook = SCALES["notebook"].on("torch")
    assert notebook.training == SCALES["notebook"].training
    assert not any(map(notebook.is_too_long, EXPERIMENTS.values()))
