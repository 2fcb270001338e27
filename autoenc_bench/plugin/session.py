"""The pytest side: options, the saved record and the closing table; progress.py has the lines in between."""

import os
import warnings
from pathlib import Path

import msgspec
import pytest

from autoenc_bench import __version__
from autoenc_bench.catalogue import experiments
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.core import backends
from autoenc_bench.distributed import runtime
from autoenc_bench.machine import threads
from autoenc_bench.machine.context import Setting
from autoenc_bench.plugin.progress import Progress, result, short
from autoenc_bench.records import case as cases
from autoenc_bench.records import record, storage
from autoenc_bench.report import devices, facts, summary


def pytest_addoption(parser):
    """Declare this suite's options; pytest-benchmark's keep their meaning beside them."""
    group = parser.getgroup("autoenc-bench")
    group.addoption(
        "--scale",
        choices=tuple(SCALES),
        default="standard",
        help="smoke: everything once on small data, in seconds; standard (default): whole experiments by the "
        "fused trainer, slices for the timed rounds; notebook: everything at full size, fit included",
    )
    group.addoption(
        "--seeds", metavar="N", help="whole experiments run once per seed 0 ... N-1 (default: 1; notebook: 3)"
    )
    group.addoption(
        "--threads",
        metavar="N|all",
        help="cores to use and pin to (default: 1), or all, not pinned (default where processes train together)",
    )
    group.addoption(
        "--backend",
        metavar="NAME",
        help=f"what Keras computes with: {', '.join(record.BACKENDS)} (default: KERAS_BACKEND, else tensorflow)",
    )
    group.addoption(
        "--experiment", metavar="NAME", action="append", default=[], help="only this experiment (repeatable)"
    )
    group.addoption(
        "--rows", metavar="N", help="of streamed experiments, which need no memory for them (default: 10,000,000)"
    )
    group.addoption(
        "--baseline",
        metavar="NAME",
        help="hold this run against saved records, and fail when something regressed: a name given to "
        "--benchmark-save, a folder or a file",
    )
    group.addoption(
        "--fail-on",
        metavar="EXPR",
        action="append",
        default=[],
        help="another limit for --baseline, such as time:5%% or mnist:error:0.5%% (repeatable)",
    )
    group.addoption(
        "--devices",
        metavar="N",
        help="train on so many devices of this process (test_scaling.py alone, needs jax); a CPU's are virtual",
    )
    group.addoption(
        "--coordinator",
        metavar="HOST:PORT",
        help="train in several processes: where process 0 runs, or auto where JAX knows the cluster",
    )
    group.addoption("--num-processes", metavar="N", help="how many processes --coordinator waits for")
    group.addoption("--process-id", metavar="I", help="this one of them: 0 ... N-1; 0 writes the record")
    group.addoption("--no-roofs", action="store_true", help="do not measure what the machine can do at most")
    group.addoption("--no-report", action="store_true", help="write no report to reports/ at the end")


def pytest_configure(config):
    """Check the options, and take over what pytest-benchmark would save and print."""
    option = config.option
    try:
        option.seeds = _seeds(option.seeds, SCALES[option.scale])
        option.chosen = bool(option.experiment)
        backends.choose(option.backend)
        distribution = runtime.parse(option.devices, option.coordinator, option.num_processes, option.process_id)
        if distribution is None and (
            option.markexpr == "distributed" or any("test_scaling" in arg for arg in config.args)
        ):
            raise ValueError("test_scaling.py needs several devices: --backend jax, and --devices N or --coordinator")
        wanted_threads = threads.parse(option.threads or ("1" if option.coordinator is None else "all"))
        usual = runtime.EXPERIMENTS if distribution else experiments.EXPERIMENTS
        wanted = dict.fromkeys(option.experiment or usual)
        option.experiment = _resized(option, [experiments.find(name) for name in wanted])
        baseline = _baseline(option)
    except (LookupError, ValueError) as problem:
        raise pytest.UsageError(str(problem)) from problem
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it greets, and complains when there is no GPU
    setting = Setting(wanted_threads, distribution)  # before Keras is loaded, which adds to the environment
    config.pluginmanager.register(Session(config, setting, distribution, baseline), "autoenc-bench")


