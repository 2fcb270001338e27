"""The record of a run: pytest-benchmark's JSON, made by its hooks, with this suite's block in it."""

from functools import cache
from typing import Any

import msgspec
import pytest

from autoenc_bench.records.record import Run

BLOCK = pytest.StashKey[dict[str, Any]]()


def content(config: pytest.Config, run: Run, timed: list[Any]) -> dict[str, Any]:
    """Return the record of a run; ``timed`` are pytest-benchmark's statistics of the cases."""
    hook = config.hook
    config.stash[BLOCK] = msgspec.to_builtins(run)
    commit_info = hook.pytest_benchmark_generate_commit_info(config=config)
    hook.pytest_benchmark_update_commit_info(config=config, commit_info=commit_info)
    facts = {"machine_info": machine_info(config), "commit_info": commit_info, "include_data": True}
    content: dict[str, Any] = hook.pytest_benchmark_generate_json(config=config, benchmarks=timed, **facts)
    hook.pytest_benchmark_update_json(config=config, benchmarks=timed, output_json=content)
    return content


@cache
def machine_info(config: pytest.Config) -> dict[str, Any]:
    """Return pytest-benchmark's description of the machine, which takes a second to make."""
    info: dict[str, Any] = config.hook.pytest_benchmark_generate_machine_info(config=config)
    config.hook.pytest_benchmark_update_machine_info(config=config, machine_info=info)
    return info


@pytest.hookimpl(optionalhook=True)  # without pytest-benchmark, configure() explains how to load it
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Remove the host's name, and clock readings that pytest-benchmark would compare and warn about."""
    machine_info["node"] = None
    for reading in ("hz_actual", "hz_actual_friendly"):
        machine_info["cpu"].pop(reading, None)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_commit_info(commit_info: dict[str, Any]) -> None:
    """Keep only the commit's times: where the user's settings ask for it, git prints a signature before them."""
    for name in ("time", "author_time"):
        if printed := commit_info.get(name):
            commit_info[name] = str(printed).splitlines()[-1].strip('"')


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add this run's block to every JSON that pytest-benchmark makes."""
    if block := config.stash.get(BLOCK, None):
        output_json["autoenc"] = block
