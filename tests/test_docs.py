"""The documentation names what exists, and everything that exists is in the documentation."""

import ast
import dataclasses
import inspect
import json
import re
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import msgspec
import pytest

import autoenc_bench
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.cli import __main__ as cli
from autoenc_bench.records import case, counts, record

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("reports/*.md")])
README = ROOT / "README.md"
FORMAT = ROOT / "docs" / "record-format.md"
OWN = ROOT / "docs" / "your-own-experiment.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
GENERATE = SimpleNamespace(**run_path(str(ROOT / "docs" / "generate.py")))

# The headings of the page of the record's format, and the structure whose fields are listed below each heading.
STRUCTURES = {
    "The top level": record.Record,
    "`commit_info`": record.Commit,
    "`benchmarks`": record.Benchmark,
    "`benchmarks[].stats`": record.Timing,
    "`benchmarks[].extra_info`": record.ExtraInfo,
    "`extra_info.autoenc`: the case": case.Case,
    "`error`": case.Error,
    "Statistics": case.Statistics,
    "`best` and `worst`": case.Extreme,
    "`yardsticks`": case.ReferenceValue,
    "`curve`": case.Epoch,
    "`sample`": case.Sample,
    "`work`": case.Work,
    "`counted`": counts.References,
    "`memory`": case.Memory,
    "`autoenc`: the run": record.Run,
    "`autoenc.tables`": counts.Tables,
    "`autoenc.machine`": record.Machine,
    "`autoenc.roofs`": record.Roofs,
    "`skipped` and `failed`": record.NotRun,
}


def prose(page):
    """Return the text of a page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def examples(page):
    """Return the Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """Return the targets of the relative links and pictures of a page."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in targets if not re.match(r"https?:", target)]


def fields(heading, page=FORMAT):
    """Return the fields that a page lists below a heading."""
    section = re.split(r"^#+ ", page.read_text("utf-8"), flags=re.MULTILINE)
    body = next(part for part in section if part.partition("\n")[0] == heading)
    return set(re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE))


def keys(value):
    """Return all names in a JSON document."""
    if isinstance(value, dict):
        return set(value) | {name for entry in value.values() for name in keys(entry)}
    return {name for entry in value for name in keys(entry)} if isinstance(value, list) else set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """The file of each relative link exists, and has the heading of the link's anchor."""
    for target in links(page):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(linked), f"{target}: {linked.name} has no such heading"


def test_every_page_is_reachable_from_the_readme():
    """Links lead from the README to every page of docs/."""
    reached, new = set(), {README}
    while new:
        reached |= new
        new = {(page.parent / link.partition("#")[0]).resolve() for page in new for link in links(page)}
        new = {path for path in new if path.suffix == ".md"} - reached
    assert reached >= set(ROOT.glob("docs/**/*.md"))


def test_readme_is_one_page():
    """The README has at most 120 lines, shows how to clone, and has the one test command that .ci/run takes from it."""
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert re.search(r"^git clone ", text, flags=re.MULTILINE)
    assert len(re.findall(r"^\.venv/bin/pytest -n.*$", text, flags=re.MULTILINE)) == 1


def test_glossary_is_short():
    """Each term of the glossary is in alphabetical order, with at most two sentences and a link to its details."""
    rows = re.findall(r"^\| (.+) \| (.+) \| (\[.+\]\(.+\)) \|$", GLOSSARY.read_text("utf-8"), flags=re.MULTILINE)
    terms = [term.strip("`").lower() for term, _, _ in rows]
    assert len(rows) >= 40
    assert terms == sorted(terms)
    assert all(meaning.count(". ") <= 1 and meaning.endswith(".") for _, meaning, _ in rows)


def test_every_public_name_is_on_the_page_of_the_api():
    """The page of the API has a section for each public name."""
    names = re.findall(r"^## `(\w+)`$", (ROOT / "docs" / "api.md").read_text("utf-8"), flags=re.MULTILINE)
    assert {*names, "__version__"} == set(autoenc_bench.__all__)


def test_every_command_and_option_has_its_page():
    """Each command is in the README, and one page has a table with all its options."""
    text = "\n".join(page.read_text("utf-8") for page in ROOT.glob("docs/*.md"))
    for command, parser in GENERATE.parsers().items():
        assert f"`autoenc-bench {command}" in README.read_text("utf-8"), command
        options = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
        tables = re.findall(
            rf"^\| `autoenc-bench {command}[^|]*` \| meaning \|\n((?:\|.*\n)*)", text, flags=re.MULTILINE
        )
        assert len(tables) == bool(options), command
        assert not options or set(re.findall(r"^\| `(--[\w-]+)", tables[0], flags=re.MULTILINE)) == options, command


