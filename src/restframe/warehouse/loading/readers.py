"""From COPY's options to the reader of its files."""

from __future__ import annotations

from collections.abc import Sequence

from restframe import errors
from restframe.catalog.relations import ColumnDefinition
from restframe.sql.statements.copy import Columnar, Copy, Csv, Delimited, FixedWidth, Json
from restframe.storage import ObjectUrl, Storage
from restframe.storage.loading.columnar import ColumnarReader
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.fields import Column
from restframe.storage.loading.json import NO_NULL_STRING, JsonLayout, JsonReader
from restframe.storage.loading.jsonpath import read_paths
from restframe.storage.loading.text import Layout, TextReader

_MAX_PATHS_BYTES = 4 << 20


def reader_for(
    statement: Copy, targets: Sequence[ColumnDefinition], storage: Storage
) -> TextReader | JsonReader | ColumnarReader:
    """InvalidParameterValue for options that do not fit the columns, NotSupportedError for a column's type."""
    columns = [Column(column.name, column.type, column.not_null) for column in targets]
    if isinstance(statement.format, Columnar):
        return ColumnarReader(statement.format.kind, columns)
    if isinstance(statement.format, Json):
        return JsonReader(_json_layout(statement, statement.format, columns, storage), columns, _conversion(statement))
    return TextReader(_layout(statement, statement.format), columns, _conversion(statement))


def _conversion(statement: Copy) -> Conversion:
    is_json = isinstance(statement.format, Json)
    return Conversion(
        null=NO_NULL_STRING if is_json else statement.null.encode(),
        empty_as_null=statement.empty_as_null,
        blanks_as_null=statement.blanks_as_null,
        trim_blanks=statement.trim_blanks,
        truncate_columns=statement.truncate_columns,
        round_decimals=statement.round_decimals,
        accept_any_date=statement.accept_any_date,
        replacement=-1 if statement.accept_invalid is None else ord(statement.accept_invalid),
        date_format=statement.date_format,
        time_format=statement.time_format,
    )


def _layout(statement: Copy, form: Csv | Delimited | FixedWidth) -> Layout:
    return Layout(
        delimiter=ord("|") if isinstance(form, FixedWidth) else ord(form.delimiter),
        quote=ord(form.quote) if isinstance(form, Csv) else 0,
        escape=isinstance(form, Delimited) and form.escape,
        remove_quotes=isinstance(form, Delimited) and form.remove_quotes,
        widths=form.widths if isinstance(form, FixedWidth) else (),
        ignore_header=statement.ignore_header,
        ignore_blank_lines=statement.ignore_blank_lines,
        fill_record=statement.fill_record,
        encoding=statement.encoding,
    )


def _json_layout(statement: Copy, form: Json, columns: Sequence[Column], storage: Storage) -> JsonLayout:
    header, encoding = statement.ignore_header, statement.encoding
    if form.option == "noshred" and (len(columns) != 1 or columns[0].type.name != "super"):
        raise errors.InvalidParameterValue("JSON 'noshred' loads into a single column of type super")
    if form.option != "paths" or form.paths is None:
        return JsonLayout("auto" if form.option == "paths" else form.option, (), header, encoding)
    url = ObjectUrl.parse(form.paths)
    storage.check_reach(statement.iam_role, url)
    if storage.head(url).size_bytes > _MAX_PATHS_BYTES:
        raise errors.InvalidParameterValue(f'jsonpaths file "{url}" is larger than {_MAX_PATHS_BYTES >> 20} MB')
    paths = read_paths(storage.read(url), str(url))
    if paths is None:  # an object called otherwise than "jsonpaths" is ignored, says the manual
        return JsonLayout("auto", (), header, encoding)
    if len(paths) != len(columns):
        raise errors.InvalidParameterValue(
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(paths)}, Number of columns in table or column list: {len(columns)}"
        )
    return JsonLayout("auto", tuple(paths), header, encoding)
