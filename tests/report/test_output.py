"""A report is written completely or not at all, and replaces only files of an earlier one."""

import jinja2
import pytest
import recordings
from matplotlib.figure import Figure
from pages import files

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.report import output, render
from autoenc_bench.report import page as report
from autoenc_bench.report.figures import style


@pytest.mark.usefixtures("unrendered")
def test_an_error_leaves_the_last_report(tiny, tmp_path, monkeypatch):
    """If drawing fails, the earlier report stays, and no other file is left."""
    out = tmp_path / "out"
    report.write([tiny], out)
    before = files(out)
    fill = render.fill
    monkeypatch.setattr(render, "fill", lambda name, **content: fill(name, **content) if "html" in name else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write([tiny], out)
    assert files(out) == before


def test_a_bug_is_not_the_folders_fault(tiny, tmp_path, monkeypatch):
    """A bug while drawing is not reported as a folder that cannot be written."""
    monkeypatch.setitem(report.TEMPLATES, "index.html", "none.html")
    with pytest.raises(jinja2.TemplateNotFound):
        report.write([tiny], tmp_path / "out")


@pytest.mark.usefixtures("unrendered")
def test_figures_come_before_pages(tiny, tmp_path):
    """If a figure cannot be moved into place, the earlier page stays."""
    out = tmp_path / "out"
    (out / "figures" / "time-per-case.svg").mkdir(parents=True)
    (out / "index.html").write_text("before")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        report.write([tiny], out)
    assert (out / "index.html").read_text() == "before"
    assert sorted(path.name for path in out.iterdir()) == ["figures", "index.html"]


def test_a_newer_report_replaces_figures(tiny, tmp_path):
    """Figures of an earlier report are removed; other files stay."""
    out = tmp_path / "out"
    case = recordings.benchmark(recordings.timed("digits", "epoch", trainer="fused"), 1.0)
    report.write([recordings.save(tmp_path, recordings.content(entries=[case])), tiny], out)
    assert (out / "figures" / "1-0001_small" / "time-per-case.svg").exists()
    (out / "figures" / "mine.png").write_bytes(b"\x89PNG mine")
    (out / "figures" / "notes.txt").write_text("autoenc-bench")
    (out / "README.md").write_text("mine")
    report.write([tiny], out)
    kept = {"README.md", "figures/mine.png", "figures/notes.txt"}
    assert set(files(out)) == kept | {
        "index.html",
        "summary.md",
        "figures/time-per-case.svg",
        "figures/time-per-case.png",
    }


@pytest.mark.usefixtures("unrendered")
def test_a_newer_report_replaces_pages(tiny, tmp_path, monkeypatch):
    """Pages of records of an earlier report are removed; other files stay."""
    out = tmp_path / "out"
    case = recordings.benchmark(recordings.timed("digits", "epoch", trainer="fused"), 1.0)
    other = recordings.save(tmp_path, recordings.content(entries=[case]))
    monkeypatch.setattr(report, "PAGE_BYTES", 1000)
    report.write([other, tiny], out)
    assert {file for file in files(out) if file.endswith(".html")} == {
        "index.html",
        "records/1-0001_small.html",
        "records/2-0001_plain.html",
    }
    (out / "records" / "mine.html").write_text("<p>mine</p>")
    (out / "mine.html").write_text("autoenc-bench")
    report.write([tiny, other], out)
    assert {file for file in files(out) if file.endswith(".html")} == {
        "index.html",
        "mine.html",
        "records/mine.html",
        "records/1-0001_plain.html",
        "records/2-0001_small.html",
    }


@pytest.mark.usefixtures("unrendered")
def test_pages_of_records_come_before_the_index(tiny, tmp_path, monkeypatch):
    """If a record's page cannot be moved into place, the earlier index stays."""
    out = tmp_path / "out"
    (out / "records" / "1-0001_small.html").mkdir(parents=True)
    (out / "index.html").write_text("before")
    case = recordings.benchmark(recordings.timed("digits", "epoch", trainer="fused"), 1.0)
    monkeypatch.setattr(report, "PAGE_BYTES", 1000)
    with pytest.raises(InvalidInputError, match="cannot be written"):
        report.write([recordings.save(tmp_path, recordings.content(entries=[case])), tiny], out)
    assert (out / "index.html").read_text() == "before"


@pytest.mark.parametrize(("text", "name"), [("A b/../c:d", "a-b-c-d"), ("é", "unnamed"), ("x" * 200, "x" * 80)])
def test_file_name(text, name):
    """A text becomes a file name that every system accepts."""
    assert output.file_name(text) == name


def test_names_of_figures_are_kept_apart(tmp_path):
    """Two drawings with the same file name become two files."""
    drawings = [("", style.Drawing(name, "t", "a", Figure())) for name in ("Error a/b", "error-a:b")]
    pictures = output.save(drawings, tmp_path, "figures", lambda _: None)
    assert [picture.file for picture in pictures] == ["figures/error-a-b", "figures/error-a-b-again"]
    assert len(files(tmp_path)) == 4


def test_a_folder_that_cannot_be_written(tiny, tmp_path):
    """The error for a folder that cannot be written names it and a remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="file: cannot be written: File exists; choose another folder"):
        report.write([tiny], tmp_path / "file")
