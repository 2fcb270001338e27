"""Other plugins of pytest: those that take part in how a case is called cannot be active while cases are timed."""

import os
from collections.abc import Iterator

import pytest

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
    "pytest-repeat": (("count",), "runs each case several times under other names (--seeds repeats whole experiments)"),
    "pytest-run-parallel": (("parallel_threads",), "runs each case in several threads"),
}
VARIABLES = {"pytest-codspeed": "CODSPEED_ENV"}  # which make it active as well


def refuse(config: pytest.Config) -> None:
    """Raise UsageError where a plugin is active that would change what is timed; installed alone, none does."""
    for plugin, switch, effect in _active(config):
        raise pytest.UsageError(f"{plugin} {effect}, so nothing could be timed here; leave out {switch}")


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
