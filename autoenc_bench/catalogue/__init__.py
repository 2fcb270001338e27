"""What the suite runs: the experiments and the sizes of a run.

Every other folder may import it; it imports only ``exceptions`` and ``formatting``.
"""
