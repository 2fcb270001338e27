"""The verdict inside a run of the suite: its record against a baseline that is named as the run begins."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from autoenc_bench.catalogue import limits
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import status, tables
from autoenc_bench.gate.verdicts.status import Status
from autoenc_bench.records import loading, storage
from autoenc_bench.report import github


class Baseline:
    """Hold the records that a run is held against, read before it begins.

    Raises LookupError when there are none of that name, ValueError when they, or a limit, cannot be read.
    """

    def __init__(self, name: str, fail_on: Iterable[str], stores: Sequence[Path]) -> None:
        self.overrides = limits.parse(fail_on, EXPERIMENTS)
        self.sources = [loading.read(path, pictured=False) for path in storage.find(name, stores)]

    def judge(self, path: Path, *, partial: bool) -> tuple[str, Status]:
        """Compare a run's record with it: the table, and how that ends.

        A ``partial`` run, of cases that somebody chose, may lack others.
        """
        found = verdicts.compare(self.sources, [loading.read(path, pictured=False)], self.overrides)
        said = tables.text(found)
        try:
            github.append_step_summary(tables.markdown(found))
        except ValueError as problem:  # the verdict stands, whoever shows it
            said += f"\n\n{problem}"
        return said, status.of(found, allow_missing=partial)
