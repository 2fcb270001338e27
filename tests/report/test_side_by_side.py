"""Several records of the same experiments stand side by side: rates, first calls, memory, efficiency and errors."""

import msgspec
import pytest
import recordings

from autoenc_bench.records import loading
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.report import side_by_side
from autoenc_bench.report.figures import pairs as pairs_figures
from autoenc_bench.report.figures import style


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
    return side_by_side.together([loading.read_record(path) for path in paths])


def test_rows(tmp_path):
    """Each experiment has a row per record, named by its backend, with the fused trainer's figures."""
    rows = side_by_side.rows(read(save(tmp_path, "tensorflow"), save(tmp_path, "jax")))
    assert [(row.experiment, row.label) for row in rows] == [
        ("crude-simple", "tensorflow"),
        ("crude-simple", "jax"),
        ("digits", "tensorflow"),
        ("digits", "jax"),
    ]
    assert rows[0].agreement is None
    assert rows[1].first_call == pytest.approx(1.2)
    assert rows[1].peak == recordings.MEMORY.peak
    assert rows[1].fused == pytest.approx(9000 / (0.2 * 1.1), rel=0.1)
    assert 0 < rows[1].efficiency < 1


@pytest.mark.parametrize(
    ("error", "agreement"),
    [(0, "equal"), (0.0001, "agrees to 0.2 %"), (-0.004, "agrees to 0.6 %"), (0.1, "differs by +10.0 %")],
)
def test_errors(tmp_path, error, agreement):
    """Errors of the others are compared with the first record's, with rounding let through."""
    rows = side_by_side.rows(read(save(tmp_path, "tensorflow"), save(tmp_path, "jax", error)))
    together = side_by_side.SideBySide(rows, [])
    assert [row[-1].text for row in together.table.rows] == ["–", agreement] * 2
    assert ("Errors differ in crude-simple (jax), digits (jax)." in together.answer) == (error == 0.1)
    assert ("All errors agree." in together.answer) == (error != 0.1)


def test_labels(tmp_path):
    """Records of one backend are named by their files; other scales and plain records have no place."""
    first, second = save(tmp_path / "a", "jax"), save(tmp_path / "b", "jax")
    assert side_by_side.labels(read(first, second)) == [f"1 {first.stem}", f"2 {second.stem}"]
    assert read(first) == []
    assert read(first, save(tmp_path, "torch", scale="smoke")) == []
    assert len(read(first, second, recordings.save_plain(tmp_path))) == 2


def test_table():
    """Each column shows its figure with its unit; records are named as experiments are, and lie to the left."""
    row = side_by_side.RecordResult(
        experiment="digits",
        label="jax",
        fit=1000,
        fused=12345.6,
        first_call=1.25,
        peak=2**30,
        efficiency=0.5,
        error=3.14159,
        agreement=None,
    )
    table = side_by_side.SideBySide([row], []).table
    (cells,) = table.rows
    assert [cell.text for cell in cells[:5]] == ["digits", "jax", "1,000", "12,346", "1.25 s"]
    assert [cell.text for cell in cells[5:]] == ["1,024 MiB", "50 %", "3.142", "–"]
    assert table.markdown().splitlines()[-1].startswith("| `digits`     | `jax`    |")


def test_fastest():
    """The answer names who is fastest in which experiments, where more than one was timed; many are counted."""
    rates = {
        "a": {"tf": 3, "jax": 2},
        "b": {"tf": 3, "jax": 2, "torch": 1},
        "c": {"jax": 1},
        "d": {"jax": 2, "tf": None},
        **{name: {"tf": 1, "jax": 2} for name in "efgh"},
    }
    empty = dict.fromkeys(("fit", "first_call", "peak", "efficiency", "error", "agreement"))
    rows = [
        side_by_side.RecordResult(experiment=name, label=label, fused=rate, **empty)
        for name, labels in rates.items()
        for label, rate in labels.items()
    ]
    answer = side_by_side.SideBySide(rows, []).answer
    assert answer == "tf trains fastest in a, b. jax trains fastest in 4 experiments."


def test_page(written):
    """The page of several records begins with what they say together, and so does the Markdown."""
    page = written.page.read_text()
    assert page.index(">Side by side</h2>") < page.index("2 0001_small trains fastest in") < page.index('id="record-1"')
    assert (written.page.parent / "figures" / "side-by-side.png").exists()
    text = written.page.with_name("summary.md").read_text()
    assert (
        text.index("## Side by side") < text.index("| `crude-simple`  | `2 0001_small`") < text.index("## `0001_small`")
    )


def turns(folder, side, pair, factor):
    """Write the record of a process that took turns, its rounds by a factor longer than those of a base."""
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
    """Return the records of a live comparison with a head that is a tenth slower, in three pairs."""
    noise = {"1": 1.0, "2": 1.002, "3": 0.998}
    paths = [
        turns(tmp_path, side, f"run-{number}", 1.1 * factor if side == "head" else 1.0)
        for side in SIDE_NAMES
        for number, factor in noise.items()
    ]
    return [loading.read_record(path) for path in paths]


def test_round_by_round(live):
    """Records of a live comparison are compared as the pairs that they are, whatever the machine did meanwhile."""
    together = side_by_side.paired(live)
    comparison = together.comparison
    assert together.answer == "regressed: epoch[digits-fused]."
    assert comparison.verdicts[0].time.interval.estimate == pytest.approx(0.0953, abs=0.002)
    assert "✗ regressed" in together.table.text()


def test_one_side_is_no_comparison(live):
    """Without both sides there is nothing to hold against each other."""
    assert side_by_side.paired(live[:3]) is None


def test_drawn_alone(live, tmp_path):
    """Of a live comparison the first pair's records are drawn by themselves, and so are all others."""
    usual = loading.read_record(save(tmp_path, "jax"))
    names = [source.path.parent.parent.name for source in side_by_side.drawn_alone([usual, *live])]
    assert names == ["jax", "run-1", "run-1"]


def test_rounds_are_drawn(live):
    """Each case has a figure of its rounds, whose words have the numbers, and is as good from few pairs."""
    for records, pairs in ((live, 3), (live[:1] + live[3:4], 1)):
        comparison = side_by_side.paired(records).comparison
        with style.style():
            (drawing,) = pairs_figures.draw(comparison, "a machine")
            over_time, distribution = drawing.figure.axes
            assert style.png(drawing.figure, drawing.title)
        assert drawing.name == "pairs-epoch[digits-fused]"
        assert drawing.alternative.startswith(f"{8 * pairs} rounds of epoch[digits-fused] in {pairs} pair")
        assert [len(line.get_xdata()) for line in over_time.lines[:2]] == [8 * pairs] * 2
        assert sum(bar.get_height() for bar in distribution.patches if bar.get_width() < 1) <= 8 * pairs
