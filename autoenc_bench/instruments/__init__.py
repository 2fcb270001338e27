"""What observes a run: clock, reference workload, peak memory, call counts and HLO counts.

Instruments know ``records`` alone. The backends, ``core``, ``machine`` and ``plugin`` use them.
"""
