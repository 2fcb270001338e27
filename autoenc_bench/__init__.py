"""Benchmark autoencoder training: time and reconstruction error, together."""

__version__ = "0.1.0"
