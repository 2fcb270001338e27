"""Print what the pages quote from the program. Cog blocks in the pages call these functions; ``.ci/run`` checks them.

Run ``cog -r -I docs README.md docs/*.md`` after a change of an option, a scale, an experiment or a table.
"""

import argparse
import hashlib
import inspect
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import autoenc_bench
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.cli import __main__ as cli
from autoenc_bench.machine.variables import RECORDED
from autoenc_bench.plugin import options as plugin
from autoenc_bench.verdicts.limits import GATED, Limits

EXAMPLE = Path(__file__).parent / "example" / "0001_digits.json"  # a real run: --scale smoke --experiment digits
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    return dict(_subparsers(cli.parser()).choices)


def api() -> str:
    """Return a section for each public name: its signature as Python code, and its docstring."""
    return "\n\n".join(_section(name, getattr(autoenc_bench, name)) for name in autoenc_bench.__all__ if name[0] != "_")


def _section(name: str, value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Exception):
        code = f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
    else:
        code = f"{'class' if isinstance(value, type) else 'def'} {name}{_parameters(inspect.signature(value))}"
    text = str(inspect.getdoc(value)).replace("``", "`")
    return f"## `{name}`\n\n```text\n{code}\n```\n\n{text}"


def _parameters(signature: inspect.Signature) -> str:
    """Return a signature without the names of modules; a long one has a line for each parameter."""
    text = re.sub(r"<function .* at 0x\w+>", "…", str(signature))
    text = re.sub(r"'([A-Z]\w*(?: \| \w+)*)'", r"\1", text)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])", "", text)
    text = re.sub(r"ndarray\[.*?dtype\[float32\]\]", "Array", text).removesuffix(" -> None")
    if len(text) <= 100:
        return text
    inside, _, end = text[1:].rpartition(")")
    parameters = re.split(r", (?=\w+:|\*,)", inside)
    return "\n".join(("(", *(f"    {parameter}," for parameter in parameters), f"){end}"))


def commands() -> str:
    """Return the table of all commands."""
    helps = {action.dest: action.help for action in _subparsers(cli.parser())._choices_actions}
    return _table(("command", "what it does"), [(f"`autoenc-bench {name}`", text) for name, text in helps.items()])


def variables() -> str:
    """Return the table of the environment variables that belong to the context, by library."""
    rows = []
    for library, pattern in RECORDED.items():
        # A regular expression of alternatives, shown as prefixes and names.
        shown = re.sub(r"\s+", "", re.sub(r"\\w[+*]", "…", pattern)).replace("(?i:", "(")
        rows.append((library, " ".join(f"`{name}`" for name in dict.fromkeys(_alternatives(shown)))))
    return _table(("library", "variables"), rows)


def _alternatives(pattern: str) -> Iterator[str]:
    """Yield every text that a pattern of alternatives in brackets stands for; brackets may be nested."""
    for part in _split(pattern):
        brackets = re.search(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)", part)
        if not brackets:
            yield part
            continue
        for alternative in _split(brackets[1]):
            yield from _alternatives(part[: brackets.start()] + alternative + part[brackets.end() :])


def _split(pattern: str) -> list[str]:
    """Split a pattern at the bars outside of brackets."""
    parts, depth = [""], 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _subparsers(parser: argparse.ArgumentParser) -> Any:
    return next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def options(command: str) -> str:
    """Return the table of a command's arguments and options."""
    actions = [action for action in parsers()[command]._actions if action.dest != "help"]
    names = " ".join([command, *(_place(action) for action in actions if not action.option_strings)])
    rows = [(_signature(action.option_strings, vars(action)), _meaning(vars(action))) for action in actions]
    return _table((f"`autoenc-bench {names}`", "meaning"), [row for row in rows if row[1]])


def _place(argument: argparse.Action) -> str:
    """Return an argument as the usage line of a command shows it."""
    name = str(argument.metavar or argument.dest.upper())
    return {"?": f"[{name}]", "*": f"[{name} …]"}.get(str(argument.nargs), name)


class PytestOptions(list[tuple[tuple[str, ...], dict[str, Any]]]):
    """A stand-in for pytest's parser that collects the names and settings of the options of the suite's plugin."""

    def getgroup(self, *_: object, **__: object) -> "PytestOptions":
        """Return itself, because the suite has one group."""
        return self

    def addoption(self, *names: str, **settings: Any) -> None:
        """Collect one option."""
        self.append((names, settings))


def pytest_options() -> str:
    """Return the table of the options that the suite adds to pytest's."""
    rows = [(_signature(names, settings), _meaning(settings)) for names, settings in both_sides()]
    return _table(("`pytest benchmarks/`", "meaning"), rows)


