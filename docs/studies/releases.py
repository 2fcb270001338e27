"""What releases of Keras changed: ``python docs/studies/releases.py`` measures, and writes docs/releases.md's figures.

Each release is held against the first one by ``continuous``, both live by turns: time, error and memory, and what the
cases do, counted. Half an hour; let nothing else run. It goes on from what it kept in ``releases.jsonl``;
``--draw`` only draws that.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tabulate import tabulate

from autoenc_bench.report.figures import style

DOCS = Path(__file__).parents[1]
PAGE, PICTURE, KEPT = DOCS / "releases.md", DOCS / "pictures" / "releases.png", Path(__file__).with_suffix(".jsonl")
PACKAGE, RELEASES = "keras", ("3.11.0", "3.12.4", "3.13.2", "3.14.1", "3.15.1")
EXPERIMENTS = ("crude-simple", "mnist")
CASES = "epoch and not untouched or experiment and fused"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def measure(release: str) -> dict:
    """Hold a release against the first one."""
    sides = [f"--{side}-with={PACKAGE}=={version}" for side, version in (("base", RELEASES[0]), ("head", release))]
    chosen = [option for name in EXPERIMENTS for option in ("--experiment", name)]
    command = ["continuous", *sides, "--budget", "6m", "--format", "json", "--", *chosen, "-k", CASES]
    command = [sys.executable, "-m", "autoenc_bench.cli", *command]
    done = subprocess.run(command, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True, check=False)
    document = json.loads(done.stdout)
    kept = {name: document[name] for name in ("status", "measured", "tested", "verdicts")}
    return {"release": release, **kept}


def percent(judged: dict | None) -> str:
    """Show a change with its interval."""
    if not judged or judged["ratio"] is None:
        return (judged or {}).get("outcome", "–")
    ends = [f"{100 * (judged[end] - 1):+.1f}" for end in ("ratio", "low", "high") if judged[end] is not None]
    return f"{ends[0]} % ({' … '.join(ends[1:])})"


def table(rows: list[dict]) -> str:
    """Return a line per case and release."""
    lines = []
    for name in cases(rows):
        for row in rows:
            one = next(verdict for verdict in row["verdicts"] if verdict["case"] == name)
            told = one["time"] or one["error"]
            counted = (one["counts"] or {}).get("outcome", "–")
            counted = {"unchanged": "equal", "incomparable": "changed"}.get(counted, counted)
            figures = (percent(one["time"]), percent(one["error"]), percent(one["memory"]), counted)
            lines.append((f"`{name}`", row["release"], *figures, told["outcome"]))
    headers = ("case", f"{PACKAGE}", "time", "error", "memory", "counts", "verdict")
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True)


def causes(rows: list[dict]) -> str:
    """List why what changed did."""
    return "\n".join(
        f"- {PACKAGE} {row['release']}, `{one['case']}`: {one['cause'].partition('; under test')[0]}"
        for row in rows
        for one in row["verdicts"]
        if one["cause"]
    )


def cases(rows: list[dict]) -> list[str]:
    """List the cases, in the order of the suite."""
    return list(dict.fromkeys(one["case"] for row in rows for one in row["verdicts"]))


def draw(rows: list[dict]) -> None:
    """Draw each case's time against the first release."""
    timed = [name for name in cases(rows) if name.startswith("epoch")]
    with style.style():
        figure = style.blank(f"Steady epochs by release of Keras, against {RELEASES[0]}", "", width=8, height=3.6)
        axes = figure.subplots()
        places = range(len(RELEASES))
        for number, name in enumerate(timed):
            experiment, trainer = name.removeprefix("epoch[").removesuffix("]").rsplit("-", 1)
            mark, colour = style.MARKS[trainer], style.colour(experiment)
            known = {row["release"]: one["time"] for row in rows for one in row["verdicts"] if one["case"] == name}
            points = [(0.0, 0.0, 0.0)] + [
                tuple(100 * ((known[release] or {}).get(end) or 1) - 100 for end in ("ratio", "low", "high"))
                for release in RELEASES[1:]
            ]
            shift = 0.08 * (number - (len(timed) - 1) / 2)
            axes.errorbar(
                [place + shift for place in places],
                [middle for middle, *_ in points],
                yerr=[[middle - low for middle, low, _ in points], [high - middle for middle, _, high in points]],
                label=f"{experiment} by {trainer}",
                color=colour,
                marker=mark.marker,
                linestyle=mark.line,
                mfc=colour if mark.filled else style.PAPER,
                capsize=2,
            )
        axes.axhline(0, color=style.GRID, zorder=0)
        axes.set_xticks(list(places), [f"{PACKAGE} {release}" for release in RELEASES])
        axes.set_ylabel("seconds of an epoch, change in %")
        axes.legend(loc="best")
        figure.savefig(PICTURE, dpi=120)


def main() -> None:
    """Measure what is not kept, and write the page's table and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    chosen = parser.parse_args()
    rows = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    for release in RELEASES[1:]:
        if not chosen.draw and release not in [row["release"] for row in rows]:
            rows.append(measure(release))
            with KEPT.open("a") as file:
                print(json.dumps(rows[-1]), file=file)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n\n".join(filter(None, (before + BEGIN, table(rows), causes(rows), END + after))))
    draw(rows)


if __name__ == "__main__":
    main()
