"""The pytest side of the suite: options, fixtures, progress, and the saved record."""
