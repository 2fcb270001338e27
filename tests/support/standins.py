"""A stand-in for the suite's processes in a live comparison: it sends the same messages, and invents its times.

Run as a script it imports only the messages, because four processes start per group.
"""

import json
import os
import random
import signal
import sys
import time
import zlib
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from autoenc_bench.plugin import messages
from autoenc_bench.plugin.messages import Collected, Configured, Ended, Item, Saved, Visit, Waiting

ROOT = Path(__file__).parents[2]
MESSAGES = "autoenc_bench/plugin/messages.py"

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
    "core": -1,  # that it reports as its own, of those that it may use at first
    "cases": CASES,
    "noisy": "",  # a case whose processes differ by far
    "between": 0.0,  # CPU seconds between rounds
    "ending": ".json",  # of the record's name
    "calls": 3,  # of Python's functions in a step, where a case is counted
    "program": "  %x = f32[] constant(1)\n",  # the text of what it compiles
    "profile": {"step (model.py)": 0.2},  # seconds of a call by function, where it is sampled
    "faults": (),  # each: what to "do" when "case", "pair", "turns", "round" and "pass" are these, where present
    "log": os.devnull,  # of visits and rounds
    "template": "",  # the path of a record to take entries from
}


# A suite that takes no time: within pytest, a stand-in replaces the plugin and behaves as the side's SETTINGS say.
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
    """Return the files of a suite that takes no time, with cases by their phases; SETTINGS are not among them."""
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
        MESSAGES: (ROOT / MESSAGES).read_text(),
    }


def sides(folder, base=None, head=None, both=None):
    """Make both sides of a live comparison, each with its differences from DEFAULTS, and the head's ``error``."""
    import histories

    from autoenc_bench.live.processes import Suite

    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n')
    python.chmod(0o755)
    made = []
    for name, own in (("base", base), ("head", head)):
        settings = {"log": str(folder / "log"), **(both or {}), **(own or {})}
        content = histories.content(0, error=settings.pop("error", 5.0))
        content["autoenc"]["context"].update(settings.pop("context", {}))
        settings["template"] = str(folder / f"{name}.json")
        Path(settings["template"]).write_text(json.dumps(content))
        environment = {SUITE: json.dumps(settings), "PYTHONPATH": str(ROOT)}
        facts = {"name": name, "description": f"code of the {name}", "python": python, "environment": environment}
        made.append(Suite(folder=folder, **facts))
    return tuple(made)


