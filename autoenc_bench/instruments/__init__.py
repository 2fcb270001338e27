"""What observes a run: clock, reference workload, peak memory, call counts and HLO counts."""
