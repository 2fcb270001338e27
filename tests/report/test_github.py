"""A job of GitHub Actions shows the Markdown on its page, as much of it as it takes."""

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
    """Elsewhere nothing is written."""
    monkeypatch.chdir(tmp_path)
    github.append_step_summary("text")
    assert list(tmp_path.iterdir()) == []


def test_a_summary_that_cannot_be_written(tmp_path, monkeypatch):
    """Where the job's file cannot be written, the error names it."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(InvalidInputError, match=f"^{tmp_path}: cannot be written: Is a directory"):
        github.append_step_summary("text")


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Be in a GitHub Actions job; return the file of its summary."""
    path = tmp_path / "job.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_summary_that_fits(job):
    """A summary that fits to the byte is written as it is, also beside an earlier one."""
    text = "é" * (github.SUMMARY_BYTES // 2)
    github.append_step_summary(text)
    assert job.read_text() == text
    job.write_text("before\n")
    github.append_step_summary(text[:-10])
    assert job.read_text() == "before\n" + text[:-10]


def test_a_summary_that_does_not_fit(job):
    """Of a larger one whole lines are written, within the limit, and it says where the rest is."""
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
    """Who prints the text as well need not say where the rest is."""
    monkeypatch.setattr(github, "SUMMARY_BYTES", 100)
    github.append_step_summary("a line\n" * 100)
    assert job.read_text().endswith("\n\nShortened: the rest is in the job's log.\n")


def test_nothing_fits(job, monkeypatch):
    """Where there is no room for a line, nothing is added."""
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
    """Wherever it is cut, each part that is folded away is closed, and the note stands outside of it."""
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
