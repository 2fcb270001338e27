"""Git's bisection, answered by comparisons, finds the culprit or all suspects, and leaves nothing behind."""

import json
import tempfile
from contextlib import nullcontext
from math import ceil, expm1, log2

import histories
import msgspec
import numpy as np
import pytest
import recordings
import repositories
import standins
from hypothesis import given, settings
from hypothesis import strategies as st

from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.live import bisection, members, points
from autoenc_bench.live.bisection import Answer, Bisection, Step
from autoenc_bench.live.continuous import Continuous
from autoenc_bench.live.processes import Suite
from autoenc_bench.records import loading
from autoenc_bench.records.counts import Counts
from autoenc_bench.verdicts import comparison
from autoenc_bench.verdicts.limits import Overrides

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"
SAME, CHANGED, UNKNOWN = Answer.SAME, Answer.CHANGED, Answer.UNKNOWN
LENGTH = 9  # commits after the good one
ALPHA = comparison.ALPHAS["time"]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stop the clock of a search, so that the machine's speed does not matter."""
    monkeypatch.setattr(bisection, "monotonic", lambda: 0.0)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Return a repository and its commits, oldest first, each the parent of the next."""
    folder = repositories.create(tmp_path_factory.mktemp("straight") / "project")
    first = repositories.git(folder, "rev-parse", "HEAD").strip()
    return folder, [first, *(repositories.commit(folder) for _ in range(LENGTH))]


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """Return a repository and its commits, by name, with a branch that was merged."""
    folder = repositories.create(tmp_path_factory.mktemp("merged") / "project")
    commits = {"good": repositories.git(folder, "rev-parse", "HEAD").strip()}
    for name in ("main 1", "main 2"):
        commits[name] = repositories.commit(folder)
    repositories.git(folder, "switch", "--quiet", "--create", "side", commits["good"])
    for name in ("side 1", "side 2", "side 3"):
        commits[name] = repositories.commit(folder)
    repositories.git(folder, "switch", "--quiet", "main")
    repositories.git(folder, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    commits["merge"] = repositories.git(folder, "rev-parse", "HEAD").strip()
    for name in ("last", "bad"):
        commits[name] = repositories.commit(folder)
    return folder, commits


def ancestors(folder, commit):
    """Return a commit and all its ancestors."""
    return set(repositories.git(folder, "rev-list", commit).split())


def searched(folder, good, bad, ask):
    """Search in a worktree of a repository; return the suspects and the commits that were asked about."""
    asked = []

    def answer(commit):
        asked.append(commit)
        return ask(commit)

    with points.worktree(folder, bad) as place:
        return bisection.search(place, good, bad, answer), asked


# Searching


@pytest.mark.parametrize("culprit", range(1, LENGTH + 1))
def test_any_culprit(straight, culprit):
    """Any commit of a linear history is found, with as many questions as halving needs, none of them twice."""
    folder, commits = straight
    suspects, asked = searched(
        folder, commits[0], commits[-1], lambda commit: CHANGED if commits.index(commit) >= culprit else SAME
    )
    assert suspects == [commits[culprit]]
    assert len(set(asked)) == len(asked) <= ceil(log2(LENGTH))
    assert not {commits[0], commits[-1]} & set(asked)


def test_few_questions():
    """Five questions are enough for thirty commits."""
    with points.repository_of([str(number) for number in range(31)]) as (folder, names):
        commits = list(names)
        asked = []

        def ask(commit):
            asked.append(commit)
            return CHANGED if commits.index(commit) > 20 else SAME

        assert bisection.search(folder, commits[0], commits[-1], ask) == [commits[21]]
    assert len(asked) <= 5


@pytest.mark.parametrize("culprit", ["main 1", "main 2", "side 1", "side 2", "side 3", "merge", "last", "bad"])
def test_merges(merged, culprit):
    """A culprit is found on either branch, as the merge itself, and after the merge."""
    folder, commits = merged
    like = {one for one in commits.values() if commits[culprit] in ancestors(folder, one)}
    suspects, _ = searched(folder, commits["good"], commits["bad"], lambda commit: CHANGED if commit in like else SAME)
    assert suspects == [commits[culprit]]


@pytest.fixture(params=[1, 5], ids="{} side commits".format)
def early(request, tmp_path):
    """Return a function that makes a repository, into which a branch from before ``good`` is merged."""

    def make(merged_after):
        folder = repositories.create(tmp_path / "project")
        repositories.git(folder, "switch", "--quiet", "--create", "side")
        commits = {f"side {number}": repositories.commit(folder) for number in range(request.param)}
        repositories.git(folder, "switch", "--quiet", "main")
        for name in ("good", "one", "two", "three"):
            commits[name] = repositories.commit(folder)
            if name == merged_after:
                repositories.git(folder, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
                commits["merge"] = repositories.git(folder, "rev-parse", "HEAD").strip()
        return folder, commits

    return make


@pytest.mark.parametrize("merged_after", ["good", "one", "two"])
@pytest.mark.parametrize("culprit", ["one", "two", "three", "merge"])
def test_branch_from_before(early, merged_after, culprit):
    """A branch from before the good commit is no suspect, although it lacks that commit's changes; its merge is one."""
    folder, commits = early(merged_after)
    like = {one for one in commits.values() if commits[culprit] in ancestors(folder, one)}
    like |= {commit for name, commit in commits.items() if name.startswith("side")}  # like those before the good one
    suspects, asked = searched(
        folder, commits["good"], commits["three"], lambda commit: CHANGED if commit in like else SAME
    )
    assert suspects == [commits[culprit]]
    assert not {commit for name, commit in commits.items() if name.startswith("side")} & set(asked)
    between = bisection.candidates(folder, commits["good"], commits["three"])
    assert set(between) == {commits[name] for name in ("one", "two", "three", "merge")}


