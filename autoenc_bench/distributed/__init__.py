"""Several devices and machines, on JAX's own runtime."""
