"""One run of the suite: what it runs on, how its cases ended, its record and its closing table.

``Session`` is a plugin of pytest. Its hooks stand in the order in which pytest calls them.
"""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import msgspec
import pytest

from autoenc_bench import __version__
from autoenc_bench.catalogue import experiments
from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError
from autoenc_bench.formatting import count, line
from autoenc_bench.formatting import seconds as with_unit
from autoenc_bench.machine.context import MeasuringContext
from autoenc_bench.plugin import other_plugins, record, remaining
from autoenc_bench.plugin.conclusion import Conclusion
from autoenc_bench.plugin.options import CONFIGURATION, Configuration, configure
from autoenc_bench.plugin.progress import Progress, printable, result, short
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import SCHEMA_VERSION, NotRun, Roofs, Run
from autoenc_bench.records.storage import Pictures
from autoenc_bench.records.validation import convert_case
from autoenc_bench.report import devices, facts, summary

SESSION = pytest.StashKey["Session"]()
WIDTH = 100  # of sentences in the terminal; an older package, on which this plugin may run, has no such constant
REFUSED = "autoenc_bench_refused"  # what a worker of pytest-xdist reports to its controller


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and take over saving and printing from pytest-benchmark."""
    with _usage_errors():
        config.stash[CONFIGURATION] = configuration = configure(config)
    other_plugins.let_warnings_pass(config)
    marker = "distributed: trains on several devices or machines; runs with --devices or --coordinator only"
    config.addinivalue_line("markers", marker)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else TensorFlow prints a greeting, and warns without a GPU
    option = config.option
    if configuration.storage:  # pytest-benchmark writes in place, and two runs can take the same number
        option.benchmark_save, option.benchmark_autosave = None, False
    # Print one table at the end, unless an option asks for pytest-benchmark's own as well.
    if not any(getattr(option, f"benchmark_{name}") for name in ("columns", "compare", "histogram", "cprofile")):
        option.benchmark_quiet = True
    config.stash[SESSION] = session = Session(config, configuration)
    config.pluginmanager.register(session, "autoenc-bench")
    config.pluginmanager.register(session.progress, "autoenc-bench-progress")


@dataclass
class Outcome:
    """How the last run of a case ended."""

    case: Case | None = None  # what it measured, if it passed
    stats: Any = None  # pytest-benchmark's, if it was timed
    off_cpu: float | None = None  # seconds of a round, if they are more than usual
    skipped: str | None = None  # why
    failed: str | None = None

    @property
    def seconds(self) -> float | None:
        return self.stats["median"] if self.stats else None


class Session:
    """Follow the cases of one run, save its record, and print its closing table."""

    def __init__(self, config: pytest.Config, configuration: Configuration) -> None:
        self.progress = Progress(config)
        self.pictures: Pictures = {}  # for the record's side file
        self.counts: dict[str, object] = {}  # what each case executes, by its name
        self._config, self._configuration = config, configuration
        self._session: pytest.Session | None = None
        # Made before Keras is loaded, which adds variables to the environment.
        self._setting = MeasuringContext(configuration.threads, configuration.distribution)
        self._roofs: Roofs | None = None
        self._cases: list[str] = []  # node ids
        self._outcomes: dict[str, Outcome] = {}  # of the cases that have begun, by node id
        self._is_worker = hasattr(config, "workerinput")  # of pytest-xdist
        self._conclusion = Conclusion(config, configuration, self.progress.announce)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Join the other processes of a distributed run. Its devices decide which cases there are."""
        self._session = session
        if distribution := self._configuration.distribution:
            # All processes must run the same cases in the same order, else they wait for each other forever.
            option, run = self._config.option, self._configuration
            chosen = (run.scale.name, run.seeds, run.experiments, option.keyword, option.markexpr, option.deselect)
            with _usage_errors():
                self._setting.enter()
                distribution.start(f"{__version__} {chosen} {option.devices} {option.benchmark_disable}")

    @pytest.hookimpl(tryfirst=True)  # before a worker of pytest-xdist reports which tests it has
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Prepare to measure: refuse what would spoil the times, limit the threads and load Keras.

        A run without cases keeps all its threads.
        """
        self._cases = [item.nodeid for item in session.items if is_case(item)]
        option = self._config.option
        if not self._cases or option.collectonly:
            return
        if self._is_worker:
            if not option.benchmark_disable:  # cases that run side by side slow each other down
                session.items.clear()
                self._cases.clear()
                self._config.workeroutput[REFUSED] = True  # type: ignore[attr-defined] # of pytest-xdist
            return
        other_plugins.refuse(self._config)
        if not option.benchmark_disable:
            other_plugins.refuse_profiler()
        self._conclusion.check_storage()
        self.progress.write_line(f"{count(len(self._cases), 'case')}; loading Keras, which takes a few seconds")
        self._enter()
        left_out = self._choose_baseline()
        self.progress.write_line(self._where())
        if left_out:
            self.progress.write_line(left_out)
        if not option.benchmark_disable and option.turns is None:  # a live comparison prints them itself
            for warning in self._setting.preflight.warnings():
                self.progress.write_line(fill(f"warning: {warning}", WIDTH, break_on_hyphens=False))
        if self._configuration.measures_roofs:
            self.progress.write("limits (roofs) of this machine: ")
            self.progress.write_line(", ".join(" ".join(roof) for roof in facts.roofs(self._measure_roofs())))
        if left := self._remaining(session.items):
            self.progress.write_line(f"estimated time of the cases: {remaining.minutes(left.seconds())} (min:s)")
        self.progress.start(self._cases, len(self._cases) == len(session.items), left)

    def _enter(self) -> None:
        """Limit the threads and load Keras; raise UsageError if the cases cannot run."""
        from autoenc_bench.core.data import sources

        with _usage_errors():
            for name in self._configuration.experiments:
                sources.check(experiments.find(name).data)
            if not self._configuration.distribution:
                self._setting.enter()
        if self._config.option.turns is not None and self._setting.tracer:
            advice = "run the comparison without it, and remove its options from PYTEST_ADDOPTS too"
            raise pytest.UsageError(f"{self._setting.tracer} makes the measured code slower; {advice}")

    def _choose_baseline(self) -> str:
        """Choose the baseline's records of this run's context; return a line about the others, "" if there are none.

        Raises UsageError, before anything is measured, if no record has this context.
        """
        baseline = self._configuration.baseline
        if baseline is None or self._config.option.benchmark_disable:
            return ""
        run = self._run()
        del self._setting.context  # a cached property; fixtures may still change Keras's precision
        with _usage_errors():
            return baseline.choose(run)

    def _where(self) -> str:
        return f"scale {self._configuration.scale.name}, {count(self._configuration.seeds, 'seed')}, {self._setting}"

    def _remaining(self, items: list[pytest.Item]) -> remaining.Remaining | None:
        """Estimate how long these cases take, ``None`` if that is unknown: on several devices, or case by case."""
        run = self._configuration
        if run.distribution or self._config.option.turns is not None:
            return None
        weights = {}
        for item in filter(is_case, items):
            values = axes(item)
            name = values.get("experiment")
            experiment = run.scale.apply(experiments.find(name)) if name in run.experiments else None
            weights[item.nodeid] = remaining.weight(run.scale, phase(item), experiment, values.get("trainer"))
        return remaining.Remaining(weights, remaining.slowness())

    def _measure_roofs(self) -> Roofs:
        """Measure the machine's roofs before the cases and, at full size, again after them; keep the higher ones."""
        from autoenc_bench.machine import roofs  # imported here because it loads Keras

        measured = roofs.measure(self._configuration.scale.roof_seconds / 2)
        self._roofs = roofs.higher(self._roofs, measured) if self._roofs else measured
        return self._roofs

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
        """Keep what a case measured, or why it did not."""
        report = yield
        if not is_case(item):
            return report
        if report.when == "setup":  # a plugin such as pytest-rerunfailures may run a case again: its last run counts
            self._outcomes.pop(item.nodeid, None)
            self._outcomes[item.nodeid] = Outcome()
        outcome = self._outcomes[item.nodeid]
        if report.when == "call" and report.passed:
            self._keep(item, report, outcome)
        if report.skipped and not hasattr(report, "wasxfail"):
            outcome.skipped = report.longrepr[2].removeprefix("Skipped: ")
        elif report.failed:
            reason = call.excinfo.exconly(tryshort=True) if call.excinfo else report.longrepr
            outcome.failed = reason.splitlines()[0]
            distribution = self._configuration.distribution
            if distribution and distribution.several:
                item.session.shouldfail = "a case of a distributed run failed"
        return report

    def _keep(self, item: Any, report: Any, outcome: Outcome) -> None:
        """Keep the measurements of a case that passed; let it fail if they cannot be recorded."""
        fixture = item.funcargs["benchmark"]
        try:
            case, stats = convert_case(fixture.extra_info), fixture.stats
            if stats and stats["median"] == 0:
                raise InvalidInputError("its median is 0 s; the clock is too coarse for it")
        except InvalidInputError as problem:
            report.outcome, report.longrepr = "failed", f"this case cannot be recorded: {problem}"
            return
        outcome.case, outcome.stats = case, stats
        if stats:
            outcome.off_cpu = case.unusual_off_cpu(stats.stats.data, self._setting.context)
        self.progress.results[item.nodeid] = result(case, outcome.seconds, self._roofs, outcome.off_cpu)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Conclude within pytest's loop, where pytest reports a bug of ours as an internal error."""
        completed = False
        try:
            outcome = yield
            completed = True
            return outcome
        finally:
            if not self._config.option.collectonly:
                self._conclude(completed)

    def _conclude(self, completed: bool) -> None:
        """Sum up the cases; save the record, also if cases failed; compare it with the baseline, and draw it."""
        run, conclusion = self._configuration, self._conclusion
        if not (self._cases or run.distribution):
            if run.baseline and not (self._is_worker or conclusion.lines):
                conclusion.refuse("no case ran, so nothing was compared with the baseline")
            return
        for nodeid in self._cases:
            self._outcomes.setdefault(nodeid, Outcome(skipped="the run ended before this case began"))
        not_saved = self._leave(completed)
        if self._timed and run.measures_roofs and run.scale.full_size and not not_saved:
            self.progress.announce("measuring the limits of this machine again")
            self._measure_roofs()
        conclusion.lines += self._sum_up()
        if not_saved:
            conclusion.lines.append(not_saved)
        else:
            content = record.content(self._config, self._run(), self._timed) if self._timed else None
            conclusion.save(content, self.pictures, self._cases)

    def _leave(self, completed: bool) -> str:
        """Leave the other processes of a distributed run; return why this one saves no record, "" if it does."""
        distribution = self._configuration.distribution
        if distribution is None:
            return ""
        if distribution.several and (self._not_run("failed") or not completed):
            return "the distributed run did not come to its end, so no record was saved"
        distribution.leave()
        return "" if distribution.writes else "process 0 writes the record"

    def _sum_up(self) -> Iterator[str]:
        """Yield the headline table, what disturbed the measurement, and the cases that did not run."""
        outcomes, distribution = self._outcomes, self._configuration.distribution
        cases = [(one.case, one.seconds) for one in outcomes.values() if one.case and one.case.experiment]
        if cases:
            context = distribution.context if distribution else {}
            table, legend, answer = devices.headline(cases, {**context, "scale": self._configuration.scale.name})
            parts = self._where(), table.text(), *(fill(text, WIDTH, break_on_hyphens=False) for text in answer), legend
            yield "\n\n".join(filter(None, parts)) + "\n"
        if self._timed:
            yield from map(line, self._setting.problems())
        off_cpu = {nodeid: (one.off_cpu, one.stats["median"]) for nodeid, one in outcomes.items() if one.off_cpu}
        if off_cpu:
            shares = (f"{short(nodeid)} {' of '.join(map(with_unit, times))}" for nodeid, times in off_cpu.items())
            text = f"these cases waited (off-CPU) for more than 5 % of a round: {', '.join(shares)}"
            yield fill(text, WIDTH, break_on_hyphens=False)
        yield from summary.not_run(self._not_run("skipped"), "skipped")
        yield from summary.not_run(self._not_run("failed"), "failed")

    @property
    def _timed(self) -> list[Any]:
        """List pytest-benchmark's statistics of the cases that were timed."""
        return [outcome.stats for outcome in self._outcomes.values() if outcome.stats]

    def _not_run(self, ending: str) -> list[NotRun]:
        """List the cases that were "skipped" or "failed", with the reasons."""
        reasons = {nodeid: getattr(outcome, ending) for nodeid, outcome in self._outcomes.items()}
        return [NotRun(short(nodeid), reason) for nodeid, reason in reasons.items() if reason is not None]

    def _run(self) -> Run:
        """Return this run's block of the record, as of now."""
        survey = self._setting.survey(record.machine_info(self._config)["cpu"].get("brand_raw"), self._roofs)
        return Run(
            schema_version=SCHEMA_VERSION,
            suite_version=__version__,
            scale=self._configuration.scale.name,
            seeds=self._configuration.seeds,
            **msgspec.structs.asdict(survey),
            skipped=self._not_run("skipped"),
            failed=self._not_run("failed"),
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Report once, in the controller of pytest-xdist, that its workers refused to time cases."""
        if getattr(node, "workeroutput", {}).get(REFUSED) and not self._conclusion.lines:
            reason = "pytest-xdist runs cases side by side, so none was timed"
            self._conclusion.refuse(f"{reason}; add -n 0, or --benchmark-disable")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End with the status of the conclusion, unless a case failed or pytest has an error of its own."""
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = self._conclusion.status or session.exitstatus

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the closing table and lines."""
        if self._conclusion.lines:
            terminalreporter.section("autoenc-bench")
        for part in self._conclusion.lines:
            terminalreporter.write_line(printable(part))

    def pytest_unconfigure(self) -> None:
        """Print the closing lines if there is no terminal; do not wait for the others of an aborted distributed run."""
        if self.progress.reporter is None and not self._is_worker:
            for part in self._conclusion.lines:
                print(printable(part), file=sys.stderr)  # noqa: T201
        if self._session and self._configuration.distribution:
            self._configuration.distribution.abandon(self._session.exitstatus)

    # For turns.py, whose session runs cases on request:

    @property
    def cores(self) -> list[int] | None:
        """Return the cores that this process is pinned to."""
        return self._setting.cores

    def outcome(self, nodeid: str) -> dict[str, Any]:
        """Return how a case ended, as plain JSON."""
        outcome = self._outcomes.get(nodeid, Outcome())
        if outcome.case:
            return {"outcome": "passed", "reason": "", "times": outcome.stats.stats.data if outcome.stats else []}
        ending = "failed" if outcome.skipped is None else "skipped"
        return {"outcome": ending, "reason": outcome.skipped or outcome.failed or "it did not finish", "times": []}

    def leave_out_what_did_not_begin(self) -> None:
        """Limit this run's cases to those that have begun."""
        self._cases = [case for case in self._cases if case in self._outcomes]


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Raise an error that the user can fix as pytest's UsageError, which pytest prints as one sentence."""
    try:
        yield
    except AutoencBenchError as problem:
        raise pytest.UsageError(line(str(problem))) from problem


def is_case(item: pytest.Item) -> bool:
    """Return whether a test is a case of the suite, which means that it uses the fixture ``measure``."""
    return "measure" in getattr(item, "fixturenames", ())


def axes(item: Any) -> dict[str, Any]:
    """Return the values that a test is parametrized with, by parameter; none for a test that is not."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def phase(item: Any) -> str:
    """Return what a case measures: the name of its function, without ``test_``."""
    return str(getattr(item, "originalname", None) or item.name).removeprefix("test_")
