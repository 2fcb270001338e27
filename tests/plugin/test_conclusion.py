"""How a run ends after its cases, tested without running any."""

from types import SimpleNamespace

import pytest
import strangers

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.plugin.conclusion import Conclusion
from autoenc_bench.records import storage
from autoenc_bench.report import page
from autoenc_bench.verdicts.baseline import Baseline


@pytest.fixture
def conclusion(tmp_path):
    """Return the conclusion of a run without a baseline."""
    run = SimpleNamespace(storage=tmp_path, record_name="smoke", baseline=None)
    option = SimpleNamespace(no_report=False, gzip=False)
    return Conclusion(SimpleNamespace(option=option, args=[]), run, lambda _: None)


def refuse(*_):
    """Raise an error that the user can fix."""
    raise InvalidInputError("reports: cannot be written: no reason")


def test_a_record_that_cannot_be_saved(conclusion, monkeypatch):
    """A run whose record cannot be saved fails with the reason."""
    monkeypatch.setattr(storage, "save", refuse)
    conclusion.save({}, {}, [])
    assert conclusion.lines == ["the record could not be saved: reports: cannot be written: no reason"]
    assert conclusion.status == pytest.ExitCode.USAGE_ERROR


def test_no_room_at_all(conclusion, monkeypatch):
    """If there is no room for a temporary file either, the run fails with the reason."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "save", full)
    conclusion.save({}, {}, [])
    assert conclusion.lines == ["the record could not be saved: [Errno 28] No space left on device"]
    assert conclusion.status == pytest.ExitCode.USAGE_ERROR


def test_a_report_is_announced(conclusion, monkeypatch, tmp_path):
    """A line says that the report is drawn before that begins."""
    lines = []
    monkeypatch.setattr(conclusion, "_announce", lines.append)
    monkeypatch.setattr(storage, "save", lambda *_: tmp_path / "0001_smoke.json")
    monkeypatch.setattr(page, "write", lambda *_: lines.append("drawn") or page.WrittenReport(tmp_path, []))
    conclusion.save({}, {}, [])
    assert lines == ["drawing the report, which takes about 10 seconds", "drawn"]


def test_a_report_that_cannot_be_written(conclusion, monkeypatch, tmp_path):
    """A report that cannot be written leaves record and status as they are; a line gives the reason."""
    path = tmp_path / "0001_smoke.json"
    monkeypatch.setattr(storage, "save", lambda *_: path)
    monkeypatch.setattr(page, "write", refuse)
    conclusion.save({}, {}, [])
    recorded, drawn = conclusion.lines
    assert recorded == f"record: {path}"
    assert drawn.startswith("the report could not be drawn: reports: cannot be written: no reason; the record is safe")
    assert conclusion.status == pytest.ExitCode.OK


@pytest.mark.parametrize(("is_chosen", "expected"), [(False, {}), (True, {"compress": True})])
def test_compression(conclusion, monkeypatch, is_chosen, expected):
    """The parameter that an older package lacks is passed only with --gzip."""
    monkeypatch.setattr(storage, "save", lambda *_, **named: refuse() if named == expected else {}["constant mean"])
    conclusion._option.gzip = is_chosen
    conclusion.save({}, {}, [])
    assert conclusion.status == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("broken", ["save", "write"])
def test_a_bug(conclusion, monkeypatch, tmp_path, broken):
    """A bug in saving or drawing is raised; after the record was saved, with a note of its path."""
    path = tmp_path / "0001_smoke.json"
    monkeypatch.setattr(storage, "save", lambda *_: path)
    module = {"save": storage, "write": page}[broken]
    monkeypatch.setattr(module, broken, lambda *_: {}["constant mean"])
    with pytest.raises(KeyError) as bug:
        conclusion.save({}, {}, [])
    notes = getattr(bug.value, "__notes__", [])
    assert notes == ([f"the record is safe: {path}"] if broken == "write" else [])


@pytest.mark.parametrize(
    ("case", "is_expected"),
    [
        ("experiment[digits-fused]", True),
        ("experiment[digits-fused-seed0]", True),
        ("experiment[digits-fused-seed1]", False),
        ("epoch[digits-fused]", False),
        ("build[digits]", True),
    ],
)
def test_selected_seed(tmp_path, case, is_expected):
    """A run with ``-k`` is expected to measure only what that selects, for experiments only these seeds."""
    option = SimpleNamespace(keyword="seed0", markexpr="", deselect=None, experiment=[])
    run = SimpleNamespace(storage=tmp_path, experiments=("digits",))
    conclusion = Conclusion(SimpleNamespace(option=option, args=[]), run, lambda _: None)
    cases = ["test_experiment.py::test_experiment[digits-fused-seed0]", "test_cold_start.py::test_build[digits]"]
    assert conclusion._selects(cases, case, "digits") is is_expected


def test_control_characters(tmp_path, monkeypatch):
    """A comparison with a baseline escapes names, and a refusal takes one line."""
    strangers.save_numbered(tmp_path / "good", strangers.runs(strangers.controls))
    strangers.save_numbered(tmp_path / "slow", strangers.runs(lambda factor: strangers.controls(2 * factor)))
    baseline = Baseline("good", [], [tmp_path])
    option = SimpleNamespace(keyword="", markexpr="", deselect=None, experiment=[])
    option.allow_missing, option.no_report, option.gzip = False, True, False
    run = SimpleNamespace(storage=tmp_path, record_name="x", baseline=baseline, experiments=())
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "job.md"))
    slow, gone = tmp_path / "slow" / "0001_run.json", tmp_path / "\x1b\n::x.json"
    for path, message in ((slow, "time is undecided in every case"), (gone, r"\x1b\n::x.json: no such record")):
        ended = Conclusion(SimpleNamespace(option=option, args=[]), run, lambda _: None)
        monkeypatch.setattr(storage, "save", lambda *_, path=path: path)
        ended.save({}, {}, [])
        assert message in ended.lines[-1]
        assert "\n" not in ended.lines[-1]
        assert not {"\x1b", "\a"} & set("".join(ended.lines[1:]))
        assert "\n::" not in "".join(ended.lines[1:])
    assert r"a[\x1b[31mred\n::error::injected\x07]" in (tmp_path / "job.md").read_text()
