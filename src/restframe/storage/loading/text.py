"""Text files to Arrow: delimited, CSV and fixed width, with every option COPY has for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restframe.storage.loading import records
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.reader import Encoding, RecordReader
from restframe.storage.loading.strings import refuse_nul


@dataclass(frozen=True, slots=True)
class Layout:
    """How records and fields are told apart.

    quote : of CSV; 0 for other formats
    widths : of a fixed width format, in characters; empty for the others
    """

    delimiter: int = ord("|")
    quote: int = 0
    escape: bool = False
    remove_quotes: bool = False
    widths: tuple[int, ...] = ()
    ignore_header: int = 0
    ignore_blank_lines: bool = False
    fill_record: bool = False
    encoding: Encoding = "utf8"


class TextReader(RecordReader):
    def __init__(self, layout: Layout, columns: Sequence[Column], conversion: Conversion) -> None:
        super().__init__(columns, conversion, layout.ignore_header, layout.encoding)
        self._layout = layout
        self._null = np.frombuffer(conversion.null, np.uint8)
        self._widths = np.array(layout.widths, np.int64)

    def _cut(self, fields: Fields, begin: int, final: bool, line: int) -> tuple[int, int, int]:
        found = self._split(fields, begin, final, line)
        n = found[0]
        if b"\0" in fields.raw:
            refuse_nul(
                fields.block, fields.starts, fields.ends, self._null,
                fields.bounds[:n], fields.kinds[:n], fields.details[:n],
            )  # fmt: skip
        return found

    def _split(self, fields: Fields, begin: int, final: bool, line: int) -> tuple[int, int, int]:
        """By the simplest kernel that does: most blocks have no quotes or backslashes."""
        layout, block, raw = self._layout, fields.block, fields.raw
        end, skip, fill = len(raw), layout.ignore_blank_lines, layout.fill_record
        arrays = fields.starts, fields.ends, fields.bounds, fields.kinds, fields.details
        found: tuple[int, int, int]
        if layout.widths:
            found = records.split_fixed(block, begin, end, final, line, self._widths, skip, *arrays)
        elif layout.quote and layout.quote in raw:
            found = records.split_csv(
                block, begin, end, final, line, layout.delimiter, layout.quote, fill, skip, *arrays
            )
        elif (layout.escape and b"\\" in raw) or (layout.remove_quotes and (b'"' in raw or b"'" in raw)):
            found = records.split_escaped(
                block, begin, end, final, line, layout.delimiter, layout.escape, layout.remove_quotes, self._null,
                fill, skip, *arrays,
            )  # fmt: skip
        else:
            found = records.split_delimited(block, begin, end, final, line, layout.delimiter, fill, skip, *arrays)
        return found
