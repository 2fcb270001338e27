"""Other plugins of pytest: those that take part in how a case is called cannot be active while cases are timed."""

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

# Each by the name of its distribution: the options that make it active, and what it does then.
BREAKING = {
    "pytest-codspeed": (("codspeed",), "measures in pytest-benchmark's place"),
    "pytest-flakefinder": (("flake_finder_enable",), "runs each case several times"),
    "pytest-forked": (("forked",), "runs each case in a process of its own"),
    "pytest-isolate": (("isolate",), "runs each case in a process of its own"),
    "pytest-leaks": (("leaks",), "runs each case several times"),
    "pytest-memray": (("memray",), "traces every allocation"),
    "pytest-parallel": (("workers", "tests_per_worker"), "runs cases side by side"),
    "pytest-profiling": (("profile", "profile_svg"), "profiles each case"),
    "pytest-repeat": (("count",), "runs each case several times and gives the copies new names"),
    "pytest-run-parallel": (("parallel_threads",), "runs each case in several threads"),
}
VARIABLES = {"pytest-codspeed": "CODSPEED_ENV"}  # which make it active as well


def refuse(config: pytest.Config) -> None:
    """Raise UsageError where a plugin is active that would change what is timed; installed alone, none does."""
    for plugin, switch, effect in _active(config):
        raise pytest.UsageError(f"{plugin} {effect}, which this suite cannot time; remove {switch}")


def _active(config: pytest.Config) -> Iterator[tuple[str, str, str]]:
    manager = config.pluginmanager
    loaded = {distribution.project_name.lower() for _, distribution in manager.list_plugin_distinfo()}
    for plugin, (options, effect) in BREAKING.items():
        if plugin not in loaded and not manager.hasplugin(plugin.replace("-", "_")):
            continue  # another plugin's option may have the same name
        for option in options:
            value = config.getoption(option, None)
            if value is True or str(value) not in ("None", "False", "0", "1"):
                yield plugin, f"--{option.replace('_', '-').removesuffix('-enable')}", effect
        if VARIABLES.get(plugin, "") in os.environ:
            yield plugin, VARIABLES[plugin], effect


def refuse_profiler() -> None:
    """Raise UsageError under a profiler written in C: pytest-benchmark takes it away for a round, and fails after."""
    profiler: Any = sys.getprofile()
    if not (profiler is None or callable(profiler)):
        raise pytest.UsageError(
            f"{type(profiler).__module__} profiles this run, and pytest-benchmark can time nothing beside it before "
            "Python 3.12; run without it, or add --benchmark-disable, which runs each case once, untimed"
        )


def let_warnings_pass(config: pytest.Config) -> None:
    """Let pytest-benchmark's warnings be shown, whatever asks for errors: as errors they end pytest by a traceback."""
    warnings.filterwarnings("default", category=PytestBenchmarkWarning)  # while plugins are configured
    shown = "default::pytest_benchmark.logger.PytestBenchmarkWarning"
    config.addinivalue_line("filterwarnings", shown)
    if given := config.known_args_namespace.pythonwarnings:  # by -W, which comes after
        given.append(shown)
