"""The data: uniform random rows, digits, MNIST and streamed rows. ``sources`` loads them by name.

Every folder that may import ``core`` may import this one.
"""