def logged(folder):
    """Return what the processes did, in order: (start, visit or round, side, pair, case)."""
    path = folder / "log"
    return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def running(folder):
    """List the running processes that were started for a comparison in a folder."""
    import psutil

    alive = (one for one in psutil.process_iter(["cmdline", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE)
    return [one for one in alive if any(str(folder) in part for part in one.info["cmdline"] or ())]


def left(folder):
    """List the processes that still run after the moment that the system takes to end killed ones."""
    import psutil

    return psutil.wait_procs(running(folder), timeout=60)[1]


def hangs(folder):
    """Return whether a process hangs now."""
    return any(what == "hang" for what, *_ in logged(folder))


def visibly(folder, progress):
    """Return a function that calls ``progress``, and shows processes that the comparison waits for them."""

    def run(activity, elapsed):
        with (folder / "log.waits").open("a") as file:
            file.write(f"{activity}\n")
        progress(activity, elapsed)

    return run


class Clock:
    """A clock that advances where processes would take time: to start, for each visit, and to save."""

    STARTING, SAVING = 10.0, 2.0

    def __init__(self, monkeypatch):
        from autoenc_bench.live import continuous
        from autoenc_bench.live.groups import Group

        self.now = 0.0
        for name, seconds in (
            ("start", lambda *_: self.STARTING),
            ("end", lambda *_: self.SAVING),
            ("run", lambda _case, _places, rounds, _seconds, _passes: SECONDS * (rounds + 1)),
            ("interleave", lambda _case, rounds, _usual: 4 * SECONDS * (rounds + 1)),
        ):
            monkeypatch.setattr(Group, name, self._taking(getattr(Group, name), seconds))
        monkeypatch.setattr(continuous, "monotonic", lambda: self.now)

    def _taking(self, original, seconds):
        def run(group, *arguments):
            self.now += seconds(*arguments)
            return original(group, *arguments)

        return run


def comparison(both, folder, budget=600.0, progress=lambda *_: None):
    """Return a live comparison of two sides, within a budget in seconds."""
    from autoenc_bench.live.continuous import Continuous
    from autoenc_bench.verdicts.limits import Overrides

    return Continuous(both, ("-k", "x"), folder / "store", budget, Overrides({}), visibly(folder, progress))


def measure(both, folder, budget=600.0, progress=lambda *_: None):
    """Measure two sides within a budget in seconds; return all analyses."""
    shown = []
    comparison(both, folder, budget, progress).measure(shown.append)
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
        descriptor = self.options.get("--turns")
        self.pipe = Connection(int(descriptor)) if descriptor else None

    def run(self):
        """Serve visits, save, and serve visits until the pipe is closed; or run once and save, where there is none."""
        self.log("start", "-")
        self.fail("starting", False, 0)
        if self.pipe is None:
            self.run_once()
            return
        self.send(Configured())
        cases = {FILE + name: Item(f"test_{name}", name.partition("[")[0]) for name in self.settings["cases"]}
        self.send(Collected(cases, [CORES[self.settings["core"]]]))
        self.serve()
        self.fail("saving", False, 0)
        self.save()
        self.send(Saved())
        self.serve()

    def serve(self):
        while isinstance(visit := self.receive(), Visit):
            ended = self.visit(visit)
            if ended is None:
                break
            self.send(ended)

    def run_once(self):
        """Run cases as a session outside a comparison does, with both instrumentation passes."""
        selected = [name for name in self.options if name.startswith(FILE)]
        for case in selected or [FILE + name for name in self.settings["cases"]]:
            for instrumentation in ("counts", "profile"):
                self.visit(Visit(case, 1, instrumentation=instrumentation))
        self.save()

    def visit(self, visit):
        case, rounds, instrumentation = visit.case.removeprefix(FILE), visit.rounds, visit.instrumentation
        if instrumentation != "profile":
            self.log("visit", case)
        for earlier in (self.passed, self.failed, self.skipped):
            earlier.pop(case, None)
        between = []
        for number in range(rounds + 1 if rounds else 1):
            if visit.is_interleaved:
                self.send(Waiting(self.settings["between"] if number else 0.0))
                if not isinstance(self.receive(), messages.Begin):  # the session ends during the case
                    return None
                between.append(self.settings["between"])
                self.log("round", case)
            if outcome := self.fail(case, visit.is_interleaved, number, instrumentation):
                getattr(self, outcome)[case] = "AttributeError: no such thing"
                return Ended(outcome, "AttributeError: no such thing")
        times = self.times(case, max(1, rounds))
        self.passed[case] = times, between[-rounds:]
        if instrumentation and not case.startswith("experiment"):
            getattr(self, f"keep_{instrumentation}")(case)
        return Ended("passed", times=times if rounds else [])

    def keep_profile(self, case):
        self.log("profile", case)
        (self.explained / case).mkdir(parents=True, exist_ok=True)
        lines = (f"{seconds}\t{name}\n" for name, seconds in self.settings["profile"].items())
        (self.explained / case / "profile.txt").write_text("".join(lines))

    def keep_counts(self, case):
        """Invent counts of a case, and keep the text of its program."""
        self.log("count", case)
        text, part = self.settings["program"], {"instructions": {"constant": 1}, "types": {"f32": 1}}
        program = {"identity": str(zlib.crc32(text.encode())), "once": part, "loops": part}
        self.counts[case] = {"programs": [program], "calls": {"step": {"model:step": self.settings["calls"]}}}
        if self.explained:
            (self.explained / case).mkdir(parents=True, exist_ok=True)
            (self.explained / case / "program-1.txt").write_text(text)

    def times(self, case, rounds):
        """Invent times; the two of a pair see the same machine."""
        shared, own = random.Random(f"{self.pair} {case}"), random.Random(f"{self.pair} {self.side} {case}")
        apart = 0.05 if case == self.settings["noisy"] else self.settings["apart"]
        usual = SECONDS * self.settings["ratio"] * (1 + own.gauss(0, apart))
        noise, spread = self.settings["noise"], self.settings["spread"]
        return [usual * (1 + abs(shared.gauss(0, noise))) * (1 + own.gauss(0, spread)) for _ in range(rounds)]

    def fail(self, case, turns, number, instrumentation=""):
        """Do what the settings let go wrong here; return the outcome of a case that fails or is skipped."""
        here = {"case": case, "turns": turns, "round": number, "pair": self.pair, "pass": instrumentation}
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
        """Sleep until the comparison shows that it waits for this process."""
        waits = Path(f"{self.settings['log']}.waits")
        before = waits.stat().st_size if waits.exists() else 0
        while not waits.exists() or waits.stat().st_size == before:
            time.sleep(0.01)

    def do_print(self):
        self.say("all work and no play " * 10_000)
        self.do_hang()

    def do_interrupt(self):
        """Send a Ctrl-C while the comparison waits for this process."""
        os.kill(os.getppid(), signal.SIGINT)

    def save(self):
        """Write a record of the cases that passed, if any did, as the plugin does."""
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
        if self.pipe:
            run["pair"], run["side"] = self.options["--pair"], self.side
        run["skipped"] = [{"case": case, "reason": reason} for case, reason in self.skipped.items()]
        run["failed"] = [{"case": case, "reason": reason} for case, reason in self.failed.items()]
        path = self.store / "Linux" / f"0001_{self.options.get('--benchmark-save', 'once')}{self.settings['ending']}"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))  # compressed or not: the name alone matters here
        self.say(f"record: {path}")

    def say(self, line):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def log(self, what, case):
        line = f"{what} {self.side} {self.pair} {case}\n"
        descriptor = os.open(self.settings["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    def send(self, reply):
        with suppress(OSError):
            self.pipe.send_bytes(messages.encode(reply))

    def receive(self):
        with suppress(EOFError, OSError):
            return messages.decode_request(self.pipe.recv_bytes())
        return None


if __name__ == "__main__":
    StandIn(sys.argv[1:], json.loads(os.environ[SUITE])).run()
