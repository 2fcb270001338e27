"""Other plugins of pytest. Those that change how a case is called must not be active while cases are timed."""

import os
import sys
import warnings
from typing import Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

# By the name of the distribution: the options that make it active, and its effect.
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
INACTIVE = ("None", "False", "0", "1")  # values of an option that does nothing, as text
VARIABLES = {"pytest-codspeed": "CODSPEED_ENV"}  # environment variables that make it active too


def refuse(config: pytest.Config) -> None:
    """Raise UsageError if a plugin is active that changes what is timed. An inactive plugin does no harm."""
    manager = config.pluginmanager
    loaded = {distribution.project_name.lower() for _, distribution in manager.list_plugin_distinfo()}
    for plugin, (options, effect) in BREAKING.items():
        if plugin not in loaded and not manager.hasplugin(plugin.replace("-", "_")):
            continue  # another plugin's option may have the same name
        values = {
            f"--{name.replace('_', '-').removesuffix('-enable')}": config.getoption(name, None) for name in options
        }
        switches = [name for name, value in values.items() if value is True or str(value) not in INACTIVE]
        switches += [VARIABLES[plugin]] if VARIABLES.get(plugin, "") in os.environ else []
        if switches:
            raise pytest.UsageError(f"{plugin} {effect}, which this suite cannot time; remove {switches[0]}")


def refuse_profiler() -> None:
    """Raise UsageError under a profiler written in C: pytest-benchmark suspends it for a round, and then fails."""
    profiler: Any = sys.getprofile()
    if not (profiler is None or callable(profiler)):
        raise pytest.UsageError(
            f"{type(profiler).__module__} profiles this run, and pytest-benchmark can time nothing beside it before "
            "Python 3.12; run without it, or add --benchmark-disable, which runs each case once, untimed"
        )


def let_warnings_pass(config: pytest.Config) -> None:
    """Show pytest-benchmark's warnings even if warnings are errors: as errors they end pytest with a traceback."""
    warnings.filterwarnings("default", category=PytestBenchmarkWarning)  # while plugins are configured
    shown = "default::pytest_benchmark.logger.PytestBenchmarkWarning"
    config.addinivalue_line("filterwarnings", shown)
    if filters := config.known_args_namespace.pythonwarnings:  # from -W, which takes precedence
        filters.append(shown)
