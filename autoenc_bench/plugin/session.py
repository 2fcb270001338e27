"""One run of the suite: its surroundings, what its cases noted, the record and the closing table."""

import os
import sys
from collections.abc import Generator
from functools import cached_property
from typing import Any

import msgspec
import pytest

from autoenc_bench import __version__
from autoenc_bench.catalogue import experiments
from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError
from autoenc_bench.formatting import count, line
from autoenc_bench.formatting import seconds as with_unit
from autoenc_bench.machine.context import MeasuringContext
from autoenc_bench.plugin import neighbours
from autoenc_bench.plugin.conclusion import Conclusion, Pictures
from autoenc_bench.plugin.options import CONFIGURATION, Configuration, configure
from autoenc_bench.plugin.progress import Progress, printable, result, short
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import SCHEMA_VERSION, NotRun, Roofs, Run
from autoenc_bench.records.validation import convert_case
from autoenc_bench.report import devices, facts, summary


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and take over what pytest-benchmark would save and print."""
    try:
        config.stash[CONFIGURATION] = configuration = configure(config)
    except AutoencBenchError as problem:
        raise pytest.UsageError(line(str(problem))) from problem
    neighbours.let_warnings_pass(config)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it greets, and complains when there is no GPU
    option = config.option
    if configuration.storage:  # pytest-benchmark writes in place, and two runs can take one number
        option.benchmark_save, option.benchmark_autosave = None, False
    # One table at the end, unless somebody asks for pytest-benchmark's own as well.
    if not any(getattr(option, f"benchmark_{name}") for name in ("columns", "compare", "histogram", "cprofile")):
        option.benchmark_quiet = True
    config.stash[SESSION] = Session(config, configuration)
    config.pluginmanager.register(config.stash[SESSION], "autoenc-bench")
    config.pluginmanager.register(config.stash[SESSION].progress, "autoenc-bench-progress")


@pytest.hookimpl(optionalhook=True)  # where pytest-benchmark is not loaded, a sentence says so
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Keep out of records the host's name, and clock readings that pytest-benchmark would compare and warn of."""
    machine_info["node"] = None
    for reading in ("hz_actual", "hz_actual_friendly"):
        machine_info["cpu"].pop(reading, None)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_commit_info(commit_info: dict[str, Any]) -> None:
    """Keep the times of the commit alone: git says before them who signed it, where its user asks for that."""
    for name in ("time", "author_time"):
        if printed := commit_info.get(name):
            commit_info[name] = str(printed).splitlines()[-1].strip('"')


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add this run's block to every JSON that pytest-benchmark makes."""
    if block := config.stash[SESSION].block:
        output_json["autoenc"] = block


