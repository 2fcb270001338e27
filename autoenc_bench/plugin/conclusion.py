"""How a run ends: its record is saved and compared with the baseline, its report drawn, and its status decided."""

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, unwritable
from autoenc_bench.formatting import line
from autoenc_bench.plugin.options import Configuration
from autoenc_bench.plugin.progress import short
from autoenc_bench.records import storage
from autoenc_bench.records.places import REPORTS
from autoenc_bench.report import github

if TYPE_CHECKING:
    from autoenc_bench.verdicts.baseline import Baseline

ROOM = 5_000_000  # bytes that a record and its pictures take at most


class Conclusion:
    """The ``lines`` that close a run, and its ``status`` unless its cases have a worse one.

    ``announce`` writes a line at once.
    """

    def __init__(self, config: pytest.Config, configuration: Configuration, announce: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self.status = pytest.ExitCode.OK
        self._option, self._arguments, self._configuration = config.option, config.args, configuration
        self._announce = announce

    def check_storage(self) -> None:
        """Check, before anything is measured, that the record can be saved; raise UsageError if not."""
        run = self._configuration
        if run.storage is None or self._option.benchmark_disable:
            return
        folder = run.storage / storage.platform_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ROOM))
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            problem.filename = str(folder)  # not that of the temporary file
            raise pytest.UsageError(f"{unwritable(problem, folder)} with --benchmark-storage=file://DIR") from problem

    def save(self, content: dict[str, Any] | None, pictures: storage.Pictures, cases: Sequence[str]) -> None:
        """Save a record, compare it with the baseline and draw it.

        ``content`` is ``None`` if nothing was timed; ``cases`` are the node ids of the cases that were to run.
        """
        run = self._configuration
        if content is None or run.storage is None:
            if run.baseline:
                self.refuse("nothing was saved, so nothing was compared with the baseline")
            elif content is None:
                self.lines.append("nothing was timed, so no record was saved")
            return
        closing = ""
        # A live comparison may run this plugin on an older package, whose function does not compress.
        save = partial(storage.save, compress=True) if self._option.gzip else storage.save
        try:
            try:
                path = save(content, run.storage / storage.platform_folder(), run.record_name, pictures)
                self.lines.append(f"record: {path}")
            except OSError as problem:  # the disk has become full, or is gone
                self.status = pytest.ExitCode.USAGE_ERROR
                path = save(content, Path(tempfile.mkdtemp(prefix="autoenc-bench-")), run.record_name, pictures)
                closing = f"the record could not be saved: {problem}; what was measured is in\n{path}"
        except (InvalidInputError, OSError) as problem:
            self.refuse(f"the record could not be saved: {problem}")
            return
        try:
            if run.baseline:
                self._judge(run.baseline, path, cases)
            if not self._option.no_report:
                self._draw(path)
        except Exception as problem:
            problem.add_note(f"the record is safe: {path}")
            raise
        self.lines += [closing] if closing else []

    def _judge(self, baseline: "Baseline", path: Path, cases: Sequence[str]) -> None:
        """Compare the record with the baseline; fail the run if it regressed, or could not be compared."""
        # Imported here because other runs compare nothing.
        from autoenc_bench.exit_codes import IN_PYTEST
        from autoenc_bench.verdicts import tables

        self.lines += baseline.left_out
        try:
            allow_missing = self._option.allow_missing
            comparison, ended = baseline.judge(path, partial(self._selects, cases), allow_missing=allow_missing)
        except AutoencBenchError as problem:
            self.refuse(f"not compared with the baseline: {problem}")
            return
        self.lines.append(f"compared with the baseline:\n\n{tables.text(comparison)}\n")
        try:
            github.append_step_summary(tables.markdown(comparison, ended.reason))
        except InvalidInputError as problem:  # the verdict holds without the page
            self.lines.append(line(str(problem)))
        self.lines.append(line(ended.reason))
        self.status = pytest.ExitCode(IN_PYTEST[ended.code]) or self.status

    def _selects(self, cases: Sequence[str], case: str, experiment: str | None) -> bool:
        """Return whether this run was expected to measure a case of the baseline, or one seed of it."""
        option = self._option
        is_named = any("::" in name or Path(name).is_file() for name in self._arguments)
        is_narrowed = is_named or option.keyword or option.markexpr or option.deselect
        if is_narrowed or (option.experiment and experiment is None):
            from autoenc_bench.records.names import without_seed

            own = {short(nodeid) for nodeid in cases}
            return case in own | {without_seed(name) for name in own}
        return not option.experiment or experiment in self._configuration.experiments

    def refuse(self, reason: str) -> None:
        """Fail a run that could not do what was requested of it, such as a comparison with a baseline."""
        self.lines.append(line(reason))
        self.status = pytest.ExitCode.USAGE_ERROR

    def _draw(self, path: Path) -> None:
        from autoenc_bench.report import page  # imported here because it needs Matplotlib

        self._announce("drawing the report, which takes about 10 seconds")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")  # a library's deprecation is no reason to draw nothing
                self.lines.append(f"report: {page.write([path], REPORTS).page}")
        except AutoencBenchError as problem:
            advice = f"the record is safe; try 'autoenc-bench report {path}'"
            self.lines.append(line(f"the report could not be drawn: {problem}; {advice}"))
