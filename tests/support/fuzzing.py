"""Mutated records: valid ones with one to three parts replaced, removed, doubled, nested or scaled.

``python tests/support/fuzzing.py N`` reads N of them with each command in this process and counts the exit codes.
"""

import copy
import io
import json
import random
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import histories
import numpy as np
import recordings

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.exit_codes import BUG, GATE, OTHERS

NUMBERS = [0, -1, 1, 2**31, 2**63, 2**64, 10**400, 0.0, -0.0, 1e-320, 1e-9, 1e9, 1e308, -1e308]
NUMBERS += [float(word) for word in ("nan", "inf", "-inf")]
TEXTS = ["", " ", "x", "σ → ✓", "\0", "\ud800", "a\nb", "::", "[", "]", "../../x", "<b>&amp;", "9" * 400, "x" * 5000]
TEXTS += ["2026-13-40", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00", "NaN", "unknown", "-seed0]"]
ODD = [None, True, False, [], {}, [[]], [None], {"": None}, *NUMBERS, *TEXTS]


def paths(value, at=()):
    """List the paths of all parts of a record, as keys and indices."""
    found = [at] if at else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        found += paths(part, (*at, key))
    return found


def mutate(good, draw):
    """Return a copy of a record with one to three mutations."""
    content = copy.deepcopy(good)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        at = draw.choice(paths(content))
        holder = content
        for key in at[:-1]:
            holder = holder[key]
        key, old = at[-1], holder[at[-1]]
        kind = draw.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(old))
        elif kind == 2 and isinstance(old, list):
            holder[key] = old * draw.choice((2, 50))
        elif kind == 3 and isinstance(old, int | float):
            holder[key] = old * draw.choice((-1, 1e-30, 1e30, 1e300))
        elif kind == 4:
            deep = old
            for _ in range(draw.choice((1, 3, 200))):
                deep = [deep]
            holder[key] = deep
        else:
            holder[key] = draw.choice(ODD)
    return content


def text(content, draw):
    """Return a record as the bytes of a file, in one of twenty cases with damaged bytes."""
    data = json.dumps(content).encode()
    if draw.random() < 0.05:
        begin = draw.randrange(len(data))
        data = data[:begin] + draw.choice((b"", b"\xff", b"NaN", b'"')) + data[begin + draw.randrange(40) :]
    return data


def side_file(path, draw):
    """Change a side file in place: other arrays, shapes and types, or damaged bytes."""
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    name = draw.choice(list(found))
    array, kind = found[name], draw.randrange(8)
    if kind == 0:
        del found[name]
    elif kind < 6:
        others = (array[:, :0], array[:1], array[..., :-1], array.astype(float), array[0], array.T, np.array("text"))
        found[name] = draw.choice(others)
    np.savez(path, **found)
    if kind > 5:
        data = bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 30))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data[: draw.randrange(len(data))] if kind == 7 else data)


def call(*arguments):
    """Run a command in this process; return its exit code, its output and its errors."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = cli.main([str(argument) for argument in arguments])
    return status, out.getvalue(), err.getvalue()


def good(draw):
    """Return a valid record, of this suite or of plain pytest-benchmark."""
    if draw.random() < 0.3:
        return recordings.content(run=None, entries=[recordings.plain(f"test_{one}", [0.1, 0.2, 0.3]) for one in "abc"])
    return histories.content(1) if draw.random() < 0.5 else recordings.content(["digits"])


def sides(path, seed):
    """Return base and head: the record itself as both, or three valid runs, and two with the record."""
    if seed % 2:
        return path, path
    base, head = path.parent / "base", path.parent / f"head-{seed}"
    if not base.exists():
        histories.write(base, [histories.content(day) for day in range(3)])
    histories.write(head, [histories.content(day) for day in range(2)])
    (head / path.name).write_bytes(path.read_bytes())
    return base, head


def check(seed, folder, commands=("summary", "history", "compare"), side=False):
    """Let each command read a mutated record or side file; check and return the exit codes."""
    draw = random.Random(seed)
    path = folder / f"{seed}.json"
    if side:
        image = recordings.SIDE, recordings.SIDE
        whole = recordings.benchmark(recordings.whole("digits", image=image), 2.0, rounds=1)
        path = recordings.save(folder / str(seed), recordings.content(entries=[whole]))
        side_file(path.with_suffix(".npz"), draw)
    else:
        path.write_bytes(text(mutate(good(draw), draw), draw))
    statuses = {}
    for command in commands:
        arguments = sides(path, seed) if command == "compare" else [path]
        if command == "report":
            arguments += ["--out", folder / "out"]
        status, _, err = call(command, *arguments)
        assert status in (GATE if command == "compare" else OTHERS), (seed, command, status, err)
        assert status != BUG, (seed, command, err)
        assert "Traceback" not in err, (seed, command, err)
        if status == 2 and command != "compare":
            assert str(path.stem) in err, (seed, command, err)
        statuses[command] = status
    return statuses


def main():
    """Count the exit codes for N mutated records, and for a twentieth as many reports of records and side files."""
    number, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + number):
            counts.update(check(seed, Path(folder)).items())
            if seed % 20 == 0:
                counts.update(check(seed, Path(folder), ["report"]).items())
                found = check(seed, Path(folder), ["report"], side=True)
                counts.update((f"{command} of a side file", status) for command, status in found.items())
            if seed % 1000 == 0:
                print(seed, dict(counts), flush=True)  # noqa: T201
    print(dict(counts))  # noqa: T201


if __name__ == "__main__":
    main()
