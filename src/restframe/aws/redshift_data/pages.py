"""Results in pages of a bounded size, which can be asked for in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe.warehouse.runs import StoredResult

if TYPE_CHECKING:
    import pyarrow as pa

# Of the rows of a page. AWS documents no size; programs are known that never ask for a second page of 10,320 rows of
# three columns, which take 0.96 MB.
PAGE_BYTES = 2 * 1024 * 1024

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a stored result."""

    batch: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """rows : the texts of its rows, with nothing between them. next : where the following page begins, if any"""

    rows: list[pa.Array]
    next: Place | None


def cut(result: StoredResult, start: Place, write: Callable[[pa.RecordBatch], pa.Array]) -> Page:
    """As many rows as fit into a page, and one at least.

    write : gives the text of each row
    """
    rows: list[pa.Array] = []
    left = PAGE_BYTES
    with result.open() as reader:
        for number in range(start.batch, reader.num_record_batches):
            batch = reader.get_batch(number)
            first = start.row if number == start.batch else 0
            for at in range(first, batch.num_rows, _ROWS_AT_ONCE):
                written = write(batch.slice(at, _ROWS_AT_ONCE))
                fitting = _fitting(written, left)
                if fitting == 0 and not rows:
                    fitting = 1
                if fitting:
                    rows.append(written.slice(0, fitting))
                if fitting < len(written):
                    return Page(rows, Place(number, at + fitting))
                left -= written.nbytes
    return Page(rows, None)


def _fitting(written: pa.Array, size: int) -> int:
    """How many of the first texts have no more bytes together."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if written.nbytes <= size:  # offsets are counted too, which is no matter
        return len(written)
    total = pc.cumulative_sum(pc.binary_length(written).cast(pa.int64()))
    return int(pc.sum(pc.less_equal(total, size)).as_py() or 0)
