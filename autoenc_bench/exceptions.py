"""The errors that a user can fix. A command turns them into one sentence and an exit code.

Each is also the built-in error that a caller would expect. Any other exception is a bug and shows a traceback.
"""


class AutoencBenchError(Exception):
    """Base of all errors. The message says what happened, what was expected and what to do."""


class InvalidInputError(AutoencBenchError, ValueError):
    """A value, an option or a file that is invalid."""


class NotFoundError(AutoencBenchError, LookupError):
    """A record, revision, experiment, backend or data set that does not exist."""


class RunFailedError(AutoencBenchError, RuntimeError):
    """A process that ended without its measurement."""


def unwritable(problem: OSError, path: object) -> InvalidInputError:
    """Return the error for a file or folder that cannot be written: the problem's own, or else this path."""
    reason = f"cannot be written: {problem.strerror}; choose another folder"
    return InvalidInputError(f"{problem.filename or path}: {reason}")
