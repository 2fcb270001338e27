"""Commands and options are public names: scripts and CI jobs depend on them."""

import argparse
from importlib import import_module
from pathlib import Path

from autoenc_bench.cli.__main__ import parser
from autoenc_bench.plugin import pytest_plugins

USAGE = Path(__file__).parent / "data" / "usage.txt"


class Recorder:
    """Stand for pytest's parser, and keep the names of the options."""

    def __init__(self):
        self.names = []

    def getgroup(self, *_):
        """Return what options are added to."""
        return self

    def addoption(self, *names, **_):
        """Keep an option's names."""
        self.names += [name for name in names if name.startswith("--")]


def test_usage():
    """Commands and options are those in data/usage.txt; a new one is added there."""
    commands = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    usages = [" ".join(command.format_usage().split()) for command in (parser(), *commands.choices.values())]
    recorder = Recorder()
    for module in map(import_module, pytest_plugins):
        getattr(module, "pytest_addoption", lambda _: None)(recorder)
    assert [*usages, " ".join(["pytest", *recorder.names])] == USAGE.read_text().splitlines()
