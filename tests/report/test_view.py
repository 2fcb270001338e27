"""What a page shows of one record."""

from urllib.parse import unquote

import msgspec
import pytest
import recordings

from autoenc_bench.records import loading
from autoenc_bench.records.record import NotRun
from autoenc_bench.report import view


def section(folder, entries, run=recordings.RUN):
    """Return the section of a record with these entries."""
    path = recordings.save(folder, recordings.content(entries=list(entries), run=run))
    return view.Section(loading.read(path), 1, [])


def test_peaks(tmp_path):
    """The page shows a case's peak in the process, and on the accelerator where there is one."""
    cases = [recordings.timed("digits", phase) for phase in ("build", "epoch", "encode", "decode")]
    amounts = [{}, {"peak": 2**30}, {"peak": 2**30, "accelerator": 2**21}, {"accelerator": 2**22}]
    entries = []
    for case, amount in zip(cases, amounts, strict=True):
        memory = recordings.case.Memory(before=2**29, **amount)
        entries.append(recordings.benchmark(msgspec.structs.replace(case, memory=memory), 0.1))
    assert [row[-1].text for row in section(tmp_path, entries).cases.rows] == [
        "–",
        "1,024 MiB",
        "1,024 MiB, 2 MiB on the device",
        "4 MiB on the device",
    ]


def test_cases(tmp_path):
    """Each case has its times, their spread, its rate where it has rows, and the roof that binds it."""
    rows = section(tmp_path, recordings.entries_of("digits")).cases.rows
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in rows}
    assert shown["build[digits]"] == ["10.5 ms", "10 ms", "11 ms", "10%", "3", *"––––––"]
    fused = ["210 ms", "200 ms", "220 ms", "10%", "3", "42,857", "4.8 %", "compute", "–", "–", "1,024 MiB"]
    assert shown["epoch[digits-fused]"] == fused
    assert shown["experiment[digits-fused-seed0]"][:5] == ["2 s", "2 s", "2 s", "–", "1"]
    assert [cell.value for cell in rows[4][:6]] == pytest.approx([None, 0.21, 0.2, 0.22, 2 / 21, 3])


def test_waiting(tmp_path):
    """The page says how long fit was set up, and a round waited where one pinned thread lets it be told."""
    accounts = {"cpu": [0.1, 0.1, 0.1], "queued": [0.0] * 3, "stolen": [0.0] * 3, "idle": [0.2] * 3}
    fit = msgspec.structs.replace(recordings.timed("digits", "epoch", trainer="fit"), set_up=[0.3] * 3, **accounts)
    context = {**recordings.RUN.context, "threads": 2}
    for run, waited in ((recordings.RUN, "120 ms"), (msgspec.structs.replace(recordings.RUN, context=context), "–")):
        (row,) = section(tmp_path, [recordings.benchmark(fit, 0.21)], run).cases.rows
        assert [cell.text for cell in row[9:11]] == ["300 ms", waited]


def test_not_run(tmp_path):
    """What failed and what was skipped is counted in the answer, and stands by outcome and reason."""
    run = msgspec.structs.replace(
        recordings.RUN,
        skipped=[NotRun("a", "no data"), NotRun("b", "no time"), NotRun("c", "no data")],
        failed=[NotRun("d", "no data")],
    )
    entries = list(recordings.entries_of("digits"))
    some = section(tmp_path, entries, run)
    assert some.not_run == {"failed": {"no data": ["d"]}, "skipped": {"no data": ["a", "c"], "no time": ["b"]}}
    assert some.answer[0] == "1 experiment, 8 cases."
    assert some.answer[-1] == "1 case failed, 3 cases skipped: see below."
    none = section(tmp_path, entries, msgspec.structs.replace(run, skipped=[], failed=[]))
    assert none.not_run == {}
    assert none.answer[-1] == "Nothing was skipped, nothing failed."


def test_facts(tmp_path):
    """The facts begin with when and of what the record is, and end with who wrote it."""
    facts = section(tmp_path, recordings.entries_of("digits")).facts
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
    """A record by plain pytest-benchmark has the facts that it holds."""
    assert view.Section(loading.read(tiny), 1, []).facts == [
        ("recorded", "2026-01-02 03:04 UTC"),
        ("record", "0001_plain.json"),
        ("commit", "0123456789ab on a-branch"),
        ("machine", "a-host, A CPU, Linux"),
        ("pytest-benchmark", "5.3.1"),
    ]


def test_uri():
    """A picture's address gives back its SVG, whatever signs are in it."""
    svg = b'<a href="#b">%41&amp;\n</a>'
    picture = view.Picture("", "f", "t", "a", "", 1, 1, svg, b"")
    assert unquote(picture.uri.partition(",")[2]).encode() == svg
