"""The manifest of an UNLOAD, laid out as Redshift writes it.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD_command_examples.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from restframe.result import Column
from restframe.types import SqlType
from restframe.warehouse.unloading.slices import Written


def manifest(written: Sequence[Written], columns: Sequence[Column], verbose: bool) -> bytes:
    """verbose : with sizes, numbers of lines and the types of the columns that are in the files"""
    entries = ",\n".join(f"    {_entry(one, verbose)}" for one in written)
    parts = [f'  "entries": [\n{entries}\n  ]']
    if verbose:
        elements = ",\n".join(
            f'      {{"name": {json.dumps(column.name)}, "type": {json.dumps(_type(column.type))}}}'
            for column in columns
        )
        parts.append(f'  "schema": {{\n    "elements": [\n{elements}\n    ]\n  }}')
        length, count = sum(one.size_bytes for one in written), sum(one.lines for one in written)
        parts.append(f'  "meta": {{\n    "content_length": {length},\n    "record_count": {count}\n  }}')
        parts.append('  "author": {\n    "name": "Amazon Redshift",\n    "version": "1.0.0"\n  }')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _entry(one: Written, verbose: bool) -> str:
    url = f'"url":{json.dumps(str(one.url), ensure_ascii=False)}'
    if not verbose:
        return f"{{{url}}}"
    return f'{{{url}, "meta": {{ "content_length": {one.size_bytes}, "record_count": {one.lines} }}}}'


def _type(kind: SqlType) -> dict[str, Any]:
    if kind.name == "numeric":
        return {"base": "numeric", "precision": kind.precision, "scale": kind.scale}
    base = str(SqlType(kind.name))
    return {"base": base} if kind.length is None else {"base": base, "max_length": kind.length}
