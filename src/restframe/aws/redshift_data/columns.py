"""What is told about the columns of results and tables.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ColumnMetadata.html
"""

from __future__ import annotations

from restframe.aws.operation import Output
from restframe.types import SqlType

# As Redshift's JDBC driver says it: the digits of a number, the characters that a time takes.
_PRECISION = {
    "bool": 1, "int2": 5, "int4": 10, "int8": 19, "float4": 8, "float8": 17, "date": 13, "time": 15, "timetz": 21,
    "timestamp": 29, "timestamptz": 35, "interval": 49,
}  # fmt: skip
_SCALE = {"float4": 8, "float8": 17, "time": 6, "timetz": 6, "timestamp": 6, "timestamptz": 6}


def metadata(
    name: str, type_: SqlType, schema: str = "", table: str = "", not_null: bool = False, default: str | None = None
) -> Output:
    """nullable is 0 or 1; `length` and `precision` are both the length of a text."""
    length = type_.length or (65_535 if type_.name in ("varchar", "super") else 0)
    return {
        "isCaseSensitive": type_.is_text,
        "isCurrency": False,
        "isSigned": type_.is_number,
        "label": name,
        "length": length,
        "name": name,
        "nullable": 0 if not_null else 1,
        "precision": type_.precision or _PRECISION.get(type_.name, length),
        "scale": _SCALE.get(type_.name, 0) if type_.scale is None else type_.scale,
        "schemaName": schema,
        "tableName": table,
        "typeName": type_.name,
        "columnDefault": default,
    }