def test_parent(early):
    """The commit before a culprit, for the confirmation, is the good one or came after it, also where it is a merge."""
    folder, commits = early("one")
    for name, before in (("one", "good"), ("merge", "one"), ("two", "merge")):
        assert bisection._before(folder, commits["good"], commits[name]) == commits[before]
    repositories.git(folder, "switch", "--quiet", "--detach", commits["side 0"])
    repositories.git(folder, "merge", "--quiet", "--no-ff", "--message", "Merge", commits["one"])
    merge = repositories.git(folder, "rev-parse", "HEAD").strip()
    assert bisection._before(folder, commits["good"], merge) == commits["one"]


def test_adjacent(straight):
    """Where the bad commit follows the good one, no comparison is needed."""
    folder, commits = straight
    assert searched(folder, commits[3], commits[4], pytest.fail) == ([commits[4]], [])


def expect(culprit, unknown):
    """List the suspects that unknown commits leave in a linear history, the latest first."""
    known = [number for number in range(LENGTH + 1) if number not in unknown]
    first, last = max(one for one in known if one < culprit), min(one for one in known if one >= culprit)
    return list(range(last, first, -1))


def ask_all(straight, culprit, unknown):
    """Search for a culprit where some answers are unknown; return the suspects' numbers."""
    folder, commits = straight

    def ask(commit):
        number = commits.index(commit)
        return UNKNOWN if number in unknown else CHANGED if number >= culprit else SAME

    suspects, asked = searched(folder, commits[0], commits[-1], ask)
    assert len(set(asked)) == len(asked)
    return [commits.index(one) for one in suspects]


@pytest.mark.parametrize(
    ("culprit", "unknown", "suspects"),
    [
        (5, {2, 8}, [5]),  # not adjacent
        (5, {4}, [5, 4]),  # the one before it
        (5, {5}, [6, 5]),  # itself
        (5, {3, 4, 5, 6}, [7, 6, 5, 4, 3]),
        (LENGTH, {LENGTH - 1}, [LENGTH, LENGTH - 1]),
        (1, {1, 2}, [3, 2, 1]),
        (4, set(range(1, LENGTH)), list(range(LENGTH, 0, -1))),  # all
    ],
)
def test_unknown(straight, culprit, unknown, suspects):
    """A commit without an answer is skipped, and leaves open only its neighbours' part."""
    assert expect(culprit, unknown) == suspects
    assert ask_all(straight, culprit, unknown) == suspects


@pytest.mark.slow
@settings(max_examples=25)
@given(culprit=st.integers(1, LENGTH), unknown=st.sets(st.integers(1, LENGTH - 1)))
def test_any_unknown(straight, culprit, unknown):
    """With any unknown answers, the suspects are exactly those that the answers around them leave."""
    assert ask_all(straight, culprit, unknown) == expect(culprit, unknown)


