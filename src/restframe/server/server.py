"""The server: a warehouse, its identity, and the doors in one event loop, from the start to the end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.util
import logging
import os
import resource
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from restframe import __version__
from restframe import settings as settings_
from restframe.aws import connection
from restframe.aws.app import Application
from restframe.aws.backend import Backend
from restframe.aws.proxy import Outward, Proxy, Upstream
from restframe.identity import Identity
from restframe.identity.authority import Authority
from restframe.pgwire.listener import Listener
from restframe.server import record as record_
from restframe.server.environment import BUNDLE, SAGEMAKER_DEFAULTS, address, sagemaker_defaults
from restframe.server.listening import listen
from restframe.server.record import Record
from restframe.server.warming import warmed
from restframe.warehouse import Warehouse

logger = logging.getLogger(__name__)

_OPEN_FILES = 65_536
_LEAVE_S = 1.0
_NICENESS = 10  # of the engine's own threads


class Server:
    """Serves a directory until it is told to stop.

    given : settings, by the names of `restframe.Settings`; they win over restframe.toml and the environment
    """

    def __init__(self, directory: Path | str, **given: Any) -> None:
        self.settings = settings_.load(directory, **given)
        self._given = given

    def run(self, ready: Callable[[Record], None]) -> None:
        """Serve until SIGTERM or SIGINT; a second one does not wait for requests that are under way.

        ready : called when requests are answered
        WarehouseLocked when the directory is open elsewhere, OperationalError when a port is taken.
        """
        directory = self.settings.directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _raise_limit_of_files()
        with contextlib.ExitStack() as opened:
            niceness = self.settings.engine_niceness
            given = {**self._given, "engine_niceness": _NICENESS if niceness is None else niceness}
            warehouse = opened.enter_context(Warehouse(directory, **given))
            identity = Identity(warehouse.journal, warehouse.settings)
            authority = Authority(directory / "ca", self.settings.server_names.split())
            http = opened.enter_context(listen(self.settings.host, self.settings.http_port, "--port"))
            proxy = opened.enter_context(listen(self.settings.host, self.settings.proxy_port, "--proxy-port"))
            sql = opened.enter_context(listen(self.settings.host, self.settings.sql_port, "--sql-port"))
            sql_host, sql_port = sql.getsockname()[:2]
            # what clients of the Redshift API are told
            warehouse.settings = dataclasses.replace(warehouse.settings, sql_port=sql_port)
            url, proxy_url = (address(*one.getsockname()[:2]) for one in (http, proxy))
            _forget_ourselves(url, proxy_url)
            authority.write_bundle(directory / BUNDLE, _trusted_by_others(directory / BUNDLE))
            (directory / SAGEMAKER_DEFAULTS).write_text(sagemaker_defaults(self.settings), encoding="utf-8")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            sql_address = address(sql_host, sql_port).removeprefix("http://")
            record = Record(os.getpid(), url, proxy_url, sql_address, now, __version__)
            opened.enter_context(record_.recorded(directory, record))
            opened.enter_context(warmed())
            application = Application(Backend(warehouse, identity))
            doors = _Doors(
                application,
                Listener(warehouse, identity, authority, self.settings),
                authority.context,
                self._outward(),
                self.settings.shutdown_grace_s,
                lambda: ready(record),
            )
            with asyncio.Runner(loop_factory=doors.loop_factory) as runner:
                runner.run(doors.serve(http, proxy, sql))
            application.close(0)

    def _outward(self) -> Outward | None:
        tunnels = self.settings.proxy_tunnels
        if tunnels is False or (tunnels is None and not self.settings.local):
            return None
        try:
            return Outward(Upstream.from_environment(os.environ))
        except ValueError as error:
            logger.warning("%s; tunnels do without it", error)
            return Outward()


class _Doors:
    """All ports in one event loop."""

    def __init__(
        self,
        application: Application,
        listener: Listener,
        context: Callable[[str], ssl.SSLContext],
        outward: Outward | None,
        grace_s: float,
        ready: Callable[[], None],
    ) -> None:
        self._application = application
        self._sql = listener
        self._grace_s = grace_s
        self._ready = ready
        self._config = connection.config(application, timeout_graceful_shutdown=max(1, round(grace_s)))
        self._http = _Http(self._config)
        self._proxy = Proxy(context, self._connection, outward)
        self.loop_factory = self._config.get_loop_factory()

    def _connection(self) -> connection.Connection:
        """For a client that came through the proxy, among the others and ended with them."""
        return _Secure(self._config, self._http.server_state, self._http.lifespan.state)

    async def serve(self, http: socket.socket, proxy: socket.socket, sql: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)

        async def started() -> None:
            await self._proxy.start([proxy])
            await self._sql.start(sql)
            self._ready()

        self._http.when_started = started
        try:
            await self._http.serve(sockets=[http])
        finally:
            await self._sql.stop(0 if self._http.force_exit else self._grace_s)
            await self._proxy.stop()

    def _stop(self) -> None:
        if self._http.should_exit:
            self._http.force_exit = True
            self._sql.hurry()
            return
        logger.info("stopping")
        self._sql.dismiss()
        self._http.should_exit = True
        # It blocks while requests are answered, and tells those that wait for something to wait no more.
        threading.Thread(target=self._application.close, args=(self._grace_s,), daemon=True).start()


class _Http(uvicorn.Server):
    """uvicorn's server without its handling of signals, which ends the process before we have closed anything."""

    when_started: Callable[[], Awaitable[None]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self.when_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Secure(connection.Connection):
    """A connection under TLS, which otherwise would live on until the client has taken its leave, too."""

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(_LEAVE_S, self._leave)

    def _leave(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def _raise_limit_of_files() -> None:
    """Many systems begin with 1024, which is few connections; a process may take what its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _forget_ourselves(url: str, proxy: str) -> None:
    """A server started where `restframe env` was evaluated must not be its own client, nor its own proxy."""
    for name, own in (("AWS_ENDPOINT_URL", url), ("HTTPS_PROXY", proxy), ("https_proxy", proxy)):
        if os.environ.get(name) == own:
            del os.environ[name]


def _trusted_by_others(own: Path) -> list[Path]:
    """The certificates that clients here would trust without us: those that the environment names and the system's.

    botocore's when there are none. own : the bundle that we write, which the environment may name
    """
    named = [os.environ.get(name) for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")]
    botocore = importlib.util.find_spec("botocore")
    shipped = [str(Path(place) / "cacert.pem") for place in (botocore and botocore.submodule_search_locations) or ()]
    for names in ([*named, ssl.get_default_verify_paths().openssl_cafile], shipped):
        found = dict.fromkeys(Path(name).resolve() for name in names if name and Path(name).is_file())
        found.pop(own.resolve(), None)
        if found:
            return list(found)
    return []
