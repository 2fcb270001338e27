"""The rules of the house: who may import whom, how long a file may be, who may print."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "autoenc_bench"
MODULES = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"}

MEASURING = {
    "backends",
    "data",
    "errors",
    "machine",
    "mnist",
    "models",
    "scoring",
    "seeds",
    "training",
    "yardsticks",
}
CONTRACT = {"experiments", "records", "scales", "storage"}
READING = {"figures", "pages", "report", "sources", "summary"}
COMMAND = {"cli"}


def imported(path):
    """Return the names of this package's modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "autoenc_bench":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autoenc_bench."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("autoenc_bench.")}
    return found - {"__version__"}


def test_every_module_has_its_half():
    """Each module belongs to one half, to the contract between them, or to the command line."""
    assert set(MODULES) | {"backends", "figures"} == MEASURING | CONTRACT | READING | COMMAND


READERS = [MODULES[name] for name in sorted(READING - {"figures"} | COMMAND)] + sorted(PACKAGE.glob("figures/*.py"))


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_reading_imports_no_measuring(path):
    """What reads records imports nothing that measures."""
    assert not imported(path) & MEASURING


@pytest.mark.parametrize("name", sorted(MEASURING - {"backends"}))
def test_measuring_imports_no_reading(name):
    """What measures imports nothing that reads."""
    assert not imported(MODULES[name]) & (READING | COMMAND)


def test_the_contract_stands_alone():
    """The catalogue and the records import nothing of the package, and what builds on them nothing else of it."""
    assert not imported(MODULES["experiments"]) | imported(MODULES["records"])
    assert imported(MODULES["scales"]) | imported(MODULES["storage"]) == {"experiments", "records"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_files_are_one_idea(path):
    """No file of the package is longer than 250 lines, and only the command line prints or exits."""
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    calls = {
        node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and hasattr(node.func, "id")
    }
    if path.stem not in COMMAND:
        assert not calls & {"print", "exit", "input"}
