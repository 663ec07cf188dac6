"""Why a run is not accepted, found, cancelled or read. What its statements do wrong stands in the run itself."""

from __future__ import annotations

from restframe import errors


class NoSuchRun(errors.ProgrammingError):
    """Never accepted, forgotten after a day, or somebody else's."""


class NoSuchSession(errors.ProgrammingError):
    """As NoSuchRun, of a session."""


class NoResult(errors.ProgrammingError):
    """The statement has not finished, or answers no rows."""


class NotRunning(errors.ProgrammingError):
    """What is to be cancelled has ended."""


class DifferentRequest(errors.ProgrammingError):
    """A token comes again with another request."""


class SessionNotAvailable(errors.ProgrammingError):
    """It has ended, or is running a statement."""


class TextTooLong(errors.ProgrammingError):
    pass


class UnusedParameters(errors.ProgrammingError):
    pass


class TooManyRuns(errors.OperationalError):
    pass


class TooManySessions(errors.OperationalError):
    pass


class TooManyWaiting(errors.OperationalError):
    pass


class ResultTooLarge(errors.OperationalError):
    """More than one answer, or one row of it, may have. Redshift's own words, and so without `ERROR:`."""
