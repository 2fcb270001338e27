"""Run the same model on Keras's backends, one module per backend: tensorflow, jax and torch.

``protocol`` states what each module offers, ``selection`` chooses one, ``adam_step`` has the training step of each.
Every folder above this one may import it; it imports ``instruments``, ``records`` and ``exceptions``.
"""
