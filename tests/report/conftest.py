"""Fixtures of the report's tests: a written report, a small record, and figures without pictures."""

from pathlib import Path

import pytest
import recordings

from autoenc_bench.report import page
from autoenc_bench.report.figures import style


@pytest.fixture(autouse=True, scope="session")
def no_job():
    """Run outside a GitHub Actions job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


@pytest.fixture(scope="session")
def written(shared):
    """Write the report of two records of one name, one by plain pytest-benchmark, and one that is broken.

    The first holds seven experiments; the second one of them, trained a little faster, without its whole training.
    """

    def write(folder):
        kept = [entry for entry in recordings.entries_of("crude-simple") if "experiment[" not in entry["name"]]
        for entry in kept:
            entry["stats"] = {**entry["stats"], "median": 0.9 * entry["stats"]["median"]}
        broken = folder / "0003_broken.json"
        broken.write_text("{")
        paths = [
            recordings.save(folder),
            recordings.save(folder / "other", recordings.content(entries=kept)),
            recordings.save_plain(folder),
            broken,
        ]
        written = page.write(paths, folder / "out")
        return str(written.page), written.left_out

    _, (path, left_out) = shared("report", write)
    return page.WrittenReport(Path(path), left_out)


@pytest.fixture
def unrendered(monkeypatch):
    """Replace figure files by short ones, for tests that do not look at pictures; rendering takes longest."""
    monkeypatch.setattr(style, "svg", lambda *_: f"<svg><!-- {style.DRAWN_BY} --></svg>".encode())
    monkeypatch.setattr(style, "png", lambda *_: b"\x89PNG " + style.DRAWN_BY.encode())


@pytest.fixture
def tiny(tmp_path):
    """Return a record that is drawn quickly."""
    return recordings.save_plain(tmp_path)
