"""The report of a distributed run shows what more devices bring, and where they cannot help."""

import msgspec
import pytest
import recordings

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.records import loading
from autoenc_bench.report import devices, side_by_side
from autoenc_bench.report import page as report
from autoenc_bench.report.figures import chapters, style
from autoenc_bench.report.view import Section

SECONDS = {  # of 100 steps, by experiment, phase and devices
    "crude-simple": {
        ("strong", 1): 1.0,
        ("strong", 2): 2.0,
        ("weak", 1): 1.0,
        ("weak", 2): 2.5,
        ("all_reduce", 2): 0.9,
    },
    "mnist": {("strong", 1): 10.0, ("strong", 2): 6.25, ("weak", 1): 10.0, ("weak", 2): 11.0, ("all_reduce", 2): 0.5},
}


def entries():
    """Make the entries of a distributed run."""
    for experiment, cases in SECONDS.items():
        for (phase, number), seconds in cases.items():
            rows = {"strong": 1000, "weak": 1000 * number, "all_reduce": 1}[phase]
            case = recordings.timed(experiment, phase, rows, devices=number, steps=100)
            entry = recordings.plain(f"test_{phase}[{experiment}-devices{number}]", [seconds] * 3)
            yield {**entry, "extra_info": {"autoenc": msgspec.to_builtins(case)}}


def record(folder, virtual=False):
    """Write the record of a distributed run."""
    context = {"backend": "jax", "devices": 2, "processes": 1 if virtual else 2, "virtual_devices": virtual}
    run = msgspec.structs.replace(recordings.RUN, context={**recordings.RUN.context, **context})
    return recordings.save(folder, recordings.content(run=run, entries=list(entries())))


@pytest.fixture
def path(tmp_path):
    """Return the record of two processes."""
    return record(tmp_path)


def test_rows(path):
    """Rates, efficiencies and times per step follow from rows, seconds, devices and steps."""
    rows = devices.rows(loading.read_record(path).record.timed())
    assert [(row.experiment, row.devices) for row in rows] == [
        ("crude-simple", 1),
        ("crude-simple", 2),
        ("mnist", 1),
        ("mnist", 2),
    ]
    assert rows[0].strong_efficiency == rows[0].weak_efficiency == 1
    assert rows[0].all_reduce is None
    assert (rows[3].strong, rows[3].weak) == (160, pytest.approx(2000 / 11))
    assert rows[3].strong_efficiency == pytest.approx(0.8)
    assert rows[3].weak_efficiency == pytest.approx(10 / 11)
    assert (rows[3].step, rows[3].all_reduce) == (0.0625, 0.005)


def test_answer(path):
    """The answer names experiments that more devices cannot speed up, and the gain of others."""
    source = loading.read_record(path)
    sentences = devices.answer(devices.rows(source.record.timed()), source.record.autoenc.context)
    assert sentences == [
        "More devices cannot speed up crude-simple at this batch size: a step takes 10 ms on one, 20 ms on 2, and one "
        "all-reduce of its gradients 9 ms.",
        "mnist trains 1.6 times as many rows per second on 2 devices as on one (strong scaling).",
        "mnist trains 1.8 times as many rows per second on 2 devices as on one (weak scaling).",
    ]


def test_virtual(tmp_path):
    """Sentences, setting and figure warn that virtual devices do not measure speed."""
    source = loading.read_record(record(tmp_path, virtual=True))
    assert "jax on CPU, 2 virtual devices" in source.setting
    assert devices.answer([], source.record.autoenc.context)[0].startswith("These devices are virtual")
    with style.style():
        (chapter, drawing), *others = chapters.draw(Section(source))
    assert (chapter, others) == ("More devices", [])
    assert "virtual devices: no measure of speed" in drawing.figure.get_suptitle()