def _baseline(option):
    if option.baseline is None:
        if option.fail_on:
            raise ValueError(f"limit {option.fail_on[0]!r} without a baseline; name one with --baseline")
        return None
    from autoenc_bench.gate import baseline  # here, for only a run with a baseline compares

    stores = (Path(option.benchmark_storage.removeprefix("file://")), storage.BASELINES)
    return baseline.Baseline(option.baseline, option.fail_on, stores)


def _seeds(text, scale):
    if text is None:
        return scale.seeds
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ValueError(f"seeds {text!r}; give a whole number of at least 1")


def _resized(option, chosen):
    """Name the experiments to run, the streamed ones with as many rows as were asked for."""
    if option.rows is None:
        return [experiment.name for experiment in chosen]
    digits = option.rows.replace("_", "").replace(",", "")
    if not digits.isdecimal():
        raise ValueError(f"rows {option.rows!r}; give a whole number of at least 1")
    if not any(experiment.is_streamed for experiment in chosen):
        streamed = ", ".join(row.name for row in experiments.EXPERIMENTS.values() if row.is_streamed)
        raise ValueError(f"rows {option.rows} for no streamed experiment; choose from {streamed}")
    if not SCALES[option.scale].full_size:
        raise ValueError(f"rows {option.rows} with --scale {option.scale}, which has sizes of its own; leave out one")
    rows = int(digits)
    return [(experiments.resize(row, rows) if row.is_streamed else row).name for row in chosen]


def pytest_benchmark_update_machine_info(machine_info):
    """Keep out of records the host's name, and clock readings that pytest-benchmark would compare and warn of."""
    machine_info["node"] = None
    for reading in ("hz_actual", "hz_actual_friendly"):
        machine_info["cpu"].pop(reading, None)


def pytest_benchmark_update_json(config, output_json):
    """Add this run's block to every JSON that pytest-benchmark makes."""
    session = config.pluginmanager.get_plugin("autoenc-bench")
    output_json["autoenc"] = session.block(output_json["machine_info"]["cpu"].get("brand_raw"))


