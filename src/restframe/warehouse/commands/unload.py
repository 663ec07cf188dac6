"""UNLOAD: the rows of a query become objects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Column, Result
from restframe.sql import translate
from restframe.sql.statements.query import read_query
from restframe.sql.statements.unload import Unload
from restframe.storage import ObjectUrl
from restframe.types import from_engine_type
from restframe.warehouse.queries import SessionNames, prepare_models
from restframe.warehouse.unloading.columnar import parquet_layout
from restframe.warehouse.unloading.lines import text_of
from restframe.warehouse.unloading.manifest import manifest
from restframe.warehouse.unloading.parts import text_layout
from restframe.warehouse.unloading.slices import Layout, Output, Slices, folder_of, runs

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


@dataclass(frozen=True, slots=True)
class Source:
    """The query in the engine's SQL, its columns, and which of them name folders and which go into the files."""

    sql: str
    columns: tuple[Column, ...]
    partitions: tuple[int, ...]
    kept: tuple[int, ...]


def run(statement: Unload, session: Session) -> Result:
    """Write the query's rows to objects below the target: all of them or, when anything fails, none.

    Two slices, or one file after another with PARALLEL OFF. A slice without rows has no object, as in Redshift.
    StorageError and its kinds for the target, UndefinedColumn for PARTITION BY, whatever the query raises.
    """
    target = _target(statement)
    session.storage.check_reach(statement.iam_role, target)
    if not (statement.allow_overwrite or statement.clean_path):
        _need_empty(target, session)
    source = _source(statement, session)
    make_layout = parquet_layout if statement.format == "parquet" else text_layout
    layout = make_layout(statement, source.columns, source.kept)
    with session.storage.publish() as publication:
        output = Output(statement, target, publication, layout)
        _write(output, source, session)
        rows = sum(one.lines - statement.header for one in output.written)
        if statement.manifest is not None:
            columns = [source.columns[number] for number in source.kept]
            text = manifest(output.written, columns, statement.manifest == "verbose")
            publication.put(target.child("manifest"), text)
        for prefix in _cleaned(output):
            for old in _objects(prefix, session):
                publication.delete(old)
        session.check_cancelled()
    for word in statement.accepted:
        session.notice(f"{word} is accepted without effect: where and how objects are kept is said in the settings")
    session.notice(f"UNLOAD completed, {rows} record(s) unloaded successfully")
    return Result(command="UNLOAD", row_count=rows)


# Before


def _target(statement: Unload) -> ObjectUrl:
    try:
        target = ObjectUrl.parse(statement.target)
    except errors.InvalidParameterValue as error:
        error.position = statement.target_position
        raise
    needs_slash = statement.partition_by and target.key and not target.key.endswith("/")
    return target.child("/") if needs_slash else target


def _need_empty(target: ObjectUrl, session: Session) -> None:
    if next(_objects(target, session), None) is not None:
        raise errors.StorageError(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
            "removing the target files in S3, or using the ALLOWOVERWRITE option."
        )


def _objects(prefix: ObjectUrl, session: Session) -> Iterator[ObjectUrl]:
    # a bucket that does not exist is made, or missed, when something is put into it
    with contextlib.suppress(errors.NoSuchBucket):
        for info in session.storage.list(prefix):
            yield info.url


def _source(statement: Unload, session: Session) -> Source:
    try:
        translation = translate(read_query(statement.query), SessionNames(session))
        prepare_models(translation, session)
        described = session.connection.run(f"DESCRIBE {translation.sql}")
    except errors.Error as error:
        if error.position is not None:
            error.position = statement.place(error.position)
        raise
    names = translation.labels or [row[0] for row in described]
    types = [from_engine_type(row[1]) for row in described]
    for place, ours in enumerate(translation.types):
        if ours is not None and ours.name == "bpchar":
            types[place] = ours  # whose length the engine does not know
    columns = tuple(map(Column, names, types))
    partitions = tuple(_partitions(statement, columns))
    kept = tuple(n for n in range(len(columns)) if statement.include_partitions or n not in partitions)
    if not kept:
        raise errors.InvalidDefinition(
            "PARTITION BY must leave a column to unload", position=statement.partition_by[0].position
        )
    return Source(translation.sql, columns, partitions, kept)


def _partitions(statement: Unload, columns: Sequence[Column]) -> Iterator[int]:
    names = [column.name for column in columns]
    for wanted in statement.partition_by:
        if wanted.name not in names:
            raise errors.UndefinedColumn(
                f'PARTITION BY column "{wanted.name}" is not in the query', position=wanted.position
            )
        number = names.index(wanted.name)
        if columns[number].type.name in ("super", "varbyte"):
            raise errors.NotSupportedError(
                f'PARTITION BY column "{wanted.name}" is of type {columns[number].type.name}',
                position=wanted.position,
            )
        yield number


# Writing


def _write(output: Output, source: Source, session: Session) -> None:
    layout = output.layout
    key, folder = "", Slices(output, "")
    try:
        for batch in session.connection.stream(_select(source, layout), layout.parameters, layout.batch_rows).batches:
            stretches = [("", 0, batch.num_rows)]
            if source.partitions:
                stretches, batch = list(runs(batch.column(0))), batch.drop_columns(["folder"])
            for next_key, start, stop in stretches:
                if next_key != key:
                    folder.close()
                    key, folder = next_key, Slices(output, folder_of(output.statement, next_key))
                session.check_cancelled()
                folder.write(batch.slice(start, stop - start))
            percent = session.connection.progress()
            if percent is not None:
                session.progress(percent, 100)
        folder.close()
    finally:
        folder.abandon()


def _select(source: Source, layout: Layout) -> str:
    """The layout's values for every row of the query; partitions come one after another, with their rows in order."""
    names = ", ".join(f"c{number}" for number in range(len(source.columns)))
    rows = f"({source.sql}) AS query({names})"
    values = ", ".join(f"{value} AS v{number}" for number, value in enumerate(layout.values))
    if not source.partitions:
        return f"SELECT {values} FROM {rows}"
    folder = ", ".join(text_of(number, source.columns[number]) for number in source.partitions)
    return (
        f"SELECT CAST(to_json([{folder}]) AS VARCHAR) AS folder, {values} "
        f"FROM (SELECT *, row_number() OVER () AS place FROM {rows}) ORDER BY folder, place"
    )


def _cleaned(output: Output) -> list[ObjectUrl]:
    """Below which CLEANPATH removes what is not written anew: the target, or the folders that got files."""
    if not output.statement.clean_path:
        return []
    if not output.statement.partition_by:
        return [output.base]
    folders = {one.url.key.rpartition("/")[0] + "/" for one in output.written}
    return [ObjectUrl(output.base.bucket, folder) for folder in sorted(folders)]
