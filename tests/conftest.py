"""What several test files share."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
import duckdb
import hypothesis
import psycopg
import pyarrow as pa
import pytest
import uvicorn
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from restframe import errors, sql
from restframe.aws import connection
from restframe.aws.app import Application
from restframe.aws.backend import Backend
from restframe.engine.duckdb import DuckDBConnection
from restframe.identity import Credentials, Identity
from restframe.identity.authority import Authority
from restframe.pgwire.listener import Listener
from restframe.types import SqlType, parse_type
from restframe.warehouse import Warehouse

# How long an example takes says more of the machine than of the code; and what passes once passes always. Another
# profile looks for new examples: pytest --hypothesis-profile default
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("repeatable")

# Where tests run in the background, ctrl-C may be ignored, and programs that they start would ignore it, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left with one of them when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, not item.path.name.startswith("test_epidemic")))


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Real data beside the checkout; a test that asks for a file which is not there is skipped, with the name."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"real data not present: {name}")
        return path

    return find


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits until something is so, on a machine however busy."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def interrupted() -> Callable[[DuckDBConnection], contextlib.AbstractContextManager[None]]:
    """Interrupts what runs again and again: between two calls of the engine that has no effect."""

    @contextlib.contextmanager
    def interrupting(connection: DuckDBConnection) -> Iterator[None]:
        ended = threading.Event()

        def interrupt() -> None:
            while not ended.wait(0.05):
                connection.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    return interrupting


@pytest.fixture(scope="session")
def is_gone() -> Callable[[int], bool]:
    """Whether a process has ended, also one that nobody has asked for its status yet."""

    def look(pid: int) -> bool:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except ProcessLookupError:
            return True
        except FileNotFoundError:
            return sys.platform == "linux"  # elsewhere there is no such place
        return state == "Z"

    return look


@pytest.fixture
def endless() -> str:
    """A query that runs for minutes when nothing stops it."""
    return """
        select count(*)
        from (select generate_series(1, 200000) as i) a, (select generate_series(1, 200000) as i) b
        where a.i + b.i = 7 and a.i * b.i = 11
    """


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of one megabyte, or of as many as the test's parameter says."""
    megabytes = getattr(request, "param", 1)
    path = tmp_path / "small"
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)], capture_output=True, text=True
    )
    if mount.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mount.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