class Session:
    """Follow the benchmarks of one run: enter its setting, keep what cases say, save and sum up."""

    def __init__(self, config, setting, distribution, baseline):
        self.config = config
        self.distribution = distribution
        self.baseline = baseline
        self.option = option = config.option
        self.setting = setting
        self.progress = Progress(config)
        config.pluginmanager.register(self.progress, "autoenc-bench-progress")
        self.roofs = None
        self.fixtures = {}  # node id -> pytest-benchmark's fixture, of each case that ran
        self.pictures = {}  # for the record's side file
        self.skipped = {}  # node id -> reason
        self.failed = {}
        self.cases = []  # node ids
        self.closing = []
        # Elasticsearch stays pytest-benchmark's business. Its file saver writes in place, and two runs can
        # take one number, so storage.save takes that over.
        self.storage = None
        if not option.benchmark_storage.startswith("elasticsearch"):
            self.storage = Path(option.benchmark_storage.removeprefix("file://"))
            self.name = option.benchmark_save or option.scale
            option.benchmark_save, option.benchmark_autosave = None, False
        # One table at the end, unless somebody asks for pytest-benchmark's own as well.
        if not (option.benchmark_columns or option.benchmark_compare or option.benchmark_histogram):
            option.benchmark_quiet = True

    @property
    def where(self):
        """Say in one line what runs where."""
        scale, seeds = self.option.scale, self.option.seeds
        return f"scale {scale}, {seeds} seed{'s'[: seeds > 1]}, {self.setting}"

    @property
    def about(self):
        """Say how long the whole suite takes, where that can be told."""
        if self.distribution:
            return ""
        scale = SCALES[self.option.scale].on(backends.name())
        seconds = scale.estimate(map(experiments.find, self.option.experiment), self.option.seeds)
        return f", about {f'{seconds / 60:.0f} min' if seconds > 90 else f'{seconds:.0f} s'} for the whole suite"

    def pytest_sessionstart(self):
        """Join the devices and processes of a distributed run: what they are decides which cases there are."""
        if self.distribution:
            self.setting.enter()
            try:
                self.distribution.start(self.lost, self.kind())
            except (OSError, RuntimeError, ValueError) as problem:
                raise pytest.UsageError(str(problem)) from problem

    def kind(self):
        """Sum up what must be the same in all processes: the same cases in the same order, else they wait for ever."""
        option = self.option
        chosen = (option.scale, option.seeds, option.experiment, option.keyword, option.markexpr, option.deselect)
        return f"{__version__} {chosen} {option.devices} {option.benchmark_disable}"

    def lost(self, sentence):
        """End at once, for the main thread may wait for the process that is gone; called from another thread."""
        try:
            self.progress.say(f"\nautoenc-bench: {sentence}\n")
        finally:  # also where nobody reads any more
            os._exit(pytest.ExitCode.INTERRUPTED)

    def pytest_collection_finish(self, session):
        """Limit the threads before a benchmark runs anything; a run without benchmarks keeps them all."""
        self.cases = [item.nodeid for item in session.items if "measure" in item.fixturenames]
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if not self.cases or self.option.collectonly or reporter is None:  # None in a worker of pytest-xdist
            return
        if not self.distribution:
            self.setting.enter()
        self.progress.start(self.cases, alone=len(self.cases) == len(session.items))
        reporter.write_line(f"{self.where}; {len(self.cases)} cases{self.about}")
        if not (self.option.benchmark_disable or self.option.no_roofs):
            self.progress.say("roofs of this machine: ")
            self.measure_roofs()
            reporter.write_line(", ".join(" ".join(told) for told in facts.roofs(self.roofs)))

    def measure_roofs(self):
        """Measure what the machine does at most, as the run begins and as it ends; the higher counts."""
        from autoenc_bench.machine import roofs  # here, for it loads Keras

        found = roofs.measure(SCALES[self.option.scale].roof_seconds / 2)
        self.roofs = roofs.higher(self.roofs, found) if self.roofs else found

    # While cases run

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Keep what a case measured, or why it did not."""
        report = yield
        if "measure" not in item.fixturenames:
            return report
        fixture = item.funcargs.get("benchmark")
        if report.when == "call" and report.passed:
            try:
                case = cases.case(fixture.extra_info)
                seconds = fixture.stats and fixture.stats["median"]
                self.progress.results[item.nodeid] = result(case, seconds, self.roofs)
            except ValueError as problem:
                report.outcome, report.longrepr = "failed", f"what this case noted is no record: {problem}"
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped[item.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.failed:
            reason = call.excinfo.exconly(tryshort=True) if call.excinfo else report.longrepr
            self.failed[item.nodeid] = reason.splitlines()[0]
            if self.distribution and self.distribution.several:
                self.distribution.abandon()
                item.session.shouldfail = "a case of a distributed run failed"
        elif report.when == "call":
            self.fixtures[item.nodeid] = fixture
        return report

    # After the last case

    def block(self, cpu):
        """Return this run's part of the record."""
        return msgspec.to_builtins(
            record.Run(
                schema_version=record.SCHEMA_VERSION,
                suite_version=__version__,
                scale=self.option.scale,
                seeds=self.option.seeds,
                **msgspec.structs.asdict(self.setting.survey(cpu, self.roofs)),
                skipped=_left(self.skipped),
                failed=_left(self.failed),
            )
        )

    def pytest_sessionfinish(self, session):
        """Save the record, whatever the cases' outcome; what failed is named in it."""
        if self.distribution and not self.part(session.exitstatus):
            return
        timed = [fixture.stats for fixture in self.fixtures.values() if fixture.stats]
        if not timed or self.storage is None:
            if self.baseline and self.cases and not self.option.collectonly:
                self.refuse(session, "nothing was saved, so nothing was compared with the baseline")
            return
        if not self.option.no_roofs:
            self.measure_roofs()
        hook, config = self.config.hook, self.config
        machine_info = hook.pytest_benchmark_generate_machine_info(config=config)
        hook.pytest_benchmark_update_machine_info(config=config, machine_info=machine_info)
        commit_info = hook.pytest_benchmark_generate_commit_info(config=config)
        hook.pytest_benchmark_update_commit_info(config=config, commit_info=commit_info)
        content = hook.pytest_benchmark_generate_json(
            config=config,
            benchmarks=timed,
            include_data=True,
            machine_info=machine_info,
            commit_info=commit_info,
        )
        hook.pytest_benchmark_update_json(config=config, benchmarks=timed, output_json=content)
        try:
            path = storage.save(content, self.storage / storage.platform_folder(), self.name, self.pictures)
        except (OSError, ValueError) as problem:
            self.closing.append(f"the record could not be saved: {problem}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
            return
        self.closing.append(f"record: {path}")
        if self.baseline:
            self.judge(session, path)
        if not self.option.no_report:
            self.report(path)

    def part(self, status):
        """Part from the other processes of a distributed run; tell whether this one is to write the record."""
        ended = status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.distribution.several and (self.failed or not ended):
            self.distribution.abandon()
            self.closing.append("the distributed run did not come to its end, so no record was saved")
            return False
        self.distribution.leave()
        if not self.distribution.writes:
            self.closing.append("process 0 writes the record")
        return self.distribution.writes

    def judge(self, session, path):
        """Fail the run when its record regressed against the baseline, or could not be compared with it."""
        option = self.option
        partial = option.keyword or option.markexpr or option.deselect or any("::" in name for name in self.config.args)
        try:
            table, ended = self.baseline.judge(path, partial=bool(partial or option.chosen))
        except (LookupError, ValueError) as problem:
            self.refuse(session, f"not compared with the baseline: {problem}")
            return
        self.closing.append(f"against the baseline:\n\n{table}\n")
        if ended.code == 1:
            self.closing.append(ended.reason)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        elif ended.code:
            self.refuse(session, ended.reason)

    def refuse(self, session, reason):
        """End a run with a baseline that could not be compared: never as if it had been."""
        self.closing.append(reason)
        session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR

    def report(self, path):
        """Draw the record that was saved; it is safe, whatever becomes of the drawing."""
        try:
            from autoenc_bench.report import page  # here, for only a run that draws needs Matplotlib

            with warnings.catch_warnings():
                warnings.simplefilter("default")  # what a newer library deprecates is no reason to draw nothing
                written = page.write([path], storage.REPORTS)
        except Exception as problem:  # a flaw in drawing must not end a run that measured well
            again = f"the record is safe; try 'autoenc-bench report {path}'"
            self.closing.append(f"the report could not be drawn: {type(problem).__name__}: {problem}; {again}")
            return
        self.closing.append(f"report: {written.page}")

    def table(self, timed):
        """Sum up what was measured."""
        if not self.distribution:
            return f"{summary.table(summary.rows(timed))}\n\n{summary.LEGEND}"
        rows = devices.rows(timed)
        return "\n\n".join((devices.table(rows), devices.LEGEND, *devices.answer(rows, self.distribution.context)))

    def pytest_terminal_summary(self, terminalreporter):
        """End with one table."""
        if not self.cases or self.option.collectonly:
            return
        terminalreporter.section("autoenc-bench")
        timed = [
            (cases.case(fixture.extra_info), fixture.stats and fixture.stats["median"])
            for fixture in self.fixtures.values()
        ]
        if timed:
            terminalreporter.write_line(f"{self.where}\n\n{self.table(timed)}")
        for line in (
            *summary.leftovers(_left(self.skipped), "skipped"),
            *summary.leftovers(_left(self.failed), "failed"),
            *(self.closing or ["nothing was timed, so no record was saved"]),
        ):
            terminalreporter.write_line(line)


def _left(reasons):
    return [record.NotRun(short(nodeid), reason) for nodeid, reason in reasons.items()]
