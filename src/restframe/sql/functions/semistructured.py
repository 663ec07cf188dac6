"""Functions on SUPER values, and on JSON kept as text.

https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
https://docs.aws.amazon.com/redshift/latest/dg/c_Array_Functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_text, as_type, call, is_string, macro, number, string, when
from restframe.sql.rewrite.columns import quote_key
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import BOOL, INT4, INT8, SUPER, VARCHAR
from restframe.sql.rewrite.visit import Typed

# JSON in text


def _null_if_invalid(made: Call) -> bool:
    """Whether the last argument is a boolean behind others; it is taken away, and its value returned."""
    last = made.arguments[-1]
    if last.__class__ is not exp.Boolean or len(made.arguments) == 1:
        return False
    made.arguments.pop()
    made.types.pop()
    return bool(last.args["this"])


def _guarded(made: Call, text: exp.Expr, found: exp.Expr, lax: bool) -> exp.Expr:
    return when(call("json_valid", text.copy()), found) if lax else found


@function("json_extract_path_text", 2, 7)
def json_extract_path_text(made: Call) -> Typed:
    """'' where the path leads nowhere."""
    lax = _null_if_invalid(made)
    keys = [made.text(place) for place in range(1, len(made.arguments))]
    if not keys:
        raise made.no_such_function()
    if any(is_string(key) and str(key.args["this"]) in ("*", "") for key in keys):
        path: exp.Expr = string("/" + "/".join(str(key.args["this"]) for key in keys))
    elif all(is_string(key) for key in keys):
        path = string("$" + "".join("." + quote_key(str(key.args["this"])) for key in keys))
    else:
        path = string("$")
        for key in keys:
            path = exp.DPipe(this=path, expression=macro("path_step", key))
        path = exp.Paren(this=path)
    text = made.text(0)
    return _guarded(made, text, macro("json_path_text", text, path), lax), VARCHAR


@function("json_extract_array_element_text", 2, 3)
def json_extract_array_element_text(made: Call) -> Typed:
    lax = _null_if_invalid(made)
    if len(made.arguments) < 2:
        raise made.no_such_function()
    text = made.text(0)
    return _guarded(made, text, macro("json_element_text", text, as_type(made.number(1), INT8)), lax), VARCHAR


@function("json_array_length", 1, 2)
def json_array_length(made: Call) -> Typed:
    lax = _null_if_invalid(made)
    text = made.text(0)
    return _guarded(made, text, as_type(call("json_array_length", text), INT4), lax), INT4


@function("is_valid_json", 1)
def is_valid_json(made: Call) -> Typed:
    return macro("is_json_object", made.text(0)), BOOL


@function("is_valid_json_array", 1)
def is_valid_json_array(made: Call) -> Typed:
    return macro("is_json_array", made.text(0)), BOOL


@function("can_json_parse", 1)
def can_json_parse(made: Call) -> Typed:
    return macro("is_json", made.text(0)), BOOL


# SUPER


def _super(made: Call, place: int) -> exp.Expr:
    """An argument as a SUPER value."""
    type_ = made.types[place]
    if type_ == SUPER:
        return made.arguments[place]
    if type_ is not None and type_.name in ("date", "time", "timetz", "timestamp", "timestamptz", "interval"):
        raise errors.CannotCoerce(f"cannot cast type {type_} to super", position=made.scope.context.position(made.node))
    return call("to_json", made.arguments[place])


@function("json_parse", 1)
def json_parse(made: Call) -> Typed:
    return call("json", made.text(0)), SUPER


@function("json_serialize", 1)
def json_serialize(made: Call) -> Typed:
    return as_text(_super(made, 0)), VARCHAR


@function("json_size", 1)
def json_size(made: Call) -> Typed:
    return as_type(call("strlen", as_text(_super(made, 0))), INT4), INT4


@function("json_typeof", 1)
def json_typeof(made: Call) -> Typed:
    return macro("json_typeof", _super(made, 0)), VARCHAR


_KINDS = {
    "is_array": "array", "is_object": "object", "is_boolean": "boolean", "is_varchar": "string", "is_char": "string",
}  # fmt: skip


@function(" ".join(_KINDS), 1)
def is_kind(made: Call) -> Typed:
    return macro("is_kind", _super(made, 0), string(_KINDS[made.name])), BOOL


@function("is_scalar", 1)
def is_scalar(made: Call) -> Typed:
    return macro("is_scalar", _super(made, 0)), BOOL


@function("is_integer is_bigint is_smallint", 1)
def is_whole(made: Call) -> Typed:
    bits = {"is_smallint": 15, "is_integer": 31, "is_bigint": 63}[made.name]
    return macro("is_whole", _super(made, 0), number(2**bits)), BOOL


@function("is_decimal is_float", 1)
def is_decimal(made: Call) -> Typed:
    return macro("is_kind", _super(made, 0), string("number")), BOOL


@function("array", 0, None)
def array(made: Call) -> Typed:
    return call("json_array", *(_super(made, place) for place in range(len(made.arguments)))), SUPER


@function("object json_build_object", 0, None)
def object_(made: Call) -> Typed:
    if len(made.arguments) % 2:
        raise made.no_such_function()
    nodes = [_super(made, place) if place % 2 else made.text(place) for place in range(len(made.arguments))]
    return call("json_object", *nodes), SUPER


@function("array_concat", 2)
def array_concat(made: Call) -> Typed:
    lists = (macro("elements", _super(made, place)) for place in (0, 1))
    return call("to_json", call("list_concat", *lists)), SUPER


@function("array_flatten", 1)
def array_flatten(made: Call) -> Typed:
    return macro("array_flatten", _super(made, 0)), SUPER


@function("get_array_length", 1)
def get_array_length(made: Call) -> Typed:
    return as_type(macro("array_length", _super(made, 0)), INT4), INT4


@function("subarray", 2, 3)
def subarray(made: Call) -> Typed:
    """SUBARRAY ( array, start [, length ] ), counted from 0."""
    length = as_type(made.number(2), INT8) if len(made.arguments) > 2 else number(2**31)
    return macro("subarray", _super(made, 0), as_type(made.number(1), INT8), length), SUPER


@function("generate_series", 2, 3)
def generate_series(made: Call) -> Typed:
    """Rows in a select list, as the leader node makes them."""
    for argument, type_ in zip(made.arguments, made.types, strict=True):
        if type_ is None:
            expect(argument, INT4, made.scope)
    return call("unnest", call("generate_series", *made.arguments)), INT8


@function("split_to_array", 1, 2)
def split_to_array(made: Call) -> Typed:
    delimiter = made.text(1) if len(made.arguments) > 1 else string(",")
    return call("to_json", call("string_split", made.text(0), delimiter)), SUPER
