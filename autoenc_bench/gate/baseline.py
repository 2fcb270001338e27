"""The verdict inside a run of the suite: its record against a baseline that is named as the run begins."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from autoenc_bench.catalogue import limits
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Comparison, status
from autoenc_bench.records import loading, storage


class Baseline:
    """The records that a run is compared with, read before it begins; ``left_out`` says what of them was not.

    Raises NotFoundError when there are none of that name, InvalidInputError when they, or a limit, cannot be read.
    """

    def __init__(self, name: str, fail_on: Iterable[str], stores: Sequence[Path]) -> None:
        self._overrides = limits.parse(fail_on, EXPERIMENTS)
        self._sources, unreadable = loading.read_all(storage.find(name, stores), pictured=False)
        self.left_out = list(loading.left_out(self._sources, unreadable))

    def judge(
        self, path: Path, selected: status.Selection, *, allow_missing: bool = False
    ) -> tuple[Comparison, status.Status]:
        """Compare a run's record with it; the run may lack cases that were not ``selected``."""
        comparison = verdicts.compare(self._sources, [loading.read(path, pictured=False)], self._overrides)
        return comparison, status.of(comparison, allow_missing=allow_missing, selected=selected)