class Session:
    """A plugin of pytest that follows the cases of one run, and concludes it."""

    def __init__(self, config: pytest.Config, configuration: Configuration) -> None:
        self.progress = Progress(config)
        self.pictures: Pictures = {}  # for the record's side file
        self.counts: dict[str, object] = {}  # what cases do, by their full names
        self.block: dict[str, Any] | None = None  # this run's part of the record
        self._config, self._configuration = config, configuration
        self._session: pytest.Session | None = None
        # Before Keras is loaded, which adds to the environment.
        self._setting = MeasuringContext(configuration.threads, configuration.distribution)
        self._roofs: Roofs | None = None
        self._cases: list[str] = []  # node ids
        self._begun: set[str] = set()  # of these
        self._is_worker = hasattr(config, "workerinput")  # of pytest-xdist
        # By node id, for a plugin may run a case again, and the last time counts:
        self._measured: dict[str, tuple[Case, float | None]] = {}  # what passed, with its median seconds
        self._waited: dict[str, str] = {}  # whose rounds waited, and how long
        self._timed: dict[str, Any] = {}  # pytest-benchmark's statistics of what was timed
        self._skipped: dict[str, str] = {}  # node id -> reason
        self._failed: dict[str, str] = {}
        self._conclusion = Conclusion(config, configuration)
        self._summary: list[str] = []

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Join the devices and processes of a distributed run: what they are decides which cases there are."""
        self._session = session
        if distribution := self._configuration.distribution:
            try:
                self._setting.enter()
                distribution.start(self._fingerprint())
            except AutoencBenchError as problem:
                raise pytest.UsageError(line(str(problem))) from problem

    def _fingerprint(self) -> str:
        """Sum up what must be the same in all processes: the same cases in the same order, else they wait for ever."""
        option, run = self._config.option, self._configuration
        chosen = (run.scale.name, run.seeds, run.experiments, option.keyword, option.markexpr, option.deselect)
        return f"{__version__} {chosen} {option.devices} {option.benchmark_disable}"

    @pytest.hookimpl(tryfirst=True)  # before a worker of pytest-xdist tells which tests it has
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Limit the threads before a benchmark runs anything; a run without benchmarks keeps them all."""
        self._cases = [item.nodeid for item in session.items if is_case(item)]
        option = self._config.option
        if not self._cases or option.collectonly:
            return
        if self._is_worker:
            if not option.benchmark_disable:  # several at once would time each other
                session.items.clear()
                self._cases.clear()
                self._config.workeroutput[REFUSED] = True  # type: ignore[attr-defined] # of pytest-xdist
            return
        neighbours.refuse(self._config)
        if not option.benchmark_disable:
            neighbours.refuse_profiler()
        self._conclusion.try_out()
        self._enter()
        left_out = self._choose_baseline()
        self.progress.start(self._cases, alone=len(self._cases) == len(session.items))
        self.progress.write_line(f"{self._where()}; {len(self._cases)} cases{self._duration()}")
        if left_out:
            self.progress.write_line(left_out)
        is_alone = not (option.benchmark_disable or option.turns is not None)
        if is_alone and (preflight := _known(self._setting, "preflight", None)):
            for warning in preflight.warnings():
                self.progress.write_line(f"warning: {warning}")
        if self._configuration.measures_roofs:
            if self.progress.reporter:
                self.progress.write("roofs of this machine: ")
            self.progress.write_line(", ".join(" ".join(roof) for roof in facts.roofs(self._measure_roofs())))

    def _enter(self) -> None:
        """Limit the threads and load Keras; raise UsageError where the cases cannot be run."""
        from autoenc_bench.core import data

        try:
            for name in self._configuration.experiments:
                _known(data, "check", lambda _: None)(experiments.find(name).data)
            if not self._configuration.distribution:
                self._setting.enter()
        except AutoencBenchError as problem:
            raise pytest.UsageError(line(str(problem))) from problem
        if self._config.option.turns is not None and self._setting.tracer:
            mend = "run the comparison without it, and remove its options from PYTEST_ADDOPTS too"
            raise pytest.UsageError(f"{self._setting.tracer} makes the measured code slower; {mend}")

    def _choose_baseline(self) -> str:
        """Choose the baseline's records of this run's context; return in a line what is left out, if anything is.

        Raises UsageError, before anything is measured, where there are none.
        """
        baseline = self._configuration.baseline
        if baseline is None or self._config.option.benchmark_disable:
            return ""
        run = self._run()
        del self._setting.context  # which is kept once it is read; fixtures may choose another precision of Keras's
        try:
            return baseline.choose(run)
        except AutoencBenchError as problem:
            raise pytest.UsageError(line(str(problem))) from problem

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Refuse what a worker of pytest-xdist would not run."""
        if getattr(node, "workeroutput", {}).get(REFUSED) and not self._conclusion.lines:
            self._conclusion.refuse(
                "pytest-xdist runs cases side by side, so none was timed; add -n 0, or --benchmark-disable"
            )
            self._summary += self._conclusion.lines

    def _where(self) -> str:
        return f"scale {self._configuration.scale.name}, {count(self._configuration.seeds, 'seed')}, {self._setting}"

    def _duration(self) -> str:
        """Return about how long the whole suite takes, where that can be told."""
        run = self._configuration
        seconds = 0 if run.distribution else run.scale.estimate(map(experiments.find, run.experiments), run.seeds)
        duration = f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
        return f", about {duration} for the whole suite" if seconds else ""

    def _measure_roofs(self) -> Roofs:
        """Measure what the machine does at most, as the run begins and as it ends; the higher counts."""
        from autoenc_bench.machine import roofs  # here, for it loads Keras

        measured = roofs.measure(self._configuration.scale.roof_seconds / 2)
        self._roofs = roofs.higher(self._roofs, measured) if self._roofs else measured
        return self._roofs

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
        """Keep what a case measured, or why it did not."""
        report = yield
        if not is_case(item):
            return report
        if report.when == "setup":
            self._forget(item.nodeid)
        fixture = item.funcargs.get("benchmark")  # type: ignore[attr-defined] # cases are functions
        if report.when == "call" and report.passed:
            try:
                case, seconds = convert_case(fixture.extra_info), fixture.stats and fixture.stats["median"]
                if seconds == 0:
                    raise InvalidInputError("its median is 0 s; the clock is too coarse for it")
            except InvalidInputError as problem:
                report.outcome, report.longrepr = "failed", f"what this case noted is no record: {problem}"
            else:
                waited = seconds and case.unusual_off_cpu(fixture.stats.stats.data, self._setting.context)
                if waited:
                    self._waited[item.nodeid] = f"{short(item.nodeid)} {with_unit(waited)} of {with_unit(seconds)}"
                self.progress.results[item.nodeid] = result(case, seconds, self._roofs, waited)
                self._measured[item.nodeid] = case, seconds
                if fixture.stats:
                    self._timed[item.nodeid] = fixture.stats
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped[item.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.failed:
            reason = call.excinfo.exconly(tryshort=True) if call.excinfo else report.longrepr
            self._failed[item.nodeid] = reason.splitlines()[0]
            distribution = self._configuration.distribution
            if distribution and distribution.several:
                item.session.shouldfail = "a case of a distributed run failed"
        return report

    def _forget(self, nodeid: str) -> None:
        """Begin a case, which may have run before: pytest-rerunfailures runs again what failed."""
        self._begun.add(nodeid)
        for known in (self._measured, self._waited, self._timed, self._skipped, self._failed):
            known.pop(nodeid, None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Conclude within pytest's loop, where it shows an error of ours as internal, and ends with no other status."""
        completed = False
        try:
            outcome = yield
            completed = True
            return outcome
        finally:
            run = self._configuration
            if not self._config.option.collectonly and (self._cases or run.distribution):
                self._conclude(completed)
            elif run.baseline and not (self._config.option.collectonly or self._is_worker or self._conclusion.lines):
                self._conclusion.refuse("no case ran, so nothing was compared with the baseline")
                self._summary += self._conclusion.lines

    @property
    def cores(self) -> list[int] | None:
        """Return the cores that this process is pinned to."""
        return self._setting.cores

    def outcome(self, nodeid: str) -> dict[str, Any]:
        """Return in plain words and numbers how a case ended."""
        if nodeid in self._measured:
            timed = self._timed.get(nodeid)
            return {"outcome": "passed", "reason": "", "times": timed.stats.data if timed else []}
        if nodeid in self._skipped:
            return {"outcome": "skipped", "reason": self._skipped[nodeid], "times": []}
        return {"outcome": "failed", "reason": self._failed.get(nodeid, "it did not end"), "times": []}

    def leave_out_what_did_not_begin(self) -> None:
        """Take for this run's cases those that have begun."""
        self._cases = [case for case in self._cases if case in self._begun]

    def _conclude(self, completed: bool) -> None:
        """Save the record, whatever the cases' outcome; what failed is named in it."""
        self._skipped |= {case: "the run ended before it" for case in self._cases if case not in self._begun}
        if self._configuration.distribution is None or self._leave(self._configuration.distribution, completed):
            self._save()
        if not self._cases:
            return
        measured = [(case, seconds) for case, seconds in self._measured.values() if case.experiment]
        if measured:
            distribution = self._configuration.distribution
            table, legend, answer = devices.headline(measured, distribution.context if distribution else {})
            self._summary.append("\n\n".join((self._where(), table.text(), legend, *answer)))
        self._summary += map(line, _known(self._setting, "problems", tuple)() if self._timed else ())
        if self._waited:
            self._summary.append(f"waited, neither running nor pre-empted: {', '.join(self._waited.values())}")
        self._summary += summary.not_run(_not_run(self._skipped), "skipped")
        self._summary += summary.not_run(_not_run(self._failed), "failed")
        self._summary += self._conclusion.lines or ["nothing was timed, so no record was saved"]

    def _leave(self, distribution: Any, completed: bool) -> bool:
        """Leave the other processes of a distributed run; return whether this one is to write the record."""
        if distribution.several and (self._failed or not completed):
            self._conclusion.lines.append("the distributed run did not come to its end, so no record was saved")
            return False
        distribution.leave()
        if not distribution.writes:
            self._conclusion.lines.append("process 0 writes the record")
        return bool(distribution.writes)

    def _save(self) -> None:
        if self._timed and self._configuration.measures_roofs:
            self._measure_roofs()
        self._conclusion.save(self._content() if self._timed else None, self.pictures, self._cases)

    def _content(self) -> dict[str, Any]:
        """Return the record, which pytest-benchmark makes by its hooks, with this run's block in it."""
        hook, config, timed = self._config.hook, self._config, list(self._timed.values())
        self.block = msgspec.to_builtins(self._run())
        commit_info = hook.pytest_benchmark_generate_commit_info(config=config)
        hook.pytest_benchmark_update_commit_info(config=config, commit_info=commit_info)
        known = {"config": config, "benchmarks": timed, "machine_info": self._machine_info, "commit_info": commit_info}
        content: dict[str, Any] = hook.pytest_benchmark_generate_json(**known, include_data=True)
        hook.pytest_benchmark_update_json(config=config, benchmarks=timed, output_json=content)
        return content

    def _run(self) -> Run:
        """Return this run's block of the record, as far as it has come."""
        survey = self._setting.survey(self._machine_info["cpu"].get("brand_raw"), self._roofs)
        return Run(
            schema_version=SCHEMA_VERSION,
            suite_version=__version__,
            scale=self._configuration.scale.name,
            seeds=self._configuration.seeds,
            **msgspec.structs.asdict(survey),
            skipped=_not_run(self._skipped),
            failed=_not_run(self._failed),
        )

    @cached_property
    def _machine_info(self) -> dict[str, Any]:
        """Return what pytest-benchmark notes about the machine, which takes it a second to find out."""
        found: dict[str, Any] = self._config.hook.pytest_benchmark_generate_machine_info(config=self._config)
        self._config.hook.pytest_benchmark_update_machine_info(config=self._config, machine_info=found)
        return found

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End with the status that the conclusion asks for, unless the cases' own is worse than well."""
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = self._conclusion.status or session.exitstatus

    def pytest_unconfigure(self) -> None:
        """Tell what no terminal told; wait for no other process of a distributed run that did not come to its end."""
        if self.progress.reporter is None and not self._is_worker:
            for part in self._summary:
                print(printable(part), file=sys.stderr)  # noqa: T201
        if self._session and self._configuration.distribution:
            self._configuration.distribution.abandon(self._session.exitstatus)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """End with one table."""
        if self._summary:
            terminalreporter.section("autoenc-bench")
        for part in self._summary:
            terminalreporter.write_line(printable(part))


REFUSED = "autoenc_bench_refused"  # what a worker of pytest-xdist says
SESSION = pytest.StashKey[Session]()


def is_case(item: pytest.Item) -> bool:
    """Return whether a test is a case of the suite: one that asks for the fixture ``measure``."""
    return "measure" in getattr(item, "fixturenames", ())


def axes(item: Any) -> dict[str, Any]:
    """Return the values that a test is parametrized with, by their names; none for a test that is not."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def phase(item: Any) -> str:
    """Return what a case measures, by the name of its function."""
    return str(getattr(item, "originalname", None) or item.name).removeprefix("test_")


def _known(owner: Any, name: str, otherwise: Any) -> Any:
    """Return an attribute that older code, which this plugin measures as well, does not have."""
    return getattr(owner, name, otherwise)


def _not_run(reasons: dict[str, str]) -> list[NotRun]:
    return [NotRun(short(nodeid), reason) for nodeid, reason in reasons.items()]
