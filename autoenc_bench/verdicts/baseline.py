"""The verdict inside a run of the suite: its record against a baseline that is named as the run begins."""

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
    """The records that a run is compared with, read before it begins; ``left_out`` says what of them was not.

    Raises NotFoundError when there are none of that name, InvalidInputError when they, or a limit, cannot be read.
    """

    def __init__(self, name: str, fail_on: Iterable[str], stores: Sequence[Path]) -> None:
        self._name, self._overrides = name, limits.parse(fail_on, EXPERIMENTS)
        self._sources, unreadable = loading.read_records(storage.find(name, stores), pictured=False)
        self.left_out = list(loading.left_out(self._sources, unreadable))

    def choose(self, run: Run) -> str:
        """Keep the records of a run's machine, scale and context; return in a line how many are of others, or "".

        That line stands in ``left_out`` as well. Raises InvalidInputError, with what differs, where none is left.
        """
        here = _surroundings(Source(Path(), Record([], "", "", run), {}))
        differing = [sides.compare_surroundings(_surroundings(one), here, ()).forbidden for one in self._sources]
        kept = [source for source, differs in zip(self._sources, differing, strict=True) if not differs]
        nearest = min(filter(None, differing), key=len, default="")
        if not kept:
            found = f"baseline {self._name!r}: {count(len(differing), 'record')}, none in the context of this run"
            mend = "run in that context, or save a baseline in this one"
            raise InvalidInputError(f"{found}; the nearest differs in {nearest}; {mend}")
        others, self._sources = len(differing) - len(kept), kept
        if not others:
            return ""
        records = f"{count(others, 'record')} in another context, such as {nearest}"
        self.left_out.append(line(f"left out of the baseline: {records}"))
        return self.left_out[-1]

    def judge(
        self, path: Path, selected: status.Selection, *, allow_missing: bool = False
    ) -> tuple[Comparison, status.Status]:
        """Compare a run's record with it; the run may lack cases that were not ``selected``."""
        comparison = compare(self._sources, [loading.read_record(path, pictured=False)], self._overrides)
        return comparison, status.of(comparison, allow_missing=allow_missing, selected=selected)


def _surroundings(source: Source) -> sides.Surroundings:
    return sides.gather([source]).surroundings
