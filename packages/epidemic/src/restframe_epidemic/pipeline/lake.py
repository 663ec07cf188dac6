"""A source's place in the lake: Parquet by partition, and a manifest that says which files count.

<bucket>/<source>/manifest.json
<bucket>/<source>/date=2020-03-01/part-<hash>.parquet     the partition that begins on this day, or the source's
                                                          vintage; several files when it is large
<bucket>/quarantine/<source>/<hash>.parquet

A file is named after its content, written beside its place and renamed. The manifest is replaced last; what it does not
name does not count, and is removed the next time. So a stop at any moment leaves the old state or the new one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from restframe_epidemic import errors
from restframe_epidemic.pipeline import quarantine
from restframe_epidemic.pipeline.pieces import only
from restframe_epidemic.sources import Source

MANIFEST = "manifest.json"
_VERSION = 2
_SAMPLE_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Reading:
    """One raw file as it was read.

    size_bytes, mtime_ns, sha256 : of the raw file
    rows, refused, repeated : accepted rows; entries in the quarantine; rows that said again what was known
    quarantine : the file of its entries; none when empty
    again : the day from which it is worth reading again, because its dates lay ahead; none when empty
    """

    size_bytes: int
    mtime_ns: int
    sha256: str
    rows: int
    refused: int
    repeated: int
    quarantine: str = ""
    again: str = ""


@dataclass(slots=True)
class Manifest:
    """
    declaration : digest of the source's declaration, and of what it refers to
    files : by name
    partitions : by first day, the files: one, or as many as the partition has pieces
    corrections : files of the quarantine with the values that were replaced
    """

    declaration: str = ""
    files: dict[str, Reading] = field(default_factory=dict)
    partitions: dict[str, list[str]] = field(default_factory=dict)
    corrections: list[str] = field(default_factory=list)

    def items(self) -> dict[str, list[str]]:
        """What has to be in the warehouse: items, and the files that hold each."""
        quarantined = {f"quarantine {name}": [each.quarantine] for name, each in self.files.items() if each.quarantine}
        corrected = {f"corrections {file}": [file] for file in self.corrections}
        return self.partitions | quarantined | corrected


class Quarantine:
    """key : in the bucket; none when there are no entries"""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self.entries = 0
        self.key = ""

    def add(self, entries: pa.Table) -> None:
        if entries.num_rows:
            self._writer.write_table(entries)
            self.entries += entries.num_rows


class Lake:
    """One source's part of a lake. `root` is the bucket's directory."""

    def __init__(self, root: Path, source: Source) -> None:
        self.root = root
        self.source = source
        self._writing = root / ".writing" / source.name
        self._written: list[Path] = []

    def manifest(self) -> Manifest:
        path = self.root / self.source.name / MANIFEST
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Manifest()
        except ValueError as error:
            raise errors.DataError(
                f"{path}: the manifest is damaged: {str(error)[:100]}",
                hint="Remove it, and the source is read anew.",
            ) from error
        if said.pop("version") != _VERSION:
            return Manifest()
        return Manifest(**{**said, "files": {name: Reading(**each) for name, each in said["files"].items()}})

    def write_manifest(self, manifest: Manifest) -> None:
        while self._written:  # what it names is on the disk before it is
            with self._written.pop().open("rb") as file:
                os.fsync(file.fileno())
        said = {"version": _VERSION, **dataclasses.asdict(manifest)}
        path = self.root / self.source.name / MANIFEST
        self._replace(path, json.dumps(said, indent=1, sort_keys=True).encode())
        self._written.clear()

    def rows(self, manifest: Manifest, date: str, piece: int, pieces: int) -> pa.Table | None:
        """One piece of a partition, which may have been stored in fewer; None when there is nothing."""
        stored = manifest.partitions.get(date)
        if stored is None:
            return None
        rows = pq.read_table(self.root / stored[piece % len(stored)], partitioning=None)
        return only(self.source, rows, piece, pieces) if pieces > len(stored) else rows

    def write_rows(self, date: str, rows: pa.Table) -> str:
        """A partition, or a piece of it. Returns its key in the bucket."""
        sink = pa.BufferOutputStream()
        first = rows.slice(0, _SAMPLE_ROWS)
        repeating = [name for name in rows.column_names if len(first.column(name).unique()) <= len(first) // 2]
        pq.write_table(
            rows.combine_chunks(),
            sink,
            compression="zstd",
            compression_level=1,
            use_dictionary=repeating,
            column_encoding=_encodings(rows.drop_columns(repeating).schema),
            store_decimal_as_integer=True,
            write_statistics=False,  # whole files are read
        )
        data = sink.getvalue()
        key = f"{self.source.name}/date={date}/part-{hashlib.sha256(data).hexdigest()[:16]}.parquet"
        if not (self.root / key).exists():
            self._replace(self.root / key, data)
        return key

    @contextlib.contextmanager
    def quarantine(self, kind: str = "refused") -> Iterator[Quarantine]:
        """A file of the quarantine to write into, of any length; its key is known when the context has ended."""
        self._writing.mkdir(parents=True, exist_ok=True)
        beside = self._writing / f"{kind}.{os.getpid()}"
        try:
            with pq.ParquetWriter(beside, quarantine.SCHEMA, compression="zstd") as writer:
                result = Quarantine(writer)
                yield result
            if result.entries:
                with beside.open("rb") as file:
                    name = hashlib.file_digest(file, "sha256").hexdigest()[:16]
                result.key = f"quarantine/{self.source.name}/{name}.parquet"
                path = self.root / result.key
                path.parent.mkdir(parents=True, exist_ok=True)
                beside.replace(path)
                self._written.append(path)
        finally:
            beside.unlink(missing_ok=True)

    def spill(self) -> Path:
        """A place for what is on its way, emptied when a reading begins."""
        return self._writing / "spill"

    def values(self, manifest: Manifest, column: str) -> pa.Array:
        """The distinct values of a column, for those that refer to it."""
        every = pa.chunked_array([], pa.string())
        for key in sorted(key for keys in manifest.partitions.values() for key in keys):
            read = pq.read_table(self.root / key, columns=[column], partitioning=None).column(column)
            every = pa.chunked_array([every.unique(), *read.cast(pa.string()).chunks])
        return every.unique()

    def sweep(self, manifest: Manifest) -> None:
        """Remove what the manifest does not name."""
        named = {key for keys in manifest.items().values() for key in keys}
        for folder in (self.root / self.source.name, self.root / "quarantine" / self.source.name):
            for path in sorted(folder.rglob("*.parquet")):
                if path.relative_to(self.root).as_posix() not in named:
                    path.unlink()
                    if path.parent != folder and not any(path.parent.iterdir()):
                        path.parent.rmdir()
        shutil.rmtree(self._writing, ignore_errors=True)

    def _replace(self, path: Path, data: bytes | pa.Buffer) -> None:
        """Whole or not at all."""
        self._writing.mkdir(parents=True, exist_ok=True)
        beside = self._writing / f"{path.name}.{os.getpid()}.{threading.get_ident()}"
        beside.write_bytes(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.replace(path)
        self._written.append(path)


def _encodings(schema: pa.Schema) -> dict[str, str]:
    """Parquet's, of columns whose values do not repeat: smaller, and faster to write and to read, than plain ones."""
    result = {}
    for name, kind in zip(schema.names, schema.types, strict=True):
        if pa.types.is_string(kind):
            result[name] = "DELTA_LENGTH_BYTE_ARRAY"
        elif pa.types.is_integer(kind) or pa.types.is_date(kind) or _is_short_decimal(kind):
            result[name] = "DELTA_BINARY_PACKED"
    return result


def _is_short_decimal(kind: pa.DataType) -> bool:
    """Parquet stores it as an integer, and longer ones as bytes."""
    return bool(pa.types.is_decimal(kind) and kind.precision <= 18)