class TranslatedSql:
    """Redshift's SQL, translated and run on an engine in memory that has nothing but our macros and some tables."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute(
            "SET integer_division = true; SET TimeZone = 'UTC'; SET default_null_order = 'nulls_last'"
        )
        self.connection.execute("CREATE SCHEMA _restframe; CREATE SCHEMA public")
        for macro in sql.MACROS:
            self.connection.execute(macro)
        self.tables: dict[tuple[str, str], sql.TableReference] = {}
        self.functions: dict[tuple[str, str], sql.FunctionReference] = {}

    def table(self, name: str, columns: str, *rows: str, identities: tuple[str, ...] = ()) -> None:
        """Make a table; each row is written as the values of an INSERT in Redshift's SQL."""
        schema, _, table = name.rpartition(".")
        schema = schema or "public"
        types = dict(_column(text) for text in re.split(r",(?![^(]*\))", columns))
        listed = ", ".join(f'"{column}" {type_.engine_type}' for column, type_ in types.items())
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        self.connection.execute(f'CREATE TABLE "{schema}"."{table}" ({listed})')
        self.tables[schema, table] = sql.TableReference(schema, table, types, frozenset(identities))
        for row in rows:
            self.rows(f"insert into {schema}.{table} values ({row})")

    def relation(self, name: sql.QualifiedName) -> sql.TableReference:
        found = self.tables.get((name.schema or "public", name.name))
        if found is None:
            raise errors.UndefinedTable(f'relation "{name}" does not exist', position=name.position)
        return found

    def function(self, name: sql.QualifiedName, argument_count: int) -> sql.FunctionReference | None:
        return self.functions.get((name.schema or "public", name.name))

    def translate(self, text: str, parameters: Any = (), **options: Any) -> sql.Translation:
        (statement,) = sql.parse(text)
        return sql.translate(statement, self, parameters, **options)

    def rows(self, text: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        translation = self.translate(text, parameters)
        if translation.rows is not None:
            columns = {f"c{i}": pa.array(values, pa.string()) for i, values in enumerate(translation.rows.columns)}
            self.connection.register(translation.rows_name, pa.table(columns))
        return self.connection.execute(translation.sql, parameters or None).fetchall()

    def row(self, text: str, parameters: Any = ()) -> tuple[Any, ...]:
        (row,) = self.rows(text, parameters)
        return row

    def value(self, expression: str) -> Any:
        """The value of an expression without a table."""
        return self.row(f"select {expression}")[0]

    def forget_tables(self) -> None:
        for schema, table in self.tables:
            self.connection.execute(f'DROP TABLE "{schema}"."{table}"')
        self.tables.clear()
        self.functions.clear()


def _column(text: str) -> tuple[str, SqlType]:
    name, type_ = text.strip().split(" ", 1)
    return name, parse_type(type_)


@pytest.fixture(scope="session")
def translating_engine() -> Iterator[TranslatedSql]:
    engine = TranslatedSql()
    yield engine
    engine.connection.close()


@pytest.fixture
def redshift(translating_engine: TranslatedSql) -> Iterator[TranslatedSql]:
    """Redshift's SQL on an engine in memory, without tables."""
    yield translating_engine
    translating_engine.forget_tables()


class S3Auth(S3SigV4Auth):
    """Signs the hash of the payload that the request states."""

    def payload(self, request: AWSRequest) -> str:
        stated: str = self.stated or super().payload(request)
        return stated

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        self.stated = request.headers.get("X-Amz-Content-SHA256")
        super()._modify_request_before_signing(request)


@dataclass
class Aws:
    """A live server on the loopback interface.

    application : of which a test may take what it needs
    """

    url: str
    backend: Backend
    application: Application
    credentials: Credentials

    @property
    def warehouse(self) -> Warehouse:
        return self.backend.warehouse

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def signed(
        self,
        service: str,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        credentials: Credentials | None = None,
    ) -> dict[str, str]:
        """The headers of a request that botocore has signed, for those who send it in their own way.

        target : path and query
        headers : in S3 x-amz-content-sha256 may be one of them
        """
        credentials = credentials or self.credentials
        request = AWSRequest(method=method, url=self.url + target, data=body, headers=headers or {})
        request.context["payload_signing_enabled"] = True
        auth = S3Auth if service == "s3" else SigV4Auth
        auth(
            botocore.credentials.Credentials(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token
            ),
            service,
            "us-east-1",
        ).add_auth(request)
        return {"Host": f"127.0.0.1:{self.port}", **dict(request.headers.items())}

    def send(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it is; the status, the headers in lower case and the body of the answer.

        The body is sent whatever the headers say of it.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None and not {"Content-Length", "Transfer-Encoding"} & set(headers):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def client(self, service: str, *, credentials: Credentials | None = None, **options: Any) -> Any:
        """A boto3 client; options are those of botocore's Config. It tries everything once."""
        credentials = credentials or self.credentials
        return boto3.session.Session().client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(**{"retries": {"total_max_attempts": 1}, **options}),
        )


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[Aws]:
    with Warehouse(directory) as warehouse:
        identity = Identity(warehouse.journal, warehouse.settings)
        backend = Backend(warehouse, identity)
        application = Application(backend)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(connection.config(application, timeout_graceful_shutdown=1))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            port = listening.getsockname()[1]
            yield Aws(f"http://127.0.0.1:{port}", backend, application, identity.keys.first())
            server.should_exit = True
            thread.join()
        application.close()


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """The AWS APIs of a fresh warehouse, served as `restframe serve` does."""
    with serving(tmp_path / "warehouse") as live:
        yield live


@pytest.fixture
def cramped_aws(small_disk: Path) -> Iterator[Aws]:
    """The same on a small disk."""
    with serving(small_disk / "warehouse") as live:
        yield live


@pytest.fixture(scope="module")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """The same for all tests of a file, where they leave nothing behind that matters to others."""
    with serving(tmp_path_factory.mktemp("aws") / "warehouse") as live:
        yield live


@pytest.fixture(scope="module")
def shared_s3(shared_aws: Aws) -> Iterator[Any]:
    client = shared_aws.client("s3")
    yield client
    client.close()


@pytest.fixture
def s3(shared_aws: Aws, shared_s3: Any) -> Iterator[Any]:
    """A client of S3 on the server that a file's tests share, with an empty bucket `rides` and no others."""
    shared_s3.create_bucket(Bucket="rides")
    yield shared_s3
    application = shared_aws.application
    for pool in (application.quick, application.waiting, application.sending):
        assert pool.wait(60)  # who left early may have left a file, which is about to go
    shutil.rmtree(shared_aws.warehouse.settings.buckets)


class Serving:
    """A process of `restframe serve` on ports of its own.

    said : what it has printed so far, in lines
    """

    def __init__(self, directory: Path, *options: str, **environment: str) -> None:
        self.directory = directory
        ports = () if "--port" in options else ("--port", "0", "--proxy-port", "0", "--sql-port", "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "restframe", "serve", "-d", str(directory), *ports, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("In another shell:"):
                break

    @property
    def url(self) -> str:
        return next(line.split()[-1] for line in self.said if line.startswith("  AWS APIs"))

    @property
    def proxy(self) -> str:
        return next(line.split()[-1] for line in self.said if line.startswith("  proxy"))

    @property
    def sql(self) -> str:
        return next(line.split()[-1] for line in self.said if line.startswith("  SQL"))

    def end(self, number: int = signal.SIGTERM) -> tuple[str, str]:
        """Send a signal and wait; what was said since, and the errors of its whole life."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=120)

    def environment(self) -> dict[str, str]:
        """What `restframe env` says."""
        command = [sys.executable, "-m", "restframe", "env", "-d", str(self.directory), "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return dict(json.loads(done.stdout))

    def shell(self, script: str) -> str:
        """What a script prints in a shell whose environment is set up as people do it."""
        command = f'eval "$({sys.executable} -m restframe env -d {self.directory})"; {script}'
        done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module", params=["compiled", "interpreted"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Kernels as they are for small blocks before they are compiled, and as they are afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("restframe.compiled.Interpretable._is_compiled", lambda _: request.param == "compiled")
        yield


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Starts servers: `serve()` in the same directory each time, with options of the command and environment."""
    started: list[Serving] = []

    def start(*options: str, **environment: str) -> Serving:
        started.append(Serving(tmp_path / "warehouse", *options, **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


@dataclass
class Pg:
    """A live server of the PostgreSQL protocol on the loopback interface; user and password are the superuser's."""

    listener: Listener
    host: str
    port: int

    @property
    def warehouse(self) -> Warehouse:
        return self.listener.warehouse

    @property
    def identity(self) -> Identity:
        return self.listener.identity

    @property
    def user(self) -> str:
        return self.warehouse.settings.user

    @property
    def password(self) -> str:
        return self.identity.master_password

    @property
    def dsn(self) -> str:
        return (
            f"host={self.host} port={self.port} user={self.user} password={self.password} dbname=dev "
            f"sslmode=disable connect_timeout=60"
        )

    def connect(self, **options: Any) -> psycopg.Connection:
        """By psycopg, with options of its own; without TLS unless they say otherwise."""
        return psycopg.connect(self.dsn, **options)


@contextlib.contextmanager
def listening_for_sql(directory: Path, **given: Any) -> Iterator[Pg]:
    """given : settings"""
    with Warehouse(directory, **given) as warehouse, socket.create_server(("127.0.0.1", 0)) as bound:
        identity = Identity(warehouse.journal, warehouse.settings)
        listener = Listener(warehouse, identity, Authority(directory / "ca"), warehouse.settings)
        with asyncio.Runner(loop_factory=connection.config(None).get_loop_factory()) as runner:
            loop = runner.get_loop()
            thread = threading.Thread(target=loop.run_forever)
            runner.run(listener.start(bound))
            thread.start()
            try:
                yield Pg(listener, *bound.getsockname())
            finally:
                asyncio.run_coroutine_threadsafe(listener.stop(0), loop).result(120)
                loop.call_soon_threadsafe(loop.stop)
                thread.join()


@pytest.fixture
def pg(tmp_path: Path) -> Iterator[Pg]:
    """The PostgreSQL protocol of a fresh warehouse, served as `restframe serve` does."""
    with listening_for_sql(tmp_path / "warehouse") as live:
        yield live


@pytest.fixture(scope="module")
def shared_pg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pg]:
    """The same for all tests of a file, where they leave nothing behind that matters to others."""
    with listening_for_sql(tmp_path_factory.mktemp("pg") / "warehouse") as live:
        yield live


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for all tests of a file."""
    server = Serving(tmp_path_factory.mktemp("served") / "warehouse")
    yield server
    server.close()
