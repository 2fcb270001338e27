"""The public API: its names stay, suffice for a user's own code, and load no framework."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autoenc_bench
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.core.data.sources import SOURCES

RECORD = Path(__file__).parent / "records" / "data" / "0001_before.json"
# fmt: off
NAMES = [
    "AutoencBenchError", "Experiment", "InvalidInputError", "Limits", "NotFoundError", "RunFailedError", "Split",
    "__version__", "compare", "draw_report", "find_experiment", "read_record", "register", "register_data",
]
# fmt: on


def child(code):
    """Return the JSON that a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_names():
    """Exactly these names are exported, because users' code depends on them."""
    assert sorted(autoenc_bench.__all__) == NAMES
    assert set(NAMES) <= set(dir(autoenc_bench))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there(name):
    """Each exported name is a class, a function or the version."""
    exported = getattr(autoenc_bench, name)
    assert exported == autoenc_bench.__version__ or callable(exported)


def test_unknown_name():
    """Any other name is missing, as in every module."""
    with pytest.raises(AttributeError, match="module 'autoenc_bench' has no attribute 'benchmark'"):
        _ = autoenc_bench.benchmark


def test_errors_are_of_one_kind():
    """One class catches every error that a user can fix; each is also the built-in error that callers expect."""
    for kind, builtin in (
        (autoenc_bench.InvalidInputError, ValueError),
        (autoenc_bench.NotFoundError, LookupError),
        (autoenc_bench.RunFailedError, RuntimeError),
    ):
        assert issubclass(kind, autoenc_bench.AutoencBenchError)
        assert issubclass(kind, builtin)


IMPORT = """
import json, sys
import autoenc_bench
frameworks = ("keras", "tensorflow", "jax", "torch", "matplotlib", "scipy", "sklearn", "numpy")
loaded = [[name for name in frameworks if name in sys.modules]]
from autoenc_bench import Split, register_data
loaded.append([name for name in frameworks[:5] if name in sys.modules])
print(json.dumps(loaded))
"""


def test_import_is_light():
    """Importing the package loads no framework, and registering data does not load Keras."""
    assert child(IMPORT) == [[], []]


FLOW = """
import json, sys
from pathlib import Path
import numpy as np
import autoenc_bench as ab

def ramps(rows, features, seed):
    values = np.random.default_rng(seed).random((rows, 1)) * np.linspace(0, 1, features)
    return ab.Split(train=values[rows // 10 :], test=values[: rows // 10])

ab.register_data("ramps", ramps)
row = ab.Experiment(
    name="ramps", data="ramps", rows=100, features=8, encoder=(2,), decoder=(8,), limits=ab.Limits(time=0.05)
)
ab.register(row)
record = ab.read_record(Path(sys.argv[1]))
comparison = ab.compare([record], [record])
written = ab.draw_report([Path(sys.argv[1])], Path(sys.argv[2]))
try:
    ab.find_experiment("slopes")
except ab.AutoencBenchError as problem:
    answer = str(problem)
print(json.dumps({
    "found": ab.find_experiment("ramps").limits.time,
    "cases": [case.phase for _, case in record.cases],
    "pictures": len(record.pictures),
    "verdicts": [str(verdict.error.outcome) for verdict in comparison.verdicts if verdict.error],
    "page": written.page.name,
    "answer": answer,
}))
"""


@pytest.mark.slow
def test_own_flow(tmp_path, monkeypatch, capsys):
    """With these names alone, a user adds an experiment and data, reads a record, compares and draws records."""
    for registered in (EXPERIMENTS, SOURCES):
        monkeypatch.setitem(registered, "ramps", None)  # which restores them after the test
        del registered["ramps"]
    monkeypatch.setattr(sys, "argv", ["flow", str(RECORD), str(tmp_path / "out")])
    exec(FLOW, {})
    printed = json.loads(capsys.readouterr().out)
    assert printed["found"] == 0.05
    assert len(printed["cases"]) == 14
    assert printed["pictures"] == 3
    assert printed["verdicts"] == ["unchanged"]
    assert (tmp_path / "out" / printed["page"]).stat().st_size > 10_000
    assert printed["answer"].startswith("unknown experiment 'slopes'; choose from crude-simple, ")
    assert printed["answer"].endswith(", ramps")
