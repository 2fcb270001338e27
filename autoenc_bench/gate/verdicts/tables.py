"""A comparison for the terminal and for Markdown: the answer first, then one line per case."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import exp, isinf

from tabulate import tabulate

from autoenc_bench.gate.verdicts import Comparison, Judgement, Outcome, Verdict
from autoenc_bench.gate.verdicts.intervals import ENOUGH, RECORDED
from autoenc_bench.gate.verdicts.sequential import GIVEN_UP
from autoenc_bench.gate.verdicts.sides import Side
from autoenc_bench.text import code, count, line, percent

HEADERS = ("case", "verdict", "time", "", "memory", "", "error", "")
SIGNS = {Outcome.REGRESSED: "✗", Outcome.IMPROVED: "✓"}


def text(found: Comparison, measured: str = "") -> str:
    """Lay a comparison out for a terminal; ``measured`` says how it was measured, if live."""
    rows = [[line(cell) for cell in _row(verdict)] for verdict in found.verdicts]
    return "\n\n".join(
        ["\n".join(_answer(found, measured, line)), _table(rows, "simple"), "\n".join(_notes(found, line))]
    )


def markdown(found: Comparison, measured: str = "") -> str:
    """Lay a comparison out for a pull request or a job's summary; names from records stand as code."""
    rows = [[code(name), *cells] for name, *cells in map(_row, found.verdicts)]
    notes = _notes(found, code)
    return (
        "\n\n".join(["# autoenc-bench compare", *_answer(found, measured, code), _table(rows, "github"), *notes]) + "\n"
    )


def _table(rows: Iterable[list[str]], style: str) -> str:
    align = ("left", "left", *["right", "left"] * 3)
    return tabulate(rows, HEADERS, tablefmt=style, colalign=align, disable_numparse=True)


def _answer(found: Comparison, measured: str, show: Callable[[str], str]) -> Iterator[str]:
    """Say first what regressed, then how many cases had which outcome, then who was compared.

    ``show`` makes what comes from records harmless where it is read.
    """
    for kind in ("time", "error", "memory"):
        worse = [name for name, held in judged(found, kind) if held.outcome is Outcome.REGRESSED]
        if worse:
            yield f"{kind} regressed in {', '.join(map(show, worse))}"
    for kind in ("time", "error", "memory"):
        counts = Counter(held.outcome for _, held in judged(found, kind))
        if counts:
            yield f"{kind}: {', '.join(f'{number} {outcome}' for outcome, number in counts.items())}"
    yield f"base: {_side(found.base, show)}; head: {_side(found.head, show)}"
    if measured:
        yield measured
    if found.unlike:
        yield f"times and memory are incomparable: {show(found.unlike)}"
    if found.tested:
        yield f"under test: {show(found.tested)}"
    if found.control:
        yield f"control failed, so no change of time counts: a side differs from itself in {show(found.control)}"


def judged(found: Comparison, kind: str) -> list[tuple[str, Judgement]]:
    """List the cases that were judged in a kind, each with its judgement."""
    return [(verdict.case, held) for verdict in found.verdicts if (held := verdict.judgements.get(kind))]


def _side(side: Side, show: Callable[[str], str]) -> str:
    commits = dict.fromkeys(
        str(known) for source in side.sources if (known := source.record.commit_info) and known.known
    )
    return f"{count(len(side.sources), 'run')} of {show(', '.join(commits)) if commits else 'an unknown commit'}"


def _row(verdict: Verdict) -> list[str]:
    cells = [verdict.case, verdict.joined]
    for judgement in (verdict.time, verdict.memory, verdict.error):
        cells += ["–", ""] if judgement is None else [change(judgement), _words(judgement)]
    return cells


def change(judgement: Judgement) -> str:
    """Say an estimate and its interval in per cent."""
    held = judgement.interval
    if held is None:
        return "–"
    if isinf(held.high - held.low) and not isinf(held.estimate):
        return _percent(held.estimate)
    return f"{_percent(held.estimate)} ({_percent(held.low)} … {_percent(held.high)})"


def _percent(value: float) -> str:
    return "+∞" if value > 20 else percent(exp(value))


def _words(judgement: Judgement) -> str:
    """Say an outcome, and of what is undecided which change would have been seen."""
    words = f"{SIGNS.get(judgement.outcome, '')} {judgement.outcome}".strip()
    if judgement.outcome is Outcome.UNDECIDED and judgement.interval and not isinf(judgement.interval.high):
        words += f", sees {_percent(judgement.interval.detectable)}"
    return f"{words} ({judgement.reason})" if judgement.reason and judgement.interval else words


def _notes(found: Comparison, show: Callable[[str], str]) -> Iterator[str]:
    yield (
        "Change of head against base with its interval, which all cases of a table hold together at 99 %; times are "
        + ("in units of the reference workload, where the runs have it" if found.referenced else "as measured")
    )
    if min(len(found.base.sources), len(found.head.sources)) < ENOUGH:
        yield (
            f"Fewer than {ENOUGH} runs a side cannot tell how far times spread between runs: taken from the other side "
            f"where it has {RECORDED}, else assumed, 5 % (fit 35 %, a single round 12 %) and what the rounds of each "
            "run add"
        )
    if GIVEN_UP in {held.reason for verdict in found.verdicts for held in verdict.judgements.values()}:
        yield f"{GIVEN_UP}: spreads too far between runs to be told in the time that was left"
    for verdict in found.verdicts:
        if verdict.time.outcome is Outcome.MISSING and verdict.time.reason:
            yield f"missing {show(verdict.case)}: {show(verdict.time.reason)}"
    reasons: dict[str, list[str]] = {}
    for name in [name for name in found.base.lost if name in found.head.lost]:
        reasons.setdefault(found.base.lost[name], []).append(name)
    for reason, names in reasons.items():
        yield f"ran on neither side: {', '.join(map(show, names))}: {show(reason)}"
