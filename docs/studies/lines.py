"""Find the tests that execute a statement: ``python docs/studies/lines.py tests.json tests/core``, for mutation.py.

With COVERAGE_PROCESS_START each test is a coverage context of its own, also in the processes that it starts. A fixture
of a wider scope is a context too, because only the first of its tests sets it up.
"""

import ast
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import coverage
import pytest

SETTINGS = "[run]\nparallel = true\ncontext = ${{LINES_CONTEXT-}}\ndata_file = {0}/data\ninclude = {1}/*\n"


class Lines:
    """A pytest plugin that switches coverage's context for each test, and keeps the tests' seconds and fixtures."""

    def __init__(self):
        self.tests = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        """Begin a context with empty caches: a cached result would hide lines that the test needs."""
        self.tests[item.nodeid] = {"seconds": 0.0, "passed": True, "fixtures": list(item.fixturenames)}
        for name in [name for name in sys.modules if name.startswith("autoenc_bench.")]:
            for value in vars(sys.modules[name]).values():
                getattr(value, "cache_clear", bool)()
        enter(item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        """Give a fixture that several tests share a context of its own."""
        if fixturedef.scope == "function":
            return (yield)
        before = os.environ["LINES_CONTEXT"]
        enter(fixturedef.argname)
        try:
            return (yield)
        finally:
            enter(before)

    def pytest_runtest_logreport(self, report):
        """Add a phase to its test."""
        self.tests[report.nodeid]["seconds"] += report.duration
        self.tests[report.nodeid]["passed"] &= not report.failed


def enter(context):
    """Switch the context of this process, and of the processes that it starts later."""
    os.environ["LINES_CONTEXT"] = context
    if measured := coverage.Coverage.current():
        measured.switch_context(context)


def measure(tree, folder, arguments):
    """Return each passing test with its seconds, and its lines in each file of the folder, from two runs in a Tree.

    The second run is not measured, because tests that count calls fail under coverage.
    """
    (data := tree.folder / "coverage").mkdir(exist_ok=True)
    (settings := data / "settings").write_text(SETTINGS.format(data, tree.root / "autoenc_bench"))
    command = (tree.root / "docs/studies/lines.py", data / "tests.json", *arguments)
    tree.run(*command, COVERAGE_PROCESS_START=settings)
    measured = coverage.Coverage(config_file=str(settings))
    measured.combine()
    contexts = defaultdict(lambda: defaultdict(set))
    for file in measured.get_data().measured_files():
        path = str(Path(file).relative_to(tree.root))
        for line, names in measured.get_data().contexts_by_lineno(file).items():
            for name in names if path.startswith(f"autoenc_bench/{folder}/") else ():
                contexts[name][path].add(line)
    _, printed = tree.run(*command)
    tests = json.loads((data / "tests.json").read_text())
    if failed := [name for name, test in tests.items() if not test["passed"]]:
        print(f"left out, because they fail without a mutant: {' '.join(failed)}\n{printed}")
    for name, test in tests.items():
        used = [contexts[each] for each in (name, *test.pop("fixtures")) if each in contexts]
        test["lines"] = {
            path: sorted(set().union(*(lines.get(path, ()) for lines in used))) for lines in used for path in lines
        }
    return {name: test for name, test in tests.items() if test["passed"]}


def choose(path, line, source, tests):
    """Return the tests that a change of a line may fail, in the order in which to run them."""
    lines, on_import = statement(source, line)
    touching = [name for name, test in tests.items() if path in test["lines"]]
    covering = {name for name in touching if not lines.isdisjoint(tests[name]["lines"][path])}
    chosen = tests if on_import or not covering else touching
    classes = {name: (name not in covering, name not in touching) for name in chosen}
    seconds = defaultdict(float)  # of a file's tests of one class, which stay together because they share fixtures
    for name in chosen:
        seconds[classes[name], name.partition("::")[0]] += tests[name]["seconds"]
    file = {name: name.partition("::")[0] for name in chosen}
    key = {name: (classes[name], seconds[classes[name], file[name]], file[name]) for name in chosen}
    return sorted(chosen, key=key.__getitem__)  # a file's tests stay in their order


def statement(source, line):
    """Return the lines of the statement at a line, without its body, and whether an import executes them."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and first(node) <= line <= node.end_lineno
    ]
    inner = around[-1]  # the walk goes inwards
    body = getattr(inner, "body", None)
    lines = set(range(first(inner), max(first(inner), first(body[0]) - 1 if body else inner.end_lineno) + 1))
    on_import = not any(isinstance(node, ast.FunctionDef) for node in around[:-1])
    return (lines if line in lines else {line}), on_import


def first(node):
    """Return the first line of a statement, or of its decorators."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


if __name__ == "__main__":
    lines = Lines()
    pytest.main(sys.argv[2:], plugins=[lines])
    Path(sys.argv[1]).write_text(json.dumps(lines.tests))
