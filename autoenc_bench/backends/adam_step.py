"""One training step on each backend: the loss of a batch, its gradients, and Adam's update of the weights.

The loss is the mean binary cross-entropy between a batch, shape (b, d), and its reconstruction. Keras's optimizer holds
Adam's formula and its moments (Kingma and Ba, "Adam", 2015); core/training.py makes it with Keras's defaults. Each
step returns the loss before the update.
"""

from collections.abc import Callable
from typing import Any

import keras

from autoenc_bench.backends.protocol import Trainable

Tensor = Any  # of the backend
JaxState = tuple[list[Tensor], list[Tensor], list[Tensor]]  # the values of weights, other variables, and the optimizer
TorchStep = Callable[[list[Tensor], Tensor], tuple[list[Tensor], Tensor]]


def jax_step(trainable: Trainable) -> Callable[[JaxState, Tensor], tuple[JaxState, Tensor]]:
    """Return a function of the state and a batch. It returns the next state, and changes no variable."""
    import jax

    model, loss, optimizer = trainable

    def objective(weights: list[Tensor], fixed: list[Tensor], batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        predicted, fixed = model.stateless_call(weights, fixed, batch, training=True)
        return loss(batch, predicted), fixed

    def step(state: JaxState, batch: Tensor) -> tuple[JaxState, Tensor]:
        weights, fixed, moments = state
        (value, fixed), gradients = jax.value_and_grad(objective, has_aux=True)(weights, fixed, batch)
        weights, moments = optimizer.stateless_apply(moments, gradients, weights)
        return (weights, fixed, moments), value

    return step


def tensorflow_step(trainable: Trainable) -> Callable[[Tensor], Tensor]:
    """Return a function of a batch. It updates the variables in place."""
    import tensorflow as tf

    model, loss, optimizer = trainable
    weights = model.trainable_variables

    def step(batch: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            value = loss(batch, model(batch, training=True))
        optimizer.apply(tape.gradient(value, weights), weights)
        return value

    return step


def torch_step(trainable: Trainable, variables: list[keras.Variable]) -> TorchStep:
    """Return a function (values of ``variables``, trainable ones first; batch) -> (next values, loss)."""
    import torch

    model, loss, optimizer = trainable
    weights = model.trainable_variables

    def step(values: list[Tensor], batch: Tensor) -> tuple[list[Tensor], Tensor]:
        trained = [value.detach().requires_grad_() for value in values[: len(weights)]]
        state = [*trained, *values[len(weights) :]]
        with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
            predicted = model(batch, training=True)
            value = loss(batch, predicted)
            optimizer.apply(torch.autograd.grad(value, trained), weights)
            after = [scope.get_current_value(variable).detach() for variable in variables]
        return after, value.detach()

    return step
