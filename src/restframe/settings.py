"""What can be set from outside, read once when a warehouse opens.

Each field of Settings can stand in `restframe.toml` inside the warehouse directory, or in the environment as
`RESTFRAME_<FIELD>` in upper case; the environment wins, arguments of `open()` win over both.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restframe import errors


@dataclass(frozen=True, slots=True)
class S3Endpoint:
    """Another S3 service for the buckets that match `buckets` (names, or patterns with `*`)."""

    buckets: tuple[str, ...]
    endpoint: str | None = None  # None: Amazon's own for the region
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    allow_http: bool = False
    virtual_hosted_style: bool = False


@dataclass(frozen=True, slots=True)
class IamRole:
    """Which buckets (names, or patterns with `*`) statements reach by an IAM role: its ARN, or `default`."""

    role: str
    buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """One warehouse's settings.

    directory : holds everything the warehouse keeps; created when missing
    database, user : the names clients see; the embedded library is always this superuser
    threads : for queries; all cores when None
    engine_niceness : of the engine's own threads, which help with long queries; when None, 10 under `restframe serve`,
        so that short queries, each of which has a thread anyhow, go first. On Linux
    memory_limit : of the engine, as `4GB`; 60 % of the machine's memory when None
    spill_limit : disk the engine and COPY may take for intermediate results, as `50GB`; none when None
    account_id : the AWS account clients see, twelve digits
    region : the AWS region of what no request names one for
    role : the name of the IAM role that holders of access keys have
    statement_timeout_ms : what `SET statement_timeout` starts with; 0 is no limit
    statement_workers : statements of the Data API that run at once; the others wait their turn
    statement_retention_s : for how long the Data API knows a statement and its result
    statement_result_bytes : the largest result it keeps, compressed; the Data API's limit is 500 MB
    buckets_directory : where s3:// buckets live, a directory each; `<directory>/s3` when None
    auto_create_buckets : whether writing to a bucket that does not exist creates it; off unless it is set where `host`
        can be reached from other machines
    s3_endpoints : other S3 services, tried in order before the buckets directory
    iam_roles : what each role reaches; when there is any, a role that is not among them reaches nothing
    endpoint_connections : concurrent connections to one remote inference endpoint
    endpoint_timeout_s : for one request to it
    max_unpacked_bytes : what a channel of a training job may hold when its gzip is unpacked; a thirty-second of the
        machine's memory when None, because numbers take up to 16 times as much as the text they are read from
    max_request_bytes : body of one inference request; SageMaker's limit is 6 MB
    describe_hold_s : how long describing a job or endpoint that is under way waits for its end, at most; clients give
        up after 60 s, and 0 answers at once
    sql_port : of the PostgreSQL protocol; 0 takes any that is free
    max_connections : SQL clients at once; the last three places are the superuser's
    max_sql_message_bytes : what one message of an SQL client may hold, a statement or the values of its parameters
    idle_session_timeout_s : after which an SQL client that says nothing is told to go; 0 is never
    max_api_request_bytes : body of one request to the AWS APIs, other than the bytes of an object
    host : the address `restframe serve` listens on
    server_names : by which other machines call the server, with blanks between; its certificate for SQL has them
    http_port, proxy_port : of the AWS APIs and of the proxy; 0 takes any that is free
    proxy_tunnels : whether the proxy leads to hosts other than Amazon's; when None, unless other machines reach it
    shutdown_grace_s : how long requests may take to finish when the server is stopped
    log_level : of what the server writes to standard error: debug, info, warning or error; info has the access log
    cors_origins : pages in browsers that may use the AWS APIs, with blanks between; `http://localhost:*` is every port
        of it, `*` every page
    """

    directory: Path
    database: str = "dev"
    user: str = "awsuser"
    threads: int | None = None
    engine_niceness: int | None = None
    memory_limit: str | None = None
    spill_limit: str | None = None
    account_id: str = "000000000000"
    region: str = "us-east-1"
    role: str = "restframe"
    statement_timeout_ms: int = 0
    statement_workers: int = 16
    statement_retention_s: int = 86_400
    statement_result_bytes: int = 500_000_000
    buckets_directory: Path | None = None
    auto_create_buckets: bool = True
    s3_endpoints: tuple[S3Endpoint, ...] = ()
    iam_roles: tuple[IamRole, ...] = ()
    endpoint_connections: int = 4
    endpoint_timeout_s: float = 60.0
    max_unpacked_bytes: int | None = None
    max_request_bytes: int = 5_000_000
    describe_hold_s: float = 50.0
    sql_port: int = 5439
    max_connections: int = 500
    max_sql_message_bytes: int = 67_108_864
    idle_session_timeout_s: int = 14_400
    max_api_request_bytes: int = 16_777_216
    host: str = "127.0.0.1"
    server_names: str = ""
    http_port: int = 8439
    proxy_port: int = 8440
    proxy_tunnels: bool | None = None
    shutdown_grace_s: float = 10.0
    log_level: str = "warning"
    cors_origins: str = "http://localhost:* http://127.0.0.1:*"

    @property
    def buckets(self) -> Path:
        return self.buckets_directory or self.directory / "s3"

    @property
    def local(self) -> bool:
        """Whether nobody but this machine reaches the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def unpacked_bytes(self) -> int:
        """What a channel of a training job may hold when its gzip is unpacked."""
        return self.max_unpacked_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 32

    @property
    def spool(self) -> Path:
        """For files that live no longer than a statement."""
        return self.directory / "spool"


