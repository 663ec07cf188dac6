"""SHOW FUNCTIONS, PROCEDURES and PARAMETERS: of models' functions, whose arguments have types and no names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.models import Model
from restframe.result import Column, Result
from restframe.sql import QualifiedName
from restframe.sql.statements.show_functions import ShowFunctions, ShowParameters
from restframe.sql.statements.show_names import Path
from restframe.types import SqlType, parse_type
from restframe.warehouse import privileges
from restframe.warehouse.commands import Columns
from restframe.warehouse.commands.show import INT, TEXT, check_path, find_schema, like, result

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def functions(statement: ShowFunctions, session: Session) -> Result:
    """One row for each set of argument types a name has."""
    schema = find_schema(statement.schema, session)
    database = session.settings.database.lower()
    found = [] if statement.procedures else [one for one in session.catalog.models() if one.function_schema == schema]
    fitting = like(statement, [one.function_name for one in found], session)
    rows = [
        (
            database,
            schema,
            one.function_name,
            len(one.argument_types),
            argument_list(one),
            without_length(one.return_type),
        )
        for one in found
        if one.function_name in fitting and _may_call(one, session)
    ]
    return result(_columns_of_functions(statement), sorted(rows), statement)


def columns_of_functions(statement: ShowFunctions, session: Session) -> Columns:
    return tuple(Column(name, type_) for name, type_ in _columns_of_functions(statement))


def _columns_of_functions(statement: ShowFunctions) -> tuple[tuple[str, SqlType], ...]:
    name = "procedure_name" if statement.procedures else "function_name"
    return (
        ("database_name", TEXT), ("schema_name", TEXT), (name, TEXT), ("number_of_arguments", INT),
        ("argument_list", TEXT), ("return_type", TEXT),
    )  # fmt: skip


def parameters(statement: ShowParameters, session: Session) -> Result:
    """What the function returns has the place 0. UndefinedFunction, for every procedure too."""
    kind = "procedure" if statement.procedure else "function"
    model = None if statement.procedure else find_function(statement.name, statement.arguments, session)
    if model is None:
        shown = f"{'.'.join(map(str, statement.name.parts))}({', '.join(map(str, statement.arguments))})"
        raise errors.UndefinedFunction(f"{kind} {shown[:200]} does not exist", position=statement.name.position)
    typed = [("RETURN", model.return_type), *(("IN", one) for one in model.arguments)]
    of_function = (session.settings.database.lower(), model.function_schema, model.function_name)
    rows = [
        (*of_function, "", place, role, without_length(type_), type_.length, *_precision(type_))
        for place, (role, type_) in enumerate(typed)
    ]
    fits = bool(like(statement, [""], session))
    return result(_columns_of_parameters(statement), rows if fits else [], statement)


def columns_of_parameters(statement: ShowParameters, session: Session) -> Columns:
    return tuple(Column(name, type_) for name, type_ in _columns_of_parameters(statement))


def _columns_of_parameters(statement: ShowParameters) -> tuple[tuple[str, SqlType], ...]:
    name = "procedure_name" if statement.procedure else "function_name"
    return (
        ("database_name", TEXT), ("schema_name", TEXT), (name, TEXT), ("parameter_name", TEXT),
        ("ordinal_position", INT), ("parameter_type", TEXT), ("data_type", TEXT), ("character_maximum_length", INT),
        ("numeric_precision", INT), ("numeric_scale", INT),
    )  # fmt: skip


def find_function(path: Path, arguments: Sequence[object] | None, session: Session) -> Model | None:
    """The function that a path and types of arguments mean, if the user may call it; lengths make no difference.

    arguments : None for whichever there is
    """
    schema, name = check_path(path, session)
    privileges.check_usage(QualifiedName(schema, name, path.position), session)
    wanted = None if arguments is None else [parse_type(str(one)).name for one in arguments]
    for model in session.catalog.functions(schema, name):
        if wanted in (None, [one.name for one in model.arguments]) and _may_call(model, session):
            return model
    return None


def argument_list(model: Model) -> str:
    return ", ".join(map(without_length, model.arguments))


def without_length(type_: SqlType) -> str:
    return str(SqlType(type_.name))


def _may_call(model: Model, session: Session) -> bool:
    rights = session.catalog.rights
    return rights.superuser or model.owner == rights.user.name or rights.has(model.object, "EXECUTE")


def _precision(type_: SqlType) -> tuple[int | None, int | None]:
    if type_.name == "numeric":
        return type_.precision, type_.scale
    bits = {"int2": 16, "int4": 32, "int8": 64, "float4": 24, "float8": 53}.get(type_.name)
    return bits, 0 if type_.is_integer else None
