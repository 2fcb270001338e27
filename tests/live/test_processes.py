"""The suite runs as a process that leaves a record or a reason, and no process behind."""

import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from autoenc_bench.live import processes
from autoenc_bench.live.processes import Process, Suite, SuiteFailedError


@pytest.fixture(autouse=True)
def tick(monkeypatch):
    """Check often whether a process has ended."""
    monkeypatch.setattr(processes, "TICK", 0.02)


@pytest.fixture
def side(tmp_path):
    """Return a function that makes a suite whose interpreter is a shell script."""

    def make(script):
        python = tmp_path / "python"
        python.write_text("#!/bin/sh\n" + script)
        python.chmod(0o755)
        folder = tmp_path / "checkout"
        folder.mkdir(exist_ok=True)
        return Suite(name="head", description="a branch", folder=folder, python=python, environment={"SAID": "hello"})

    return make


@pytest.fixture
def ended(tmp_path):
    """Return a function that waits until no process holds open the pipe that scripts open by ``HOLD``."""
    os.mkfifo(tmp_path / "alive")
    reading = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    yield lambda: bool(select.select([reading], [], [], 60)[0])  # the pipe's end
    os.close(reading)


HOLD = "exec 9> ../alive; touch ../holds"


def start(side, folder, *options, seconds=60.0):
    """Run a suite once."""
    return processes.run(side, options, folder / "store", seconds, lambda: None)


def test_record(side, tmp_path):
    """The run's record is returned; the process had the options, the variables and the folder of the suite."""
    script = """for last; do :; done
store=${last#--benchmark-storage=file://}
mkdir -p $store/Linux && echo "$PWD $SAID $*" > $store/Linux/0001_new.json
echo "record: $store/Linux/0001_new.json"
"""
    older = tmp_path / "store/Linux/0000_older.json"
    older.parent.mkdir(parents=True)
    older.touch()
    record = start(side(script), tmp_path, "-k", "epoch")
    text = record.read_text()
    assert record.name == "0001_new.json"
    assert text.startswith(f"{tmp_path}/checkout hello -m pytest -k epoch -q --no-report")


def test_another_run_at_the_same_time(side, tmp_path):
    """Records that other runs save in the same folder are not the run's, in any order of their numbers."""
    store = tmp_path / "store"
    names = [f"{number:04}_x.json" for number in range(1, 10)]
    for own in names:
        script = f"cd {store}/Linux && touch {' '.join(names)} && echo record: $PWD/{own} && echo 1 passed"
        assert start(side(f"mkdir -p {store}/Linux; {script}"), tmp_path).name == own
        shutil.rmtree(store)


@pytest.mark.parametrize(("line", "reason"), [("ERROR: no such option", "no such option"), ("1 passed", "1 passed")])
def test_only_another_run_saves(side, tmp_path, line, reason):
    """A run that saves nothing has no record, also if another one saves at that time, or if it prints another path."""
    script = f"mkdir -p store/x; touch store/x/0001_other.json; echo record: {tmp_path}/elsewhere.json; echo {line}"
    made = side(f"cd {tmp_path}; {script}")
    with pytest.raises(SuiteFailedError, match=f"could not run the suite: {reason}"):
        start(made, tmp_path)


@pytest.mark.parametrize("path", ["store/x/0001_new.json", "store/x/0001_new.json.gz"])
def test_relative_store(side, tmp_path, monkeypatch, path):
    """The record has a relative path where the folder has one. It may be compressed."""
    monkeypatch.chdir(tmp_path)
    script = f"cd {tmp_path}; mkdir -p store/x; touch {path}; echo record: $PWD/{path}"
    assert start(side(script), Path()) == Path(path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '42 deselected in 1.0s'; exit 5", r"no case was selected \(42 deselected in 1.0s\)"),
        ("echo 'ERROR: unknown experiment'; echo; exit 4", "unknown experiment"),
        ("echo 'ERROR: usage: x'; echo 'x -m pytest: error: unrecognized: -z'; exit 4", "unrecognized: -z"),
        ("echo \"E   ImportError: no 'x'\"; echo '= 1 error ='; exit 1", "ImportError: no 'x'"),
        (
            "echo \"E   ImportError: no 'x'\"; echo 'ERROR benchmarks/test_x.py'; echo '1 error in 0.10s'; exit 2",
            "ImportError: no 'x'",
        ),
        ("exit 3", "status 3"),
        ("echo 'INTERNALERROR> OSError: no room'; echo 'INTERNALERROR> more'; exit 3", "OSError: no room"),
        ("echo the end; exit 0", "the end"),
        (r"printf '\033[31mERROR: \033[0munknown experiment\033[0m\n\033[0m\n'; exit 4", "unknown experiment"),
        (
            "echo '==== autoenc-bench ===='; echo 'nothing was timed'; echo; echo '2 passed in 10.11s'; exit 0",
            "nothing was timed",
        ),
        (
            "echo 'bringing up nodes...'; echo '== autoenc-bench =='; echo 'pytest-xdist runs cases side by side'; "
            "echo '========= no tests ran in 0.53s =========='; exit 4",
            "pytest-xdist runs cases side by side",
        ),
    ],
)
def test_no_record(side, tmp_path, script, reason):
    """A run without a record is refused with the line of its output that gives the reason."""
    with pytest.raises(SuiteFailedError, match=f"^the head, a branch, could not run the suite: {reason}$"):
        start(side(script), tmp_path)


