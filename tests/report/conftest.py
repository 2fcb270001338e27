"""What tests of the report share: one written report, for whoever only reads it, and records that are drawn at once."""

import pytest
import recordings

from autoenc_bench.report import page


@pytest.fixture(autouse=True, scope="session")
def no_job():
    """Run outside a GitHub Actions job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Write the report of two records of one name, one by plain pytest-benchmark, and one that is broken.

    The first holds seven experiments; the second one of them, trained a little faster, without its whole training.
    """
    folder = tmp_path_factory.mktemp("records")
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
    return page.write(paths, folder / "out")


@pytest.fixture
def tiny(tmp_path):
    """Return a record that is drawn at once."""
    return recordings.save_plain(tmp_path)
