"""The plain data that a page shows of one record."""

import json
from urllib.parse import unquote

import msgspec
import pytest
import recordings
from pages import section

from autoenc_bench.records import loading
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import view


def test_peaks(tmp_path):
    """The table shows the peak memory of the process, and of the accelerator if there is one."""
    cases = [recordings.timed("digits", phase) for phase in ("build", "epoch", "encode", "decode")]
    amounts = [{}, {"peak": 2**30}, {"peak": 2**30, "accelerator": 2**21}, {"accelerator": 2**22}]
    entries = []
    for case, amount in zip(cases, amounts, strict=True):
        memory = recordings.case.Memory(before=2**29, **amount)
        entries.append(recordings.benchmark(msgspec.structs.replace(case, memory=memory), 0.1))
    assert [row[-1].text for row in section(tmp_path, entries=entries).table.rows] == [
        "–",
        "1,024 MiB",
        "1,024 MiB, 2 MiB on the device",
        "4 MiB on the device",
    ]


def test_cases(tmp_path):
    """Each case has its times, their spread, its rate and the roof that limits it."""
    rows = section(tmp_path, entries=recordings.entries_of("digits")).table.rows
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in rows}
    assert shown["build[digits]"] == ["10.5 ms", "10 ms", "11 ms", "10 %", "3", *"––––"]
    fused = ["210 ms", "200 ms", "220 ms", "10 %", "3", "42,857", "4.8 %", "compute", "1,024 MiB"]
    assert shown["epoch[digits-fused]"] == fused
    assert shown["experiment[digits-fused-seed0]"][:5] == ["2 s", "2 s", "2 s", "–", "1"]
    assert [cell.value for cell in rows[4][:6]] == pytest.approx([None, 0.21, 0.2, 0.22, 2 / 21, 3])


def test_columns(tmp_path, tiny):
    """The table has the columns in which at least one case has a value."""
    fit = msgspec.structs.replace(recordings.timed("digits", "epoch", trainer="fit"), set_up=[0.3] * 3)
    entries = [*recordings.entries_of("digits"), recordings.benchmark(fit, 0.21)]
    table = section(tmp_path, entries=entries).table
    known = ["rounds", "rows/s", "efficiency", "bound by", "set-up", "peak memory"]
    assert table.headers == ["case", "median", "fastest", "slowest", "spread", *known]
    assert {len(row) for row in table.rows} == {11}
    plain = view.Section(loading.read_record(tiny)).table
    assert plain.headers == ["case", "median", "fastest", "slowest", "spread", "rounds"]
    assert [row[0].text for row in plain.rows] == ["fast", "slow"]
    once = section(tmp_path, entries=[recordings.plain("test_a", [1.0])], run=None).table
    assert once.headers == ["case", "median", "fastest", "slowest", "rounds"]


def test_names_of_cases(tmp_path):
    """Benchmarks with the same name are distinguished by their files."""
    entries = [recordings.plain("test_a", [1.0]), {**recordings.plain("test_a", [2.0]), "fullname": "b.py::test_a"}]
    rows = section(tmp_path, entries=entries, run=None).table.rows
    assert [(row[0].text, row[1].value) for row in rows] == [("test_x.py::test_a", 1.0), ("b.py::test_a", 2.0)]


def test_size(tmp_path):
    """The size of a section is that of its pictures, and a constant for each row of its table."""
    some = section(tmp_path, entries=recordings.entries_of("digits"))
    few = section(tmp_path, entries=list(recordings.entries_of("digits"))[:4])
    assert 0 < few.size == some.size / 2
    before = some.size
    some.pictures = [view.Picture("", "f", "t", "a", "", 1, 1, b"x" * 10_000, b"y" * 50_000)] * 3
    assert some.size - before == 30_000


def test_waiting(tmp_path):
    """The table shows fit's set-up, and the off-CPU time of one pinned thread."""
    accounts = {"cpu": [0.1, 0.1, 0.1], "queued": [0.0] * 3, "stolen": [0.0] * 3, "idle": [0.2] * 3}
    fit = msgspec.structs.replace(recordings.timed("digits", "epoch", trainer="fit"), set_up=[0.3] * 3, **accounts)
    context = {**recordings.RUN.context, "threads": 2}
    for run, waited in ((recordings.RUN, "120 ms"), (msgspec.structs.replace(recordings.RUN, context=context), None)):
        table = section(tmp_path, entries=[recordings.benchmark(fit, 0.21)], run=run).table
        (row,) = table.rows
        shown = {header: cell.text for header, cell in zip(table.headers, row, strict=True)}
        assert (shown["set-up"], shown.get("off-CPU")) == ("300 ms", waited)


def test_not_run(tmp_path):
    """The answer counts failed and skipped cases, and the section lists them by outcome and reason."""
    run = msgspec.structs.replace(
        recordings.RUN,
        skipped=[NotRun("a", "no data"), NotRun("b", "no time"), NotRun("c", "no data")],
        failed=[NotRun("d", "no data")],
    )
    entries = list(recordings.entries_of("crude-simple"))
    some = section(tmp_path, entries=entries, run=run)
    assert some.not_run == {"failed": {"no data": ["d"]}, "skipped": {"no data": ["a", "c"], "no time": ["b"]}}
    assert some.answer[0] == "1 experiment, 8 cases."
    assert some.answer[-1] == "1 case failed, 3 cases skipped: the reasons are below."
    unreadable = {**entries[0], "stats": {**entries[0]["stats"], "median": 0}}
    path = tmp_path / "0001_odd.json"
    path.write_text(json.dumps(recordings.content(entries=[unreadable, *entries[1:]], run=run)))
    odd = view.Section(loading.read_record(path))
    too_coarse = {"its median is 0 s; the clock is too coarse for it": ["build[crude-simple]"]}
    assert odd.not_run == {**some.not_run, "unreadable": too_coarse}
    assert odd.answer[0] == "1 experiment, 7 cases."
    assert odd.answer[-1] == "1 case failed, 3 cases skipped, 1 case unreadable: the reasons are below."
    none = section(tmp_path, entries=entries, run=msgspec.structs.replace(run, skipped=[], failed=[]))
    assert none.not_run == {}
    assert none.answer[-1] == "No case was skipped, and none failed."


def test_facts(tmp_path):
    """The facts begin with date and origin of the record, and end with the programs that wrote it."""
    facts = section(tmp_path, entries=recordings.entries_of("digits")).facts
    assert facts[:4] == [
        ("recorded", "2026-01-02 03:04 UTC"),
        ("record", "0001_small.json"),
        ("commit", "0123456789ab on a-branch"),
        ("machine", "0123456789ab"),
    ]
    assert facts[-4:] == [
        ("scale", "standard"),
        ("seeds", "1"),
        ("pytest-benchmark", "5.3.1"),
        ("autoenc-bench", "0.1.0"),
    ]


def test_facts_by_plain_pytest_benchmark(tiny):
    """A plain pytest-benchmark record has fewer facts."""
    assert view.Section(loading.read_record(tiny)).facts == [
        ("recorded", "2026-01-02 03:04 UTC"),
        ("record", "0001_plain.json"),
        ("commit", "0123456789ab on a-branch"),
        ("machine", "a-host, A CPU, Linux"),
        ("pytest-benchmark", "5.3.1"),
    ]


def test_uri():
    """A picture's data URI decodes to its SVG."""
    svg = b'<a href="#b">%41&amp;\n</a>'
    picture = view.Picture("", "f", "t", "a", "", 1, 1, svg, b"")
    assert unquote(picture.uri.partition(",")[2]).encode() == svg
