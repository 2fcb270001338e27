"""Several records of the same experiments stand side by side: rates, first calls, memory, efficiency and errors."""

import msgspec
import pytest
import recordings

from autoenc_bench.records import loading
from autoenc_bench.report import page as report
from autoenc_bench.report import side_by_side


def save(folder, backend, error=0.0, scale="standard", entries=None):
    """Write the record of a run on a backend, whose errors are larger by a share."""
    run = msgspec.structs.replace(
        recordings.RUN, scale=scale, context={**recordings.RUN.context, "backend": backend, backend: "1.0"}
    )
    found = recordings.content(("crude-simple", "digits"), run, entries)
    for entry in found["benchmarks"]:
        case = entry["extra_info"].get("autoenc", {})
        for statistics in (case["error"]["absolute"],) if "error" in case else ():
            statistics["mean"] *= 1 + error
    return recordings.save(folder / backend, found)


def read(*paths):
    """Read records, and lay side by side what can be."""
    return side_by_side.together([loading.read(path) for path in paths])


def test_rows(tmp_path):
    """Each experiment has a row per record, named by its backend, with the fused trainer's figures."""
    found = side_by_side.rows(read(save(tmp_path, "tensorflow"), save(tmp_path, "jax")))
    assert [(row.experiment, row.label) for row in found] == [
        ("crude-simple", "tensorflow"),
        ("crude-simple", "jax"),
        ("digits", "tensorflow"),
        ("digits", "jax"),
    ]
    assert found[0].agreement is None
    assert found[1].first_call == pytest.approx(1.2)
    assert found[1].peak == recordings.MEMORY.peak
    assert found[1].fused == pytest.approx(9000 / (0.2 * 1.1), rel=0.1)
    assert 0 < found[1].efficiency < 1


@pytest.mark.parametrize(("error", "said"), [(0, "equal"), (0.0001, "agrees to 0.2 %"), (0.1, "differs by +10.0 %")])
def test_errors(tmp_path, error, said):
    """Errors of the others are held against the first record's, with rounding let through."""
    rows = side_by_side.rows(read(save(tmp_path, "tensorflow"), save(tmp_path, "jax", error)))
    found = side_by_side.Contrast(rows, [])
    assert [row[-1].text for row in found.cells] == ["–", said] * 2
    assert ("Errors differ in crude-simple (jax), digits (jax)." in found.answer) == (error == 0.1)


def test_labels(tmp_path):
    """Records of one backend are named by their files; other scales and plain records have no place."""
    first, second = save(tmp_path / "a", "jax"), save(tmp_path / "b", "jax")
    assert side_by_side.labels(read(first, second)) == [f"1 {first.stem}", f"2 {second.stem}"]
    assert read(first) == []
    assert read(first, save(tmp_path, "torch", scale="smoke")) == []
    assert len(read(first, second, recordings.save_plain(tmp_path))) == 2


def test_page(tmp_path):
    """The page of several records begins with what they say together, and so does the Markdown."""
    paths = [save(tmp_path, backend) for backend in ("tensorflow", "jax", "torch")]
    page = report.write(paths, tmp_path / "out").page.read_text()
    assert page.index(">Side by side</h2>") < page.index('id="record-1"')
    assert "All errors agree." in page
    assert (tmp_path / "out" / "figures" / "side-by-side.png").exists()
    assert "| `crude-simple` | `torch`" in (tmp_path / "out" / "summary.md").read_text()
    report.write(paths[:1], tmp_path / "out")
    assert not (tmp_path / "out" / "figures" / "side-by-side.png").exists()