def both_sides() -> PytestOptions:
    """Return the options that the suite adds to pytest's."""
    options = PytestOptions()
    plugin.pytest_addoption(options)
    return options


def _signature(names: Sequence[str], settings: dict[str, Any]) -> str:
    """Return an option or an argument with its value, as a user writes it."""
    if not names:
        return f"`{settings['metavar'] or settings['dest'].upper()}`"
    takes_value = settings.get("action") != "store_true" and settings.get("nargs") != 0
    choices = settings.get("choices")
    value = settings.get("metavar") or ("|".join(choices) if choices else names[-1].lstrip("-").upper())
    return f"`{names[-1]} {value}`" if takes_value else f"`{names[-1]}`"


def _meaning(settings: dict[str, Any]) -> str:
    text = (settings.get("help") or "").replace("%default", "%(default)s")
    return re.sub(r"\s+", " ", text % {name: value for name, value in settings.items() if name != "help"})


def exit_codes(meanings: dict[int, str]) -> str:
    """Return one table of exit codes."""
    return _table(("exit code", "meaning"), [(str(status), meaning) for status, meaning in meanings.items()])


def limits() -> str:
    """Return the table of the default limits."""
    usual = Limits()
    limits = {kind: usual.of(kind) for kind in GATED}
    shown = [
        (kind, f"{limit * 100:g} %" if isfinite(limit) else "none: reported only") for kind, limit in limits.items()
    ]
    return _table(("kind", "limit"), shown)


def scales() -> str:
    """Return the table of scales, one column each."""
    rows = [
        ("whole experiments", *(_whole(scale) for scale in SCALES.values())),
        (
            "trainers of whole experiments",
            *(", ".join(f"`{name}`" for name in scale.trainers) for scale in SCALES.values()),
        ),
        ("seeds of whole experiments", *(scale.seeds for scale in SCALES.values())),
        *(
            (f"timed rounds of `{name}`", *(_rounds(scale.training[name]) for scale in SCALES.values()))
            for name in ("fit", "fused")
        ),
        ("timed rounds of `untouched_fit`", *(_rounds(scale.untouched) for scale in SCALES.values())),
        ("timed rounds of `data`", *(min(3, scale.rounds) for scale in SCALES.values())),
        ("timed rounds of other cases", *(scale.rounds for scale in SCALES.values())),
        ("time to measure the roofs", *(f"{scale.roof_seconds:g} s" for scale in SCALES.values())),
        (
            "longest whole experiment on PyTorch; longer ones are skipped",
            *("no limit" if scale.longest == inf else f"{scale.longest:g} s" for scale in SCALES.values()),
        ),
    ]
    return _table(("", *(f"`{name}`" for name in SCALES)), rows)


def _whole(scale: Any) -> str:
    return "full size" if scale.full_size else f"at most {scale.rows:,} rows and {scale.epochs} epochs"


def _rounds(rounds: Any) -> str:
    return f"{rounds.rounds} of about {rounds.seconds:g} s"


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headers, ["---"] * len(headers), *cells))


def run(*arguments: str, shown: str = "") -> str:
    """Return a console block with a command and its output; the page shows ``shown`` as its arguments."""
    text, errors = io.StringIO(), io.StringIO()
    job = os.environ.pop("GITHUB_STEP_SUMMARY", None)  # an example must not appear on a CI job's page
    try:
        with redirect_stdout(text), redirect_stderr(errors):
            cli.main(arguments)
    finally:
        os.environ.update({"GITHUB_STEP_SUMMARY": job} if job else {})
    if not text.getvalue():
        raise RuntimeError(
            f"autoenc-bench {' '.join(arguments)} printed nothing, and on standard error: {errors.getvalue()}"
        )
    lines = "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())
    return f"```console\n$ autoenc-bench {shown or ' '.join(arguments)}\n{lines}\n```"


def comparison() -> str:
    """Return the output of ``compare`` for made-up records: six runs per side, and a head whose epochs are slower."""
    with TemporaryDirectory() as folder, chdir(folder):
        random = np.random.default_rng(1)
        for name, slowdown, sorts in (("before", 1.0, 0), ("after", 1.1, 1)):
            records = [_made(random, number, slowdown, name) for number in range(6)]
            for record in records:
                record["benchmarks"][0]["extra_info"]["autoenc"]["counts"] = _counts(sorts)
            _write(Path(".benchmarks/runs"), records, name)
        return run("compare", "before", "after")


