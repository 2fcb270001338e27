"""The rules of the house: who may import whom, how long a file may be, who may print."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "autoenc_bench"
MODULES = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"}

MEASURING = {
    "backends",
    "data",
    "distributed",
    "errors",
    "machine",
    "mnist",
    "models",
    "peers",
    "scoring",
    "seeds",
    "streams",
    "teams",
    "training",
    "yardsticks",
}
CONTRACT = {"cases", "experiments", "limits", "records", "scales", "storage", "work"}
READING = {
    "contrast",
    "facts",
    "figures",
    "history",
    "job",
    "lookup",
    "pages",
    "publication",
    "report",
    "scaleout",
    "sections",
    "sources",
    "summary",
    "verdicts",
    "words",
}
COMMAND = {
    "baseline",
    "checkouts",
    "cli",
    "continuous",
    "display",
    "environments",
    "matrix",
    "processes",
    "progress",
    "revisions",
}


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
    """Each module belongs to one half, to the contract between them, or to what talks to people."""
    assert (
        set(MODULES) | {"backends", "cli", "figures", "history", "machine", "verdicts"}
        == MEASURING | CONTRACT | READING | COMMAND
    )


READERS = [MODULES[name] for name in sorted(READING & set(MODULES))] + [
    path for package in ("figures", "history", "verdicts") for path in sorted((PACKAGE / package).glob("*.py"))
]
MEASURERS = [MODULES[name] for name in sorted(MEASURING & set(MODULES))] + [
    path for package in ("backends", "machine") for path in sorted((PACKAGE / package).glob("*.py"))
]


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_reading_imports_no_measuring(path):
    """What reads records imports nothing that measures."""
    assert not imported(path) & MEASURING


@pytest.mark.parametrize("path", MEASURERS, ids=lambda path: path.stem)
def test_measuring_imports_no_reading(path):
    """What measures imports nothing that reads."""
    assert not imported(path) & (READING | COMMAND)


def test_the_contract_stands_alone():
    """What both halves know imports nothing of either."""
    assert not set().union(*(imported(MODULES[name]) for name in CONTRACT)) - CONTRACT


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_files_are_one_idea(path):
    """No file of the package is longer than 250 lines, and only the command line prints or exits."""
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    calls = {
        node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and hasattr(node.func, "id")
    }
    if path.parent.stem != "cli":
        assert not calls & {"print", "exit", "input"}
