"""Find the commit, or the release, that changed a case: git's bisection, which asks comparisons with three answers."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, expm1, isfinite, log2
from pathlib import Path
from time import monotonic

import msgspec
from msgspec.structs import replace

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.live import checkouts, processes
from autoenc_bench.live.checkouts import Wanted
from autoenc_bench.live.continuous import INTERRUPTED, Analysis, Continuous
from autoenc_bench.live.git import git
from autoenc_bench.live.processes import Suite
from autoenc_bench.records import loading, storage
from autoenc_bench.verdicts import counts, errors, tables
from autoenc_bench.verdicts.comparison import ALPHAS, Comparison, compare_sides
from autoenc_bench.verdicts.judgements import CHANGES, Judgement, Outcome, decide
from autoenc_bench.verdicts.limits import COUNTS, Overrides
from autoenc_bench.verdicts.sides import gather, under_test

ANSWERS = "answers.jsonl"
LEAST = 60.0  # seconds of a comparison, even if less of the budget is left
SHARE = 2.0  # a comparison may take so many times its part of the budget, because few of the next ones take theirs


class Answer(StrEnum):
    """How a commit compares with a known one."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison, as it is kept for the continuation of a bisection."""

    base: str
    head: str
    answer: Answer
    change: str  # in words: how large, what changed, or why it is unknown
    size: float = 0.0  # logarithm of the ratio
    statistic: str = ""  # of the errors, whose change this is (see ``errors.STATISTICS``)
    cause: str = ""
    confirms: bool = False  # whether this measures a result of the search again
    tries: int = 1  # measurements
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, bool]:
        return self.base, self.head, self.confirms


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a bisection."""

    total: Step  # from the good to the bad end
    suspects: list[str] = []  # one of them is the first that changed; the latest comes first
    confirmation: Step | None = None  # against the point before it, where there is one suspect
    confidence: float = 1.0


def candidates(folder: Path, good: str, bad: str) -> list[str]:
    """List the commits after ``good`` that may be the first one that changed.

    A branch that began before ``good`` counts as a change of its merge. Raises InvalidInputError where there is no
    candidate.
    """
    try:
        git(folder, "merge-base", "--is-ancestor", good, bad)
    except InvalidInputError as problem:
        raise InvalidInputError(f"{good[:12]} is no ancestor of {bad[:12]}; name one from which it came") from problem
    commits = git(folder, "rev-list", "--ancestry-path", f"{good}..{bad}").split()
    if not commits:
        raise InvalidInputError("both are one commit; name an older one that was good, and then one that is bad")
    return commits


def search(folder: Path, good: str, bad: str, ask: Callable[[str], Answer]) -> list[str]:
    """Ask about the commits that git chooses, until the first one that changed is known.

    Returns that commit; or, where answers are unknown, all that it may be.
    """
    git(folder, "bisect", "start", "--no-checkout", bad, good, *_merged(folder, good, bad))
    words = {Answer.SAME: "good", Answer.CHANGED: "bad", Answer.UNKNOWN: "skip"}
    while not _is_complete(folder):
        commit = git(folder, "rev-parse", "--verify", "BISECT_HEAD").strip()
        word = words[ask(commit)]
        try:
            git(folder, "bisect", word, commit)
        except InvalidInputError:  # git also fails where only skipped commits are left
            if not _is_complete(folder):
                raise
    return _suspects(folder)


def _merged(folder: Path, good: str, bad: str) -> list[str]:
    """List the ends of branches that began before ``good`` and were merged after it: they lack its changes."""
    lines = git(folder, "rev-list", "--parents", "--ancestry-path", f"{good}..{bad}").splitlines()
    later = {good, *(line.split()[0] for line in lines)}
    return list(dict.fromkeys(parent for line in lines for parent in line.split()[1:] if parent not in later))


def _before(folder: Path, good: str, commit: str) -> str:
    """Return the first parent of a commit that is ``good`` or came after it."""
    for parent in git(folder, "rev-parse", f"{commit}^@").split():
        with suppress(InvalidInputError):  # git fails where the answer is no
            git(folder, "merge-base", "--is-ancestor", good, parent)
            return parent
    raise AssertionError(f"{commit} does not come from {good}")


def _suspects(folder: Path) -> list[str]:
    """List what may be the first commit that changed; the first in the list is known to be changed."""
    return git(folder, "rev-list", "--topo-order", "refs/bisect/bad", "--not", "--glob=refs/bisect/good-*").split()


def _is_complete(folder: Path) -> bool:
    skipped = git(folder, "for-each-ref", "--format=%(objectname)", "refs/bisect/skip-*").split()
    return set(_suspects(folder)[1:]) <= set(skipped)


class _Interruptible(Continuous):
    """A comparison that raises KeyboardInterrupt at a Ctrl-C, in place of an analysis."""

    def _analyse(self, ended: str) -> Analysis:
        if ended == INTERRUPTED:
            raise KeyboardInterrupt
        return super()._analyse(ended)


@dataclass
class Bisection:
    """A search between two points, which keeps its answers in a folder and continues from them."""

    project: Path
    repository: Path  # that git bisects
    wanted: Callable[[str], Wanted]  # returns what a commit of the repository stands for
    harness: str | None  # the revision whose harness measures all points; by default the newer one of two
    case: str
    options: Sequence[str]  # pytest's
    follow: str  # time, error or counts
    budget: float  # seconds
    store: Path
    progress: Callable[[str, float], None]  # called with the current activity and its seconds
    show: Callable[[Step], None]
    _steps: dict[tuple[str, str, bool], Step] = field(default_factory=dict, init=False)
    _records: dict[str, Path] = field(default_factory=dict, init=False)  # by point, where one run is enough
    _uninformative: set[str] = field(default_factory=set, init=False)  # points whose kept records gave no answer
    _steps_left: int = field(default=1, init=False)  # an estimate

    def __post_init__(self) -> None:
        self._began = monotonic()
        self._answers = self.store / ANSWERS
        lines = self._answers.read_bytes().splitlines() if self._answers.exists() else []
        kept = []
        for text in lines:
            with suppress(msgspec.DecodeError):  # the last line may be cut off
                kept.append(msgspec.json.decode(text, type=Step))
        self._steps = {step.key: step for step in kept if step.answer is not Answer.UNKNOWN}
        unknown = {point for step in kept if step.answer is Answer.UNKNOWN for point in (step.base, step.head)}
        self._uninformative = unknown.difference(*((step.base, step.head) for step in self._steps.values()))

    def run(self, good: str, bad: str) -> Finding:
        """Search for the first commit after ``good`` that is like ``bad``, and confirm it against the one before.

        Half of the total change separates commits like ``good`` from those like ``bad``. A change of time is measured
        again for the confirmation, because a slow moment may have led to the commit.
        """
        commits = candidates(self.repository, good, bad)
        self._steps_left = ceil(log2(len(commits))) + 2
        total = self.compare(good, bad, None)
        if total.answer is not Answer.CHANGED:
            return Finding(total=total)
        steps = [total]

        def ask(commit: str) -> Answer:
            steps.append(self.compare(good, commit, total))
            return steps[-1].answer

        suspects = search(self.repository, good, bad, ask)
        tries = sum(step.tries for step in steps)
        confidence = 1 - ALPHAS["time"] * tries if self.follow == "time" else 1.0
        confirmation = None
        if len(suspects) == 1:
            before = _before(self.repository, good, suspects[0])
            confirmation = self.compare(before, suspects[0], total, confirms=True)
        return Finding(total=total, suspects=suspects, confirmation=confirmation, confidence=confidence)

    def compare(self, base: str, head: str, total: Step | None, confirms: bool = False) -> Step:
        """Compare two points, and again with more time where the answer is unknown; keep the answer."""
        question = Step(base=base, head=head, answer=Answer.UNKNOWN, change="the time was spent", confirms=confirms)
        step = self._steps.get(question.key)
        if step is None and total and self._left <= 0:
            step = question
        elif step is None:
            began = monotonic()
            step = self._judge(question, total)
            if self.follow == "time" and step.answer is Answer.UNKNOWN and step.size and self._left > LEAST:
                step = replace(self._judge(question, total), tries=2)
            step = replace(step, seconds=round(monotonic() - began, 1))
            self._steps[step.key] = step
            self.store.mkdir(parents=True, exist_ok=True)
            with self._answers.open("ab") as file:
                file.write(msgspec.json.encode(step) + b"\n")
        self._steps_left = max(1, self._steps_left - 1)
        self.show(step)
        return step

    @property
    def _left(self) -> float:
        return self.budget - (monotonic() - self._began)

    def _judge(self, question: Step, total: Step | None) -> Step:
        """Measure both points; return the answer by the usual limit or, where known, by half of the total change."""
        overrides = Overrides({(None, self.follow): expm1(abs(total.size) / 2)} if total and total.size else {})
        step = replace(question, change=f"no {self.follow} of {self.case}")
        try:
            comparison = self._measure(question.base, question.head, overrides)
        except (RunFailedError, InvalidInputError, NotFoundError) as problem:  # a commit that cannot run
            if total is None:
                raise
            return replace(step, change=str(problem))
        verdict = next((verdict for verdict in comparison.verdicts if verdict.case == self.case), None)
        judgement = verdict.judgements.get(self.follow) if verdict else None
        if verdict is None or judgement is None:
            return replace(step, change=comparison.why_lost(self.case) or step.change)
        step = replace(step, cause=verdict.cause)
        if self.follow == COUNTS:
            return self._compare_counts(step, comparison, judgement)
        statistic = total.statistic if total else judgement.reason if judgement.reason in errors.STATISTICS else ""
        if total and self.follow == "error" and judgement.interval:
            judgement = self._judge_error(comparison, statistic or errors.MEAN, judgement.limit)
        interval = judgement.interval
        size = interval.estimate if interval and isfinite(interval.estimate) else 0.0
        answers = {Outcome.UNCHANGED: Answer.SAME, **dict.fromkeys(CHANGES, Answer.CHANGED)}
        answer = answers.get(judgement.outcome, Answer.UNKNOWN)
        if answer is Answer.CHANGED and total and total.size * size < 0:
            answer = Answer.SAME  # changed in the other direction
        change = tables.change(judgement) if interval else judgement.reason or judgement.outcome
        return replace(step, answer=answer, change=f"{statistic} {change}".strip(), size=size, statistic=statistic)

    def _compare_counts(self, step: Step, comparison: Comparison, judgement: Judgement) -> Step:
        base, head = (side.cases[self.case].counts for side in (comparison.base, comparison.head))
        if not (base and head):
            return replace(step, change=judgement.reason)
        difference = counts.compare(base[0], head[0])
        answer = Answer.CHANGED if difference else Answer.SAME
        return replace(step, answer=answer, change=str(difference) or "equal")

    def _judge_error(self, comparison: Comparison, statistic: str, limit: float) -> Judgement:
        """Judge the statistic of the errors whose total change gave the limit."""
        base, head = (side.cases[self.case] for side in (comparison.base, comparison.head))
        seeds = base.error.keys() & head.error.keys()
        pairs = [(base.error[seed][0], head.error[seed][0]) for seed in sorted(seeds)]  # each side ran once
        rounding = EXPERIMENTS.get(base.experiment or "", Experiment).rounding
        return decide(errors.intervals(pairs, ALPHAS["error"], rounding)[statistic], limit)

    def _measure(self, base: str, head: str, overrides: Overrides) -> Comparison:
        with checkouts.both(self.wanted(base), self.wanted(head), self.project, self.harness) as both:
            if self.follow == "time":
                budget = max(LEAST, min(self._left, SHARE * self._left / self._steps_left))
                store = storage.new_folder(self.store / f"{base[:12]}-{head[:12]}")
                live = _Interruptible(both, self.options, store, budget, overrides, self.progress, samples=False)
                return live.measure(lambda _: None).comparison
            points = zip((base, head), both, strict=True)
            before, after = (gather([self._run(point, suite)]) for point, suite in points)
        return compare_sides(before, after, overrides, under_test(before, after))

    def _run(self, point: str, suite: Suite) -> loading.Source:
        """Run the suite once at a point; or read its newest kept record, unless that gave no answer before."""
        if point not in self._records:
            folder = self.store / point[:12]
            kept = () if point in self._uninformative else sorted(storage.within(folder), key=lambda path: path.name)
            began = monotonic()

            def tick() -> None:
                self.progress(f"running {suite.description}", monotonic() - began)

            seconds, options = max(LEAST, self._left), [*self.options, "--no-roofs"]
            try:
                self._records[point] = kept[-1] if kept else processes.run(suite, options, folder, seconds, tick)
            except TimeoutError as problem:
                reason = f"{suite.description} did not end within {seconds:.0f} s; give more with --budget"
                raise RunFailedError(reason) from problem
        return loading.read_record(self._records[point], pictured=False)
