"""How a run ends: its record saved and held against the baseline, its report drawn, and the status that says so."""

import os
import tempfile
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, unwritable
from autoenc_bench.formatting import line
from autoenc_bench.plugin.options import Configuration
from autoenc_bench.plugin.progress import short
from autoenc_bench.records import storage
from autoenc_bench.records.places import REPORTS
from autoenc_bench.report import github

if TYPE_CHECKING:
    from autoenc_bench.verdicts.baseline import Baseline

Pictures = dict[str, NDArray[np.uint8]]
ROOM = 5_000_000  # bytes that a record and its pictures have at most


class Conclusion:
    """What a run comes to: the ``lines`` that close it, and its ``status`` where the cases' own is well."""

    def __init__(self, config: pytest.Config, configuration: Configuration) -> None:
        self.lines: list[str] = []
        self.status = pytest.ExitCode.OK
        self._option, self._arguments, self._configuration = config.option, config.args, configuration

    def try_out(self) -> None:
        """Make sure, before anything is measured, that the record can be saved; raise UsageError where it cannot."""
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

    def save(self, content: dict[str, Any] | None, pictures: Pictures, cases: Sequence[str]) -> None:
        """Save what was measured, ``None`` for nothing, hold it against the baseline, and draw it.

        ``cases`` are the node ids that the run was to measure.
        """
        run = self._configuration
        if content is None or run.storage is None:
            if run.baseline:
                self.refuse("nothing was saved, so nothing was compared with the baseline")
            return
        lost, folder = "", run.storage / storage.platform_folder()
        try:
            try:
                path = storage.save(content, folder, run.record_name, pictures)
            except OSError as problem:  # the disk is full by now, or gone
                lost = f"the record could not be saved: {problem}; what was measured is in\n"
                self.status = pytest.ExitCode.USAGE_ERROR
                elsewhere = Path(tempfile.mkdtemp(prefix="autoenc-bench-"))
                path = storage.save(content, elsewhere, run.record_name, pictures)
        except (InvalidInputError, OSError) as problem:
            self.refuse(f"the record could not be saved: {problem}")
            return
        self.lines += [] if lost else [f"record: {path}"]
        try:
            if run.baseline:
                self._judge(run.baseline, path, cases)
            if run.draws_report:
                self._draw(path)
        except Exception as problem:
            problem.add_note(f"the record is safe: {path}")
            raise
        self.lines += [f"{lost}{path}"] if lost else []

    def _judge(self, baseline: "Baseline", path: Path, cases: Sequence[str]) -> None:
        """Fail the run when its record regressed against the baseline, or could not be compared with it."""
        # Here, for only a run with a baseline compares.
        from autoenc_bench.exit_codes import IN_PYTEST
        from autoenc_bench.verdicts import tables

        self.lines += baseline.left_out
        try:
            selects, allows = partial(self._selects, cases), self._option.allow_missing
            comparison, ended = baseline.judge(path, selects, allow_missing=allows)
        except AutoencBenchError as problem:
            self.refuse(f"not compared with the baseline: {problem}")
            return
        self.lines.append(f"against the baseline:\n\n{tables.text(comparison)}\n")
        try:
            github.append_step_summary(tables.markdown(comparison, ended.reason))
        except InvalidInputError as problem:  # the verdict stands, whoever shows it
            self.lines.append(line(str(problem)))
        self.lines.append(line(ended.reason))
        self.status = pytest.ExitCode(IN_PYTEST[ended.code]) or self.status

    def _selects(self, cases: Sequence[str], case: str, experiment: str | None) -> bool:
        """Return whether this run was expected to measure a case, or one seed of it, of its baseline."""
        option, run = self._option, self._configuration
        named = any("::" in name or Path(name).is_file() for name in self._arguments)
        narrowed = named or option.keyword or option.markexpr or option.deselect
        if narrowed or (run.is_selection and experiment is None):
            from autoenc_bench.records.names import without_seed

            own = {short(nodeid) for nodeid in cases}
            return case in own | {without_seed(name) for name in own}
        return not run.is_selection or experiment in run.experiments

    def refuse(self, reason: str) -> None:
        """End a run with a baseline that could not be compared: never as if it had been."""
        self.lines.append(line(reason))
        self.status = pytest.ExitCode.USAGE_ERROR

    def _draw(self, path: Path) -> None:
        from autoenc_bench.report import page  # here, for only a run that draws needs Matplotlib

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")  # what a newer library deprecates is no reason to draw nothing
                self.lines.append(f"report: {page.write([path], REPORTS).page}")
        except AutoencBenchError as problem:
            again = f"the record is safe; try 'autoenc-bench report {path}'"
            self.lines.append(line(f"the report could not be drawn: {problem}; {again}"))
