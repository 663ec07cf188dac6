"""Prepared statements and portals of the extended query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from restframe import errors
from restframe.pgwire import messages, oids, parameters, rows, sending, values
from restframe.pgwire.channel import Channel
from restframe.pgwire.messages import Bind
from restframe.pgwire.rows import Encoder
from restframe.pgwire.sending import Rows
from restframe.warehouse.prepared import Prepared
from restframe.warehouse.session import Session


class Portal:
    """A prepared statement with its values, and once it runs, what is left of its rows.

    In a transaction block one with a name is a cursor then, which FETCH and MOVE read on.
    """

    def __init__(self, prepared: Prepared, bind: Bind, redshift: int | None) -> None:
        self.prepared = prepared
        self._name = bind.portal
        self._values = _values(prepared, bind)
        self._formats = _result_formats(prepared, bind.result_formats)
        self._redshift = redshift
        self._rows: Rows | None = None
        self._ran = False

    @cached_property
    def description(self) -> bytes:
        """RowDescription, or NoData."""
        columns = self.prepared.columns
        if columns is None:
            return messages.NO_DATA
        return rows.description(columns, self._formats, self._redshift)

    def execute(self, session: Session, channel: Channel, limit: int) -> bytes:
        """Send so many rows, all when it is 0; returns what ends that: CommandComplete, PortalSuspended."""
        if self.prepared.statement is None:
            return messages.EMPTY_QUERY
        if not self._ran:
            self._ran = True
            result = session.run_prepared(self.prepared, self._values)
            sending.send_notices(result.notices, session.variables, channel)
            if not result.returns_rows:
                return sending.tag(result)
            style = values.style_of(session.variables)
            encoder = Encoder(result.columns, self._formats, redshift_version=self._redshift, style=style)
            self._rows = Rows(result, encoder)
            if self._name and session.in_block:
                session.cursors[self._name] = self._rows.cursor
        elif self._rows is None:
            raise errors.ObjectNotInPrerequisiteState("portal cannot be run")
        sent = self._rows.send(channel, limit)
        return sending.tag(self._rows.result, sent) if self._rows.done else messages.PORTAL_SUSPENDED

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()


def parameter_types(given: Sequence[int]) -> list[Any]:
    return [oids.sql_type(oid) for oid in given]


def parameter_description(prepared: Prepared, redshift: int | None) -> bytes:
    wired = [oids.wire(type_, redshift is not None)[0] for type_ in prepared.parameter_types]
    return messages.parameter_description(wired)


def statement_description(prepared: Prepared, redshift: int | None) -> bytes:
    if prepared.columns is None:
        return messages.NO_DATA
    return rows.description(prepared.columns, (), redshift)


def _values(prepared: Prepared, bind: Bind) -> list[Any]:
    types = prepared.parameter_types
    if len(types) != len(bind.values):
        raise errors.ProtocolViolation(
            f"bind message supplies {len(bind.values)} parameters, but prepared statement"
            f' "{bind.statement[:100]}" requires {len(types)}'
        )
    formats = rows.formats_of(bind.formats, len(types))
    return [
        None if data is None else parameters.decode(type_, format_, data, number)
        for number, (type_, format_, data) in enumerate(zip(types, formats, bind.values, strict=True), 1)
    ]


def _result_formats(prepared: Prepared, given: tuple[int, ...]) -> tuple[int, ...]:
    count = len(prepared.columns or ())
    if len(given) > 1 and len(given) != count:
        raise errors.ProtocolViolation(f"bind message has {len(given)} result formats but query has {count} columns")
    return given
