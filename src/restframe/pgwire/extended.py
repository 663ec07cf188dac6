"""The extended query: Parse, Bind, Describe, Execute, Close and Sync, in any order and number.

What stands between two Syncs is one transaction, unless it brings its own BEGIN and COMMIT; it ends with Sync. Portals
end with their transaction.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
"""

from __future__ import annotations

from restframe import errors
from restframe.pgwire import messages, portals, rows
from restframe.pgwire.channel import Channel
from restframe.pgwire.copying import Streams
from restframe.pgwire.portals import Portal
from restframe.warehouse.prepared import Prepared
from restframe.warehouse.session import Session


class Extended:
    """The statements and portals of one conversation.

    redshift : the version of Redshift's protocol, for its drivers
    """

    def __init__(self, session: Session, channel: Channel, streams: Streams, redshift: int | None) -> None:
        self._session = session
        self._channel = channel
        self._streams = streams
        self._redshift = redshift
        self._unnamed: Prepared | None = None
        self._statements = session.prepared
        self._portals: dict[str, Portal] = {}
        self._ended = 0  # transactions of the session when the portals were made

    def parse(self, body: bytes) -> None:
        name, text, types = messages.read_parse(body)
        if name and name in self._statements:
            raise errors.DuplicatePreparedStatement(f'prepared statement "{name[:100]}" already exists')
        if not name:
            self._unnamed = None
        prepared = self._session.prepare(text, portals.parameter_types(types))
        if name:
            self._statements[name] = prepared
        else:
            self._unnamed = prepared
        self._channel.send(messages.PARSE_COMPLETE)

    def bind(self, body: bytes) -> None:
        bind = messages.read_bind(body)
        self._forget_ended()
        if bind.portal and (bind.portal in self._portals or bind.portal in self._session.cursors):
            raise errors.DuplicateCursor(f'cursor "{bind.portal[:100]}" already exists')
        portal = Portal(self._statement(bind.statement), bind, self._redshift)
        self._close_portal(bind.portal)
        self._portals[bind.portal] = portal
        self._channel.send(messages.BIND_COMPLETE)

    def describe(self, body: bytes) -> None:
        kind, name = messages.read_named(body)
        if kind == "P":
            self._channel.send(self._description(name))
            return
        prepared = self._statement(name)
        self._channel.send(portals.parameter_description(prepared, self._redshift))
        self._channel.send(portals.statement_description(prepared, self._redshift))

    def execute(self, body: bytes) -> None:
        name, limit = messages.read_execute(body)
        portal = self._portal(name)
        if self._session.transaction == "idle" and not self._channel.ends_here():
            self._session.begin_implicit()
        ending = portal.execute(self._session, self._channel, limit)
        self._streams.end()
        self._channel.send(ending)

    def _description(self, portal: str) -> bytes:
        """Of a portal, or of a cursor that DECLARE has made: to PostgreSQL and to its clients they are the same."""
        cursor = self._session.cursors.get(portal)
        if cursor is not None and portal not in self._portals:
            return rows.description(cursor.columns, (), self._redshift)
        return self._portal(portal).description

    def close(self, body: bytes) -> None:
        kind, name = messages.read_named(body)
        if kind == "P":
            self._close_portal(name)
            if (cursor := self._session.cursors.pop(name, None)) is not None:
                cursor.close()
        elif name:
            self._statements.pop(name, None)
        else:
            self._unnamed = None
        self._channel.send(messages.CLOSE_COMPLETE)

    def end(self) -> None:
        """Sync: what has no BEGIN of its own is committed."""
        if not self._session.in_block:
            self.close_portals()
            self._session.end_implicit()

    def _forget_ended(self) -> None:
        """Portals end with their transaction, by whatever statement it ended."""
        if self._ended != self._session.ended_transactions:
            self._ended = self._session.ended_transactions
            self.close_portals()

    def close_portals(self) -> None:
        for name in list(self._portals):
            self._close_portal(name)

    def forget_unnamed(self) -> None:
        """A simple query takes their place."""
        self._unnamed = None
        self._close_portal("")

    def _close_portal(self, name: str) -> None:
        portal = self._portals.pop(name, None)
        if portal is not None:
            portal.close()

    def _statement(self, name: str) -> Prepared:
        found = self._statements.get(name) if name else self._unnamed
        if found is None:
            which = f'prepared statement "{name[:100]}"' if name else "unnamed prepared statement"
            raise errors.UndefinedPreparedStatement(f"{which} does not exist")
        return found

    def _portal(self, name: str) -> Portal:
        self._forget_ended()
        found = self._portals.get(name)
        if found is None:
            raise errors.UndefinedCursor(f'portal "{name[:100]}" does not exist')
        return found
