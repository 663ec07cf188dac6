"""has_table_privilege() and its kin: what a user may do.

https://docs.aws.amazon.com/redshift/latest/dg/r_System_information_functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.functions.catalog import object_number
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_text, call, lookup, macro, string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.rules import BOOL, INT8
from restframe.sql.rewrite.visit import Typed
from restframe.sql.statements.grant import COMMANDS

_RELATIONS = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE", "RULE", "TRIGGER", "MAINTAIN",
)  # fmt: skip
_SCHEMAS = ("CREATE", "USAGE", "ALTER", "DROP")
_DATABASES = ("CREATE", "TEMPORARY", "TEMP", "USAGE", "ALTER", "CONNECT")


def _user(made: Call, given: bool) -> exp.Expr:
    """The number of the user that is asked about: the first argument, or whoever asks."""
    if not given:
        return call("getvariable", string("restframe_user_id"))
    node, type_ = made.arguments[0], made.types[0]
    if type_ is None or type_.is_text:
        return lookup("user_number", made.text(0))
    return convert(node, type_, INT8, made.scope)


def _wanted(made: Call, known: tuple[str, ...]) -> exp.Expr:
    """The privileges in the last argument; those that do not exist are refused."""
    listed = exp.Array(expressions=[string(one) for one in known])
    return macro("privilege_list", made.text(len(made.arguments) - 1), listed)


@function("has_table_privilege", 2, 3)
def has_table_privilege(made: Call) -> Typed:
    named = len(made.arguments) == 3
    return lookup("has_table", _user(made, named), object_number(made, int(named)), _wanted(made, _RELATIONS)), BOOL


@function("has_column_privilege", 3, 4)
def has_column_privilege(made: Call) -> Typed:
    named = len(made.arguments) == 4
    table = object_number(made, int(named))
    column = lookup("column_name", table.copy(), as_text(made.arguments[1 + named]))
    return lookup("has_column", _user(made, named), table, column, _wanted(made, _RELATIONS)), BOOL


@function("has_any_column_privilege", 2, 3)
def has_any_column_privilege(made: Call) -> Typed:
    named = len(made.arguments) == 3
    table = object_number(made, int(named))
    return lookup("has_column", _user(made, named), table, string(""), _wanted(made, _RELATIONS)), BOOL


@function("has_schema_privilege", 2, 3)
def has_schema_privilege(made: Call) -> Typed:
    named = len(made.arguments) == 3
    schema = object_number(made, int(named), "regnamespace")
    return lookup("has_schema", _user(made, named), schema, _wanted(made, _SCHEMAS)), BOOL


@function("has_database_privilege", 2, 3)
def has_database_privilege(made: Call) -> Typed:
    """There is one database; which one is named does not matter."""
    return lookup("has_database", _user(made, len(made.arguments) == 3), _wanted(made, _DATABASES)), BOOL


@function("has_function_privilege", 2, 3)
def has_function_privilege(made: Call) -> Typed:
    """The functions of models have privileges; all others are everybody's."""
    named = len(made.arguments) == 3
    name = made.text(int(named))
    return lookup("has_function", _user(made, named), name, _wanted(made, ("EXECUTE",))), BOOL


@function("has_assumerole_privilege", 2, 3)
def has_assumerole_privilege(made: Call) -> Typed:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_HAS_ASSUMEROLE_PRIVILEGE.html"""
    named = len(made.arguments) == 3
    return lookup("may_assume", _user(made, named), made.text(int(named)), _wanted(made, COMMANDS)), BOOL


@function(
    "has_language_privilege has_sequence_privilege has_tablespace_privilege has_server_privilege has_type_privilege "
    "has_foreign_data_wrapper_privilege",
    2,
    3,
)
def has_other_privilege(made: Call) -> Typed:
    """Of objects that are not protected."""
    return exp.Boolean(this=True), BOOL


@function("user_is_member_of", 2)
def user_is_member_of(made: Call) -> Typed:
    """Of a role or a group. https://docs.aws.amazon.com/redshift/latest/dg/r_USER_IS_MEMBER_OF.html"""
    return lookup("is_member", _user(made, True), made.text(1)), BOOL


@function("pg_has_role", 2, 3)
def pg_has_role(made: Call) -> Typed:
    named = len(made.arguments) == 3
    return lookup("is_member", _user(made, named), made.text(int(named))), BOOL


@function("role_is_member_of", 2)
def role_is_member_of(made: Call) -> Typed:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ROLE_IS_MEMBER_OF.html"""
    return lookup("role_is_member", made.text(0), made.text(1)), BOOL
