"""The small core: the notebook's data, models, training, metrics and scoring.

The folders ``distributed``, ``machine``, ``plugin`` and ``cli`` may import it, and so may benchmarks. The arithmetic of
an epoch is in ``backends``, one module per backend; the clock and the call counts are in ``instruments``.
"""
