"""Which column of a query is what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from restframe import errors


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a query by what they say; `value` is None where rows are counted, `item` for a single series."""

    time: str
    value: str | None
    item: str | None
    categories: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def find_roles(
    schema: pa.Schema,
    *,
    time: str | None = None,
    value: str | None = None,
    item: str | None = None,
    categories: Sequence[str] = (),
    features: Sequence[str] = (),
    counted: bool = False,
) -> Roles:
    """Take the roles that are named, and give the other columns theirs by their types.

    The only date or timestamp is the time, the only text the item, the only number the value; a single category is the
    item too when nothing else is. No column is left over.
    counted : rows may be counted, so that no value is needed

    UndefinedColumn for a name that the query does not have; InvalidParameterValue where the types leave a choice.
    """
    if len(set(schema.names)) < len(schema.names):
        raise errors.InvalidParameterValue("two columns of the query have the same name: give them names with AS")
    given = [name for name in (time, value, item, *categories, *features) if name is not None]
    found = {name: _column(schema, name) for name in given}
    left = [field for field in schema if field.name not in found.values()]
    time_column = found[time] if time else _only(left, _is_time, "time", required=True)
    _check_time(schema, str(time_column))
    value_column = found[value] if value else _only(left, _is_number, "value", required=not counted)
    item_column = found[item] if item else _only(left, _is_text, "item", required=False)
    if item_column is None and len(categories) == 1:
        item_column = found[categories[0]]
    grouping, known = tuple(found[name] for name in categories), tuple(found[name] for name in features)
    roles = Roles(str(time_column), value_column, item_column, grouping, known)
    _check(schema, roles)
    return roles


def _column(schema: pa.Schema, name: str) -> str:
    """Names of SQL are folded to lower case."""
    for spelled in (name, name.lower()):
        if spelled in schema.names:
            return spelled
    raise errors.UndefinedColumn(
        f'the query has no column "{name[:100]}"; it has {_listed(schema.names)}', hint="Name it in the query's SELECT."
    )


def _only(left: list[pa.Field], is_it: Callable[[pa.DataType], bool], role: str, *, required: bool) -> str | None:
    """The only column left that can have a role."""
    candidates = [field.name for field in left if is_it(field.type)]
    if len(candidates) == 1:
        return str(candidates[0])
    if candidates:
        raise errors.InvalidParameterValue(
            f'which of the columns {_listed(candidates)} is the {role}? Say {role}="{candidates[0]}", '
            "or name the others in categories or features"
        )
    if required:
        raise errors.InvalidParameterValue(f"the query has no column that can be the {role}")
    return None


def _check_time(schema: pa.Schema, name: str) -> None:
    kind = schema.field(name).type
    if not _is_time(kind):
        raise errors.InvalidParameterValue(f'column "{name}" is to be the time, but is {kind}')
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        raise errors.InvalidParameterValue(
            f"column \"{name}\" has a time zone, and forecasts have none: select {name} AT TIME ZONE '...' AS {name}"
        )


def _check(schema: pa.Schema, roles: Roles) -> None:
    for name in (roles.value, *roles.features):
        if name is not None and not _is_number(schema.field(name).type):
            raise errors.InvalidParameterValue(f'column "{name}" is to be numbers, but is {schema.field(name).type}')
    used = {roles.time, roles.value, roles.item, *roles.categories, *roles.features}
    unused = [name for name in schema.names if name not in used]
    if unused:
        raise errors.InvalidParameterValue(
            f"what are the columns {_listed(unused)}? Name them in categories or features, or do not select them"
        )


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)[:300]
