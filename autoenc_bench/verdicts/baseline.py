"""The verdict inside a run of the suite: its record is compared with a baseline that ``--baseline`` names."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.formatting import count, line
from autoenc_bench.records import loading, storage
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Record, Run
from autoenc_bench.verdicts import limits, sides, status
from autoenc_bench.verdicts.comparison import Comparison, compare


class Baseline:
    """The records that a run is compared with, read before it begins; ``left_out`` lists what is not used of them.

    Raises NotFoundError without such records, InvalidInputError if the records or a limit cannot be read.
    """

    def __init__(self, name: str, fail_on: Iterable[str], stores: Sequence[Path]) -> None:
        self._name, self._overrides = name, limits.parse(fail_on, EXPERIMENTS)
        self._sources, unreadable = loading.read_records(storage.find(name, stores), pictured=False)
        self.left_out = list(loading.left_out(self._sources, unreadable))

    def choose(self, run: Run) -> str:
        """Keep the records in the context of ``run``; return how many others there are as a line, "" for none.

        ``left_out`` gets that line as well. Raises InvalidInputError, with the difference, if no record is left.
        """
        own = sides.context(Source(Path(), Record([], "", "", run), {}))
        differing = [sides.compare_contexts(sides.context(source), own, ()).forbidden for source in self._sources]
        kept = [source for source, differs in zip(self._sources, differing, strict=True) if not differs]
        nearest = min(filter(None, differing), key=len, default="")
        if not kept:
            refused = f"baseline {self._name!r}: {count(len(differing), 'record')}, none in the context of this run"
            mend = "run in that context, or save a baseline in this one"
            raise InvalidInputError(f"{refused}; the nearest differs in {nearest}; {mend}")
        others, self._sources = len(differing) - len(kept), kept
        if not others:
            return ""
        records = f"{count(others, 'record')} in another context, such as {nearest}"
        self.left_out.append(line(f"left out of the baseline: {records}"))
        return self.left_out[-1]

    def judge(
        self, path: Path, selected: status.Selection, *, allow_missing: bool = False
    ) -> tuple[Comparison, status.Status]:
        """Compare the run's record at ``path`` with the baseline; cases that were not ``selected`` may be missing."""
        comparison = compare(self._sources, [loading.read_record(path, pictured=False)], self._overrides)
        return comparison, status.of(comparison, allow_missing=allow_missing, selected=selected)
