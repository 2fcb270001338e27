"""Several records are judged together: side by side, or round by round if they are of a live comparison."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import recordings

from autoenc_bench.records import loading
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.report import page, side_by_side
from autoenc_bench.report.figures import pairs, style
from autoenc_bench.report.side_by_side import RecordResult
from autoenc_bench.report.summary import ExperimentSummary


def save(folder, backend, error=0.0, scale="standard", entries=None):
    """Write the record of a run on a backend, its errors changed by a share."""
    run = msgspec.structs.replace(
        recordings.RUN, scale=scale, context={**recordings.RUN.context, "backend": backend, backend: "1.0"}
    )
    content = recordings.content(("crude-simple", "digits"), run, entries)
    for entry in content["benchmarks"]:
        case = entry["extra_info"].get("autoenc", {})
        for statistics in (case["error"]["absolute"],) if "error" in case else ():
            statistics["mean"] *= 1 + error
    return recordings.save(folder / backend, content)


def judge(*paths):
    """Read records and judge them together."""
    return side_by_side.judge([loading.read_record(path) for path in paths])


def test_names_of_compressed_records(tmp_path):
    """Labels, titles and pages have a file's name without its ending, also that of a compressed record."""
    compressed = replace(loading.read_record(save(tmp_path, "jax")), path=Path("0001_small.json.gz"))
    assert side_by_side.labels([compressed] * 2) == ["(1) 0001_small", "(2) 0001_small"]
    section, _ = page._sections([compressed] * 2)
    assert (section.title, section.name) == ("0001_small", "1-0001_small")


def test_rows(tmp_path):
    """Each experiment has a row per record, named by its backend, with the values of the fused trainer."""
    rows = judge(save(tmp_path, "tensorflow"), save(tmp_path, "jax")).rows
    assert [(row.summary.experiment, row.label) for row in rows] == [
        ("crude-simple", "tensorflow"),
        ("crude-simple", "jax"),
        ("digits", "tensorflow"),
        ("digits", "jax"),
    ]
    assert rows[0].agreement == "–"
    jax = rows[1].summary
    assert (jax.first_call, jax.peak) == (pytest.approx(1.2), recordings.MEMORY.peak)
    assert jax.fused == pytest.approx(9000 / (0.2 * 1.1), rel=0.1)
    assert jax.efficiency == pytest.approx(0.01 / 0.21)


@pytest.mark.parametrize(
    ("error", "agreement"),
    [(0, "equal"), (0.0001, "agrees to 0.2 %"), (-0.004, "agrees to 0.6 %"), (0.1, "differs by +10.0 %")],
)
def test_errors(tmp_path, error, agreement):
    """Errors are compared with those of the first record, with a tolerance for rounding."""
    together = judge(save(tmp_path, "tensorflow"), save(tmp_path, "jax", error))
    assert [row[-1].text for row in together.table.rows] == ["–", agreement] * 2
    assert ("Errors differ in crude-simple (jax), digits (jax)." in together.answer) == (error == 0.1)
    assert ("All errors agree." in together.answer) == (error != 0.1)


def test_labels(tmp_path):
    """Records of one backend are named by their files; other scales and plain records are left out."""
    first, second = save(tmp_path / "a", "jax"), save(tmp_path / "b", "jax")
    labels = {f"(1) {first.stem}", f"(2) {second.stem}"}
    assert {row.label for row in judge(first, second, recordings.save_plain(tmp_path)).rows} == labels
    assert judge(first) is None
    assert judge(first, save(tmp_path, "torch", scale="smoke")) is None


def test_table():
    """Each column shows its value with its unit; names of records are code and on the left."""
    measured = {"fit": 1000, "fused": 12345.6, "first_call": 1.25, "peak": 2**30, "efficiency": 0.5, "error": 3.14159}
    table = side_by_side.table([RecordResult("jax", ExperimentSummary(experiment="digits", **measured))])
    (cells,) = table.rows
    assert [cell.text for cell in cells[:5]] == ["digits", "jax", "1,000", "12,346", "1.25 s"]
    assert [cell.text for cell in cells[5:]] == ["1,024 MiB", "50 %", "3.142", "–"]
    assert table.markdown().splitlines()[-1].startswith("| `digits`     | `jax`    |")


