"""Statements as a service: accepted at once, run behind the answer, remembered for a day.

service.py accepts, runs and cancels; carrying_out.py is one run from its session to its results; sessions.py keeps
sessions ready, and those that clients keep between statements; register.py is the journal's part of it; results.py
keeps the rows.
"""

from restframe.warehouse.runs.faults import (
    DifferentRequest,
    NoResult,
    NoSuchRun,
    NoSuchSession,
    NotRunning,
    SessionNotAvailable,
    TextTooLong,
    TooManyRuns,
    TooManySessions,
    TooManyWaiting,
    UnusedParameters,
)
from restframe.warehouse.runs.model import Caller, Filter, Part, Request, Run, State
from restframe.warehouse.runs.results import StoredResult
from restframe.warehouse.runs.service import Statements
from restframe.warehouse.runs.sessions import KeptSession

__all__ = [
    "Caller", "DifferentRequest", "Filter", "KeptSession", "NoResult", "NoSuchRun", "NoSuchSession", "NotRunning",
    "Part", "Request", "Run", "SessionNotAvailable", "State", "Statements", "StoredResult", "TextTooLong",
    "TooManyRuns", "TooManySessions", "TooManyWaiting", "UnusedParameters",
]  # fmt: skip