def test_report(path, tmp_path):
    """A distributed run has its own table, sentences and figure instead of the usual ones."""
    written = report.write([path], tmp_path / "out")
    page, text = written.page.read_text(), (tmp_path / "out" / "summary.md").read_text()
    for content in (page, text):
        assert "More devices cannot speed up crude-simple" in content
        assert "strong rows/s" in content
        assert "speed-up" not in content
    assert "How 2 experiments scale with devices" in page
    assert "jax on CPU, 2 devices in 2 processes" in page
    assert [path.name for path in (tmp_path / "out" / "figures").glob("*.png")] == ["scale-out.png"]


def test_partial(tmp_path):
    """What was not measured is a dash, and no sentence mentions it."""
    kept = [entry for entry in entries() if "all_reduce" not in entry["name"] and "strong" not in entry["name"]]
    run = msgspec.structs.replace(recordings.RUN, context={**recordings.RUN.context, "devices": 2, "processes": 2})
    path = recordings.save(tmp_path, recordings.content(run=run, entries=kept))
    rows = devices.rows(loading.read_record(path).record.timed())
    assert [row[2].text for row in devices.table(rows).rows] == ["–"] * 4
    assert all("strong" not in sentence for sentence in devices.answer(rows, run.context))
    report.write([path], tmp_path / "out")


def test_table(path):
    """Each column shows its value with its unit, and is sorted by the number."""
    cells = devices.table(devices.rows(loading.read_record(path).record.timed())).rows[3]
    assert [cell.text for cell in cells] == ["mnist", "2", "160", "80 %", "182", "91 %", "62.5 ms", "5 ms"]
    assert (cells[2].value, cells[6].value, cells[7].value) == (160, 0.0625, 0.005)


def test_headline():
    """The headline leaves out what was not measured, and explains only what it shows."""
    timed = [(recordings.timed("digits", phase, 900, trainer="fused"), 2.0) for phase in ("build", "epoch")]
    timed += [(recordings.timed("mnist", "build"), 1.0)]
    headline = devices.headline(timed, {"scale": "standard"})
    assert headline.table.headers == ["experiment", "fused rows/s"]
    assert [[cell.text for cell in row] for row in headline.table.rows] == [["digits", "450"]]
    assert [line.partition(":")[0] for line in headline.legend.splitlines()] == ["fused", "rows/s"]
    nothing = devices.headline(timed[2:], {})
    assert (nothing.table.text(), nothing.legend) == ("", "")
    assert nothing.answer == ["No case measured training or an error, so there is no table."]


@pytest.mark.parametrize("scale", ["smoke", "standard"])
def test_smoke_has_a_warning(path, scale):
    """At scale smoke a warning stands in place of the sentences about speeds and errors, on devices as well."""
    whole = [(recordings.timed("digits", "epoch", trainer=trainer), 1.0) for trainer in ("fit", "fused")]
    for timed in (whole, loading.read_record(path).record.timed()):
        answer = " ".join(devices.headline(timed, {"scale": scale}).answer)
        assert answer.startswith("Warning: scale smoke shows only that everything works.") == (scale == "smoke")
        assert (" as fast" in answer or " as many rows" in answer) == (scale == "standard")


def test_summary(path, capsys):
    """'summary' prints the table of a distributed run."""
    assert cli.main(["summary", str(path)]) == 0
    assert "all-reduce" in capsys.readouterr().out


def test_not_side_by_side(path, tmp_path):
    """Distributed runs do not stand side by side with usual ones."""
    usual = [loading.read_record(recordings.save(tmp_path, name=name)) for name in ("one", "two")]
    together = side_by_side.judge([loading.read_record(path), *usual])
    assert {row.label for row in together.rows} == {"(1) 0002_one", "(2) 0003_two"}


def test_no_gain(path):
    """A sentence reports devices that could have helped but did not."""
    rows = devices.rows(loading.read_record(path).record.timed())
    slow = [row._replace(strong_efficiency=0.4, step=0.12) if row.devices == 2 else row for row in rows]
    assert (
        "More devices did not speed up mnist at this batch size: a step takes 100 ms on one, 120 ms on 2"
        in " ".join(devices.answer(slow, {}))
    )
