"""The plugin also measures older commits, so it uses few names of the package, and these names stay."""

import ast
import math
import shutil
import subprocess

import pytest
from suite_runs import QUICK, ROOT, TIMING

from autoenc_bench.exceptions import NotFoundError
from autoenc_bench.live import checkouts, processes
from autoenc_bench.records import loading

SURFACE = {
    "": ["__version__"],
    "backends.selection": ["choose", "current", "name"],
    "catalogue.experiments": ["EXPERIMENTS", "Experiment", "find", "resize"],
    "catalogue.scales": ["SCALES", "Scale"],
    "core.data.sources": ["check", "load"],
    "core.data.split": ["Split"],
    "core.data.streams": ["Stream"],
    "core.models": ["build"],
    "core.training": ["Inference", "Trainer", "prepare"],
    "distributed.data_parallel": ["DataParallelTrainer"],
    "distributed.runtime": ["Distribution", "EXPERIMENTS", "parse"],
    "exit_codes": ["IN_PYTEST"],
    "exceptions": ["AutoencBenchError", "InvalidInputError", "NotFoundError", "unwritable"],
    "formatting": ["STAND_INS", "count", "line", "seconds", "share"],
    "instruments.call_counts": ["Counted", "of_calls"],
    "instruments.clock": ["CLOCK", "Mode", "Reading"],
    "instruments.hlo": ["readable"],
    "instruments.peak_memory": ["MemoryWatch"],
    "instruments.reference_workload": ["seconds"],
    "machine.context": ["MeasuringContext"],
    "machine.roofs": ["higher", "measure"],
    "machine.threads": ["parse"],
    "records.case": ["Case", "Epoch"],
    "records.names": ["without_seed"],
    "records.places": ["BASELINES", "REPORTS"],
    "records.record": ["BACKENDS", "NotRun", "Roofs", "Run", "SCHEMA_VERSION"],
    "records.storage": ["Pictures", "platform_folder", "save"],
    "records.validation": ["convert_case"],
    "report.devices": ["headline"],
    "report.facts": ["roofs"],
    "report.github": ["append_step_summary"],
    "report.page": ["write"],
    "report.summary": ["not_run"],
    "verdicts.baseline": ["Baseline"],
    "verdicts.tables": ["markdown", "text"],
}


def names():
    """Yield the names that the plugin imports from the rest of the package, each with its module."""
    for path in sorted((ROOT / "autoenc_bench" / "plugin").glob("*.py")):
        tree = ast.parse(path.read_text())
        modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("autoenc_bench"):
                for alias in node.names:
                    full = f"{node.module}.{alias.name}".removeprefix("autoenc_bench.")
                    if full.startswith("plugin."):
                        continue
                    if is_module(full):
                        modules[alias.asname or alias.name] = full
                    else:
                        yield full
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                yield f"{modules[node.value.id]}.{node.attr}"


def is_module(name):
    """Return whether a dotted name in the package is that of a module."""
    path = ROOT / "autoenc_bench" / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def test_surface():
    """The plugin uses exactly these names: each one that is added or renamed makes earlier commits unmeasurable."""
    assert set(names()) == {f"{module}.{name}".lstrip(".") for module, used in SURFACE.items() for name in used}


@pytest.mark.slow
def test_commit_before(tmp_path, monkeypatch):
    """The current plugin and benchmarks measure the package of the previous commit."""
    if (
        shutil.which("git") is None
        or subprocess.run(
            ["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", "HEAD~1"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("there is no previous commit, as in a shallow clone")
    chosen = (
        "benchmarks/",
        "--backend=jax",
        "--scale",
        "smoke",
        "--experiment",
        "digits",
        "-k",
        "epoch and fused or encode and bulk",
        "--no-roofs",
        "--threads=all",
        *TIMING,
    )
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    before, here = checkouts.Wanted(revision="HEAD~1"), checkouts.Wanted()
    try:
        with checkouts.both(before, here, ROOT) as (base, _):
            path = processes.run(base, chosen, tmp_path, math.inf, lambda: None)
    except NotFoundError as problem:
        pytest.skip(str(problem))  # its layout is older than the plugin
    measured = {benchmark.name for benchmark in loading.read_record(path).record.benchmarks}
    assert measured == {"test_epoch[digits-fused]", "test_encode[digits-bulk]"}
