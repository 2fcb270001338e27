"""Commands read compressed records as they read others."""

from pathlib import Path

import histories
import pytest

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.report import page

STORE = ".benchmarks/Linux"


@pytest.mark.parametrize(
    "arguments",
    [["compare", "0001_standard", STORE], ["history", ".benchmarks"], ["summary"], ["report", STORE]],
    ids=lambda arguments: arguments[0],
)
def test_same_output(tmp_path, monkeypatch, capsys, arguments):
    """A command prints the same after the records were compressed, except the ending of their names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page, "write", lambda paths, *_, **__: page.WrittenReport(Path(*paths), []))
    histories.write(tmp_path / STORE, [histories.content(day) for day in range(3)])
    plain = cli.main(arguments), capsys.readouterr().out
    histories.compress(tmp_path)
    status, out = cli.main(arguments), capsys.readouterr().out
    assert (status, out.replace(".json.gz", ".json")) == plain
    assert "digits" in out or ".json.gz" in out