@pytest.mark.parametrize("answer", [SAME, CHANGED])
def test_only_unknown_ones_are_left(answer):
    """The search ends with an answer after which only skipped commits are left, although git fails then."""
    with points.repository_of("abcd") as (folder, names):
        commits = list(names)
        answers = iter([UNKNOWN, answer])
        suspects = bisection.search(folder, commits[0], commits[-1], lambda _: next(answers))
    named = "".join(names[one] for one in suspects)
    assert named in (("dc", "dcb") if answer is SAME else ("cb", "b"))


def test_git_that_fails(straight, monkeypatch):
    """A git that cannot store an answer ends the search with its error."""
    folder, commits = straight
    original = bisection.git

    def git(top, *arguments, **variables):
        if arguments[0] == "bisect" and arguments[1] != "start":
            raise InvalidInputError("no space left")
        return original(top, *arguments, **variables)

    monkeypatch.setattr(bisection, "git", git)
    with pytest.raises(InvalidInputError, match="no space left"):
        searched(folder, commits[0], commits[-1], lambda _: SAME)


def test_between(straight):
    """The candidates are all commits after the good one, up to the bad one."""
    folder, commits = straight
    assert set(bisection.candidates(folder, commits[2], commits[5])) == set(commits[3:6])


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [(5, 2, "is no ancestor of .*; name one from which it came"), (2, 2, "both are one commit")],
)
def test_nothing_between(straight, good, bad, reason):
    """A good commit that came later, or is the bad one, is refused with what to do."""
    folder, commits = straight
    with pytest.raises(InvalidInputError, match=reason):
        bisection.candidates(folder, commits[good], commits[bad])


# Worktrees and lines


def state(folder):
    """Return what a bisection could leave behind in a repository: worktrees, references, HEAD, files."""
    commands = (("worktree", "list"), ("for-each-ref",), ("symbolic-ref", "HEAD"), ("status", "--porcelain"))
    left = {path.name for path in (folder / ".git").glob("BISECT*")} | {
        path.name for path in (folder / ".git/worktrees").glob("*")
    }
    return [repositories.git(folder, *arguments) for arguments in commands], left


