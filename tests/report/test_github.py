"""A GitHub Actions job shows the Markdown in its summary, shortened if necessary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    """Outside a job nothing is written."""
    monkeypatch.chdir(tmp_path)
    github.append_step_summary("text")
    assert list(tmp_path.iterdir()) == []


def test_a_summary_that_cannot_be_written(tmp_path, monkeypatch):
    """The error names a summary file that cannot be written."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(InvalidInputError, match=f"^{tmp_path}: cannot be written: Is a directory"):
        github.append_step_summary("text")


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Set the environment of a GitHub Actions job; return the file of its summary."""
    path = tmp_path / "job.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_summary_that_fits(job):
    """A summary that fits exactly is not shortened, also after an earlier one."""
    text = "é" * (github.SUMMARY_BYTES // 2)
    github.append_step_summary(text)
    assert job.read_text() == text
    job.write_text("before\n")
    github.append_step_summary(text[:-10])
    assert job.read_text() == "before\n" + text[:-10]


def test_a_summary_that_does_not_fit(job):
    """A larger summary is cut between lines, and a note names the place of the rest."""
    job.write_text("before\n")
    lines = [f"line {number} é" for number in range(100_000)]
    github.append_step_summary("\n".join(lines), "here.md")
    assert github.SUMMARY_BYTES - 100 < job.stat().st_size <= github.SUMMARY_BYTES
    first, *kept, blank, note, end = job.read_text().split("\n")
    assert (first, kept) == ("before", lines[: len(kept)])
    assert (blank, note, end) == ("", "Shortened: the rest is in here.md.", "")
    github.append_step_summary("more " * 100)
    assert job.stat().st_size <= github.SUMMARY_BYTES


def test_the_rest_is_in_the_log(job, monkeypatch):
    """By default the note refers to the job's log."""
    monkeypatch.setattr(github, "SUMMARY_BYTES", 100)
    github.append_step_summary("a line\n" * 100)
    assert job.read_text().endswith("\n\nShortened: the rest is in the job's log.\n")


def test_nothing_fits(job, monkeypatch):
    """Nothing is added if no line fits."""
    monkeypatch.setattr(github, "SUMMARY_BYTES", 10)
    job.write_text("before\n")
    github.append_step_summary("a line\n" * 100)
    assert job.read_text() == "before\n"
    job.write_text("more than there may be\n")
    github.append_step_summary("a")
    assert job.read_text() == "more than there may be\n"


DETAILS = "# head\n<details><summary>more</summary>\n\n{}\n</details>\n"


@given(st.integers(0, 700))
def test_details_are_closed(tmp_path_factory, room):
    """Wherever the text is cut, every details element is closed before the note."""
    text = DETAILS.format("| a row |\n" * 20) * 3
    path = tmp_path_factory.mktemp("job") / "job.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(github, "SUMMARY_BYTES", room)
        patch.setenv("GITHUB_STEP_SUMMARY", str(path))
        github.append_step_summary(text, "here")
    cut = path.read_text()
    assert len(cut.encode()) <= room
    assert cut.count("<details>") == cut.count("</details>")
    if cut:
        assert cut == text or cut.endswith("\n\nShortened: the rest is in here.\n")
        assert set(cut.splitlines()) - {"Shortened: the rest is in here.", ""} <= set(text.splitlines())
