"""The documentation: what it names exists, and what exists is named."""

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
from autoenc_bench import cli
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.records import case, counts, record

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("reports/*.md")])
README = ROOT / "README.md"
FORMAT = ROOT / "docs" / "record-format.md"
OWN = ROOT / "docs" / "your-own-experiment.md"
GENERATE = SimpleNamespace(**run_path(str(ROOT / "docs" / "generate.py")))

# The headings of the record's page, and the structure whose fields stand below each.
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
    "`memory`": case.Memory,
    "`autoenc`: the run": record.Run,
    "`autoenc.machine`": record.Machine,
    "`autoenc.roofs`": record.Roofs,
    "`skipped` and `failed`": record.NotRun,
}


def prose(page):
    """Return a page's text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def examples(page):
    """Return the Python of a page's examples."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """Return where a page's relative links and pictures lead."""
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
    """Each relative link leads to a file that is there, and each anchor to a heading of it."""
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{target}: {found.name} has no such heading"


def test_every_page_is_reachable_from_the_readme():
    """A page that nothing links is read by nobody."""
    reached, new = set(), {README}
    while new:
        reached |= new
        new = {(page.parent / link.partition("#")[0]).resolve() for page in new for link in links(page)}
        new = {path for path in new if path.suffix == ".md"} - reached
    assert reached >= set(ROOT.glob("docs/**/*.md"))


def test_readme_is_one_page():
    """The README stays short enough to be read."""
    assert len(README.read_text("utf-8").splitlines()) <= 140


def test_readme_has_the_test_command():
    """The README holds the command that .ci/run takes from it, once."""
    assert len(re.findall(r"^\.venv/bin/pytest -n.*$", README.read_text("utf-8"), flags=re.MULTILINE)) == 1


def test_every_command_and_option_has_its_page():
    """Each command is in the README, and each of its options in the table that a page has of it."""
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
    """Each option that the suite adds to pytest's is in the table of the page about running it."""
    running = (ROOT / "docs" / "running.md").read_text("utf-8")
    options = {name for names, _ in GENERATE.suite_options() for name in names}
    assert options == set(re.findall(r"^\| `(--[\w-]+)", running.partition("## Experiments")[0], flags=re.MULTILINE))
    assert "--scale" in options


def test_every_phase_has_its_row():
    """Each benchmark is in the table of cases."""
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "running.md").read_text("utf-8"), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    for path in ROOT.glob("benchmarks/test_*.py"):
        for phase in re.findall(r"^def test_(\w+)", path.read_text("utf-8"), flags=re.MULTILINE):
            assert phase in named, phase


@pytest.mark.parametrize("heading", STRUCTURES)
def test_every_field_of_a_record_has_its_row(heading):
    """The page of the record's format lists the fields of each structure, and no others."""
    assert fields(heading) == {field.encode_name for field in msgspec.structs.fields(STRUCTURES[heading])}


def test_every_structure_of_a_record_has_its_section():
    """No structure of a record is without its table: those that are parts of others are told by these."""
    for module in (case, record):
        for name, found in vars(module).items():
            if isinstance(found, type) and issubclass(found, msgspec.Struct) and not name.startswith("_"):
                known = any(issubclass(structure, found) for structure in STRUCTURES.values())
                assert known or found in (msgspec.Struct, counts.Counts), name


@pytest.mark.parametrize("structure", [counts.Counts, counts.Program, counts.Part])
def test_every_field_of_counts_is_named(structure):
    """The section about counts, which has a table for each of its parts, names all their fields."""
    section = FORMAT.read_text("utf-8").partition("### `counts`\n")[2].partition("\n##")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE))))
    assert named >= {field.encode_name for field in msgspec.structs.fields(structure)}


def test_page_names_the_schema_version():
    """The page says which version it describes."""
    assert f"`autoenc.schema_version` is {record.SCHEMA_VERSION}." in FORMAT.read_text("utf-8")


@pytest.mark.parametrize("command", [["compare", str(GENERATE.EXAMPLE)], ["history"]], ids=lambda command: command[0])
def test_page_names_the_fields_of_documents(command, capsys):
    """The page names each field of what compare and history write as JSON; names of facts are the machine's."""
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
    """The page about one's own experiment lists the fields that one has, and no others."""
    assert fields("Your own experiment", OWN) == {field.name for field in dataclasses.fields(Experiment)}


@pytest.mark.parametrize("page", [README, OWN], ids=lambda page: page.name)
def test_examples_use_the_public_interface(page):
    """Python in the documentation compiles, and takes from the package only what it exports."""
    assert examples(page)
    for example in examples(page):
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("autoenc_bench.") for name in node.names)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autoenc_bench"):
                assert node.module == "autoenc_bench"
                assert {name.name for name in node.names} <= set(autoenc_bench.__all__)


def test_readme_example_runs(tmp_path, monkeypatch, capsys):
    """The README's example compares two saved runs, and asks for a report as it can be asked for."""
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
