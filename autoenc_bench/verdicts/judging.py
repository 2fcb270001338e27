"""How a live comparison was judged: its options, kept beside its records for the report that draws them later."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError
from autoenc_bench.verdicts import limits
from autoenc_bench.verdicts.limits import GATED, Limits, Overrides

FILE = "judged-by.txt"  # an option a line; of another kind than records, which are looked for by theirs
LIMIT, MISSING, STRICT = "--fail-on ", "--allow-missing", "--strict"
DEPTH = 4  # folders above a record: its platform, its pair, its side, the comparison


class Judging(NamedTuple):
    """The options that a verdict depends on; ``is_known`` where the live comparison itself had them."""

    overrides: Overrides = Overrides({})
    allow_missing: bool = False
    strict: bool = False
    is_known: bool = False

    def __str__(self) -> str:
        """Return in a sentence which options these are, and whose."""
        usual = self.overrides.apply(None, Limits())
        shares = {kind: usual.of(kind) for kind in GATED if isfinite(usual.of(kind))}
        shares |= {f"{name}:{kind}": share for (name, kind), share in self.overrides.shares.items() if name}
        flags = {MISSING: self.allow_missing, STRICT: self.strict}
        words = [
            *(f"{name}:{100 * share:g}%" for name, share in shares.items()),
            *(name for name in flags if flags[name]),
        ]
        whose = (
            "as in the live comparison" if self.is_known else "the default, for its options are not beside its records"
        )
        return f"Limits: {', '.join(words)} ({whose})."


def keep(store: Path, fail_on: Sequence[str], *, allow_missing: bool, strict: bool) -> None:
    """Keep the options of a live comparison beside its records, where it has any."""
    flags = {MISSING: allow_missing, STRICT: strict}
    lines = [*(f"{LIMIT}{one}" for one in fail_on), *(name for name, given in flags.items() if given)]
    if store.is_dir():
        with suppress(OSError):  # the verdict stands, and a report says that it knows no options
            (store / FILE).write_text("".join(f"{one}\n" for one in lines), "utf-8")


def read(records: Iterable[Path]) -> Judging:
    """Return how the live comparison of these records was judged; the default where that is not known of all alike.

    Raises InvalidInputError, with the file, where its options cannot be read.
    """
    known = [_read(store / FILE) if store else Judging() for store in set(map(_store, records))]
    return known[0] if known.count(known[0]) == len(known) else Judging()


def _store(record: Path) -> Path | None:
    """Return the folder of a record's live comparison, ``None`` where that holds no options."""
    above = list(record.absolute().parents)[:DEPTH]
    return next((folder for folder in above if (folder / FILE).is_file()), None)


def _read(file: Path) -> Judging:
    try:
        lines = file.read_text("utf-8").splitlines()
        if other := [one for one in lines if not one.startswith(LIMIT) and one not in (MISSING, STRICT)]:
            raise InvalidInputError(f"line {other[0]!r}; expected {LIMIT}EXPR, {MISSING} or {STRICT}")
        expressions = [one.removeprefix(LIMIT) for one in lines if one.startswith(LIMIT)]
        return Judging(limits.parse(expressions, EXPERIMENTS), MISSING in lines, STRICT in lines, is_known=True)
    except (AutoencBenchError, OSError, UnicodeDecodeError) as problem:
        raise InvalidInputError(f"{file}: {problem}; remove it to judge by the default limits") from problem
