"""A stand-in for the suite's processes: records appear in no time, by a clock of its own."""

import json
from itertools import count

import histories
import numpy as np

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate.live import continuous
from autoenc_bench.gate.live.checkouts import Checkout

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
LONG = 10.0  # seconds of a run


class Suite:
    """Write a record at each run: the head ``ratio`` times as slow, with that ``error``."""

    def __init__(self, ratio=1.0, error=5.0, spread=0.01):
        self.ratio, self.error, self.spread = ratio, error, spread
        self.random = np.random.default_rng(0)
        self.order = []  # names of the sides, as they ran
        self.options = []
        self.seconds = []  # that each may take
        self.number = count(1)
        self.now = 0.0
        self.before = {}  # run number -> what to do before it
        self.change = lambda *_: None  # of a side's name and its record's content

    def run(self, side, options, store, seconds, tick):
        """Act as processes.run does."""
        number = next(self.number)
        self.before.get(number, lambda: None)()
        tick()
        self.order.append(side.name)
        self.options.append(options)
        self.seconds.append(seconds)
        self.now += LONG
        head = side.name == "head"
        time = 0.2 * (self.ratio if head else 1) * np.exp(self.random.normal(0, self.spread))
        content = histories.content(number, float(time), error=self.error if head else 5.0)
        deselected = {option.partition("::")[2] for option in options}
        content["benchmarks"] = [one for one in content["benchmarks"] if one["name"] not in deselected]
        self.change(side.name, content)
        store.mkdir(parents=True, exist_ok=True)
        path = store / f"{number:04}_run.json"
        path.write_text(json.dumps(content))
        return path


def measure(suite, folder, monkeypatch, budget=300.0):
    """Measure a stand-in within a budget, in seconds; return all looks."""
    monkeypatch.setattr(continuous.processes, "run", suite.run)
    monkeypatch.setattr(continuous, "monotonic", lambda: suite.now)
    sides = tuple(
        Checkout(name=name, description=f"code of the {name}", folder=folder, python=folder, environment={})
        for name in ("base", "head")
    )
    shown = []
    continuous.Continuous(sides, ("-k", "x"), folder / "store", budget, Overrides({}), lambda _: None).measure(
        shown.append
    )
    return shown
