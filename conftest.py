"""The suite's pytest plugin lies in the package; this names it, and nothing else."""

pytest_plugins = ["autoenc_bench.plugin"]
