"""The content of a record, for tests that change single fields."""

import msgspec
import recordings

from autoenc_bench.records import record as records

TIMING = {"median": 0.5, "min": 0.4, "rounds": 2, "iterations": 1, "data": [0.4, 0.6]}
CASE = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0, "rows": 10, "trainer": "fit"}
RUN = {
    "schema_version": records.SCHEMA_VERSION,
    "suite_version": "0.1.0",
    "scale": "smoke",
    "seeds": 1,
    "machine": dict.fromkeys(msgspec.structs.asdict(recordings.MACHINE), None) | {"id": "0123456789ab"},
    "context": {"threads": 1, "pinned": True},
    "conditions": {"clock_mhz": [2600.0, None]},
    "roofs": None,
    "skipped": [{"case": "epoch[mnist-fit]", "reason": "no data"}],
    "failed": [],
}


def content(**changes):
    """Return a record's content, with top-level fields changed."""
    benchmark = {"name": "n", "fullname": "f::n", "stats": TIMING, "extra_info": {"autoenc": CASE, "other": 1}}
    plain = {"machine_info": {}, "commit_info": {}, "benchmarks": [benchmark], "datetime": "now", "version": "5.3.1"}
    return {**plain, "autoenc": RUN, **changes}
