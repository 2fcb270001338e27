"""Train on several devices and in several processes, on JAX's own runtime.

The folders ``machine``, ``plugin`` and ``cli`` may import it; it imports ``core`` and ``backends``.
"""
