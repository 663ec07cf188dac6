"""DuckDB's errors as ours: the condition by what went wrong, the text in our words."""

from __future__ import annotations

import json
import re

from restframe import errors

_SQLSTATES = {
    kind.sqlstate: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.Error) and kind is not errors.LoadError
}
_BY_ENGINE_TYPE: dict[str, type[errors.Error]] = {
    "Parser": errors.SyntaxError,
    "Binder": errors.ProgrammingError,
    "Catalog": errors.ProgrammingError,
    "Conversion": errors.InvalidTextRepresentation,
    "Out of Range": errors.NumericValueOutOfRange,
    "Constraint": errors.IntegrityError,
    "Interrupt": errors.QueryCanceled,
    "INTERRUPT": errors.QueryCanceled,
    "Out of Memory": errors.OutOfMemory,
    "TransactionContext": errors.SerializationFailure,
    "Permission": errors.InsufficientPrivilege,
    "IO": errors.StorageError,
    "Not implemented": errors.NotSupportedError,
    "Invalid Input": errors.InvalidParameterValue,
    "Syntax": errors.InvalidParameterValue,
}
# What RE2 says of a pattern it cannot read.
_OF_PATTERNS = (
    r"^((?:invalid (?:escape sequence|character class|repetition size|perl operator|UTF-8|named capture)"
    r"|missing [\])]|unexpected \)|trailing \\|no argument for repetition|bad repetition|pattern too large).*)"
)
_TYPE = r"(?:type )?([A-Z][A-Z_ ]+(?:\([\d,]+\))?)"
# The engine's own text names tables in its file.
_CONFLICT = "serializable isolation violation: another transaction has changed what this one changes"
# What the text says more exactly than the type; the first that matches wins.
_BY_TEXT: tuple[tuple[str, type[errors.Error], str | None], ...] = (
    # first what quotes the user's data, which may look like anything below
    (r"(?s)^Could not convert string ['\"](.*)['\"] to (\w+)", errors.InvalidTextRepresentation,
     'invalid input syntax for type {1}: "{0}"'),
    (r"(?s)^Could not parse string ['\"](.*)['\"] according to format", errors.InvalidDatetime,
     'value "{0}" does not match the format of its date or time'),
    (r"No space left on device", errors.DiskFull, "no space left on the server's disk"),
    (r"max_temp_directory_size|failed to offload", errors.DiskFull, None),
    (r"Division by zero", errors.DivisionByZero, "division by zero"),
    (r'Referenced column "(.+?)" (?:not found|was not found)', errors.UndefinedColumn, 'column "{0}" does not exist'),
    (r'Table "(.+?)" does not have a column named "(.+?)"', errors.UndefinedColumn, 'column {0}.{1} does not exist'),
    (r'Referenced table "(.+?)" not found', errors.UndefinedTable, 'missing FROM-clause entry for table "{0}"'),
    (r"Table with name (.+?) does not exist", errors.UndefinedTable, 'relation "{0}" does not exist'),
    (r'Table with name "(.+?)" already exists', errors.DuplicateTable, 'relation "{0}" already exists'),
    (r'Ambiguous reference to column name "(.+?)"', errors.AmbiguousColumn, 'column reference "{0}" is ambiguous'),
    (r"[Vv]alues were not provided .*parameters: (\w+)", errors.UndefinedParameter, "there is no parameter ${0}"),
    (r"^(\S+) is not an? table", errors.WrongObjectType, 'cannot insert into "{0}", which is not a table'),
    (r"[Cc]an only (update|delete from) base table", errors.WrongObjectType, "cannot {0} a view"),
    (r'column "(.+?)" must appear in the GROUP BY clause', errors.GroupingError,
     'column "{0}" must appear in the GROUP BY clause or be used in an aggregate function'),
    (r"GROUPING (?:statement|function)", errors.GroupingError, "GROUPING needs a GROUP BY clause with its argument"),
    (r"(?i)window functions? (?:calls cannot be nested|are not allowed in window definitions)", errors.WindowingError,
     "window function calls may not be nested"),
    (r"(aggregate|window) functions are not allowed in (\w+)", errors.GroupingError,
     "cannot use {0} functions in {1}"),
    (r"ORDER BY non-integer literal", errors.SyntaxError, "non-integer constant in ORDER BY"),
    (r"Max expression depth limit", errors.StatementTooComplex, "statement is nested too deeply"),
    (r"aximum grouping set count", errors.StatementTooComplex, "too many grouping sets"),
    (r"Subquery returns \d+ columns", errors.SyntaxError, "subquery has too many columns"),
    (r"LIMIT/OFFSET cannot be negative", errors.InvalidParameterValue, "LIMIT and OFFSET must not be negative"),
    (r'"quantile" argument', errors.InvalidParameterValue, "the fraction of a percentile must be a constant"),
    (rf"annot (?:compare|mix|combine) (?:values of )?types? (?:of )?{_TYPE} and {_TYPE}", errors.DatatypeMismatch,
     "types {0} and {1} cannot be matched"),
    (rf"Unimplemented type for cast \({_TYPE} -> {_TYPE}\)", errors.CannotCoerce, "cannot cast type {0} to {1}"),
    (_OF_PATTERNS, errors.InvalidRegularExpression, "invalid regular expression: {0}"),
    (r"Like pattern must not end", errors.InvalidParameterValue, "LIKE pattern must not end with escape character"),
    (r"JSON key cannot be NULL|json_object\(\) keys", errors.InvalidParameterValue,
     "the name of an attribute must be text"),
    (r"Unknown TimeZone '(.*?)'", errors.InvalidParameterValue, 'time zone "{0}" not recognized'),
    (r"hex digit", errors.InvalidParameterValue, "invalid hexadecimal digit"),
    (r"(?:COS|SIN) is undefined outside", errors.InvalidParameterValue, "input is out of range"),
    (r"string of size|string size", errors.InvalidParameterValue, "requested length too large"),
    (r"identifiers of the excess parameters: (.*)", errors.SyntaxError, "the statement has no parameter {0}"),
    (r"cannot encode str as UTF-8", errors.CharacterNotInRepertoire, 'invalid character for encoding "UTF8"'),
    (r"^([\w ]+) clause cannot contain ([\w ]+)", errors.GroupingError, "{1} not allowed in {0} clause"),
    (r"^aggregate function calls cannot", errors.GroupingError, None),
    (r"Function with name (.+?) does not exist", errors.UndefinedFunction, "function {0} does not exist"),
    (r"No function matches the given name and argument types '(\W+)\(", errors.UndefinedFunction,
     "operator {0} does not exist for these types"),
    (r"(?:No function matches the given name and argument types|function for the function call) ['\"](\w+)\(",
     errors.UndefinedFunction, "function {0} does not exist for these types"),
    (r'NOT NULL constraint failed: .*?\.("?)(.+)\1$', errors.NotNullViolation, 'cannot insert NULL into column "{1}"'),
    (r"[Dd]uplicate key", errors.UniqueViolation, None),
    (r'field value out of range: (".*")', errors.InvalidDatetime, "date/time field value out of range: {0}"),
    (r'invalid (\w+) field format: (".*?")', errors.InvalidDatetime, "invalid input syntax for type {0}: {1}"),
    (r"Malformed JSON", errors.InvalidTextRepresentation, None),
    (r"Failed to cast decimal value .* to type (\w+)", errors.NumericValueOutOfRange, "{0} out of range"),
    (r"Casting value .* to type DECIMAL", errors.NumericValueOutOfRange, "numeric field overflow"),
    (r"Could not cast value .+ to DECIMAL", errors.NumericValueOutOfRange, "numeric field overflow"),
    (r"out of range for the destination type (\w+)", errors.NumericValueOutOfRange, "{0} out of range"),
    (r"[Oo]verflow in \w+ of (\w+)", errors.NumericValueOutOfRange, "{0} out of range"),
    (r"(cannot take (?:the )?(?:logarithm|square root) of .*)", errors.InvalidParameterValue, "{0}"),
    (r"[Ii]nvalid UTF8 Codepoint", errors.InvalidParameterValue, "requested character not valid for encoding"),
    (r"out of range|Overflow|overflow", errors.NumericValueOutOfRange, None),
    (r"no transaction is active", errors.NoActiveTransaction, None),
    (r"Conflict|conflict|Failed to commit: Attempting", errors.SerializationFailure, _CONFLICT),
    (r"same target row more than once", errors.DataError, "found multiple matches to update the same tuple"),
    (r"More than one row returned by a subquery", errors.DataError, "single-row subquery returns more than one row"),
    (r"[Ii]nterrupted", errors.QueryCanceled, "query cancelled on user's request"),
)  # fmt: skip
# The engine's names of types in its errors.
_TYPES = {
    "INT16": "smallint", "INT32": "integer", "INT64": "bigint", "INT128": "numeric", "FLOAT": "real",
    "DOUBLE": "double precision", "BOOL": "boolean", "DECIMAL": "numeric", "HUGEINT": "numeric", "TIME": "time",
    "VARCHAR": "character varying", "JSON": "super", "BLOB": "binary varying", "STRING_LITERAL": "unknown",
    "INTEGER_LITERAL": "integer", "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    **{name: name.lower() for name in ("SMALLINT", "INTEGER", "BIGINT", "BOOLEAN", "DATE", "INTERVAL")},
}  # fmt: skip


