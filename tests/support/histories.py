"""Histories: records of two cases over several days, with levels that the tests choose."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import recordings

from autoenc_bench import compare
from autoenc_bench.history.history import read_history
from autoenc_bench.records import loading

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
OTHER = msgspec.structs.replace(recordings.MACHINE, id="ba9876543210", cpu="Another CPU", accelerators=["A GPU"])


def content(
    day, time=0.2, *, machine=recordings.MACHINE, error=None, reference=0.01, scale="standard", skipped=(), **context
):
    """Return the record of a day: an epoch with work and memory, and an experiment with its error."""
    run = msgspec.structs.replace(
        recordings.RUN, machine=machine, scale=scale, context={**recordings.RUN.context, **context}, skipped=skipped
    )
    epoch = recordings.timed("digits", "epoch", trainer="fused", work=recordings.WORK, memory=recordings.MEMORY)
    whole = recordings.whole("digits", error=recordings.error(5.0 if error is None else error, 0.5))
    entries = [
        recordings.benchmark(epoch, time, reference=reference),
        recordings.benchmark(whole, 2 * time, rounds=1, reference=reference),
    ]
    found = recordings.content(run=run, entries=entries)
    found["datetime"] = (START + timedelta(days=day)).isoformat()
    found["commit_info"]["id"] = f"{day:04}" * 10
    return found


def write(folder, contents):
    """Write records into a folder, in this order; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, found in enumerate(contents, start=1):
        (folder / f"{number:04}_standard.json").write_text(json.dumps(found))
    return folder


def compress(folder):
    """Replace the records below a folder by compressed ones."""
    for path in folder.rglob("*.json"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def side(folder, contents):
    """Write records and read them as one side of a comparison."""
    return [loading.read_record(path, pictured=False) for path in sorted(write(folder, contents).glob("*.json"))]


def noisy(level, runs=8, seed=0):
    """Draw times around a level, with a spread of 1 %."""
    return [float(level * np.exp(value)) for value in np.random.default_rng(seed).normal(0, 0.01, runs)]


def by_case(comparison):
    """Return the verdicts of a comparison by case."""
    return {verdict.case: verdict for verdict in comparison.verdicts}


def side_of(folder, times, **changes):
    """Write records, one per time, and read them as one side of a comparison."""
    return side(folder, [content(day, time, **changes) for day, time in enumerate(times)])


def both(tmp_path, base, head, **changes):
    """Compare sides of these times; ``changes`` are the head's."""
    return compare(side_of(tmp_path / "base", base), side_of(tmp_path / "head", head, **changes))


def read(folder, contents):
    """Write records and read them as a history."""
    return read_history([write(folder, contents)])


def slower(days=12, at=8, **changes):
    """Return records whose times vary by 1 % and rise by a tenth on one day."""
    return [content(day, 0.2 * (1.1 if day >= at else 1) * (1 + 0.01 * (day % 3)), **changes) for day in range(days)]
