"""The contract between measuring and reading: what a run says, where it lies, and how it is read back."""
