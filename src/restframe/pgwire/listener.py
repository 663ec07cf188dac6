"""The port for SQL clients: who gets in, who is told to go, and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket
from collections.abc import Coroutine
from typing import Any

from restframe import errors
from restframe.identity import Identity
from restframe.identity.authority import Authority
from restframe.pgwire import messages
from restframe.pgwire.admission import Admission
from restframe.pgwire.connection import Connection
from restframe.pgwire.messages import CancelRequest
from restframe.pgwire.workers import Workers
from restframe.settings import Settings
from restframe.warehouse import Warehouse

logger = logging.getLogger(__name__)

# By which clients on this machine call it; those elsewhere by the setting `server_names`.
_NAMES = ("localhost", "127.0.0.1", "::1")

_LOGIN_S = 30.0  # from the connection to the first ReadyForQuery
_MAXIMAL_LOGINS = 256  # that are under way at once
_GLANCE_S = 0.2
_UNDOING_S = 5.0


class Listener:
    """Serves SQL clients on a socket that is bound already, in the running event loop.

    connections : all that are open, those that log in among them
    """

    def __init__(self, warehouse: Warehouse, identity: Identity, authority: Authority, settings: Settings) -> None:
        self.warehouse = warehouse
        self.identity = identity
        self.admission = Admission(settings.max_connections)
        self.workers = Workers("restframe-sql")
        self.maximal_message_bytes = settings.max_sql_message_bytes
        self.connections: set[Connection] = set()
        self._logins: dict[Connection, asyncio.TimerHandle] = {}
        self._by_pid: dict[int, Connection] = {}
        self._authority = authority
        self._names = dict.fromkeys((*_NAMES, *settings.server_names.lower().split()))
        self._idle_s = settings.idle_session_timeout_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(self._connection, sock=sock)
        self._begin(self._look_after())

    def dismiss(self) -> None:
        """Take no more clients; end those that are idle now, and those that are busy when they no longer are."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.leave(errors.AdminShutdown("terminating connection due to administrator command"))

    def hurry(self) -> None:
        """Cancel what still runs."""
        for connection in list(self.connections):
            if connection.conversation is not None:
                connection.conversation.cancel()

    async def stop(self, grace_s: float) -> None:
        """End everything; what runs has until the grace is over."""
        self.dismiss()
        if not await self._all_closed(grace_s):
            self.hurry()
            await self._all_closed(_UNDOING_S)
        for connection in list(self.connections):
            connection.abort()
        await self._all_closed(_UNDOING_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.workers.close)

    async def _all_closed(self, seconds: float) -> bool:
        end = self._loop.time() + seconds
        while self.connections and self._loop.time() < end:
            await asyncio.sleep(0.01)
        return not self.connections

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Connections

    def _connection(self) -> Connection:
        if len(self._logins) >= _MAXIMAL_LOGINS:
            # Whoever came first: those who mean it are done soon, and those who only hold places shut nobody out.
            longest = next(iter(self._logins))
            self._logged_in(longest)
            longest.abort()
        connection = Connection(self)
        self.connections.add(connection)
        self._logins[connection] = self._loop.call_later(_LOGIN_S, connection.abort)
        return connection

    def opened(self, connection: Connection) -> None:
        assert connection.conversation is not None and connection.conversation.session is not None
        self._by_pid[connection.conversation.session.pid] = connection
        self._loop.call_soon_threadsafe(self._logged_in, connection)

    def _logged_in(self, connection: Connection) -> None:
        timer = self._logins.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def closed(self, connection: Connection) -> None:
        self._logged_in(connection)
        self.connections.discard(connection)
        if connection.conversation is not None and connection.conversation.session is not None:
            self._by_pid.pop(connection.conversation.session.pid, None)

    def cancel(self, request: CancelRequest) -> None:
        """Whoever knows a session's key may stop its statement; nobody is told whether there was one."""
        connection = self._by_pid.get(request.pid)
        conversation = None if connection is None else connection.conversation
        key = bytes(4) if conversation is None else conversation.key
        if hmac.compare_digest(key, request.key) and conversation is not None:
            conversation.cancel()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_GLANCE_S)
            now = self._loop.time()
            for connection in list(self.connections):
                connection.look_after()
                if connection.busy:
                    connection.idle_since = now
                limit_s = self._idle_limit_s(connection)
                if limit_s and now - connection.idle_since > limit_s:
                    connection.leave(errors.IdleSessionTimeout("terminating connection due to idle-session timeout"))

    def _idle_limit_s(self, connection: Connection) -> int:
        own = None if connection.conversation is None else connection.conversation.idle_limit_s
        return self._idle_s if own is None else own

    # TLS

    def secure(self, connection: Connection) -> None:
        self._begin(self._secure(connection))

    async def _secure(self, connection: Connection) -> None:
        try:
            certified = self._authority.certified(*self._names)
        except errors.Error as error:
            logger.error("no TLS: %s", error.message)
            connection.refuse(error)
            return
        try:
            connection.check_silence()
        except errors.ProtocolViolation as error:
            connection.refuse(error)
            return
        connection.transport.write(messages.SSL_YES)
        transport: asyncio.Transport | None = None
        with contextlib.suppress(OSError):
            transport = await self._loop.start_tls(
                connection.transport, connection, certified.context, server_side=True, ssl_handshake_timeout=_LOGIN_S
            )
        if transport is None:
            logger.info("no TLS with %s; does the client trust our authority?", connection.address)
            connection.abort()
        else:
            connection.secured(transport, certified.fingerprint)