def test_added_options(side, tmp_path, monkeypatch):
    """Options that a variable adds to every pytest are named with the failure."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--lf")
    with pytest.raises(SuiteFailedError, match=r"unrecognized arguments: --lf \('--lf' comes from PYTEST_ADDOPTS\)$"):
        start(side("echo 'ERROR: unrecognized arguments: --lf'; exit 4"), tmp_path)


def test_no_colours(side, tmp_path):
    """A run is started without colours, because its output is parsed."""
    with pytest.raises(SuiteFailedError, match=r"--color=no"):
        start(side("echo $@"), tmp_path)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [("KILL", "was killed by SIGKILL, as when memory runs out"), ("SEGV", "was killed by SIGSEGV")],
)
def test_killed(side, tmp_path, signal, reason):
    """A run that a signal ends is refused with the signal's name."""
    with pytest.raises(SuiteFailedError, match=f"^the head, a branch, {reason}$"):
        start(side(f"ulimit -c 0; kill -{signal} $$"), tmp_path)


def test_prints_without_end(side, tmp_path, monkeypatch, ended):
    """A run that prints too much is ended before the disk is full, with all its child processes."""
    monkeypatch.setattr(processes, "OUTPUT", 2_000_000)
    with pytest.raises(SuiteFailedError, match=r"^the head, a branch, printed more than 2 MB$"):
        start(side(f"{HOLD}; head -c 2000001 /dev/zero; sleep 300"), tmp_path)
    assert ended()


def test_environment(side, tmp_path, monkeypatch):
    """Default variables are overridden by the user's, and those by the suite's."""
    monkeypatch.setenv("GIVEN", "by the user")
    monkeypatch.setenv("SAID", "by the user")
    given = {"GIVEN": "by default", "OTHER": "by default", "SAID": "by default"}
    made = side(f'echo "$GIVEN, $OTHER, $SAID" > {tmp_path}/variables')
    with Process(made, (), tmp_path / "store", defaults=given) as process, pytest.raises(SuiteFailedError):
        process.record(60.0, lambda: None)
    assert (tmp_path / "variables").read_text() == "by the user, by default, hello\n"


def test_an_older_record(side, tmp_path):
    """An earlier record in the store is not the run's."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store/0001_older.json").touch()
    with pytest.raises(SuiteFailedError, match="could not run the suite: the end"):
        start(side("echo the end"), tmp_path)


def test_pinned_while_a_thread_ends(side, tmp_path, monkeypatch):
    """A thread that ends while a process is pinned does not keep the others from being pinned."""
    pinned = []

    def pin(thread, cores):
        if thread % 2:
            raise ProcessLookupError(3, "No such process")
        pinned.append((thread, cores))

    monkeypatch.setattr(os, "sched_setaffinity", pin, raising=False)
    with Process(side("sleep 300"), (), tmp_path / "store") as process:
        monkeypatch.setattr(processes.Path, "iterdir", lambda folder: [folder / name for name in ("7", "8", "9", "10")])
        process.pin([4])
        monkeypatch.undo()
    assert pinned == [(8, [4]), (10, [4])] * 2


def test_too_long(side, tmp_path, monkeypatch, ended):
    """A run that takes too long is ended, with all its child processes."""
    began = iter([0.0])
    is_up = (tmp_path / "holds").exists
    monkeypatch.setattr(processes, "monotonic", lambda: next(began, 61.0 if is_up() else 0.0))
    with pytest.raises(TimeoutError):
        start(side(f"{HOLD}; sleep 300 & wait"), tmp_path)
    assert ended()


def test_interrupted(side, tmp_path, ended):
    """A Ctrl-C reaches this process alone, and ends the run."""

    def tick():
        if (tmp_path / "group").exists():
            raise KeyboardInterrupt

    script = f"{HOLD}; ps -o pgid= -p $$ > ../own; mv ../own ../group; sleep 300"
    with pytest.raises(KeyboardInterrupt):
        processes.run(side(script), (), Path(tmp_path), 60.0, tick)
    assert ended()
    assert os.getpgid(0) != int((tmp_path / "group").read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_starts(side, tmp_path, monkeypatch, number):
    """A Ctrl-C, or a job's end, that comes while the process starts also ends that process."""
    started = []

    def start_and_be_interrupted(*arguments, **options):
        started.append(subprocess.Popen(*arguments, **options))
        signal.raise_signal(number)
        return started[0]

    before = signal.signal(number, signal.default_int_handler)
    try:
        monkeypatch.setattr(processes, "Popen", start_and_be_interrupted)
        with pytest.raises(KeyboardInterrupt):
            start(side("sleep 300"), tmp_path)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert started[0].wait(60) == -signal.SIGKILL
