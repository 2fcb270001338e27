"""Measure which changes of the code the tests miss: ``python docs/studies/mutation.py`` makes 200, one at a time.

    pip install cosmic-ray
    python docs/studies/mutation.py --work ~/mutation                # continues where it was stopped
    python docs/studies/mutation.py --work ~/mutation --again core   # repeats the survivors of core

cosmic-ray lists all mutants of some folders of the package. This script draws 200 of them. It runs each one in a clone
of the last commit, against the tests of its folder (tests/core for autoenc_bench/core): first the tests that execute
the mutated statement, the fastest files first, then the others that execute anything of its file. A statement that
runs on import, or in no test, meets the whole folder. A run ends at the first failure, or after ten times the usual
time and a minute. A mutant is repeated if its file has changed. mutation.md has the results.

Mutants that do not compile are left out, and no others. "at import" counts mutants with which no test can start, most
of them in annotations: they say nothing about the tests.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import venv
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from difflib import unified_diff
from hashlib import sha256
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import lines
import psutil
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from platformdirs import user_cache_path
from tabulate import tabulate

ROOT = Path(__file__).parents[2]
FOLDERS = ("verdicts", "live", "records", "core", "history", "plugin")
PYTEST = ("-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--tb=no")
STARTUP = 'import os; os.environ.get("COVERAGE_PROCESS_START") and __import__("coverage").process_startup()\n'
OUTCOMES = ("survived", "killed", "at import", "timeout")


class Mutant(NamedTuple):
    """A change that an operator of cosmic-ray makes, and a name that stays when other lines change."""

    path: str
    line: int
    operator: str
    occurrence: int
    name: str

    @property
    def folder(self) -> str:
        """Return the folder of the package, which has the name of that of the tests."""
        return Path(self.path).parts[1]

    def apply(self, source: str) -> str:
        """Return the mutated source."""
        return mutate_code(source, get_operator(self.operator)(), self.occurrence)


class Tree:
    """A clone of the last commit, and an environment in which every process imports the clone."""

    def __init__(self, folder: Path):
        self.folder, self.root, self.temporary = folder, folder / "tree", folder / "temporary"
        self._end_processes()  # of a run that was killed
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", ROOT, self.root], check=True)
        venv.create(folder / "venv", symlinks=True)
        (packages,) = (folder / "venv").glob("lib/*/site-packages")
        installed = [path for path in sys.path if path.endswith("-packages")]
        (packages / "tree.pth").write_text("\n".join([str(self.root), *installed, STARTUP]))

    def run(self, *command: object, seconds: float | None = None, **more: object) -> tuple[int | None, str]:
        """Run Python with caches of its own; return the exit code (None: too slow) and what was printed."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        caches = self.temporary / "cache"
        if (cache := user_cache_path("autoenc-bench")).exists():  # it holds MNIST
            shutil.copytree(cache, caches / cache.name)
        own = {"MUTATION_TREE": self.root, "TMPDIR": self.temporary, "XDG_CACHE_HOME": caches, **more}
        own["PYTHONDONTWRITEBYTECODE"] = 1  # two mutants of one second may have the same size
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (self.temporary / "printed").open("w") as printed:
            process = subprocess.Popen(
                [self.folder / "venv/bin/python", *map(str, command)],
                cwd=self.root,
                env={**inherited, **{name: str(value) for name, value in own.items()}},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self._end_processes()
        process.wait()
        return code, Path(printed.name).read_text(errors="replace")

    def _end_processes(self) -> None:
        """Kill the processes that a run started and left, also in other sessions."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("MUTATION_TREE") == str(self.root):
                    process.kill()

    def test(self, mutant: Mutant, tests: dict[str, dict]) -> dict[str, object]:
        """Run the tests of a mutant in the clone as committed; return its outcome."""
        for command in ("reset --quiet --hard", "clean --quiet -fdx"):
            subprocess.run(["git", *command.split()], cwd=self.root, check=True)
        source = (self.root / mutant.path).read_text("utf-8")
        (self.root / mutant.path).write_text(mutated := mutant.apply(source), "utf-8")
        chosen = lines.choose(mutant.path, mutant.line, source, tests)
        (arguments := self.folder / "tests.txt").write_text("\n".join(chosen))
        seconds = 60 + 10 * sum(tests[name]["seconds"] for name in chosen)
        code, printed = self.run("-m", "pytest", "-x", *PYTEST, f"@{arguments}", seconds=seconds)
        outcome = {None: "timeout", 0: "survived", 1: "killed"}.get(code, "at import")
        by = re.findall(r"^(?:FAILED|ERROR) (\S+)", printed, re.MULTILINE) or printed.splitlines()[-1:]
        diff = list(unified_diff(source.splitlines(), mutated.splitlines(), n=0, lineterm=""))[2:]
        return {**mutant._asdict(), "source": digest(source), "outcome": outcome, "by": by, "diff": diff}


def draw(work: Path, root: Path, seed: int, count: int) -> list[Mutant]:
    """Draw mutants uniformly. Each has a random number of its own: a changed line changes no other draw."""
    files = [file for folder in FOLDERS for file in sorted((root / "autoenc_bench" / folder).rglob("*.py"))]
    with use_db(work / "mutants.sqlite") as database:
        init(files, database, {})
        specs = [item.mutations[0] for item in database.work_items]
    sources = {file: file.read_text("utf-8") for file in files}
    mutants, seen = [], Counter()
    for spec in sorted(specs, key=lambda spec: (spec.module_path, spec.operator_name, spec.occurrence)):
        path, (line, column) = str(spec.module_path.relative_to(root)), spec.start_pos
        text = sources[spec.module_path].splitlines()[line - 1]
        name = f"{path} {spec.definition_name} {spec.operator_name} {text[:column].lstrip()}<>{text[column:]}"
        seen[name] += 1
        mutants.append(Mutant(path, line, spec.operator_name, spec.occurrence, f"{name} {seen[name]}"))
    print(f"{len(mutants)} mutants")
    mutants.sort(key=lambda mutant: random.Random(f"{seed} {mutant.name}").random())
    return list(islice((mutant for mutant in mutants if compiles(mutant.apply(sources[root / mutant.path]))), count))


def compiles(source: str) -> bool:
    """Return whether it is Python."""
    with suppress(SyntaxError), warnings.catch_warnings(action="ignore"):
        return bool(compile(source, "mutant", "exec", dont_inherit=True))
    return False


def digest(*texts: str) -> str:
    """Return a short digest of texts."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def measured(tree: Tree, work: Path, folder: str) -> dict[str, dict]:
    """Return what each test of a folder executes. Measure changed test files, or all when the code changed."""
    code = [file.read_text("utf-8") for file in sorted((tree.root / "autoenc_bench" / folder).rglob("*.py"))]
    files = [str(file.relative_to(tree.root)) for file in sorted((tree.root / "tests" / folder).rglob("test_*.py"))]
    kept = {file: work / "tests" / digest(file, (tree.root / file).read_text("utf-8"), *code) for file in files}
    if stale := [file for file in files if not kept[file].exists()]:
        print(f"{folder}: measuring {len(stale)} test files", flush=True)
        tests = lines.measure(tree, folder, (*PYTEST, *stale))
        for file in stale:
            own = {name: test for name, test in tests.items() if name.startswith(f"{file}::")}
            kept[file].write_text(json.dumps(own))
    return {name: test for file in files for name, test in json.loads(kept[file].read_text()).items()}


def main() -> None:
    """Run the missing mutants, and print the outcomes of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", help=f"only mutants of these of {', '.join(FOLDERS)}")
    parser.add_argument(
        "--work", type=Path, required=True, help="a folder for clones and results, outside of the project"
    )
    parser.add_argument("--again", action="store_true", help="repeat survivors, after changes of tests")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    work = options.work.resolve()
    (work / "tests").mkdir(parents=True, exist_ok=True)
    trees = SimpleQueue()
    for number in range(options.workers):
        trees.put(first := Tree(work / f"worker-{number}"))
    drawn = draw(work, first.root, options.seed, options.count)
    drawn = [mutant for mutant in drawn if mutant.folder in (options.folders or FOLDERS)]
    results = work / "results.jsonl"
    lines_before = results.read_text("utf-8").splitlines() if results.exists() else ()
    known = {result["name"]: result for result in map(json.loads, lines_before)}
    wanted = []
    for mutant in drawn:
        result, source = known.get(mutant.name), (first.root / mutant.path).read_text("utf-8")
        if not result or result["source"] != digest(source) or (options.again and result["outcome"] == "survived"):
            wanted.append(mutant)

    def lend(use: Callable[..., dict], *arguments: object) -> dict:
        tree = trees.get()
        try:
            return use(tree, *arguments)
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(options.workers) as pool, results.open("a", encoding="utf-8") as file:
        folders = list(dict.fromkeys(mutant.folder for mutant in wanted))
        tests = dict(zip(folders, pool.map(lambda folder: lend(measured, work, folder), folders), strict=True))
        started = [pool.submit(lend, Tree.test, mutant, tests[mutant.folder]) for mutant in wanted]
        try:
            for number, done in enumerate(as_completed(started), 1):
                result = done.result()
                known[result["name"]] = result
                print(json.dumps(result), file=file, flush=True)
                print(f"{number}/{len(wanted)} {result['outcome']}: {result['path']}:{result['line']}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    show([known[mutant.name] for mutant in drawn])


def show(results: list[dict]) -> None:
    """Print the outcomes in each folder, and the survivors."""
    rows = []
    for folder in dict.fromkeys(Path(result["path"]).parts[1] for result in results):
        outcomes = [result["outcome"] for result in results if Path(result["path"]).parts[1] == folder]
        rows.append((folder, len(outcomes), *(outcomes.count(outcome) for outcome in OUTCOMES)))
    rows.append(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    print(tabulate(rows, ("folder", "mutants", *OUTCOMES), tablefmt="github"))
    for result in results:
        if result["outcome"] == "survived":
            print(f"\n{result['path']}:{result['line']}", *result["diff"][1:], sep="\n")


if __name__ == "__main__":
    main()
