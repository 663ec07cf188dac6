"""What Redshift calls a column of a result that was given no name."""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.nodes import fold

UNNAMED = "?column?"


def label_of(node: exp.Expr) -> str:
    """The name of an output column without an alias, as PostgreSQL 8 gives it, before the node is rewritten."""
    return _figure(node)[0] or UNNAMED


def _figure(node: exp.Expr) -> tuple[str | None, int]:
    """A name and how good it is: 2 is a name of the value's own, 1 that of its type or form, 0 none."""
    match node:
        case exp.Column():
            return fold(node.args["this"]), 2
        case exp.Dot():
            last = node.args["expression"]
            return (fold(last), 2) if isinstance(last, exp.Identifier) else _figure(last)
        case exp.Paren() | exp.Bracket() | exp.Window() | exp.WithinGroup() | exp.Filter():
            return _figure(node.args["this"])
        case exp.IgnoreNulls() | exp.RespectNulls() | exp.Collate():
            return _figure(node.args["this"])
        case exp.Anonymous():
            return _of_function(node), 2
        case exp.Cast():
            name, strength = _figure(node.args["this"])
            return (name, strength) if strength == 2 else (_of_type(node.args["to"]), 1)
        case exp.Case():
            default = node.args.get("default")
            name, strength = _figure(default) if default is not None else (None, 0)
            return (name, strength) if strength == 2 else ("case", 1)
        case _:
            return _NAMES.get(node.__class__, (None, 0))


def _of_type(node: exp.DataType) -> str | None:
    """The internal name of a type; an array is called as its elements are."""
    kind, parameters = node.args["this"], node.args.get("expressions")
    if kind is exp.DType.ARRAY and parameters:
        return _of_type(parameters[0])
    if kind is exp.DType.NAME:  # where `spellings` has put the system's types
        return str(parameters[0].this.name).lower() if parameters else "name"
    return _TYPE_NAMES.get(kind)


def _of_function(node: exp.Anonymous) -> str:
    name = node.args["this"]
    called = fold(name) if isinstance(name, exp.Identifier) else str(name).lower().rstrip("(")
    return _FUNCTION_LABELS.get(called, called)


# The manual's examples show these headings.
_FUNCTION_LABELS = {
    "dateadd": "date_add", "datediff": "date_diff", "date_part": "pgdate_part", "nvl": "coalesce", "decode": "case",
    "nvl2": "case", "len": "len", "array_of_query": "array",
}  # fmt: skip
_NAMES: dict[type[exp.Expr], tuple[str, int]] = {
    exp.Extract: ("date_part", 2), exp.Trim: ("btrim", 2), exp.Substring: ("substring", 2),
    exp.StrPosition: ("position", 2), exp.Exists: ("?column?", 0), exp.CurrentDate: ("date", 2),
    exp.CurrentTimestamp: ("timestamp", 2), exp.CurrentUser: ("current_user", 2), exp.ApproxDistinct: ("count", 2),
    exp.ApproxQuantile: ("percentile_disc", 2), exp.SessionUser: ("session_user", 2), exp.Array: ("array", 2),
    exp.CurrentSchema: ("current_schema", 2), exp.TryCast: ("try_cast", 1),
}  # fmt: skip
_TYPE_NAMES = {
    exp.DType.SMALLINT: "int2", exp.DType.INT: "int4", exp.DType.BIGINT: "int8", exp.DType.FLOAT: "float4",
    exp.DType.DOUBLE: "float8", exp.DType.DECIMAL: "numeric", exp.DType.BOOLEAN: "bool", exp.DType.CHAR: "bpchar",
    exp.DType.NCHAR: "bpchar", exp.DType.BPCHAR: "bpchar", exp.DType.VARCHAR: "varchar",
    exp.DType.NVARCHAR: "varchar", exp.DType.TEXT: "text", exp.DType.DATE: "date", exp.DType.TIME: "time",
    exp.DType.TIMETZ: "timetz", exp.DType.TIMESTAMP: "timestamp", exp.DType.TIMESTAMPTZ: "timestamptz",
    exp.DType.INTERVAL: "interval", exp.DType.SUPER: "super", exp.DType.VARBINARY: "varbyte",
}  # fmt: skip
