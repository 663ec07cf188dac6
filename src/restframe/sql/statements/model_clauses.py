"""The clauses of CREATE MODEL, each of which may stand anywhere, once.

The manual asks for one order of clauses, and its own examples keep several; so any order is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import model_options as options
from restframe.sql.statements.iam_role import read_iam_role
from restframe.sql.statements.query import Query, read_query
from restframe.types import SqlType


@dataclass(slots=True)
class Clauses:
    """What was read so far.

    positions : where each clause that was there stands, by its word; the fields of other clauses mean nothing
    source : of FROM: a table, a query, or the text of a job's name or an artefact's URL
    """

    positions: dict[str, int] = field(default_factory=dict)
    source: QualifiedName | Query | str | None = None
    target: str = ""
    function: QualifiedName | None = None
    argument_types: tuple[SqlType, ...] | None = None
    returns: SqlType | None = None
    endpoint: str = ""
    target_model: str | None = None
    iam_role: str = ""
    auto: bool = True
    model_type: str | None = None
    problem_type: str | None = None
    objective: str | None = None
    preprocessors: str = "none"
    hyperparameters: tuple[options.Hyperparameter, ...] = ()
    settings: dict[str, options.Setting] = field(default_factory=dict)


def read_clauses(cursor: Cursor, external: bool) -> Clauses:
    """All clauses to the end of the statement. SyntaxError for a word that is no clause, or a clause given twice."""
    clauses = Clauses()
    while not cursor.at_end():
        word, position = cursor.word() or "", cursor.position
        read = _CLAUSES.get(word)
        if read is None:
            cursor.fail()
        if word in clauses.positions:
            raise errors.SyntaxError(f"{word} is given more than once", position=position)
        clauses.positions[word] = position
        cursor.advance()
        if word == "MODEL_TYPE" and external:
            cursor.expect("BEDROCK")
        else:
            read(cursor, clauses)
    return clauses


def _source(cursor: Cursor, clauses: Clauses) -> None:
    """A table, a query in parentheses, or the text of a job's name or an artefact's URL, also in parentheses."""
    if cursor.sees_string():
        clauses.source = cursor.string()
    elif not cursor.sees("("):
        clauses.source = cursor.qualified_name()
    else:
        cursor.expect("(")
        if cursor.sees_string():
            clauses.source = cursor.string()
            cursor.expect(")")
        else:
            position = cursor.position
            clauses.source = read_query(cursor.enclosed().rstrip(), position)


def _target(cursor: Cursor, clauses: Clauses) -> None:
    clauses.target = cursor.string().lower() if cursor.sees_string() else cursor.identifier()


def _function(cursor: Cursor, clauses: Clauses) -> None:
    clauses.function = cursor.qualified_name()
    if not cursor.accept("("):
        return
    types = [cursor.data_type()]
    while cursor.accept(","):
        types.append(cursor.data_type())
    cursor.expect(")")
    clauses.argument_types = tuple(types)


def _returns(cursor: Cursor, clauses: Clauses) -> None:
    clauses.returns = cursor.data_type()


def _sagemaker(cursor: Cursor, clauses: Clauses) -> None:
    clauses.endpoint = _text_that_says_something(cursor, "SAGEMAKER")
    if cursor.accept(":"):
        clauses.target_model = _text_that_says_something(cursor, "SAGEMAKER")


def _iam_role(cursor: Cursor, clauses: Clauses) -> None:
    clauses.iam_role = read_iam_role(cursor)


def _auto(cursor: Cursor, clauses: Clauses) -> None:
    given = cursor.accept_any(("ON", "OFF"))
    if given is None:
        cursor.fail()
    clauses.auto = given == "ON"


def _model_type(cursor: Cursor, clauses: Clauses) -> None:
    position = cursor.position
    clauses.model_type = options.choice(_in_any_spelling(cursor), options.MODEL_TYPES, "MODEL_TYPE", position)


def _problem_type(cursor: Cursor, clauses: Clauses) -> None:
    position = cursor.position
    clauses.problem_type = options.choice(_in_any_spelling(cursor), options.PROBLEM_TYPES, "PROBLEM_TYPE", position)


def _objective(cursor: Cursor, clauses: Clauses) -> None:
    clauses.objective = _in_any_spelling(cursor)


def _in_any_spelling(cursor: Cursor) -> str:
    """X, 'X', (X) or ('X')."""
    if cursor.accept("("):
        value = _word_or_text(cursor)
        cursor.expect(")")
        return value
    return _word_or_text(cursor)


def _word_or_text(cursor: Cursor) -> str:
    if cursor.sees_string():
        return cursor.string()
    words = [cursor.identifier()]
    while cursor.accept(":"):  # binary:logistic without quotes
        words.append(cursor.identifier())
    return ":".join(words)


def _preprocessors(cursor: Cursor, clauses: Clauses) -> None:
    clauses.preprocessors = cursor.string()


def _hyperparameters(cursor: Cursor, clauses: Clauses) -> None:
    cursor.expect("DEFAULT")
    if not cursor.accept("EXCEPT"):
        return
    cursor.expect("(")
    given: list[options.Hyperparameter] = []
    while True:
        position, name = cursor.position, cursor.identifier()
        if any(one.name == name for one in given):
            raise errors.SyntaxError(f'hyperparameter "{name[:100]}" is given more than once', position=position)
        given.append(options.Hyperparameter(name, cursor.string(), position))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    clauses.hyperparameters = tuple(given)


def _settings(cursor: Cursor, clauses: Clauses) -> None:
    clauses.settings = options.read_settings(cursor)


def _text_that_says_something(cursor: Cursor, clause: str) -> str:
    position = cursor.position
    text = cursor.string()
    if not text.strip():
        raise errors.InvalidParameterValue(f"{clause} names nothing", position=position)
    return text


_CLAUSES: dict[str, Callable[[Cursor, Clauses], None]] = {
    "FROM": _source,
    "TARGET": _target,
    "FUNCTION": _function,
    "RETURNS": _returns,
    "SAGEMAKER": _sagemaker,
    "IAM_ROLE": _iam_role,
    "AUTO": _auto,
    "MODEL_TYPE": _model_type,
    "PROBLEM_TYPE": _problem_type,
    "OBJECTIVE": _objective,
    "PREPROCESSORS": _preprocessors,
    "HYPERPARAMETERS": _hyperparameters,
    "SETTINGS": _settings,
}