def test_fastest():
    """The answer names the fastest record per experiment, or the number of experiments if there are many."""
    rates = {
        "a": {"tf": 3, "jax": 2},
        "b": {"tf": 3, "jax": 2, "torch": 1},
        "c": {"jax": 1},
        "d": {"jax": 2, "tf": None},
        **{name: {"tf": 1, "jax": 2} for name in "efgh"},
    }
    rows = [
        RecordResult(label, ExperimentSummary(experiment=name, fused=rate))
        for name, labels in rates.items()
        for label, rate in labels.items()
    ]
    assert side_by_side.answer(rows) == "tf trains fastest in a, b. jax trains fastest in 4 experiments."


def test_page(written):
    """Page and Markdown of several records begin with what these show together."""
    page = written.page.read_text()
    assert (
        page.index(">Side by side</h2>") < page.index("(2) 0001_small trains fastest in") < page.index('id="record-1"')
    )
    assert (written.page.parent / "figures" / "side-by-side.png").exists()
    text = written.page.with_name("summary.md").read_text()
    assert (
        text.index("## Side by side")
        < text.index("| `crude-simple`  | `(2) 0001_small`")
        < text.index("## `0001_small`")
    )


def save_interleaved(folder, side, pair, factor):
    """Write the record of one side of a pair, its rounds longer by a factor."""
    run = msgspec.structs.replace(recordings.RUN, pair=pair, side=side)
    case = recordings.timed("digits", "epoch", trainer="fused", between=[0.001] * 8)
    entry = recordings.benchmark(case, 0.2, rounds=8)
    entry["extra_info"]["autoenc"]["reference"] = None
    machine = 1 + 0.3 * float(pair[-1])  # which is another while each pair is measured
    entry["stats"]["data"] = [factor * machine * (0.2 + 0.001 * (place % 3)) for place in range(8)]
    entry["stats"]["median"] = factor * machine * 0.201
    return recordings.save(folder / side / pair, recordings.content(run=run, entries=[entry]))


@pytest.fixture
def live(tmp_path):
    """Return the records of a live comparison of three pairs, its head a tenth slower."""
    noise = {"1": 1.0, "2": 1.002, "3": 0.998}
    paths = [
        save_interleaved(tmp_path, side, f"run-{number}", 1.1 * factor if side == "head" else 1.0)
        for side in SIDE_NAMES
        for number, factor in noise.items()
    ]
    return [loading.read_record(path) for path in paths]


def test_round_by_round(live):
    """Records of a live comparison are compared pair by pair, so a slower machine does not matter."""
    together = side_by_side.judge(live)
    assert together.answer == "regressed: epoch[digits-fused]."
    assert together.paired[0].interval.estimate == pytest.approx(0.0953, abs=0.002)
    assert "✗ regressed" in together.table.text()


def test_one_side_is_no_comparison(live):
    """Without both sides there are no rounds to compare: the records stand side by side."""
    assert not side_by_side.judge(live[:3]).paired


def test_drawn_alone(live, tmp_path):
    """The first pair of a live comparison gets its own figures, and so do other records."""
    usual = loading.read_record(save(tmp_path, "jax"))
    names = [source.path.parent.parent.name for source in side_by_side.drawn_alone([usual, *live])]
    assert names == ["jax", "run-1", "run-1"]


def test_rounds_are_drawn(live):
    """Each case has a figure of its rounds, with its numbers in words, also for a single pair."""
    for records, number in ((live, 3), (live[:1] + live[3:4], 1)):
        with style.style():
            (drawing,) = pairs.draw(side_by_side.judge(records))
            over_time, distribution = drawing.figure.axes
            assert style.png(drawing.figure, drawing.title)
        assert drawing.name == "pairs-epoch[digits-fused]"
        assert drawing.alternative.startswith(f"{8 * number} rounds of epoch[digits-fused] in {number} pair")
        assert [len(line.get_xdata()) for line in over_time.lines[:2]] == [8 * number] * 2
        assert sum(bar.get_height() for bar in distribution.patches if bar.get_width() < 1) <= 8 * number
