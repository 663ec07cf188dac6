"""A warehouse whose directory this process opens itself."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import restframe
import restframe.errors
from restframe_epidemic import errors

if TYPE_CHECKING:
    import pyarrow as pa

BUCKET = "epidemic-lake"


class Directory:
    """A Connection. The lake is a bucket of the warehouse, from which COPY takes files where they lie.

    UsageError while another process has the directory open, such as `restframe serve`.
    """

    def __init__(self, directory: Path | str, **settings: Any) -> None:
        try:
            self.warehouse = restframe.open(directory, **settings)
        except restframe.errors.WarehouseLocked as error:
            raise errors.UsageError(
                f'the warehouse "{str(directory)[:200]}" is open in another process',
                hint="If that is `restframe serve`, go through it: --warehouse postgresql://localhost:5439/dev",
            ) from error
        self.session = self.warehouse.session()
        self.folder = self.warehouse.settings.directory
        self.lake = self.warehouse.settings.buckets / BUCKET
        # Not a bucket: no COPY reaches it, and who may read what is decided by tables alone.
        self.private = self.folder / BUCKET
        # What a process that was killed left behind: nobody else has the warehouse open.
        shutil.rmtree(self.lake / "spool", ignore_errors=True)

    def close(self) -> None:
        self.session.close()
        self.warehouse.close()

    @property
    def in_block(self) -> bool:
        return self.session.in_block

    def begin(self) -> None:
        self.session.begin()

    def commit(self) -> None:
        self.session.commit()

    def rollback(self) -> None:
        self.session.rollback()

    def execute(self, text: str, parameters: Sequence[Any]) -> restframe.Result:
        return self.session.execute(text, parameters)

    def batches(self, text: str, parameters: Sequence[Any]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        result = self.session.execute(text, parameters)
        return result.arrow_schema, result.batches()

    def load(self, table: str, columns: str, files: Sequence[Path]) -> None:
        with self._in_bucket(files) as shown:
            entries = [
                {
                    "url": f"s3://{BUCKET}/{path.relative_to(self.lake).as_posix()}",
                    "mandatory": True,
                    "meta": {"content_length": path.stat().st_size},
                }
                for path in shown
            ]
            listed = self.lake / "spool" / f"copy-{os.getpid()}.json"
            listed.parent.mkdir(parents=True, exist_ok=True)
            listed.write_text(json.dumps({"entries": entries}), encoding="utf-8")
            try:
                self.session.execute(
                    f"COPY {table} ({columns}) FROM 's3://{BUCKET}/spool/{listed.name}'"
                    " IAM_ROLE default FORMAT AS PARQUET MANIFEST"
                )
            finally:
                listed.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _in_bucket(self, files: Sequence[Path]) -> Iterator[Sequence[Path]]:
        """Where COPY finds files: what lies outside of the bucket is in it for the time of the load, in which nobody
        else has the warehouse open.
        """
        folder = self.lake / "spool" / "private"
        shown = []
        try:
            for at, path in enumerate(files):
                if path.is_relative_to(self.lake):
                    shown.append(path)
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                shown.append(folder / f"{at}.parquet")
                try:
                    os.link(path, shown[-1])
                except OSError:  # another file system
                    shutil.copyfile(path, shown[-1])
            yield shown
        finally:
            shutil.rmtree(folder, ignore_errors=True)
