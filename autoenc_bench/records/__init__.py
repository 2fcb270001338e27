"""The contract between measuring and reading: what a run says, where it lies, and how it is read back."""

from pathlib import Path

# In the project's folder, as pytest-benchmark has it.
SAVED = Path(".benchmarks")
LIVE = Path(".continuous")  # for two sides by turns are no history
REPORTS = Path("reports")
BASELINES = REPORTS / "baselines"
