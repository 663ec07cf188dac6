"""One raw file into the lake: its rows are checked, sorted into partitions and merged with those that are there.

A thread decompresses, others parse and check a block each, this one sorts what they accept and writes it to the disk;
then threads merge a piece of a partition each. What comes out does not depend on which is faster.
"""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from restframe_epidemic import errors
from restframe_epidemic.pipeline import loading, merging, rules, values
from restframe_epidemic.pipeline.lake import Lake, Manifest, Quarantine, Reading
from restframe_epidemic.pipeline.pieces import at_most, needed
from restframe_epidemic.pipeline.rows import Raw, Rows
from restframe_epidemic.pipeline.spill import Spill
from restframe_epidemic.pipeline.streams import Progress
from restframe_epidemic.pipeline.threads import in_order
from restframe_epidemic.privacy import tokens
from restframe_epidemic.sources import Source


class Watching(Protocol):
    """Who is told how it goes."""

    def say(self, text: str) -> None: ...

    def step(self, text: str, total: int) -> AbstractContextManager[Progress]:
        """A part of the work with `total` bytes (0 when unknown); bytes are told as they are done."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a file's rows have to agree with.

    today : dates after it are refused
    known : by `source.column`, the values that references may have
    key : of tokens, where the source names somebody
    """

    today: datetime.date
    known: Mapping[str, pa.Array]
    key: tokens.Key | None


def read(lake: Lake, manifest: Manifest, name: str, path: Path, terms: Terms, watching: Watching) -> Reading:
    """One file. The manifest has it at the end, and changes with nothing before.

    errors.DataError, SchemaDrift among them, when the file is not as declared or damaged.
    """
    shown = os.fsencode(name).decode(errors="replace")
    if shown != name:
        raise errors.DataError(f"{shown}: the file's name is no UTF-8", hint="Give it another name: tables hold it.")
    source = lake.source
    status = path.stat()
    again: datetime.date | None = None
    rows = 0
    with (
        Spill(source, lake.spill(), at_most(status.st_size)) as spill,
        lake.quarantine() as refused,
        lake.quarantine("corrections") as corrected,
    ):
        with watching.step(name, status.st_size) as progress:
            raw = Raw(source, path, name, progress)
            with (
                closing(raw.parts()) as parts,  # whose thread would wait as long as anybody keeps an error
                closing(in_order(lambda part: _checked(source, name, part, terms), parts)) as done,
            ):
                for checked in itertools.chain.from_iterable(done):
                    refused.add(checked.refused)
                    spill.add(checked.accepted)
                    rows += checked.accepted.num_rows
                    again = min(filter(None, (again, checked.future)), default=None)
        with watching.step(f"{name}: merging", 0):
            partitions, repeated = _merge(lake, manifest, spill, name, refused, corrected)
    reading = Reading(
        status.st_size, status.st_mtime_ns, raw.sha256, rows, refused.entries, repeated, refused.key, str(again or "")
    )
    manifest.partitions |= partitions
    manifest.files[name] = reading
    manifest.corrections += [corrected.key] if corrected.key else []
    lake.write_manifest(manifest)
    return reading


def _checked(source: Source, name: str, part: Callable[[], Iterator[Rows]], terms: Terms) -> list[rules.Checked]:
    """A part of a file, parsed and checked."""
    result = []
    for rows in part():
        columns = rows.columns if terms.key is None else _without_names(source, rows.columns, terms.key)
        checked = rules.apply(source, name, columns, rows.line, today=terms.today, known=terms.known)
        if rows.malformed:
            told = rules.malformed(source, name, rows.malformed, len(source.header))
            checked = replace(checked, refused=pa.concat_tables([told, checked.refused]))
        result.append(checked)
    return result


def _without_names(source: Source, columns: Mapping[str, pa.Array], key: tokens.Key) -> dict[str, pa.Array]:
    """With tokens for identifiers, so that nothing that follows, the quarantine least of all, can tell who it was."""
    hidden = dict(columns)
    for column in source.stored:
        if column.token:
            texts, unreadable = values.typed(column, columns[column.name])
            # Of damaged bytes no token is made: two patients might become one.
            texts = pc.if_else(pa.array(~unreadable), texts, pa.scalar(None, texts.type))
            hidden[column.name] = tokens.tokenise(texts, key)
    return hidden


def _merge(
    lake: Lake, manifest: Manifest, spill: Spill, name: str, refused: Quarantine, corrected: Quarantine
) -> tuple[dict[str, list[str]], int]:
    """A file's rows into the partitions; returns their new files, and how many rows said again what was known."""

    def pieces() -> Iterator[tuple[str, int, int]]:
        for date in spill.partitions():
            pa.default_memory_pool().release_unused()  # Arrow keeps what it has freed
            pieces = max(needed(spill.size_bytes(date), spill.most), len(manifest.partitions.get(date, [])))
            yield from ((date, piece, pieces) for piece in range(pieces))

    def merge(at: tuple[str, int, int]) -> tuple[str, str, pa.Table, pa.Table, int]:
        merged = merging.merge(lake.source, lake.rows(manifest, *at), spill.rows(*at), name)
        file = lake.write_rows(at[0], merged.rows.select(loading.stored_names(lake.source)))
        return at[0], file, merged.noted, merged.corrected, merged.repeated

    partitions: dict[str, list[str]] = {}
    repeated = 0
    with closing(in_order(merge, pieces())) as done:
        for date, file, noted, replaced, again in done:
            refused.add(noted)
            corrected.add(replaced)
            repeated += again
            partitions.setdefault(date, []).append(file)
    return partitions, repeated
