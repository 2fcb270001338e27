"""What a user can mend: the only errors that a command turns into one sentence and a status.

Each is also the built-in error that a caller would expect. Anything else that is raised is a bug, and looks like one.
"""


class AutoencBenchError(Exception):
    """Base of all errors whose message tells what came, what is accepted and what to do."""


class InvalidInputError(AutoencBenchError, ValueError):
    """A value, an option or a file that cannot be used as it is."""


class NotFoundError(AutoencBenchError, LookupError):
    """A record, revision, experiment, backend or data set that is not there."""


class RunFailedError(AutoencBenchError, RuntimeError):
    """A process that was started, or waited for, ended without what it was to measure."""


def unwritable(problem: OSError, path: object) -> InvalidInputError:
    """Return what to raise where a file or folder, the problem's or else this path, cannot be written."""
    reason = f"cannot be written: {problem.strerror}; choose another folder"
    return InvalidInputError(f"{problem.filename or path}: {reason}")
