"""What the pages quote from the program: blocks of cog in them call these functions, and ``.ci/run`` checks the result.

Run ``cog -r -I docs README.md docs/*.md`` after a change of an option, a scale, an experiment or a table.
"""

import argparse
import hashlib
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

from autoenc_bench import cli
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.machine.variables import RECORDED
from autoenc_bench.plugin import options as plugin
from autoenc_bench.verdicts.limits import GATED, Limits

EXAMPLE = Path(__file__).parent / "example" / "0001_digits.json"  # a real run: --scale smoke --experiment digits
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    return dict(_subparsers(cli.parser()).choices)


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
    """Multiply out a pattern of alternatives in brackets, which may be nested."""
    for part in _split(pattern):
        found = re.search(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)", part)
        if not found:
            yield part
            continue
        for one in _split(found[1]):
            yield from _alternatives(part[: found.start()] + one + part[found.end() :])


def _split(pattern: str) -> list[str]:
    """Split a pattern at the bars that stand in no brackets."""
    parts, depth = [""], 0
    for sign in pattern:
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += sign
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
    """Return how an argument stands in a command."""
    name = str(argument.metavar or argument.dest.upper())
    return {"?": f"[{name}]", "*": f"[{name} …]"}.get(str(argument.nargs), name)


class PytestOptions(list[tuple[tuple[str, ...], dict[str, Any]]]):
    """Stands for pytest's parser, and collects what the suite's plugin adds to it: names and settings."""

    def getgroup(self, *_: object, **__: object) -> "PytestOptions":
        """Return itself, for the suite has one group."""
        return self

    def addoption(self, *names: str, **settings: Any) -> None:
        """Collect one option."""
        self.append((names, settings))


def pytest_options() -> str:
    """Return the table of the options that the suite adds to pytest's."""
    rows = [(_signature(names, settings), _meaning(settings)) for names, settings in suite_options()]
    return _table(("`pytest benchmarks/`", "meaning"), rows)


def suite_options() -> PytestOptions:
    """Return the options that the suite adds to pytest's."""
    found = PytestOptions()
    plugin.pytest_addoption(found)
    return found


def _signature(names: Sequence[str], settings: dict[str, Any]) -> str:
    """Return how an option or an argument is written."""
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
    """Return one table of exit statuses."""
    return _table(("exit status", "meaning"), [(str(status), meaning) for status, meaning in meanings.items()])


def limits() -> str:
    """Return the table of the limits that hold unless an experiment or ``--fail-on`` sets others."""
    usual = Limits()
    shown = {kind: f"{usual.of(kind) * 100:g} %" if isfinite(usual.of(kind)) else "none: told only" for kind in GATED}
    return _table(("kind", "limit"), list(shown.items()))


def scales() -> str:
    """Return the table of scales, one column each."""
    rows = [
        ("whole experiments", *(_whole(scale) for scale in SCALES.values())),
        ("run whole by", *(", ".join(f"`{name}`" for name in scale.trainers) for scale in SCALES.values())),
        ("seeds", *(scale.seeds for scale in SCALES.values())),
        *(
            (f"timed rounds of `{name}`", *(_rounds(scale.training[name]) for scale in SCALES.values()))
            for name in ("fit", "fused")
        ),
        ("timed rounds of a script's `fit`", *(_rounds(scale.untouched) for scale in SCALES.values())),
        ("timed rounds of `data`", *(min(3, scale.rounds) for scale in SCALES.values())),
        ("timed rounds of other cases", *(scale.rounds for scale in SCALES.values())),
        ("time to measure the roofs", *(f"{scale.roof_seconds:g} s" for scale in SCALES.values())),
        (
            "longest whole experiment on PyTorch",
            *("no limit" if scale.longest == inf else f"{scale.longest:g} s" for scale in SCALES.values()),
        ),
    ]
    return _table(("", *(f"`{name}`" for name in SCALES)), rows)


def _whole(scale: Any) -> str:
    return "full size" if scale.full_size else f"{scale.rows:,} rows, {scale.epochs} epochs at most"


def _rounds(rounds: Any) -> str:
    return f"{rounds.rounds} of about {rounds.seconds:g} s"


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headers, ["---"] * len(headers), *cells))


def run(*arguments: str, shown: str = "") -> str:
    """Return a console block with a command and what it prints; ``shown`` are the arguments that the page shows."""
    text, errors = io.StringIO(), io.StringIO()
    job = os.environ.pop("GITHUB_STEP_SUMMARY", None)  # an example belongs on no job's page
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
    """Return what ``compare`` prints of made-up records: six runs a side, and a head whose epochs are slower."""
    with TemporaryDirectory() as folder, chdir(folder):
        random = np.random.default_rng(1)
        for name, slowdown, sorts in (("before", 1.0, 0), ("after", 1.1, 1)):
            records = [_made(random, number, slowdown, name) for number in range(6)]
            for record in records:
                record["benchmarks"][0]["extra_info"]["autoenc"]["counts"] = _counts(sorts)
            _write(Path(".benchmarks/runs"), records, name)
        return run("compare", "before", "after")


def _counts(sorts: int) -> dict[str, Any]:
    """Make counts of a program whose loop sorts so often."""
    plain = {"instructions": {"add": 28, "dot": 5, "fusion": 29}, "types": {"f32": 485}, "bytes": 441_113}
    kinds = {"add": 33, "dot": 7, "fusion": 35 + sorts, **({"sort": sorts} if sorts else {})}
    looped = {"instructions": kinds, "types": {"f32": 380}, "flops": 2_129_920, "bytes": 910_406 + 25_600 * sorts}
    return {"programs": [{"identity": f"{sorts:016x}", "once": plain, "loops": looped}]}


def history() -> str:
    """Return what ``history`` prints of made-up records of two machines, one of which becomes slower."""
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
    """Make a record from the example: an epoch and a whole experiment, with other times."""
    record = deepcopy(json.loads(EXAMPLE.read_text("utf-8")))
    kept = ("test_epoch[digits-fused]", "test_experiment[digits-fused-seed0]")
    record["benchmarks"] = [benchmark for benchmark in record["benchmarks"] if benchmark["name"] in kept]
    for benchmark in record["benchmarks"]:
        stats = benchmark["stats"]
        moved = random.lognormal(0, 0.02) * (factor if "epoch" in benchmark["name"] or machine else 1)
        stats["data"] = [time * moved for time in stats["data"]]
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
    """Return a whole record with one case, long lists and what is pytest-benchmark's alone shortened."""
    record = json.loads(EXAMPLE.read_text("utf-8"))
    whole = next(one for one in record["benchmarks"] if one["name"].startswith("test_experiment"))
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
    """Write JSON with short lists and objects on one line each."""
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
    """Cut lists after their third entry."""
    if isinstance(value, dict):
        return {name: _shortened(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_shortened(entry) for entry in value[:3]] + (["…"] if len(value) > 3 else [])
    return float(f"{value:.6g}") if isinstance(value, float) else value
