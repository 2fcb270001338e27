"""Inject a known change into the suite, as a pytest plugin, to see which verdicts it causes.

    INJECT=half-rate PYTHONPATH=docs/studies python -m pytest -p injections benchmarks/

The change is made in memory, before the first case begins. Experiments lose their bounds of the mean error, so that an
injected loss is recorded and does not fail its case. ``rounding`` takes ROUNDING=1, 2, … for other orders.
"""

import os
from dataclasses import replace
from functools import partial
from pkgutil import resolve_name
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest

NAME = os.environ.get("INJECT", "none")
ORDERS = np.random.default_rng(int(os.environ.get("ROUNDING", "0")))  # apart from the suite's own generators


def pytest_configure():
    """Refuse an unknown name."""
    if NAME not in INJECTIONS:
        raise pytest.UsageError(f"unknown change INJECT={NAME!r}; choose from {', '.join(INJECTIONS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    """Inject the change; by now threads are limited, and Keras may be loaded."""
    unbound = "catalogue.scales.Scale.apply", partial(change, mean_error=None)
    for target, wrapper in (unbound, *INJECTIONS[NAME].items()):
        target = target.format(backend=os.environ["KERAS_BACKEND"])
        wrap(target if target.startswith("keras.") else f"autoenc_bench.{target}", wrapper)


def wrap(target, wrapper):
    """Replace a function, method or class by ``wrapper``, whose first argument is the original."""
    owner, _, name = target.rpartition(".")
    original = getattr(resolve_name(owner), name)
    setattr(resolve_name(owner), name, lambda *args, **options: wrapper(original, *args, **options))


def change(apply, scale, experiment, **fields):
    """Give an experiment other fields, at any scale."""
    return replace(apply(scale, experiment), **fields)


def shorten(apply, scale, experiment):
    """Shorten an experiment by an epoch; this shortens only whole experiments."""
    return change(apply, scale, experiment, epochs=apply(scale, experiment).epochs - 1)


def unbias(dense, *args, **options):
    """Make a layer without biases."""
    return dense(*args, use_bias=False, **options)


def reorder(compile_epoch, trainable, size):
    """Change the order of the rows within each whole batch: the same gradients, summed in another order."""
    program = compile_epoch(trainable, size)

    def run(train, test, order, rows, test_rows):
        order = order.copy()
        batches = order[: rows // size * size].reshape(-1, size)  # a view
        batches[:] = batches[:, ORDERS.permutation(size)]
        return program.run(train, test, order, rows, test_rows)

    return replace(program, run=run)


def widen(inference, autoencoder, share=0.1):
    """Raise the error of every other sample by a share, and lower the rest by it: nearly the same mean."""

    def reconstruct(values):
        factors = 1 + share * (-1.0) ** np.arange(len(values), dtype=np.float32)[:, None]  # (n, 1)
        return values + factors * (inference(autoencoder).reconstruct(values) - values)

    return SimpleNamespace(reconstruct=reconstruct)


def double(train, trainer, epochs, **options):
    """Keep the core busy after training for as long as it took, with compilation: smoke compiles in its rounds."""
    started = perf_counter()
    history = train(trainer, epochs, **options)
    until = 2 * perf_counter() - started
    while perf_counter() < until:
        pass
    return history


INJECTIONS = {
    "none": {},
    "fewer-epochs": {"catalogue.scales.Scale.apply": shorten},
    "half-rate": {"keras.optimizers.Adam": lambda adam: adam(learning_rate=0.0005)},
    # with relu, tanh or no activation, errors exceed the constant mean's, and cases fail
    "decoder-activation": {"keras.activations.get": lambda get, _: get("hard_sigmoid")},
    "no-biases": {
        "keras.layers.Dense": unbias,
        "core.models.initial_weights": lambda draw, *args: draw(*args)[::2],  # the kernels
    },
    "rounding": {"backends.{backend}.compile_epoch": reorder},
    "wider-sigma": {"core.scoring.Inference": widen},
    "doubled-work": {"core.training.Fused.train": double},
}
