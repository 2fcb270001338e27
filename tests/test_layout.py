"""The package's folders stay small, explain themselves, and import each other in one direction."""

import ast

import grimp
import pytest
from suite_runs import ROOT

PACKAGE = ROOT / "autoenc_bench"
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
names = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@names
def test_size(folder):
    """A folder holds at most 15 Python files, of at most 400 lines each."""
    files = list(folder.glob("*.py"))
    assert len(files) <= 15
    assert {path.name for path in files if len(path.read_text().splitlines()) > 400} == set()


@names
def test_explained(folder):
    """A folder's __init__ says in a docstring what lives there. Only the package's and the plugin's hold more."""
    tree = ast.parse((folder / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1 or folder in (PACKAGE, PACKAGE / "plugin")


def test_core():
    """The core is small enough to be read in one sitting."""
    assert sum(len(path.read_text().splitlines()) for path in (PACKAGE / "core").rglob("*.py")) <= 1_200


def test_no_loop_of_parent_and_child():
    """No package imports a module of its own that imports it back; import-linter does not look for these loops."""
    graph = grimp.build_graph("autoenc_bench", exclude_type_checking_imports=True, cache_dir=None)
    imports = [
        (importer, child) for importer in graph.modules for child in graph.find_modules_directly_imported_by(importer)
    ]
    inner = [(parent, child) for parent, child in imports if child.startswith(f"{parent}.")]
    assert [pair for pair in inner if graph.find_shortest_chain(importer=pair[1], imported=pair[0])] == []
