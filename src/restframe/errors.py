"""Every error restframe raises: one class per condition a client may want to tell apart, with its SQLSTATE.

    Error                                 (DB-API 2.0 names at the first two levels)
    ├── InterfaceError                    the library is used wrongly
    └── DatabaseError
        ├── DataError                     22xxx  the data does not fit
        ├── OperationalError              the world got in the way: cancelled, full, gone, not ready
        ├── IntegrityError                23xxx  a constraint
        ├── InternalError                 XX000  our fault, or a load that failed
        ├── ProgrammingError              42xxx  the statement is wrong
        └── NotSupportedError             0A000  understood, and not done here

A message is lower case, has no full stop and quotes names, as PostgreSQL's are; Redshift's own wording where it is
known, because clients match on it. `position` counts characters of the statement text from 1. A `hint` is a
sentence saying what to do.
"""

from __future__ import annotations

# SQL that we write for an engine fails with this, the SQLSTATE in brackets and the message, in a failing cast.
MARK_OF_FAILURE = "restframe failure: "


class Warning(Exception):  # noqa: A001  (the name DB-API 2.0 prescribes)
    """DB-API 2.0 wants this name; restframe reports notices on results instead of raising."""


class Error(Exception):
    """What all errors share: a message, an SQLSTATE and, where known, the place, more detail and a way out."""

    sqlstate = "XX000"

    def __init__(
        self,
        message: str,
        *,
        position: int | None = None,
        hint: str | None = None,
        detail: str | None = None,
        where: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint
        self.detail = detail
        self.where = where  # in the data that was being read: `COPY t, line 3, column b: "x"`


class InterfaceError(Error):
    sqlstate = "08003"


class DatabaseError(Error):
    pass


class DataError(DatabaseError):
    sqlstate = "22000"


class OperationalError(DatabaseError):
    sqlstate = "58000"


class IntegrityError(DatabaseError):
    sqlstate = "23000"


class InternalError(DatabaseError):
    sqlstate = "XX000"


class ProgrammingError(DatabaseError):
    sqlstate = "42000"


class NotSupportedError(DatabaseError):
    sqlstate = "0A000"


# 22: the data does not fit


class InvalidTextRepresentation(DataError):
    sqlstate = "22P02"


class InvalidDatetime(DataError):
    sqlstate = "22007"


class NumericValueOutOfRange(DataError):
    sqlstate = "22003"


class StringDataRightTruncation(DataError):
    sqlstate = "22001"


class DivisionByZero(DataError):
    sqlstate = "22012"


class CharacterNotInRepertoire(DataError):
    sqlstate = "22021"


class InvalidParameterValue(DataError):
    sqlstate = "22023"


class InvalidBinaryRepresentation(DataError):
    sqlstate = "22P03"


class UntranslatableCharacter(DataError):
    sqlstate = "22P05"


class BadCopyFileFormat(DataError):
    """The rows of COPY FROM STDIN are not written as they should be."""

    sqlstate = "22P04"


class InvalidRegularExpression(DataError):
    sqlstate = "2201B"


# 23: constraints


class NotNullViolation(IntegrityError):
    sqlstate = "23502"


class UniqueViolation(IntegrityError):
    sqlstate = "23505"


# Who connects, and to what


class ProtocolViolation(OperationalError):
    """A client says what the protocol does not allow here."""

    sqlstate = "08P01"


class InvalidAuthorization(OperationalError):
    sqlstate = "28000"


class InvalidPassword(OperationalError):
    sqlstate = "28P01"


class UndefinedDatabase(ProgrammingError):
    sqlstate = "3D000"


class TooManyConnections(OperationalError):
    sqlstate = "53300"


# 42: the statement is wrong


class SyntaxError(ProgrammingError):  # noqa: A001  (PostgreSQL's name for 42601)
    sqlstate = "42601"


class UndefinedTable(ProgrammingError):
    sqlstate = "42P01"


class UndefinedColumn(ProgrammingError):
    sqlstate = "42703"


class AmbiguousColumn(ProgrammingError):
    sqlstate = "42702"


class UndefinedFunction(ProgrammingError):
    sqlstate = "42883"


class AmbiguousFunction(ProgrammingError):
    """Of operators too: nothing tells which of several is meant."""

    sqlstate = "42725"


class UndefinedObject(ProgrammingError):
    sqlstate = "42704"


class UndefinedSchema(ProgrammingError):
    sqlstate = "3F000"


class UndefinedParameter(ProgrammingError):
    sqlstate = "42P02"


class DuplicateTable(ProgrammingError):
    sqlstate = "42P07"


class DuplicateColumn(ProgrammingError):
    sqlstate = "42701"


class DuplicateSchema(ProgrammingError):
    sqlstate = "42P06"


class DuplicateObject(ProgrammingError):
    sqlstate = "42710"


class DuplicateFunction(ProgrammingError):
    sqlstate = "42723"


class DuplicateCursor(ProgrammingError):
    """Of cursors and portals."""

    sqlstate = "42P03"


class DuplicatePreparedStatement(ProgrammingError):
    sqlstate = "42P05"


class UndefinedPreparedStatement(ProgrammingError):
    sqlstate = "26000"


class InvalidSavepoint(ProgrammingError):
    sqlstate = "3B001"


class UndefinedCursor(ProgrammingError):
    """Of cursors and portals."""

    sqlstate = "34000"


class DatatypeMismatch(ProgrammingError):
    sqlstate = "42804"


class CannotCoerce(ProgrammingError):
    """A cast between types that have none."""

    sqlstate = "42846"


class DuplicateAlias(ProgrammingError):
    """Two tables of one FROM go by the same name."""

    sqlstate = "42712"


class WrongObjectType(ProgrammingError):
    sqlstate = "42809"


class InvalidDefinition(ProgrammingError):
    """A CREATE whose clauses do not go together."""

    sqlstate = "42P17"


class GroupingError(ProgrammingError):
    sqlstate = "42803"


class WindowingError(ProgrammingError):
    sqlstate = "42P20"


class InvalidColumnReference(ProgrammingError):
    sqlstate = "42P10"


class InsufficientPrivilege(ProgrammingError):
    sqlstate = "42501"


class InvalidGrant(ProgrammingError):
    """A role would come to hold itself."""

    sqlstate = "0LP01"


class DependentObjectsStillExist(ProgrammingError):
    sqlstate = "2BP01"


class StatementTooComplex(ProgrammingError):
    """Nested more deeply than we care to follow."""

    sqlstate = "54001"


class ProgramLimitExceeded(OperationalError):
    """More than restframe cares to hold in memory."""

    sqlstate = "54000"


class TooManyColumns(ProgrammingError):
    sqlstate = "54011"


# The world got in the way


class ActiveTransaction(OperationalError):
    sqlstate = "25001"


class ReadOnlyTransaction(OperationalError):
    sqlstate = "25006"


class NoActiveTransaction(OperationalError):
    sqlstate = "25P01"


class InFailedTransaction(OperationalError):
    sqlstate = "25P02"


class QueryCanceled(OperationalError):
    sqlstate = "57014"


class AdminShutdown(OperationalError):
    """The server is being stopped."""

    sqlstate = "57P01"


class IdleSessionTimeout(OperationalError):
    """A session did nothing for so long that it was ended."""

    sqlstate = "57P05"


class SerializationFailure(OperationalError):
    sqlstate = "40001"


class DeadlockDetected(OperationalError):
    sqlstate = "40P01"


class DiskFull(OperationalError):
    sqlstate = "53100"


class OutOfMemory(OperationalError):
    sqlstate = "53200"


class ObjectInUse(OperationalError):
    sqlstate = "55006"


class ObjectNotInPrerequisiteState(OperationalError):
    sqlstate = "55000"


class EndpointNotReady(OperationalError):
    sqlstate = "55000"


class EndpointFailed(OperationalError):
    """An inference endpoint answered with an error, with the wrong shape, or not at all.

    status, answer : of HTTP, where it answered with an error; the answer is cut to some kilobytes
    """

    sqlstate = "58030"

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, answer: bytes = b""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.answer = answer


class TrainingFailed(OperationalError):
    sqlstate = "58000"


class WarehousePaused(OperationalError):
    """The warehouse takes no statements until it is resumed."""

    sqlstate = "57P03"


class WarehouseLocked(OperationalError):
    """Another process has the warehouse directory open."""

    sqlstate = "55006"


# Storage


class StorageError(OperationalError):
    """An object store refused or could not be reached."""

    sqlstate = "58030"


class NoSuchBucket(StorageError):
    sqlstate = "58P01"


class NoSuchKey(StorageError):
    sqlstate = "58P01"


class NoSuchUpload(StorageError):
    """A multipart upload that was never begun, is complete, or was aborted."""

    sqlstate = "58P01"


class StorageAccessDenied(StorageError):
    sqlstate = "42501"


class CorruptObject(StorageError):
    """The bytes of an object are damaged: a wrong checksum, a torn compression stream, a broken Parquet page."""

    sqlstate = "XX001"


# Loads and artefacts


class LoadError(InternalError):
    """COPY found rows it could not load; they stand in stl_load_errors."""

    sqlstate = "XX000"


class UnsafeArtifact(DataError):
    """A model artefact that could write outside its folder or run code when opened."""

    sqlstate = "22000"
