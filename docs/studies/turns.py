"""Three ways to hold two processes against each other: ``python docs/studies/turns.py``; gate.md has the answers.

In groups of two pairs of processes, each case is measured in three ways, one after the other: round by round by turns;
process after process, base, head, head, base, each with all its rounds; and as a duet, both processes of a pair at once
on a core each. Printed is how far a pair's estimate spreads between pairs, how long a pair took, and which change three
minutes of measuring would tell. ``--busy`` keeps a neighbour at work on the other core. ``--planted`` lets the head
wait by a share of each epoch. It goes on where it was stopped; let nothing else run.
"""

import argparse
import json
from itertools import groupby
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import gate
import numpy as np
from tabulate import tabulate

from autoenc_bench.live import checkouts, groups
from autoenc_bench.live.checkouts import Wanted
from autoenc_bench.plugin.messages import Begin, Ended, Visit
from autoenc_bench.verdicts import pairs

ROOT = Path(__file__).parents[2]
CASES = [option for name in ("crude-simple", "crude-complex", "mnist") for option in ("--experiment", name)]
ROUNDS = 40
TOLD = 4.0  # standard errors that an interval needs, about, of few pairs and several cases
MINUTES = 3


class Studied(groups.Group):
    """A group that can take its turns in other ways as well."""

    def one_by_one(self, case):
        """Let each process have all its rounds, base, head, head, base."""
        self._gather()
        return self._taken(case, [[0], [1], [3], [2]])

    def duet(self, case):
        """Let both processes of a pair have their rounds at the same time, on a core each."""
        for place, member in enumerate(self._members):
            member.pin([self._cores[place % 2]])
        return self._taken(case, [[0, 1], [2, 3]])

    def _taken(self, case, order):
        """Let the processes of each part have their rounds at once, part after part."""
        for member in self._members:
            member.send(Visit(case, ROUNDS, is_interleaved=True))
        replies = {place: member.follow(60) for place, member in enumerate(self._members)}
        for part in order:
            while not isinstance(replies[part[0]], Ended):
                for place in part:
                    self._members[place].send(Begin())
                for place in part:
                    replies[place] = self._members[place].follow(60)
        return groups.Results(replies, 0.0)


def measure(revision, number, folder):
    """Measure a group in all ways; yield a row for each case, way and pair."""
    with checkouts.both(Wanted(revision="origin/HEAD"), Wanted(revision=revision), folder) as both:
        options = ["benchmarks/", "-k", "epoch and fused", *CASES]
        with Studied(both, options, folder / "records", str(number), lambda: None) as group:
            group.start()
            for case in group.cases[0]:
                group.run(case, range(4), 1, 600, {})
                ways = {
                    "by turns": lambda case: group.interleave(case, ROUNDS, 1),
                    "one by one": group.one_by_one,
                    "duet": group.duet,
                }
                for way, visit in ways.items():
                    began = perf_counter()
                    times = [np.log(ended.times) for ended in visit(case).ended.values()]
                    seconds = (perf_counter() - began) / groups.PAIRS
                    for base, head in ((0, 1), (2, 3)):
                        if way == "one by one":
                            estimate = np.median(times[head]) - np.median(times[base])
                        else:
                            estimate = pairs.contrast(times[base], times[head]).estimate
                        yield {"case": case.rpartition("_")[2], "way": way, "estimate": estimate, "seconds": seconds}


def main():
    """Measure so many groups, and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--planted", type=float, default=0.0, help="default: nothing")
    parser.add_argument("--busy", action="store_true", help="keep the other core busy")
    parser.add_argument("--kept", type=Path, default=Path("turns.jsonl"), help="default: %(default)s")
    chosen = parser.parse_args()
    setting = {"planted": chosen.planted, "busy": chosen.busy}
    rows = [json.loads(line) for line in chosen.kept.read_text().splitlines()] if chosen.kept.exists() else []
    done = {row["group"] for row in rows if setting.items() <= row.items()}
    with TemporaryDirectory() as temporary:
        clone = Path(temporary) / "clone"
        gate.git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
        gate.branch(clone, chosen.planted)
        with gate.neighbour("other" if chosen.busy else "nobody"):
            for number in sorted(set(range(1, chosen.groups + 1)) - done):
                found = [
                    {**setting, "group": number, **row} for row in measure(gate.name(chosen.planted), number, clone)
                ]
                rows += found
                with chosen.kept.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in found)
    summary(rows)


def summary(rows):
    """Print how far each way's pairs spread, and what that tells in a while."""
    table = []

    def key(row):
        return row["planted"], row["busy"], row["case"], row["way"]

    for (planted, busy, case, way), found in groupby(sorted(rows, key=key), key):
        estimates, seconds = np.transpose([(row["estimate"], row["seconds"]) for row in found])
        spread = estimates.std(ddof=1)
        told = TOLD * spread / sqrt(60 * MINUTES / seconds.mean())
        shares = f"{spread:.1%}", f"{seconds.mean():.1f}", f"{told:.1%}"
        table.append(
            (case, way, f"{planted:.0%}", "busy" if busy else "alone", f"{np.expm1(estimates.mean()):+.1%}", *shares)
        )
    headers = ("case", "way", "planted", "neighbour", "mean", "spread of pairs", "s a pair", f"{MINUTES} min tell")
    print(tabulate(table, headers, tablefmt="github"))


if __name__ == "__main__":
    main()