_FAILURE = re.compile(rf"'{errors.MARK_OF_FAILURE}\[(\w{{5}})\] (.*)' to ", re.DOTALL)


def translate_error(error: BaseException) -> errors.Error:
    """DuckDB's error as ours: the class by what went wrong, the text without the engine's own source and advice.

    SQL that we generate fails with `[22001] value too long ...` behind a mark, which keeps its SQLSTATE.
    """
    # The engine cuts texts that it quotes between their bytes, and then its own binding cannot read the message.
    said = error.object.decode("utf-8", "ignore") if isinstance(error, UnicodeDecodeError) else str(error)
    kind, text = _unpack(said)
    marked = _FAILURE.search(text)
    if marked and marked[1] in _SQLSTATES:
        return _SQLSTATES[marked[1]](marked[2])
    for pattern, condition, message in _BY_TEXT:
        match = re.search(pattern, text)
        if match:
            groups = (_TYPES.get(group.partition("(")[0].strip(), group)[:100] for group in match.groups())
            return condition(message.format(*groups) if message else _first_line(text))
    return _BY_ENGINE_TYPE.get(kind, errors.InternalError)(_first_line(text))


_OWN_FILE = re.compile(r'file "/(?:[^"/]*/)*([^"/]*)"')


def _unpack(text: str) -> tuple[str, str]:
    """DuckDB's error type and message, out of the JSON that `errors_as_json` asks for or out of plain text."""
    start = text.find("{")
    if start >= 0:
        try:
            found = json.JSONDecoder().raw_decode(text[start:])[0]
            return found["exception_type"], found["exception_message"]
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
    kind, _, message = text.partition(" Error: ")
    return (kind, message) if message else ("", text)


def _first_line(text: str) -> str:
    """DuckDB's own words up to where its advice starts, in our style, at most 400 characters.

    Of the server's own files only the last part of the name is told.
    """
    line = re.split(r"\n|(?<=[.!]) (?=Use |Try |Did you)", text, maxsplit=1)[0].strip().rstrip(".!")
    line = _OWN_FILE.sub(r'file "\1"', line)
    sentence = line[1:2].islower()  # not: JSON, LIKE
    return (line[:1].lower() + line[1:] if sentence else line)[:400]
