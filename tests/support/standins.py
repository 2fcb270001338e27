"""A stand-in for the suite's processes in a live comparison: it takes turns as they do, and invents its times at once.

Run as a script it loads next to nothing, for four of it start per group.
"""

import json
import os
import random
import signal
import socket
import sys
import time
import zlib
from pathlib import Path

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
FILE = "benchmarks/test_x.py::test_"
CASES = ("epoch[digits-fused]", "experiment[digits-fused-seed0]")
SECONDS = 0.2  # of a round
SUITE = "STAND_IN"  # the variable that holds how a side behaves, as JSON: what is in DEFAULTS
CORES = sorted(os.sched_getaffinity(0))
DEFAULTS = {
    "ratio": 1.0,  # of a side's times to the usual
    "noise": 0.05,  # of rounds, shared by a pair
    "spread": 0.002,  # of a process' own rounds
    "apart": 0.0005,  # of processes
    "tells": True,  # when it is configured
    "core": -1,  # on which it says that it measures, of those that it may use at first
    "cases": CASES,
    "noisy": "",  # a case whose processes differ by far
    "between": 0.0,  # CPU seconds out of its turn
    "calls": 3,  # of Python's functions in a step, where a case is counted
    "program": "  %x = f32[] constant(1)\n",  # the text of what it compiles
    "profile": {"step (model.py)": 0.2},  # seconds of a call by function, where it is sampled
    "faults": (),  # each: what to "do" when "case", "pair", "turns", "round" and "aside" are these, where given
    "log": os.devnull,  # of turns and visits
    "template": "",  # the path of a record to take entries from
}


# A suite in no time: within pytest, cases take turns by a stand-in that behaves as the side's code says.
CONFTEST = f"""
import sys
from pathlib import Path

from autoenc_bench import SETTINGS

def pytest_addoption(parser):
    for name in ("--no-report", "--no-roofs"):
        parser.addoption(name, action="store_true")
    for name in ("--turns", "--pair", "--side", "--explain"):
        parser.addoption(name)

def pytest_runtestloop(session):
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from standins import StandIn
    given = vars(session.config.option)
    names = ("turns", "pair", "side", "explain", "benchmark_storage", "benchmark_save")
    options = ["--" + name.replace("_", "-") + "=" + given[name] for name in names if given[name]]
    cases = [item.name.removeprefix("test_") for item in session.items]
    template = str(Path(__file__).parent / "benchmarks" / "record.json")
    StandIn(options, {{**SETTINGS, "cases": cases, "template": template}}).run()
    return True
"""


def suite(**cases):
    """Return the files of a suite that runs in no time: cases by their phases, beside a package's SETTINGS."""
    import histories

    tests = (
        f'@pytest.mark.parametrize("axes", [0], ids=["{axes}"])\ndef test_{phase}(axes): ...\n'
        for phase, axes in cases.items()
    )
    return {
        "conftest.py": CONFTEST,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p pytest_benchmark.plugin'\n",
        "benchmarks/test_x.py": "\n".join(("import pytest\n", *tests)),
        "benchmarks/record.json": json.dumps(histories.content(0, error=5.0)),
    }


def sides(folder, base=None, head=None, both=None):
    """Make both sides of a live comparison, each with what differs from DEFAULTS, and the head's ``error``."""
    import histories

    from autoenc_bench.live.checkouts import Checkout

    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {__file__} "$@"\n')
    python.chmod(0o755)
    made = []
    for name, given in (("base", base), ("head", head)):
        known = {"log": str(folder / "log"), **(both or {}), **(given or {})}
        content = histories.content(0, error=known.pop("error", 5.0))
        content["autoenc"]["context"].update(known.pop("context", {}))
        known["template"] = str(folder / f"{name}.json")
        Path(known["template"]).write_text(json.dumps(content))
        environment = {SUITE: json.dumps(known)}
        made.append(
            Checkout(
                name=name, description=f"code of the {name}", folder=folder, python=python, environment=environment
            )
        )
    return tuple(made)


