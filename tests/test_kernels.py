"""Where compiled kernels are kept, and who waits for whom while they are compiled."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from restframe import errors, kernels
from restframe.pgwire import rows
from restframe.pgwire.rows import Encoder
from restframe.result import Column
from restframe.storage import writing
from restframe.storage.copying.writer import BinaryWriter
from restframe.types import SqlType
from restframe.warehouse import Warehouse

PACKAGE = Path(kernels.__file__).parent
NUMBER = [Column("n", SqlType("int4"))]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new directory for kernels, in which there are none."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setattr(kernels, "_seen", set())
    kernels.directory.cache_clear()
    found = kernels.directory()
    assert found is not None
    yield found
    kernels.directory.cache_clear()


@pytest.fixture
def compiling_elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with kernels.compiling() as found:
        assert found == place
        monkeypatch.setattr(kernels, "_ours", False)
        yield


def test_they_are_kept_below_the_directory_that_the_environment_names(place: Path, tmp_path: Path) -> None:
    assert place.parent.parent == tmp_path / "kernels"


def test_they_are_kept_in_the_users_cache_where_nothing_else_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(kernels, "_PACKAGE", file)
    monkeypatch.setattr(kernels, "_SOURCES", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kernels.directory.cache_clear()
    found = kernels.directory()
    kernels.directory.cache_clear()
    assert found is not None
    assert found.parent.parent == tmp_path / "cache"

    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert kernels.directory() is None
    kernels.directory.cache_clear()


def test_all_that_kernels_are_made_of_counts() -> None:
    """A kernel in a module beyond these would be kept though a part of it, in another module, has changed."""
    with_kernels = [
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^@_?(kernel|part|intrinsic)\b", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(with_kernels) > 10
    assert [name for name in with_kernels if not name.startswith(kernels._SOURCES)] == []


def test_what_is_compiled_elsewhere_is_pending_until_it_is_there(place: Path, compiling_elsewhere: None) -> None:
    assert kernels.pending("results")
    kernels.completed("results")
    assert not kernels.pending("results")
    assert kernels.pending("copying")


def test_what_somebody_waits_for_is_compiled_next(compiling_elsewhere: None) -> None:
    def give_up() -> None:
        raise errors.QueryCanceled("enough")

    with pytest.raises(errors.QueryCanceled):
        kernels.wait("copying", give_up)
    assert kernels.missing() == ["copying", "loading", "results", "forest", "deepar", "smoothing"]
    for group in ("copying", "loading"):
        kernels.completed(group)
    assert kernels.missing() == ["results", "forest", "deepar", "smoothing"]


def test_nothing_is_pending_when_nobody_compiles(place: Path) -> None:
    with kernels.compiling():
        assert not kernels.pending("copying")  # for whoever does it
    assert not kernels.pending("copying")
    assert not kernels.complete("copying")


def test_one_process_compiles_at_a_time(place: Path, compiling_elsewhere: None) -> None:
    with kernels.compiling() as second:
        assert second is None


def test_large_results_do_without_kernels_that_are_pending(
    compiling_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = pa.record_batch({"n": pa.array(range(20_000), pa.int32())})
    loaded = Encoder(NUMBER, [0]).encode(batch)
    monkeypatch.setitem(sys.modules, "restframe.storage.writing.batches", None)  # importing it fails
    monkeypatch.delattr(writing, "batches", raising=False)
    monkeypatch.delitem(sys.modules, rows._KERNEL, raising=False)
    monkeypatch.delitem(sys.modules, "restframe.storage.copying.delimiting", raising=False)
    assert Encoder(NUMBER, [0]).encode(batch) == loaded
    assert len(b"".join(bytes(piece.data) for piece in BinaryWriter(NUMBER).pieces(batch))) == 19 + 20_000 * 10
    kernels.completed("results")
    with pytest.raises(ImportError):
        Encoder(NUMBER, [0]).encode(batch)


def test_a_large_copy_waits_for_kernels_that_are_pending_and_can_be_cancelled(
    compiling_elsewhere: None, tmp_path: Path
) -> None:
    with Warehouse(tmp_path / "warehouse") as warehouse, warehouse.session() as session:
        session.execute("create table t (a int); set statement_timeout to 500")
        bucket = tmp_path / "warehouse" / "s3" / "lake"
        bucket.mkdir(parents=True)
        (bucket / "many").write_text("1\n" * 40_000, encoding="ascii")
        with pytest.raises(errors.QueryCanceled, match="cancelled on statement timeout"):
            session.execute("copy t from 's3://lake/many' iam_role default")
        with pytest.raises(errors.QueryCanceled, match="cancelled on statement timeout"):
            session.execute("copy t from stdin (format binary)")


def test_a_small_copy_waits_for_no_compiler(
    compiling_elsewhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restframe.compiled.Interpretable._is_compiled", lambda self: self.dispatcher is None)
    monkeypatch.setattr("numba.core.dispatcher.Dispatcher.compile", None)
    with Warehouse(tmp_path / "warehouse") as warehouse, warehouse.session() as session:
        session.execute("create table t (a int, b varchar(40), c timestamp, d decimal(8,2), e float, f bool)")
        bucket = tmp_path / "warehouse" / "s3" / "lake"
        bucket.mkdir(parents=True)
        row = "{},a text of some length {},2020-01-31 12:34:56.5,-1.25,1e3,t\n"
        (bucket / "few").write_text("".join(row.format(i, i) for i in range(100)), encoding="ascii")
        for options in ("csv", "delimiter ','", "delimiter ',' escape"):
            session.execute(f"copy t from 's3://lake/few' iam_role default {options}")
        (bucket / "documents").write_text('{"a": 7}{"a": 8, "b": "' + "\u00e9" * 20 + '"}', encoding="utf-8")
        session.execute("copy t from 's3://lake/documents' iam_role default json 'auto'")
        sums = session.execute("select count(*), sum(a), max(b), max(c)::varchar, sum(d), sum(e), min(f::int) from t")
        assert list(map(str, sums.fetchall()[0])) == [
            "302", "14865", "\u00e9" * 20, "2020-01-31 12:34:56.5", "-375.00", "300000.0", "1",
        ]  # fmt: skip


def test_those_of_other_sources_go_when_they_are_old(place: Path) -> None:
    for name, modified in (("old", 0), ("new", None)):
        (place.parent / name).mkdir()
        if modified is not None:
            os.utime(place.parent / name, (modified, modified))
    kernels.forget_old()
    assert sorted(path.name for path in place.parent.iterdir()) == sorted(["new", place.name])
