"""The small model and data core, which is what the notebook does: data, models, training, metrics and scoring.

The folders ``distributed``, ``machine``, ``plugin`` and ``cli`` may import it, and so may benchmarks. Trainers use the
clock and the call counts of ``instruments``, and compile their programs in ``backends``.
"""