def test_every_pytest_option_has_its_page():
    """The page about running the suite has a table with all options that the suite adds to pytest's."""
    running = (ROOT / "docs" / "running.md").read_text("utf-8")
    table = re.search(r"^\| `pytest benchmarks/` \| meaning \|\n((?:\|.*\n)*)", running, flags=re.MULTILINE)[1]
    options = {name for names, _ in GENERATE.both_sides() for name in names}
    assert options == set(re.findall(r"^\| `(--[\w-]+)", table, flags=re.MULTILINE))
    assert "--scale" in options


def test_every_phase_has_its_row():
    """The table of cases has each benchmark function."""
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "running.md").read_text("utf-8"), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    for path in ROOT.glob("benchmarks/test_*.py"):
        for phase in re.findall(r"^def test_(\w+)", path.read_text("utf-8"), flags=re.MULTILINE):
            assert phase in named, phase


@pytest.mark.parametrize("heading", STRUCTURES)
def test_every_field_of_a_record_has_its_row(heading):
    """The page of the record's format lists exactly the fields of each structure."""
    assert fields(heading) == {field.encode_name for field in msgspec.structs.fields(STRUCTURES[heading])}


def test_every_structure_of_a_record_has_its_section():
    """Each structure of a record, or a subclass of it, has a table on the page."""
    for module in (case, record):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and not name.startswith("_"):
                has_table = any(issubclass(structure, value) for structure in STRUCTURES.values())
                assert has_table or value in (msgspec.Struct, counts.Counts), name


@pytest.mark.parametrize("structure", [counts.Counts, counts.Program, counts.Part])
def test_every_field_of_counts_is_named(structure):
    """The tables of the section about counts have all fields of counts and their parts."""
    section = FORMAT.read_text("utf-8").partition("### `counts`\n")[2].partition("\n##")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE))))
    assert named >= {field.encode_name for field in msgspec.structs.fields(structure)}


def test_page_names_the_schema_version():
    """The page of the record's format names the current schema version."""
    assert f"`autoenc.schema_version` is {record.SCHEMA_VERSION}." in FORMAT.read_text("utf-8")


@pytest.mark.parametrize("command", [["compare", str(GENERATE.EXAMPLE)], ["history"]], ids=lambda command: command[0])
def test_page_names_the_fields_of_documents(command, capsys):
    """The page names each JSON field that compare and history write, except the facts of a context."""
    cli.main([*command, str(GENERATE.EXAMPLE), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    for machine in document.get("machines", []):
        for context in machine["contexts"]:
            context["facts"] = None
    text = FORMAT.read_text("utf-8")
    assert keys(document)
    for name in keys(document):
        assert f"`{name}`" in text, name


def test_every_field_of_an_experiment_has_its_row():
    """The page about your own experiment lists exactly the fields of an experiment."""
    assert fields("Your own experiment", OWN) == {field.name for field in dataclasses.fields(Experiment)}


@pytest.mark.parametrize("page", [README, OWN], ids=lambda page: page.name)
def test_examples_use_the_public_interface(page):
    """The Python examples compile, and import only public names of the package."""
    assert examples(page)
    for example in examples(page):
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("autoenc_bench.") for name in node.names)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autoenc_bench"):
                assert node.module == "autoenc_bench"
                assert {name.name for name in node.names} <= set(autoenc_bench.__all__)


def test_readme_example_runs(tmp_path, monkeypatch, capsys):
    """The README's example compares two saved runs, and calls draw_report with valid arguments."""
    (tmp_path / ".benchmarks").mkdir()
    for number, name in enumerate(("before", "after"), start=1):
        for suffix in (".json", ".npz"):
            copy = tmp_path / ".benchmarks" / f"{number:04}_{name}{suffix}"
            copy.write_bytes(GENERATE.EXAMPLE.with_suffix(suffix).read_bytes())
    drawn = []
    draw = inspect.signature(autoenc_bench.draw_report)
    monkeypatch.setattr(
        "autoenc_bench.report.page.write", lambda *args, **named: drawn.append(draw.bind(*args, **named))
    )
    monkeypatch.chdir(tmp_path)
    for example in examples(README):
        exec(compile(example, str(README), "exec"), {})
    assert "epoch[digits-fused] " in capsys.readouterr().out
    assert [path.name for call in drawn for path in call.arguments["paths"]] == ["0002_after.json"]
