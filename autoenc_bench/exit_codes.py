"""The meaning of every exit code of every command, as help and documentation show it."""

PASSED, REGRESSED, NOT_COMPARED, UNDECIDED = 0, 1, 2, 3
NOTHING_TO_FIND = 1
REFUSED, BUG = 2, 70  # 70 is EX_SOFTWARE of sysexits.h

_A_BUG = {BUG: "a bug of autoenc-bench; please report it"}

GATE = {
    PASSED: "nothing regressed, no run lacks a case or a seed, and each comparable kind (time, memory, error) is "
    "decided in at least one case",
    REGRESSED: "something regressed",
    NOT_COMPARED: "the sides could not be compared, or a run lacks a case or a seed",
    UNDECIDED: "time, memory or error is undecided in every case (with --strict: in at least one case)",
    **_A_BUG,
}
MATRIX = {
    0: "every backend has its record and no case failed",
    1: "a case failed",
    2: "a backend has no record",
    **_A_BUG,
}
BISECT = {
    0: "the change was found, and a change of time was confirmed by a second comparison",
    NOTHING_TO_FIND: "nothing changed between the two revisions",
    REFUSED: "an error; the message explains it",
    UNDECIDED: "the change is undecided, several candidates remain, or a second comparison did not confirm the result",
    **_A_BUG,
}
OTHERS = {0: "done", REFUSED: "an error; the message explains it", **_A_BUG}
# Pytest's own 2 and 3 mean that it was interrupted, and an internal error.
PYTEST = {
    0: "no case failed and, if you gave --baseline, compare would exit with 0",
    1: "a case failed or, if you gave --baseline, something regressed",
    3: "a bug of autoenc-bench or of pytest",
    4: "pytest refused to start, could not save the record or, if you gave --baseline, compare would exit with 2 or 3",
}
IN_PYTEST = {PASSED: 0, REGRESSED: 1, NOT_COMPARED: 4, UNDECIDED: 4}


def epilog(meanings: dict[int, str]) -> str:
    """Return the paragraph on exit codes in a command's help, a line for each code."""
    return "exit codes:" + "".join(f"\n  {status:<2}  {meaning}" for status, meaning in meanings.items())