def _counts(sorts: int) -> dict[str, Any]:
    """Return counts of a program with this number of sorts in its loop."""
    plain = {"instructions": {"add": 28, "dot": 5, "fusion": 29}, "types": {"f32": 485}, "bytes": 441_113}
    kinds = {"add": 33, "dot": 7, "fusion": 35 + sorts, **({"sort": sorts} if sorts else {})}
    looped = {"instructions": kinds, "types": {"f32": 380}, "flops": 2_129_920, "bytes": 910_406 + 25_600 * sorts}
    return {"programs": [{"identity": f"{sorts:016x}", "once": plain, "loops": looped}]}


def history() -> str:
    """Return the output of ``history`` for made-up records of two machines; one machine becomes slower."""
    with TemporaryDirectory() as folder, chdir(folder):
        random = np.random.default_rng(2)
        ours = (
            _made(random, day, 1.1 if day >= 15 else 1.0, str(day), keras="3.16.0" if day >= 8 else "3.15.1")
            for day in range(24)
        )
        theirs = (_made(random, day, 0.5, str(day), cpu="Another CPU", id="0f1e2d3c4b5a") for day in range(12))
        _write(Path("records/desk"), ours, "smoke")
        _write(Path("records/server"), theirs, "smoke")
        return run("history", "records", shown="history records/")


def _made(
    random: np.random.Generator, day: int, factor: float, commit: str, keras: str = "3.15.1", **machine: str
) -> dict[str, Any]:
    """Return a copy of the example record with an epoch and a whole experiment, and other times."""
    record = deepcopy(json.loads(EXAMPLE.read_text("utf-8")))
    kept = ("test_epoch[digits-fused]", "test_experiment[digits-fused-seed0]")
    record["benchmarks"] = [benchmark for benchmark in record["benchmarks"] if benchmark["name"] in kept]
    for benchmark in record["benchmarks"]:
        stats = benchmark["stats"]
        change = random.lognormal(0, 0.02) * (factor if "epoch" in benchmark["name"] or machine else 1)
        stats["data"] = [time * change for time in stats["data"]]
        stats["median"], stats["min"] = float(np.median(stats["data"])), min(stats["data"])
    record["datetime"] = (START + timedelta(days=day)).isoformat()
    record["commit_info"]["id"] = hashlib.sha256(commit.encode()).hexdigest()[:40]
    record["autoenc"]["machine"].update(machine)
    record["autoenc"]["context"]["keras"] = keras
    return record


def _write(folder: Path, records: Iterable[dict[str, Any]], name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first = len(list(folder.iterdir())) + 1
    for number, record in enumerate(records, start=first):
        (folder / f"{number:04}_{name}.json").write_text(json.dumps(record), "utf-8")


def example() -> str:
    """Return the example record with one case, short lists and only the fields that the page describes."""
    record = json.loads(EXAMPLE.read_text("utf-8"))
    whole = next(case for case in record["benchmarks"] if case["name"].startswith("test_experiment"))
    whole["stats"] = {name: whole["stats"][name] for name in ("median", "min", "rounds", "iterations", "data")}
    whole = {name: whole[name] for name in ("name", "fullname", "extra_info", "stats")}
    cpu = {"brand_raw": record["machine_info"]["cpu"]["brand_raw"]}
    keys = ("node", "system", "machine", "python_implementation", "python_version")
    shown = {
        "datetime": record["datetime"],
        "version": record["version"],
        "commit_info": {name: record["commit_info"][name] for name in ("id", "branch", "dirty")},
        "machine_info": {**{name: record["machine_info"][name] for name in keys}, "cpu": cpu},
        "autoenc": record["autoenc"],
        "benchmarks": [whole],
    }
    return "```json\n" + "\n".join(_lines(shown)) + "\n```"


def _lines(value: Any, indent: str = "", after: str = "") -> Iterator[str]:
    """Yield the lines of a JSON document; a short list or object takes one line."""
    flat = json.dumps(_shortened(value), ensure_ascii=False).replace('"…"', "…")
    if len(indent) + len(flat) <= 100 or not isinstance(value, dict | list):
        yield f"{flat}{after}"
        return
    brackets = "{}" if isinstance(value, dict) else "[]"
    entries = list(value.items()) if isinstance(value, dict) else [(None, entry) for entry in _shortened(value)]
    yield brackets[0]
    for place, (name, entry) in enumerate(entries):
        first, *others = _lines(entry, f"{indent}  ", "," if place < len(entries) - 1 else "")
        yield f"{indent}  {f'{json.dumps(name)}: ' if name is not None else ''}{first}"
        yield from others
    yield f"{indent}{brackets[1]}{after}"


def _shortened(value: Any) -> Any:
    """Return a JSON value with lists cut after their third entry, and numbers rounded."""
    if isinstance(value, dict):
        return {name: _shortened(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_shortened(entry) for entry in value[:3]] + (["…"] if len(value) > 3 else [])
    return float(f"{value:.6g}") if isinstance(value, float) else value