@pytest.mark.parametrize("problem", [None, RuntimeError, InvalidInputError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left(straight, tmp_path, monkeypatch, problem):
    """However a search ends, the user's repository is unchanged, and no file remains."""
    folder, commits = straight
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = state(folder)

    def ask(_):
        if problem:
            raise problem
        return SAME

    with pytest.raises(problem) if problem else nullcontext():
        searched(folder, commits[0], commits[-1], ask)
    assert state(folder) == before
    assert before[1] == set()
    assert not list(tmp_path.iterdir())


def test_interrupted_worktree(straight, tmp_path, monkeypatch):
    """A worktree at which git was stopped is removed too."""
    folder, commits = straight
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, original = state(folder), points.git

    def stopped(top, *arguments, **variables):
        original(top, *arguments, **variables)
        if arguments[1] == "add":
            original(top, "worktree", "lock", arguments[4])
            raise KeyboardInterrupt

    monkeypatch.setattr(points, "git", stopped)
    with pytest.raises(KeyboardInterrupt), points.worktree(folder, commits[-1]):
        pass
    assert state(folder) == before


def test_within_a_bisection(tmp_path):
    """A bisection of the user's in the same repository continues unchanged."""
    folder = repositories.create(tmp_path / "project")
    commits = [repositories.commit(folder) for _ in range(6)]
    repositories.git(folder, "bisect", "start", commits[5], commits[0])
    before = repositories.git(folder, "for-each-ref"), repositories.git(folder, "bisect", "log")
    suspects, _ = searched(folder, commits[1], commits[4], lambda _: CHANGED)
    assert suspects == [commits[2]]
    assert (repositories.git(folder, "for-each-ref"), repositories.git(folder, "bisect", "log")) == before


def test_line(monkeypatch):
    """Points become commits, oldest first, with the same ids each time, because answers are kept by id."""
    made = []
    for day in (1, 2):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-01-0{day} 12:00")
        with points.repository_of(["a==1", "a==2", "a==3"]) as (folder, names):
            assert repositories.git(folder, "rev-list", "--reverse", "HEAD").split() == list(names)
            assert list(names.values()) == ["a==1", "a==2", "a==3"]
            made.append(list(names))
        assert not folder.exists()
    assert made[0] == made[1]


# Answers


def content(level, day=0):
    """Make a record with this time, error, spread of the error and number of calls."""
    known = {"time": 0.2, "error": 5.0, "spread": 0.5, "calls": 3, **level}
    noise = 1 + 0.002 * np.random.default_rng(day).normal() + known.get("apart", 0.0) * (day % 3)
    record = histories.content(day, known["time"] * noise)
    error = recordings.error(known["error"], known["spread"])
    record["benchmarks"][1]["extra_info"]["autoenc"]["error"] = msgspec.to_builtins(error)
    if known["calls"]:
        counted = Counts(calls={"step": {"model:step": known["calls"]}})
        record["benchmarks"][0]["extra_info"]["autoenc"]["counts"] = msgspec.to_builtins(counted)
    return record


@pytest.fixture
def search(straight, tmp_path, monkeypatch):
    """Return a function that makes a Bisection, whose commits measure as ``levels`` of their numbers say.

    A level may be an error to raise. ``search.measured`` has the compared points, ``search.shown`` the steps.
    """
    folder, commits = straight
    read = {}

    def sources(level):
        key = repr(level)
        if key not in read:
            place = histories.write(tmp_path / f"level-{len(read)}", [content(level, day) for day in range(8)])
            read[key] = [loading.read_record(path, pictured=False) for path in place.glob("*.json")]
        return read[key]

    def make(levels, follow="time", case=EPOCH, budget=3600.0, store="store"):
        def measure(_self, base, head, overrides):
            numbers = commits.index(base), commits.index(head)
            make.measured.append(numbers)
            make.limits.append(overrides)
            chosen = [levels(number) for number in numbers]
            for level in chosen:
                if isinstance(level, BaseException):
                    raise level
            return comparison.compare(*map(sources, chosen), overrides)

        monkeypatch.setattr(Bisection, "_measure", measure)
        return Bisection(
            project=folder,
            repository=make.place,
            wanted=lambda _: pytest.fail("nothing is checked out"),
            harness=None,
            case=case,
            options=[],
            follow=follow,
            budget=budget,
            store=tmp_path / store,
            progress=lambda *_: None,
            show=make.shown.append,
        )

    make.measured, make.limits, make.shown, make.commits = [], [], [], commits
    with points.worktree(folder, commits[-1]) as make.place:
        yield make


def run(search, levels, **changes):
    """Search the whole history; return the finding, and the numbers of its suspects."""
    finding = search(levels, **changes).run(search.commits[0], search.commits[-1])
    return finding, [search.commits.index(one) for one in finding.suspects]


def slower_since(culprit, by=1.3, otherwise=None):
    """Return levels that rise at a commit; ``otherwise`` has exceptions."""
    return lambda number: (otherwise or {}).get(number, {"time": 0.2 * (by if number >= culprit else 1)})


def test_found(search):
    """The culprit is found and confirmed against its parent, with the confidence of so many comparisons."""
    finding, suspects = run(search, slower_since(4))
    assert suspects == [4]
    assert finding.confirmation.answer is CHANGED
    assert (finding.confirmation.base, finding.confirmation.head) == tuple(search.commits[3:5])
    assert search.measured[0] == (0, LENGTH)
    assert search.measured[-1] == (3, 4)
    assert all(base == 0 for base, _ in search.measured[:-1])
    assert finding.confidence == pytest.approx(1 - ALPHA * (len(search.measured) - 1))
    assert [(step.base, step.head) for step in search.shown] == [
        (search.commits[base], search.commits[head]) for base, head in search.measured
    ]


@pytest.mark.parametrize("ends", [(0, LENGTH), (0, 1)])
def test_confirmed_by_a_measurement_of_its_own(search, ends):
    """Where the culprit follows the good commit, the confirmation is a new measurement."""
    good, bad = (search.commits[end] for end in ends)
    finding = search(slower_since(1)).run(good, bad)
    assert finding.confirmation.answer is CHANGED
    assert search.measured.count((0, 1)) == 2
    again = search(slower_since(1)).run(good, bad)  # measures nothing
    assert search.measured.count((0, 1)) == 2
    assert again == finding


def test_not_confirmed(search):
    """A slow moment that led to a commit does not confirm it."""
    measured = []

    def levels(number):
        measured.append(number)
        by_chance = number == 1 and measured.count(1) == 1
        return {"time": 0.26 if by_chance or number >= 2 else 0.2}

    finding, suspects = run(search, levels)
    assert suspects == [1]
    assert finding.confirmation.answer is SAME


def test_faster(search):
    """A commit that made a case faster is found too."""
    finding, suspects = run(search, slower_since(6, by=0.7))
    assert suspects == [6]
    assert finding.total.size < 0


@pytest.mark.parametrize(("share", "suspects"), [(0.4, [6]), (0.6, [3])])
def test_half_of_the_whole_change(search, share, suspects):
    """A commit is like the bad one where it changed by more than half of the total, however far the usual limit is."""

    def levels(number):
        return {"time": 0.2 * 1.3 ** (0 if number < 3 else share if number < 6 else 1)}

    assert run(search, levels)[1] == suspects
    usual, *halves = search.limits
    assert usual == Overrides({})
    half = Overrides({(None, "time"): expm1(search.shown[0].size / 2)})
    assert halves == [half] * len(halves)


def test_the_other_way(search):
    """A commit that changed as much in the other direction is not like the bad one."""
    finding, suspects = run(search, slower_since(7, otherwise={5: {"time": 0.1}, 4: {"time": 0.1}, 6: {"time": 0.1}}))
    assert suspects == [7]
    steps = {search.commits.index(step.head): step for step in search.shown}
    assert finding.confirmation.answer is CHANGED
    assert any(steps[number].answer is SAME and steps[number].size < 0 for number in (4, 5, 6) if number in steps)


def test_nothing_to_find(search):
    """Where both ends are the same, nothing else is measured."""
    finding, suspects = run(search, lambda _: {})
    assert (finding.total.answer, suspects, finding.confirmation) == (SAME, [], None)
    assert search.measured == [(0, LENGTH)]


WILD = {"time": 0.2, "apart": 0.4}


def test_unknown_is_measured_again(search):
    """A time without an answer is measured once more, and then skipped; the culprit stays open."""
    finding, suspects = run(search, slower_since(5, otherwise={4: WILD}))
    assert suspects == [5, 4]
    assert finding.confirmation is None
    assert search.measured.count((0, 4)) == 2
    assert max(search.measured.count(one) for one in search.measured if one != (0, 4)) == 1


def test_second_try_that_tells(search):
    """The answer of a second try counts."""
    tries = []

    def levels(number):
        if number == 4:
            tries.append(number)
        return WILD if number == 4 and len(tries) == 1 else slower_since(4)(number)

    assert run(search, levels)[1] == [4]


def test_no_second_try_without_time(search):
    """Where less than a comparison's minimum of the budget is left, there is no second try."""
    whole = search(slower_since(9, by=1.3, otherwise={9: WILD}), budget=bisection.LEAST / 2)
    assert whole.compare(search.commits[0], search.commits[9], None).answer is UNKNOWN
    assert len(search.measured) == 1


def test_time_that_is_spent(search):
    """When the budget is spent, nothing more is measured: the rest stays open, and is not kept as an answer."""
    instance = search(slower_since(4), budget=3600.0)
    original = instance.show

    def show(step):
        original(step)
        instance.budget = 0.0

    instance.show = show
    finding = instance.run(search.commits[0], search.commits[-1])
    assert search.measured == [(0, LENGTH)]
    assert len(finding.suspects) == LENGTH
    assert {step.change for step in search.shown[1:]} == {"the time was spent"}
    assert run(search, slower_since(4))[1] == [4]
    assert (0, LENGTH) not in search.measured[1:]


@pytest.mark.parametrize("problem", [RunFailedError, InvalidInputError, NotFoundError])
def test_a_commit_that_cannot_run(search, problem):
    """A commit that cannot run, or is no project, is skipped with the reason."""
    finding, suspects = run(search, slower_since(7, otherwise={4: problem("it is broken")}))
    assert suspects == [7]
    assert finding.confirmation.answer is CHANGED
    (step,) = (step for step in search.shown if step.head == search.commits[4])
    assert (step.answer, step.change) == (UNKNOWN, "it is broken")


@pytest.mark.parametrize("problem", [RunFailedError, InvalidInputError, NotFoundError])
def test_an_end_that_cannot_run(search, problem):
    """Where one of the ends cannot run, the search is refused."""
    with pytest.raises(problem, match="it is broken"):
        run(search, slower_since(4, otherwise={0: problem("it is broken")}))


def test_a_bug_is_no_answer(search):
    """Any other error ends the search with a traceback."""
    with pytest.raises(ZeroDivisionError):
        run(search, slower_since(4, otherwise={4: ZeroDivisionError(), 5: ZeroDivisionError()}))


def test_spread_over_several(search):
    """A change in many small steps has no single culprit, so the found commit is not confirmed."""
    finding, suspects = run(search, lambda number: {"time": 0.2 * 1.06**number})
    assert len(suspects) == 1
    assert finding.confirmation.answer is SAME


def test_case_that_is_not_there(search):
    """A case that the records lack has no answer, and the reason is reported."""
    finding, _ = run(search, slower_since(4), case="epoch[unknown-fused]")
    assert (finding.total.answer, finding.total.change) == (UNKNOWN, "no time of epoch[unknown-fused]")


# Errors and counts


def test_error(search):
    """Errors repeat, so each comparison runs once; the confirmation compares the culprit with the commit before it."""
    finding, suspects = run(search, lambda number: {"error": 6.0 if number >= 3 else 5.0}, follow="error", case=WHOLE)
    assert suspects == [3]
    assert (finding.confirmation.answer, finding.confidence) == (CHANGED, 1.0)
    assert search.measured[-1] == (2, 3)
    assert len(search.measured) == len(set(search.measured))


@pytest.mark.parametrize(
    ("after", "otherwise", "change", "culprit"),
    [
        ({"error": 6.0, "spread": 0.8}, {"spread": 0.8}, "+19.9 %", 7),  # the mean; before it the spread changed alone
        ({"error": 6.0}, {"error": 6.0, "spread": 0.2}, "+20.1 %", 4),  # the mean; the spread changed the other way
        ({"spread": 0.8}, {"error": 8.0}, "σ +60.0 %", 7),  # the spread; before it the mean changed alone
    ],
)
def test_one_statistic(search, after, otherwise, change, culprit):
    """The search follows the statistic that changed between the ends: the mean or, where that is equal, the spread."""

    def levels(number):
        return after if number >= 7 else otherwise if number >= 4 else {}

    finding, suspects = run(search, levels, follow="error", case=WHOLE)
    assert (finding.total.change.partition(" (")[0], suspects) == (change, [culprit])


def test_errors_that_contradict_each_other(search):
    """Where mean and spread changed in opposite directions, the statistic to follow is unknown."""
    finding, suspects = run(
        search, lambda number: {"error": 6.0, "spread": 0.2} if number else {}, follow="error", case=WHOLE
    )
    assert (finding.total.answer, suspects) == (UNKNOWN, [])
    assert len(search.measured) == 1


def test_counts(search):
    """Counts decide exactly, by any difference, which is described."""
    finding, suspects = run(search, lambda number: {"calls": 4 if number >= 8 else 3}, follow="counts")
    assert suspects == [8]
    assert finding.total.change == "+1 calls in a step: model:step 4 × instead of 3"
    assert finding.confidence == 1.0
    assert {step.change for step in search.shown if step.answer is SAME} == {"equal"}


def test_equal_counts(search):
    """Equal counts end the search, also if times differ."""
    assert run(search, slower_since(4), follow="counts")[0].total.answer is SAME


@pytest.mark.parametrize("lacking", [{0}, {LENGTH}, {0, LENGTH}])
def test_no_counts(search, lacking):
    """Where a side has no counts, that is reported, and the search ends."""
    finding, _ = run(search, lambda number: {"calls": 0 if number in lacking else 3}, follow="counts")
    assert finding.total.answer is UNKNOWN
    assert finding.total.change in ("the head has none", f"no counts of {EPOCH}")


def test_a_commit_without_counts(search):
    """A commit without counts is skipped, and not measured again, because the result would be the same."""
    finding, suspects = run(search, lambda number: {"calls": {4: 0}.get(number, 3 + (number > 5))}, follow="counts")
    assert suspects == [6]
    assert search.measured.count((0, 4)) <= 1
    assert finding.total.answer is CHANGED


# What is kept


def test_goes_on(search):
    """A second search in the same folder uses the kept answers, and finds the same."""
    first, _ = run(search, slower_since(4))
    measured = len(search.measured)
    second, _ = run(search, slower_since(1))  # its levels are not used
    assert len(search.measured) == measured
    assert second == first
    assert run(search, slower_since(1), store="another")[1] == [1]


def test_unknown_is_asked_again_later(search):
    """The next search measures unknown commits again."""
    run(search, slower_since(4, otherwise={4: RunFailedError("no room")}))
    before = len(search.measured)
    assert run(search, slower_since(4))[1] == [4]
    assert (0, 4) in search.measured[before:]
    assert (0, LENGTH) not in search.measured[before:]


def test_interrupted(search):
    """A Ctrl-C keeps the answers so far, from which the next search continues."""
    with pytest.raises(KeyboardInterrupt):
        run(search, slower_since(4, otherwise={3: KeyboardInterrupt()}))
    before = list(search.measured)
    assert run(search, slower_since(4))[1] == [4]
    assert set(before[:-1]).isdisjoint(search.measured[len(before) :])


def test_an_answer_that_was_cut_off(search, tmp_path):
    """An incomplete last answer in the file is ignored."""
    run(search, slower_since(4))
    path = tmp_path / "store" / bisection.ANSWERS
    path.write_bytes(path.read_bytes()[:-20])
    before = len(search.measured)
    assert run(search, slower_since(4))[1] == [4]
    assert search.measured[before:] == [(3, 4)]


# Measuring


def bare(tmp_path, follow, **changes):
    """Make a Bisection for comparisons of two points."""
    given = {"wanted": lambda point: point, "progress": lambda *_: None, "case": EPOCH, "budget": 60.0, **changes}
    return Bisection(
        project=tmp_path,
        repository=tmp_path,
        harness="harness",
        options=["an option"],
        follow=follow,
        store=tmp_path / "store",
        show=lambda _: None,
        **given,
    )


@pytest.fixture
def uncounted():
    """Return the numbers of runs whose records have no counts."""
    return set()


@pytest.fixture
def runs(tmp_path, monkeypatch, uncounted):
    """Replace runs by a function that saves a record; return the list of runs."""
    started = []

    def both(base, head, project, harness):
        assert (project, harness) == (tmp_path, "harness")
        return nullcontext(
            [Suite(name=name, description=name, folder=tmp_path, python=tmp_path) for name in (base, head)]
        )

    def run(side, options, store, seconds, tick):
        tick()
        started.append((side.name, options, store, seconds))
        calls = 0 if len(started) in uncounted else len(started)
        path = store / f"{len(started):04}_run.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content({"calls": calls})))
        return path

    monkeypatch.setattr(bisection.checkouts, "both", both)
    monkeypatch.setattr(bisection.processes, "run", run)
    return started


def test_each_point_runs_once(tmp_path, runs):
    """Where one run is enough, each point runs once, also in a continued search, which reads compressed records."""
    activities = []
    search = bare(tmp_path, "counts", progress=lambda activity, _: activities.append(activity))
    answers = [search.compare(*points, None).answer for points in (("a", "b"), ("a", "c"), ("b", "c"))]
    assert answers == [CHANGED] * 3
    assert [one[:3] for one in runs] == [
        (name, ["an option", "--no-roofs"], tmp_path / "store" / name) for name in "abc"
    ]
    assert activities == [f"running {name}" for name in "abc"]
    (tmp_path / "store" / bisection.ANSWERS).unlink()
    histories.compress(tmp_path / "store")
    again = bare(tmp_path, "counts").compare("a", "b", None)
    assert (again.answer, len(runs)) == (CHANGED, 3)


@pytest.mark.parametrize("lacking", [{1}, {2}, {1, 2}])
def test_unknown_runs_again(tmp_path, runs, uncounted, lacking):
    """A record that gave no answer is replaced by the next search, on whichever side, and the new one is kept."""
    uncounted |= lacking
    assert bare(tmp_path, "counts").compare("a", "b", None).answer is UNKNOWN
    assert bare(tmp_path, "counts").compare("a", "b", None).answer is CHANGED
    assert [name for name, *_ in runs] == ["a", "b", "a", "b"]
    (tmp_path / "store" / bisection.ANSWERS).unlink()
    assert bare(tmp_path, "counts").compare("a", "b", None).answer is CHANGED
    assert len(runs) == 4


def test_what_was_told_does_not_run_again(tmp_path, runs, uncounted):
    """A point whose record gave an answer does not run again for another point without one."""
    uncounted.add(3)
    search = bare(tmp_path, "counts")
    assert [search.compare("a", point, None).answer for point in "bc"] == [CHANGED, UNKNOWN]
    assert bare(tmp_path, "counts").compare("a", "c", None).answer is CHANGED
    assert [name for name, *_ in runs] == ["a", "b", "c", "c"]


@pytest.mark.usefixtures("runs")
def test_run_that_takes_too_long(tmp_path, monkeypatch):
    """A run that takes too long is refused at an end of the search, and skipped elsewhere."""

    def late(*_):
        raise TimeoutError

    monkeypatch.setattr(bisection.processes, "run", late)
    search = bare(tmp_path, "counts", budget=100.0)
    with pytest.raises(RunFailedError, match="a did not end within 100 s; give more with --budget"):
        search.compare("a", "b", None)
    whole = Step(base="a", head="b", answer=CHANGED, change="")
    assert search.compare("a", "c", whole).answer is UNKNOWN


@pytest.mark.parametrize("when", ["group 1: starting", f"group 1: {EPOCH}"])
@pytest.mark.parametrize("whole", [None, Step(base="a", head="b", answer=CHANGED, change="", size=0.3)])
def test_interrupted_measurement(tmp_path, monkeypatch, when, whole):
    """A Ctrl-C during a comparison ends the search, also before anything was measured, and keeps no answer."""
    sides = standins.sides(tmp_path, both={"faults": [{"do": "nap", "case": "starting"}]})
    monkeypatch.setattr(bisection.checkouts, "both", lambda *_: nullcontext(sides))
    monkeypatch.setattr(members, "TICK", 0.02)

    def interrupt(activity, _):
        if activity == when:
            raise KeyboardInterrupt

    search = bare(tmp_path, "time", progress=standins.visibly(tmp_path, interrupt))
    with pytest.raises(KeyboardInterrupt):
        search.compare("a", "c", whole)
    assert not (tmp_path / "store" / bisection.ANSWERS).exists()


def test_each_measurement_has_a_folder(tmp_path, monkeypatch):
    """Each measurement of the same points has its own folder, so records do not mix."""
    stores, budgets = [], []

    def measure(measuring, _):
        stores.append(measuring.store)
        budgets.append(measuring.budget)
        assert measuring.store.is_dir()
        raise RunFailedError("nothing was measured")

    monkeypatch.setattr(bisection.checkouts, "both", lambda *_: nullcontext(()))
    monkeypatch.setattr(Continuous, "measure", measure)
    monkeypatch.setattr(Continuous, "__post_init__", lambda *_: None)
    whole = Step(base="a", head="b", answer=CHANGED, change="")
    monkeypatch.setattr(bisection, "monotonic", lambda: 0.0)
    for steps in (1, 7):
        bisecting = bare(tmp_path, "time", budget=1_000.0)
        bisecting._steps_left = steps
        bisecting.compare("a", "b", whole)
    assert budgets == [1_000.0, pytest.approx(2_000 / 7)]
    assert [path.relative_to(tmp_path).as_posix() for path in stores] == ["store/a-b", "store/a-b-2"]


@pytest.mark.slow
def test_measured(tmp_path, monkeypatch):
    """Two points are compared by interleaved processes; the cause is reported with the change."""
    sides = standins.sides(tmp_path, head={"ratio": 1.3})
    monkeypatch.setattr(bisection.checkouts, "both", lambda *_: nullcontext(sides))
    step = bare(tmp_path, "time", budget=600.0).compare("a", "b", None)
    assert step.answer is CHANGED
    assert expm1(step.size) == pytest.approx(0.3, abs=0.02)
    assert "counts are equal" in step.cause
    assert list((tmp_path / "store/a-b/base").rglob("*.json"))