def logged(folder):
    """Return what the processes did, in order: (start, visit or turn, side, pair, case)."""
    path = folder / "log"
    return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def running(folder):
    """List the processes that were started for a comparison in a folder, and are still there."""
    import psutil

    alive = (one for one in psutil.process_iter(["cmdline", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE)
    return [one for one in alive if any(str(folder) in part for part in one.info["cmdline"] or ())]


def left(folder):
    """List those which are there even after the moment that the system takes to end what was killed."""
    import psutil

    return psutil.wait_procs(running(folder), timeout=60)[1]


def hangs(folder):
    """Return whether a process has come to where it hangs."""
    return any(what == "hang" for what, *_ in logged(folder))


def telling(folder, tell):
    """Return a function that tells, and lets processes see that they are waited for."""

    def run(doing, elapsed):
        with (folder / "log.told").open("a") as file:
            file.write(f"{doing}\n")
        tell(doing, elapsed)

    return run


class Clock:
    """Time that passes where processes would take it: in starting, for each visit, and in saving."""

    STARTING, SAVING = 10.0, 2.0

    def __init__(self, monkeypatch):
        from autoenc_bench.live import continuous
        from autoenc_bench.live.groups import Group

        self.now = 0.0
        for name, seconds in (
            ("start", lambda *_: self.STARTING),
            ("end", lambda *_: self.SAVING),
            ("alone", lambda _case, _places, rounds, _seconds, _aside: SECONDS * (rounds + 1)),
            ("visit", lambda _case, rounds, _usual: 4 * SECONDS * (rounds + 1)),
        ):
            monkeypatch.setattr(Group, name, self._taking(getattr(Group, name), seconds))
        monkeypatch.setattr(continuous, "monotonic", lambda: self.now)

    def _taking(self, original, seconds):
        def run(group, *arguments):
            self.now += seconds(*arguments)
            return original(group, *arguments)

        return run


def measuring(both, folder, budget=600.0, tell=lambda *_: None):
    """Return what measures two sides within a budget, in seconds."""
    from autoenc_bench.live import continuous
    from autoenc_bench.verdicts.limits import Overrides

    seen = telling(folder, tell)
    return continuous.Continuous(both, ("-k", "x"), folder / "store", budget, Overrides({}), seen)


def measure(both, folder, budget=600.0, tell=lambda *_: None):
    """Measure two sides within a budget, in seconds; return all looks."""
    shown = []
    measuring(both, folder, budget, tell).measure(shown.append)
    return shown


class StandIn:
    """One process of the suite."""

    def __init__(self, arguments, settings):
        self.options = dict(one.partition("=")[::2] for one in arguments)
        pair = self.options.get("--pair", "")
        self.pair = "-".join(pair.split("-")[-2:]) or "alone"  # the number of the group, and of the pair in it
        self.store = Path(self.options["--benchmark-storage"].removeprefix("file://"))
        explained = self.options.get("--explain")
        self.explained = Path(explained) if explained else None
        self.side = self.options.get("--side") or self.explained.name
        self.settings = {**DEFAULTS, **settings}
        self.passed, self.failed, self.skipped, self.counts = {}, {}, {}, {}
        turns = self.options.get("--turns")
        self.lines = socket.socket(fileno=int(turns)).makefile("rw") if turns else None

    def run(self):
        """Serve visits until it is to save, and then until nobody asks, or run once what is asked for and save."""
        self.log("start", "-")
        self.fail("starting", False, 0)
        if self.lines is None:
            self.run_once()
            return
        if self.settings["tells"]:
            self.send(configured=True)
        cases = {FILE + name: self.facts(name) for name in self.settings["cases"]}
        self.send(cases=cases, cores=[CORES[self.settings["core"]]])
        self.serve()
        self.fail("saving", False, 0)
        self.save()
        self.send(saved=True)
        self.serve()

    def serve(self):
        while visit := self.receive():
            outcome = self.visit(visit["visit"].removeprefix(FILE), visit["rounds"], visit["turns"], visit["aside"])
            if outcome is None:
                break
            self.send(**outcome)

    def run_once(self):
        """Run cases as a session without turns does, which counts and samples what they do."""
        asked = [name.removeprefix(FILE) for name in self.options if name.startswith(FILE)]
        for case in asked or self.settings["cases"]:
            for aside in ("counts", "profile"):
                self.visit(case, 1, False, aside)
        self.save()

    def facts(self, name):
        phase, _, axes = name.partition("[")
        return {"phase": phase, "trainer": axes.rstrip("]").split("-")[1], "name": f"test_{name}"}

    def visit(self, case, rounds, turns, aside):
        if aside != "profile":
            self.log("visit", case)
        for known in (self.passed, self.failed, self.skipped):
            known.pop(case, None)
        between = []
        for number in range(rounds + 1 if rounds else 1):
            if turns:
                self.send(between=self.settings["between"] if number else 0.0)
                if self.receive() is None:  # which ends the session, in the midst of the case
                    return None
                between.append(self.settings["between"])
                self.log("turn", case)
            if ended := self.fail(case, turns, number, aside):
                getattr(self, ended)[case] = "AttributeError: no such thing"
                return {"outcome": ended, "reason": "AttributeError: no such thing", "times": []}
        times = self.times(case, max(1, rounds))
        self.passed[case] = times, between[-rounds:]
        if aside and not case.startswith("experiment"):
            getattr(self, f"keep_{aside}")(case)
        return {"outcome": "passed", "reason": "", "times": times if rounds else []}

    def keep_profile(self, case):
        self.log("profile", case)
        (self.explained / case).mkdir(parents=True, exist_ok=True)
        lines = (f"{seconds}\t{name}\n" for name, seconds in self.settings["profile"].items())
        (self.explained / case / "profile.txt").write_text("".join(lines))

    def keep_counts(self, case):
        """Make up what a case does, and keep the text of its program."""
        self.log("count", case)
        text, part = self.settings["program"], {"instructions": {"constant": 1}, "types": {"f32": 1}}
        program = {"identity": str(zlib.crc32(text.encode())), "once": part, "loops": part}
        self.counts[case] = {"programs": [program], "calls": {"step": {"model:step": self.settings["calls"]}}}
        if self.explained:
            (self.explained / case).mkdir(parents=True, exist_ok=True)
            (self.explained / case / "program-1.txt").write_text(text)

    def times(self, case, rounds):
        """Invent times; a pair's two see the same machine."""
        shared, own = random.Random(f"{self.pair} {case}"), random.Random(f"{self.pair} {self.side} {case}")
        apart = 0.05 if case == self.settings["noisy"] else self.settings["apart"]
        usual = SECONDS * self.settings["ratio"] * (1 + own.gauss(0, apart))
        noise, spread = self.settings["noise"], self.settings["spread"]
        return [usual * (1 + abs(shared.gauss(0, noise))) * (1 + own.gauss(0, spread)) for _ in range(rounds)]

    def fail(self, case, turns, number, aside=""):
        """Do what is to go wrong here; return how the case ends, where it just fails."""
        here = {"case": case, "turns": turns, "round": number, "pair": self.pair, "aside": aside}
        for fault in self.settings["faults"]:
            if all(fault.get(name, value) == value for name, value in here.items()):
                do = fault["do"]
                if do in ("failed", "skipped"):
                    return do
                getattr(self, f"do_{do}")()
        return ""

    def do_exit(self):
        self.say("ERROR: out of luck")
        os._exit(4)

    def do_kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_hang(self):
        self.log("hang", "-")
        while True:
            signal.pause()

    def do_nap(self):
        """Rest until the process that waits for this one has told so."""
        told = Path(f"{self.settings['log']}.told")
        before = told.stat().st_size if told.exists() else 0
        while not told.exists() or told.stat().st_size == before:
            time.sleep(0.01)

    def do_print(self):
        self.say("all work and no play " * 10_000)
        self.do_hang()

    def do_interrupt(self):
        """Act as a Ctrl-C while all wait for this process."""
        os.kill(os.getppid(), signal.SIGINT)

    def save(self):
        """Write a record of what passed, if anything did, as the plugin does."""
        if not self.passed:
            self.say("nothing was timed, so no record was saved")
            return
        content = json.loads(Path(self.settings["template"]).read_text())
        epoch, whole = content["benchmarks"]
        content["benchmarks"] = []
        for case, (times, between) in self.passed.items():
            entry = json.loads(json.dumps(whole if case.startswith("experiment") else epoch))
            entry["name"], entry["fullname"] = f"test_{case}", f"{FILE}{case}"
            entry["stats"] = {"median": sorted(times)[len(times) // 2], "min": min(times), "rounds": len(times)}
            entry["stats"]["data"] = times
            noted = entry["extra_info"]["autoenc"]
            del noted["reference"]
            if between:
                noted["between"] = between
            if case in self.counts:
                noted["counts"] = self.counts[case]
            content["benchmarks"].append(entry)
        run = content["autoenc"]
        if self.lines:
            run["pair"], run["side"] = self.options["--pair"], self.side
        run["skipped"] = [{"case": case, "reason": reason} for case, reason in self.skipped.items()]
        run["failed"] = [{"case": case, "reason": reason} for case, reason in self.failed.items()]
        path = self.store / "Linux" / f"0001_{self.options.get('--benchmark-save', 'once')}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
        self.say(f"record: {path}")

    def say(self, line):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def log(self, what, case):
        line = f"{what} {self.side} {self.pair} {case}\n"
        descriptor = os.open(self.settings["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    def send(self, **message):
        try:
            self.lines.write(json.dumps(message) + "\n")
            self.lines.flush()
        except OSError:
            pass

    def receive(self):
        try:
            line = self.lines.readline()
        except OSError:
            return None
        message = json.loads(line) if line else None
        return None if message and message.get("save") else message


if __name__ == "__main__":
    StandIn(sys.argv[1:], json.loads(os.environ[SUITE])).run()
