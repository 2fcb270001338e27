"""Tiny git repositories that look like a project with benchmarks."""

import base64
import os
import subprocess
import zipfile
from hashlib import sha256
from itertools import count
from pathlib import Path

FILES = {
    "autoenc_bench/__init__.py": "CODE = 1\n",
    "autoenc_bench/plugin/__init__.py": "# as first committed\n",
    "autoenc_bench/plugin/messages.py": "# as first committed\n",
    "benchmarks/test_speed.py": "# as first committed\n",
    "conftest.py": "# as first committed\n",
    "pyproject.toml": "# as first committed\n",
    ".gitignore": "*.log\n",
}

NUMBERS = count()  # so that no two commits of a second are the same


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints in a folder, without its user's configuration."""
    command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, named by their paths in a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, files: dict[str, str] | None = None) -> str:
    """Write files and commit everything in a repository; return the commit's id."""
    write(folder, files or {})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", f"Change {next(NUMBERS)}")
    return git(folder, "rev-parse", "HEAD").strip()


def create(folder: Path, files: dict[str, str] = FILES) -> Path:
    """Make a repository on the branch main, with one commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, files)
    return folder


def wheel(folder, name, version="1.0", module=""):
    """Write a wheel that holds one module, by default an empty one, and requires a package that does not exist."""
    folder.mkdir(exist_ok=True)
    path, facts = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": module,
        f"{facts}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: needed-by-{name}\n"
        ),
        f"{facts}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {file: base64.urlsafe_b64encode(sha256(text.encode()).digest()).decode() for file, text in files.items()}
    record = [f"{file},sha256={digests[file].rstrip('=')},{len(text)}\n" for file, text in files.items()]
    with zipfile.ZipFile(path, "w") as file:
        for place, text in {**files, f"{facts}/RECORD": "".join([*record, f"{facts}/RECORD,,\n"])}.items():
            file.writestr(place, text)
    return path
