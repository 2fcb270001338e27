"""Benchmark autoencoder training: time and reconstruction error, together.

These names are the public API, loaded when they are first used; everything else may change.

- ``Experiment``, ``Limits``, ``register``, ``find_experiment``: the catalogue, and experiments that you add
- ``Split``, ``register_data``: data that you add, from a function (rows, features, seed) -> Split
- ``read_record``: read a record with its pictures, from the path of its JSON file
- ``compare``: compare two lists of such records, base and head; a ``Comparison`` has one verdict per case
- ``draw_report``: draw the records at some paths; the folder gets ``index.html``, ``summary.md`` and figures
- ``AutoencBenchError``, ``InvalidInputError``, ``NotFoundError``, ``RunFailedError``: the errors that they raise
"""

from importlib import import_module
from typing import TYPE_CHECKING

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError, RunFailedError

if TYPE_CHECKING:
    from autoenc_bench.catalogue.experiments import Experiment, register
    from autoenc_bench.catalogue.experiments import find as find_experiment
    from autoenc_bench.core.data.sources import register as register_data
    from autoenc_bench.core.data.split import Split
    from autoenc_bench.records.loading import read_record
    from autoenc_bench.report.page import write as draw_report
    from autoenc_bench.verdicts.comparison import compare
    from autoenc_bench.verdicts.limits import Limits

__version__ = "0.1.0"

# fmt: off
__all__ = [
    "AutoencBenchError", "Experiment", "InvalidInputError", "Limits", "NotFoundError", "RunFailedError", "Split",
    "__version__", "compare", "draw_report", "find_experiment", "read_record", "register", "register_data",
]
# fmt: on

_HOMES = {
    "Experiment": "catalogue.experiments",
    "Limits": "verdicts.limits",
    "Split": "core.data.split",
    "compare": "verdicts.comparison",
    "draw_report": "report.page:write",
    "find_experiment": "catalogue.experiments:find",
    "read_record": "records.loading",
    "register": "catalogue.experiments",
    "register_data": "core.data.sources:register",
}

if not TYPE_CHECKING:  # or mypy would take any name for one of these

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(import_module(f"{__name__}.{module}"), attribute or name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
