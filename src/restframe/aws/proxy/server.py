"""The proxy's port: who gets in, and what becomes of each connection."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from http import HTTPStatus

from restframe.aws.proxy.outward import Outward
from restframe.aws.proxy.request import Refusal, Target, read_target
from restframe.aws.proxy.tunnel import Side

logger = logging.getLogger(__name__)

_AMAZON = ".amazonaws.com"
_HTTPS = 443
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_MAX_CONNECTIONS = 1000
_HEAD_S = 30
_HANDSHAKE_S = 20
_IDLE_S = 3600  # a tunnel through which nothing has come for so long is given up
_SWEEP_S = 60


class Proxy:
    """Serves on sockets that are already bound, in the running event loop.

    context : of TLS, for a host of Amazon's whose part we play
    http : makes a protocol that serves HTTP, as a server's own connections have
    outward : the way to all other hosts; None refuses them
    """

    def __init__(
        self, context: Callable[[str], ssl.SSLContext], http: Callable[[], asyncio.Protocol], outward: Outward | None
    ) -> None:
        self._context = context
        self._http = http
        self._outward = outward
        self._servers: list[asyncio.Server] = []
        self._sides: set[Side] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for one in sockets:
            self._servers.append(await loop.create_server(lambda: _Client(self._welcome), sock=one))
        self._begin(self._sweep())

    async def stop(self) -> None:
        """Take no more, and drop all tunnels: nobody can tell when they would end."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        for side in self._sides:
            side.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _welcome(self, client: Side) -> None:
        self._sides.add(client)
        client.gone.add_done_callback(lambda _: self._sides.discard(client))
        if len(self._sides) > _MAX_CONNECTIONS:
            self._end(client, Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "this proxy has too many connections"))
        else:
            self._begin(self._serve(client))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Side) -> None:
        try:
            target = read_target(await self._head(client))
            if target.host.endswith(_AMAZON) and target.port == _HTTPS:
                await self._play(client, target)
            else:
                await self._tunnel(client, target)
        except Refusal as refusal:
            logger.info("refused: %s", refusal.reason)
            self._end(client, refusal)
        except ConnectionError:
            client.transport.abort()

    @staticmethod
    async def _head(client: Side) -> bytes:
        try:
            head = await asyncio.wait_for(client.head(), _HEAD_S)
        except TimeoutError as error:
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "no request came") from error
        except ValueError as error:
            raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long") from error
        if head is None:
            raise ConnectionResetError
        return head

    @staticmethod
    def _end(client: Side, refusal: Refusal) -> None:
        client.transport.write(refusal.response())
        client.transport.close()

    async def _tunnel(self, client: Side, target: Target) -> None:
        if self._outward is None:
            raise Refusal(HTTPStatus.FORBIDDEN, f"this proxy leads to *{_AMAZON} only")
        server = await self._outward.connect(target)
        if client.gone.done():
            server.transport.abort()
            return
        self._sides.add(server)
        server.gone.add_done_callback(lambda _: self._sides.discard(server))
        logger.info("tunnel to %s", target.shown)
        client.transport.write(_ESTABLISHED)
        client.join(server)

    async def _play(self, client: Side, target: Target) -> None:
        """Answer in the place of a host of Amazon's."""
        if client.has_more:
            # what came before the answer would be taken for something said under TLS
            raise Refusal(HTTPStatus.BAD_REQUEST, "CONNECT is not followed by anything before it is answered")
        context = self._context(target.host)
        client.transport.write(_ESTABLISHED)
        keeper = _Keeper()
        try:
            transport = await asyncio.get_running_loop().start_tls(
                client.transport, keeper, context, server_side=True, ssl_handshake_timeout=_HANDSHAKE_S
            )
        except OSError as error:
            logger.info("no TLS as %s: %s; does the client trust AWS_CA_BUNDLE?", target.shown, error)
            client.transport.abort()
            return
        finally:
            # the connection has another protocol now, and will not tell this one of its end
            self._sides.discard(client)
        if transport is not None:
            keeper.hand_over(transport, self._http())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._drop_idle(asyncio.get_running_loop().time() - _IDLE_S)

    def _drop_idle(self, since: float) -> None:
        for side in list(self._sides):
            if side.last_heard < since:
                side.transport.abort()


class _Client(Side):
    def __init__(self, welcome: Callable[[Side], None]) -> None:
        super().__init__()
        self._welcome = welcome

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._welcome(self)


class _Keeper(asyncio.Protocol):
    """Keeps what arrives between the end of the handshake and the moment when we hear of it."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._ended = False

    def data_received(self, data: bytes) -> None:
        self._kept += data

    def connection_lost(self, _: Exception | None) -> None:
        self._ended = True

    def hand_over(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        if self._ended:
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._kept:
            protocol.data_received(bytes(self._kept))
