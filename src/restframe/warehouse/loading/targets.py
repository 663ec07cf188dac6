"""The columns of its table that a COPY fills, in the order of the data."""

from __future__ import annotations

from collections.abc import Sequence

from restframe import errors
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.sql.statements.copy import Copy, FixedWidth


def target_columns(statement: Copy, relation: Relation) -> Sequence[ColumnDefinition]:
    """Those that are listed; without a list all of them, identities only with EXPLICIT_IDS.

    UndefinedColumn, and InvalidParameterValue where identities and EXPLICIT_IDS do not go together.
    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
    """
    identity = next((column for column in relation.columns if column.identity is not None), None)
    if statement.explicit_ids and identity is None:
        raise errors.InvalidParameterValue(f'relation "{relation.name}" has no IDENTITY column for EXPLICIT_IDS')
    if statement.columns:
        columns = _listed(statement, relation)
        if statement.explicit_ids and identity not in columns:
            raise errors.InvalidParameterValue("EXPLICIT_IDS needs the IDENTITY column in the column list")
    else:
        columns = [c for c in relation.columns if c.identity is None or statement.explicit_ids]
    if isinstance(statement.format, FixedWidth) and len(statement.format.widths) != len(columns):
        raise errors.InvalidParameterValue(
            f"FIXEDWIDTH describes {len(statement.format.widths)} columns, {len(columns)} are to be loaded"
        )
    return columns


def _listed(statement: Copy, relation: Relation) -> list[ColumnDefinition]:
    columns = []
    for named in statement.columns:
        column = relation.column(named.name)
        if column is None:
            raise errors.UndefinedColumn(
                f'column "{named.name}" of relation "{relation.name}" does not exist', position=named.position
            )
        if column.identity is not None and column.identity.always and not statement.explicit_ids:
            raise errors.InvalidParameterValue(
                "cannot set an identity column to a value",
                position=named.position,
                hint="Use EXPLICIT_IDS to load identity values from the file.",
            )
        columns.append(column)
    return columns
