"""A cache of HLO texts in the user's cache folder, because TensorFlow compiles a program again to print it."""

import gzip
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from time import time
from zlib import error

from platformdirs import user_cache_path

DAYS = 30  # a text that was not read for so long is deleted


def text(depends_on: Iterable[object], make: Callable[[], str]) -> str:
    """Return the cached text for these facts, or make it and cache it.

    A damaged file is replaced. If the folder cannot be written, nothing is cached.
    """
    key = sha256("\0".join(map(repr, depends_on)).encode()).hexdigest()
    path = user_cache_path("autoenc-bench") / "texts" / f"{key}.gz"
    with suppress(OSError, EOFError, error, UnicodeDecodeError):
        if cached := gzip.decompress(path.read_bytes()).decode():
            os.utime(path)
            return cached
    made = make()
    part = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.iterdir():
            if time() - old.stat().st_mtime > DAYS * 86_400:
                old.unlink()
        part.write_bytes(gzip.compress(made.encode(), compresslevel=1))
        part.replace(path)
    return made
