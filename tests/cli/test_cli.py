"""The command line prints a result, or one sentence about why it could not."""

import json
import os
import subprocess
import sys

import msgspec
import pytest
import recordings
from contents import TIMING, content

from autoenc_bench import __version__
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli.__main__ import main
from autoenc_bench.machine import context, fingerprint
from autoenc_bench.records import record, storage

PLAIN = {"name": "n", "fullname": "f::n", "stats": TIMING}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_experiments(capsys):
    """The command experiments lists the catalogue with parameters and sizes."""
    assert main(["experiments"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(EXPERIMENTS) + 2
    assert "3,974" in lines[3]
    assert "uniform 1,000,000 × 32, 32 → 16 → 8 → 4 → 2 → 32" in lines[3]


@pytest.mark.parametrize("arguments", [[], ["--format", "markdown"]])
def test_summary_of_the_newest(capsys, elsewhere, arguments):
    """Without a name, summary prints the newest record, what its columns mean, and its skipped cases."""
    storage.save(content(), elsewhere / ".benchmarks" / "here", "smoke", {})
    assert main(["summary", *arguments]) == 0
    out = capsys.readouterr().out
    assert "digits" in out
    assert "rows/s: rows that an epoch trains per second" in out
    assert "Warning: scale smoke shows only that everything works." in " ".join(out.split())
    assert arguments or max(map(len, out.splitlines()[3:])) <= 100
    assert "skipped epoch[mnist-fit]: no data" in out
    assert out.startswith("| experiment" if arguments else "experiment")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such record"),
        ("{}", "not a readable record"),
        (json.dumps({**content(), "autoenc": None}), "missing beside cases of this suite"),
        (json.dumps({**content(benchmarks=[PLAIN]), "autoenc": None}), "plain pytest-benchmark"),
    ],
)
def test_bad_records(capsys, elsewhere, text, message):
    """A record without a headline table is refused in one line, with status 2."""
    path = elsewhere / "0001_x.json"
    if text is not None:
        path.write_text(text)
    assert main(["summary", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("autoenc-bench: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["sumary"], ["summary", "--format", "pdf"]])
def test_bad_usage(arguments, capsys):
    """Bad usage ends with status 2 and the usage line."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: autoenc-bench" in capsys.readouterr().err


def test_version(capsys):
    """The version is the package's."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"autoenc-bench {__version__}\n"


def test_closed_pipe():
    """If the reader of the output stops early, as head does, there is no traceback and no other status."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "autoenc_bench.cli", "experiments"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, "")


def test_loads_no_framework():
    """Importing the command line loads neither TensorFlow nor Keras nor scikit-learn."""
    code = (
        "import sys, autoenc_bench.cli.__main__; sys.exit(bool({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


MACHINE = """
import sys

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.machine import context, fingerprint


def enter(self):
    usual(self)
    from autoenc_bench.machine import roofs  # loads Keras, which must see the limits
    roofs.measure.__defaults__ = (0,)  # seconds: as few bursts as there may be


usual, context.MeasuringContext.enter = context.MeasuringContext.enter, enter
sys.exit(cli.main(["machine", "--format", "json"]))
"""


@pytest.mark.slow
def test_machine(elsewhere):
    """The command machine prints machine and roofs as JSON that can be read back, and nothing else."""
    command = [sys.executable, "-c", MACHINE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=elsewhere)
    survey = msgspec.json.decode(done.stdout, type=record.Survey)
    assert survey.machine.logical_cores >= 1
    assert survey.roofs.flops > 1e8
    assert survey.context["threads"] == 1
    assert done.stderr == ""


def test_machine_in_words(capsys, monkeypatch):
    """By default, machine prints a line for each fact."""
    monkeypatch.setattr(context, "survey", lambda threads: {"all": recordings.RUN}[threads])
    assert main(["machine", "--threads", "all"]) == 0
    assert "exponentials roof  1 billion/s" in capsys.readouterr().out


def test_machine_of_unknown_accelerators(capsys, monkeypatch):
    """If NVIDIA's tool fails, a message says that the machine's id is not its usual one."""
    monkeypatch.setattr(context, "survey", lambda _: recordings.RUN)
    monkeypatch.setattr(fingerprint, "nvidia", lambda: fingerprint.Driver(None, problem="nvidia-smi failed"))
    assert main(["machine", "--format", "json"]) == 0
    assert "nvidia-smi failed, so the machine's accelerators are unknown; it gets another" in capsys.readouterr().err


def test_machine_with_too_many_threads(capsys):
    """An unusable number of threads is refused with the possible ones."""
    assert main(["machine", "--threads", "0"]) == 2
    assert "thread count '0'; choose 1 to" in capsys.readouterr().err
