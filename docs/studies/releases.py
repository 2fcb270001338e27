"""Measure what releases of Keras changed: ``python docs/studies/releases.py`` writes docs/releases.md's figures.

``continuous`` compares each release with the first one: time, error, memory and counts. This takes half an hour; let
nothing else run. The script continues from the results in ``releases.jsonl``; with ``--draw`` it only draws them.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from tabulate import tabulate

DOCS = Path(__file__).parents[1]
PAGE, PICTURE, KEPT = DOCS / "releases.md", DOCS / "pictures" / "releases.png", Path(__file__).with_suffix(".jsonl")
PACKAGE, RELEASES = "keras", ("3.11.0", "3.12.4", "3.13.2", "3.14.1", "3.15.1")
EXPERIMENTS = ("crude-simple", "mnist")
CASES = "epoch and not untouched or experiment and fused"
COLOURS = {"crude-simple": "#0072b2", "mnist": "#00855f"}  # as in the suite's figures, and so are the marks
MARKS = {
    "fit": {"marker": "o", "linestyle": "--", "mfc": "white"},
    "fused": {"marker": "D", "linestyle": "-"},
}
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def measure(release: str) -> dict:
    """Compare a release with the first one."""
    sides = [f"--{side}-with={PACKAGE}=={version}" for side, version in (("base", RELEASES[0]), ("head", release))]
    chosen = [option for name in EXPERIMENTS for option in ("--experiment", name)]
    command = ["continuous", *sides, "--budget", "6m", "--format", "json", "--", *chosen, "-k", CASES]
    command = [sys.executable, "-m", "autoenc_bench.cli", *command]
    done = subprocess.run(command, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True, check=False)
    document = json.loads(done.stdout)
    kept = {name: document[name] for name in ("status", "measured", "tested", "verdicts")}
    return {"release": release, **kept}


def percent(judged: dict | None) -> str:
    """Return a change with its interval."""
    if not judged or judged["ratio"] is None:
        return (judged or {}).get("outcome", "–")
    ends = [f"{100 * (judged[end] - 1):+.1f}" for end in ("ratio", "low", "high") if judged[end] is not None]
    return f"{ends[0]} % ({' … '.join(ends[1:])})"


def table(rows: list[dict]) -> str:
    """Return the table with a line for each case and release."""
    lines = []
    for name in cases(rows):
        for row in rows:
            one = next(verdict for verdict in row["verdicts"] if verdict["case"] == name)
            judged = one["time"] or one["error"]
            counted = (one["counts"] or {}).get("outcome", "–")
            counted = {"unchanged": "equal", "incomparable": "changed"}.get(counted, counted)
            figures = (percent(one["time"]), percent(one["error"]), percent(one["memory"]), counted)
            lines.append((f"`{name}`", row["release"], *figures, judged["outcome"]))
    headers = ("case", f"{PACKAGE}", "time", "error", "memory", "counts", "verdict")
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True)


def causes(rows: list[dict]) -> str:
    """Return a list of the causes of changes."""
    return "\n".join(
        f"- {PACKAGE} {row['release']}, `{one['case']}`: {one['cause'].partition('; under test')[0]}"
        for row in rows
        for one in row["verdicts"]
        if one["cause"]
    )


def cases(rows: list[dict]) -> list[str]:
    """Return the cases, in the order of the suite."""
    return list(dict.fromkeys(one["case"] for row in rows for one in row["verdicts"]))


def draw(rows: list[dict]) -> None:
    """Draw each case's change of time since the first release."""
    timed = [name for name in cases(rows) if name.startswith("epoch")]
    with matplotlib.rc_context({"font.size": 9, "axes.spines.right": False, "axes.spines.top": False}):
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        title = f"Steady epochs by release of Keras, against {RELEASES[0]}"
        figure.suptitle(title, x=0.014, ha="left", fontsize=11, fontweight="bold")
        axes = figure.subplots()
        for number, name in enumerate(timed):
            experiment, trainer = name.removeprefix("epoch[").removesuffix("]").rsplit("-", 1)
            times = {row["release"]: one["time"] for row in rows for one in row["verdicts"] if one["case"] == name}
            points = [(0.0, 0.0, 0.0)] + [
                tuple(100 * ((times[release] or {}).get(end) or 1) - 100 for end in ("ratio", "low", "high"))
                for release in RELEASES[1:]
            ]
            shift = 0.08 * (number - (len(timed) - 1) / 2)
            axes.errorbar(
                [place + shift for place in range(len(RELEASES))],
                [middle for middle, *_ in points],
                yerr=[[middle - low for middle, low, _ in points], [high - middle for middle, _, high in points]],
                label=f"{experiment} by {trainer}",
                color=COLOURS[experiment],
                capsize=2,
                **MARKS[trainer],
            )
        axes.axhline(0, color="#d9dee3", zorder=0)
        axes.set_xticks(range(len(RELEASES)), [f"{PACKAGE} {release}" for release in RELEASES])
        axes.set_ylabel("seconds of an epoch, change in %")
        axes.legend(loc="best")
        figure.savefig(PICTURE, dpi=120)


def main() -> None:
    """Measure the releases that are missing, and write the page's table and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="only draw the kept results")
    options = parser.parse_args()
    rows = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    for release in RELEASES[1:]:
        if not options.draw and release not in [row["release"] for row in rows]:
            rows.append(measure(release))
            with KEPT.open("a") as file:
                print(json.dumps(rows[-1]), file=file)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n\n".join(filter(None, (before + BEGIN, table(rows), causes(rows), END + after))))
    draw(rows)


if __name__ == "__main__":
    main()