def load(directory: Path | str, **given: Any) -> Settings:
    """The settings of the warehouse in `directory`.

    InterfaceError for a setting that does not exist or a value of the wrong kind, with the place it came from.
    """
    directory = Path(directory).expanduser().resolve()
    arguments = {name: _convert(name, value, "the arguments") for name, value in given.items()}
    values = {**_from_file(directory / "restframe.toml"), **_from_environment(), **arguments}
    settings = Settings(directory=directory, **values)
    if settings.local or "auto_create_buckets" in values:
        return settings
    return dataclasses.replace(settings, auto_create_buckets=False)


_SETTABLE = {f.name: f.type for f in dataclasses.fields(Settings) if f.name != "directory"}


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.InterfaceError(f"{path.name} is not valid TOML: {error}") from error
    return {name: _convert(name, value, path.name) for name, value in found.items()}


def _from_environment() -> dict[str, Any]:
    prefix = "RESTFRAME_"
    return {
        name: _convert(name, os.environ[prefix + name.upper()], prefix + name.upper())
        for name in _SETTABLE
        if prefix + name.upper() in os.environ and name not in _TABLES
    }


def _convert(name: str, value: Any, source: str) -> Any:
    """A value from a file or the environment in the field's own type."""
    kind = _SETTABLE.get(name)
    if kind is None:
        raise errors.InterfaceError(f'"{name}" in {source} is not a setting')
    if value is None and "None" in str(kind):
        return None
    try:
        if name in _TABLES:
            made = _TABLES[name]
            return tuple(
                one if isinstance(one, made) else made(**{**one, "buckets": _names(one["buckets"])}) for one in value
            )
        if str(kind).startswith("bool"):
            return _BOOLEANS[str(value).lower()]
        if str(kind).startswith("int"):
            return int(value)
        if str(kind).startswith("float"):
            return float(value)
        return Path(value) if str(kind).startswith("Path") else str(value)
    except (KeyError, TypeError, ValueError) as error:
        raise errors.InterfaceError(f'"{value}" in {source} is not a value for {name}') from error


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise TypeError("a list of names")  # a text would be taken for one name per letter
    return tuple(value)


_TABLES: dict[str, type[S3Endpoint | IamRole]] = {"s3_endpoints": S3Endpoint, "iam_roles": IamRole}
_BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
