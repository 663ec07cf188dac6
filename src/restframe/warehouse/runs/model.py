"""What is asked of a run, and what it tells about itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED", "ABORTED"]
FINAL: frozenset[State] = frozenset({"FINISHED", "FAILED", "ABORTED"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Runs are their role's; `session` tells apart those who act in the same role."""

    role: str
    session: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run.

    texts : one, or the statements of a batch; each may hold several statements parted by semicolons
    user : whose rights it has
    database : to which it is addressed; None is the warehouse's
    parameters : values for `:name`, in any of the texts
    batch : whether the texts are sub-statements with results of their own
    one_transaction : of a batch; otherwise each text is committed by itself, and does not stop at another's failure
    session_id : of a kept session to run in
    keep_alive_s : for how long to keep the session after the run; None for no session of its own
    labels : what the door wants to be told again when the run is described
    """

    texts: tuple[str, ...]
    user: str
    database: str | None = None
    name: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    batch: bool = False
    one_transaction: bool = True
    session_id: str | None = None
    keep_alive_s: int | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Request:
        values = json.loads(text)
        values["texts"] = tuple(values["texts"])
        values["parameters"] = tuple((name, value) for name, value in values["parameters"])
        return cls(**values)


def digest(request_json: str) -> bytes:
    """By which two requests with one token are compared."""
    return hashlib.sha256(request_json.encode()).digest()


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a run: the only one, or a sub-statement of a batch. Times in seconds since 1970.

    rows : returned or changed; 0 for a statement that counts nothing, -1 while that is not known
    size_bytes : of the result in memory; -1 while that is not known
    query_id : by which the system views know it
    """

    state: State = "SUBMITTED"
    created_at: float = 0.0
    updated_at: float = 0.0
    duration_ns: int = 0
    rows: int = -1
    size_bytes: int = -1
    has_result: bool = False
    error: str | None = None
    query_id: int | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


def parts_to_json(parts: tuple[Part, ...]) -> str:
    return json.dumps([[getattr(part, name) for name in Part.__slots__] for part in parts])


def parts_from_json(text: str) -> tuple[Part, ...]:
    return tuple(Part(*values) for values in json.loads(text))


@dataclass(frozen=True, slots=True)
class Run:
    """One accepted request as it stands; `duration_ns` is of all parts.

    session_id : of the kept session, also when this run opened it
    """

    id: str
    caller: Caller
    request: Request
    state: State
    created_at: float
    updated_at: float
    parts: tuple[Part, ...]
    error: str | None = None
    pid: int | None = None
    session_id: str | None = None

    @property
    def duration_ns(self) -> int:
        return sum(part.duration_ns for part in self.parts)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs to list; what is None does not matter.

    labels : that the run's must equal
    whole_role : of everybody who acts in the caller's role, or only of the caller
    """

    state: State | None = None
    name_prefix: str | None = None
    database: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    whole_role: bool = True
