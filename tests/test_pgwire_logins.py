"""Logins of libpq, through psycopg, to a live server: what its own SCRAM, md5 and TLS make of ours."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest


@pytest.fixture(scope="module")
def pg(shared_pg: Any) -> Any:
    """With users whose passwords were given in different ways."""
    hashed = hashlib.md5(b"Secret-99md5ed").hexdigest()
    salt = bytes(range(32))
    digest = hashlib.sha256(b"Secret-99" + salt).hexdigest()
    for name, password in (
        ("clear", "'Secret-99'"),
        ("md5ed", f"'md5{hashed}'"),
        ("digested", f"'sha256|{digest}|{salt.hex()}'"),
        ("strong", "'sha256|Secret-99'"),
        ("nopassword", "DISABLE"),
        ("expired", "'Secret-99' VALID UNTIL '2020-01-01'"),
        ("single", "'Secret-99' CONNECTION LIMIT 1"),
    ):
        shared_pg.warehouse.sql(f"CREATE USER {name} PASSWORD {password}")
    return shared_pg


def certificate(pg: Any) -> str:
    return str(pg.warehouse.settings.directory / "ca" / "ca.pem")


def who(pg: Any, **options: Any) -> str:
    with pg.connect(**options) as connection:
        (name,) = connection.execute("SELECT current_user").fetchone()
        return str(name)


def refusal(pg: Any, **options: Any) -> str:
    with pytest.raises(psycopg.OperationalError) as error:
        pg.connect(**options).close()
    return str(error.value).partition("FATAL:  ")[2].splitlines()[0]


@pytest.mark.parametrize("sslmode", ["disable", "verify-full"])
@pytest.mark.parametrize("user", ["clear", "md5ed", "digested", "strong"])
def test_however_a_password_was_given(pg: Any, user: str, sslmode: str) -> None:
    options = {"user": user, "sslmode": sslmode, "sslrootcert": certificate(pg)}
    assert who(pg, password="Secret-99", **options) == user
    assert refusal(pg, password="Secret-98", **options) == f'password authentication failed for user "{user}"'


@pytest.mark.parametrize(
    ("user", "method"),
    [("clear", "scram-sha-256"), ("md5ed", "md5"), ("digested", "password"), ("nobody", "scram-sha-256")],
)
def test_what_is_asked_for(pg: Any, user: str, method: str) -> None:
    wanted = refusal(pg, user=user, password="wrong", require_auth=method)
    assert wanted == f'password authentication failed for user "{user}"'


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_channel_can_be_bound(pg: Any, host: str) -> None:
    options = {"sslmode": "verify-full", "sslrootcert": certificate(pg), "channel_binding": "require"}
    assert who(pg, user="clear", password="Secret-99", host=host, **options) == "clear"
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        pg.connect(user="md5ed", password="Secret-99", host=host, **options).close()


@pytest.mark.parametrize("user", ["clear", "nopassword"])
def test_a_temporary_password(pg: Any, user: str) -> None:
    password, _ = pg.identity.database_password(user, 900)
    assert who(pg, user=f"IAM:{user}", password=password) == user
    other, _ = pg.identity.database_password("md5ed", 900)
    assert refusal(pg, user=f"IAM:{user}", password=other) == f'password authentication failed for user "IAM:{user}"'
    assert refusal(pg, user=user, password="x") == f'password authentication failed for user "{user}"'


def test_what_is_said_to_who_knows_the_password(pg: Any, eventually: Callable[[Callable[[], object]], None]) -> None:
    assert refusal(pg, user="expired", password="Secret-99") == 'the password of user "expired" has expired'
    assert refusal(pg, user="clear", password="Secret-99", dbname="other") == 'database "other" does not exist'
    with pg.connect(user="single", password="Secret-99"):
        assert refusal(pg, user="single", password="Secret-99") == 'too many connections for user "single"'
    eventually(lambda: not pg.listener.admission.count)  # the server hears later that a client has gone
    assert who(pg, user="single", password="Secret-99") == "single"


def test_guessing_takes_ever_longer_for_the_guessed_user_alone(pg: Any) -> None:
    def took(**options: Any) -> float:
        started = time.monotonic()
        refusal(pg, **options)
        return time.monotonic() - started

    for _ in range(5):
        took(user="guessed", password="wrong")
    assert took(user="guessed", password="wrong") >= 1.0
    assert pg.identity.throttle.attempt("127.0.0.1", "clear") == 0
