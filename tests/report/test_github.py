"""A job of GitHub Actions shows the Markdown on its page."""

import pytest

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.report import github
from autoenc_bench.report import page as report


def test_step_summary(tiny, tmp_path, monkeypatch):
    """In a GitHub Actions job the summary is appended to the job's own."""
    job = tmp_path / "job.md"
    job.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    page = report.write([tiny], tmp_path / "out").page
    assert job.read_text() == "before\n" + page.with_name("summary.md").read_text()


def test_no_job(tmp_path, monkeypatch):
    """Elsewhere nothing is written."""
    monkeypatch.chdir(tmp_path)
    github.append_step_summary("text")
    assert list(tmp_path.iterdir()) == []


def test_a_summary_that_cannot_be_written(tmp_path, monkeypatch):
    """Where the job's file cannot be written, the error names it."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(InvalidInputError, match=f"^{tmp_path}: cannot be written: Is a directory"):
        github.append_step_summary("text")
