"""Access keys: made, used and revoked, also by another process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restframe import errors, settings
from restframe.identity import Identity, UnknownAccessKey
from restframe.journal import Journal

OTHER_PROCESS = """
import os, signal, sys
from restframe import settings
from restframe.identity import Identity
from restframe.journal import Journal
configured = settings.load(sys.argv[1])
identity = Identity(Journal(configured.directory / "service.sqlite"), configured)
"""


def _open(directory: Path, **given: str) -> Identity:
    return Identity(Journal(directory / "service.sqlite"), settings.load(directory, **given))


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[Identity]:
    identity = _open(tmp_path)
    yield identity
    identity.keys._journal.close()


def _elsewhere(directory: Path, program: str, *arguments: str) -> str:
    """Run something on the same directory in another process; what it printed."""
    finished = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS + program, str(directory), *arguments], capture_output=True, text=True
    )
    assert finished.returncode in (0, -signal.SIGKILL), finished.stderr
    return finished.stdout.strip()


def test_the_first_start_makes_a_key_of_the_superuser(identity: Identity) -> None:
    first = identity.keys.first()
    assert re.fullmatch("AKIA[A-Z2-7]{16}", first.access_key_id)
    assert re.fullmatch("[A-Za-z0-9]{40}", first.secret_access_key)
    assert first.principal.arn == "arn:aws:sts::000000000000:assumed-role/restframe/default"
    assert first.principal.database_user == "awsuser"
    assert first.session_token is first.expires is None


def test_it_stays_the_same(identity: Identity, tmp_path: Path) -> None:
    again = _open(tmp_path)
    assert again.keys.first() == identity.keys.first()
    assert len(again.keys.list()) == 1
    again.keys._journal.close()


def test_a_key_lets_its_holder_in_as_a_database_user(identity: Identity) -> None:
    created = identity.keys.create("etl@night", "loader")
    found = identity.credentials(created.access_key_id)
    assert found == created
    assert found.principal.database_user == "loader"
    assert found.principal.session_name == "etl@night"
    assert found.principal.user_id.endswith(":etl@night")
    assert re.fullmatch("AROA[A-Z2-7]{17}:etl@night", found.principal.user_id)


def test_account_and_role_are_settings(tmp_path: Path) -> None:
    identity = _open(tmp_path, account_id="123456789012", role="Analyst")
    assert identity.keys.first().principal.arn == "arn:aws:sts::123456789012:assumed-role/Analyst/default"
    identity.keys._journal.close()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("account_id", "12345", '"12345" is no account_id: it has twelve digits'),
        ("account_id", "١٢٣٤٥٦٧٨٩٠١٢", "is no account_id"),
        ("role", "a/b", '"a/b" is no role'),
    ],
)
def test_settings_that_fit_in_no_arn_are_refused(tmp_path: Path, name: str, value: str, message: str) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    with pytest.raises(errors.InterfaceError, match=message):
        Identity(journal, settings.load(tmp_path, **{name: value}))
    journal.close()


@pytest.mark.parametrize("name", ["", "a", "two words", "a/b", "x" * 65, "naïve", "a:b", "ab\n"])
def test_a_name_that_fits_in_no_arn_is_refused(identity: Identity, name: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="is not a name for a key"):
        identity.keys.create(name)


def test_a_user_without_a_name_is_not_the_superuser(identity: Identity) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="a key needs the name of a database user"):
        identity.keys.create("kim", "")


def test_a_revoked_key_lets_nobody_in_and_has_forgotten_its_secret(identity: Identity, tmp_path: Path) -> None:
    created = identity.keys.create("kim")
    identity.keys.revoke(created.access_key_id)
    with pytest.raises(UnknownAccessKey):
        identity.credentials(created.access_key_id)
    with pytest.raises(UnknownAccessKey, match="was revoked before"):
        identity.keys.revoke(created.access_key_id)
    assert [(key.name, key.revoked is None) for key in identity.keys.list()] == [("default", True), ("kim", False)]
    (row,) = identity.keys._journal.rows("SELECT secret FROM access_keys WHERE name = 'kim'")
    assert row["secret"] is None


def test_when_all_are_revoked_no_key_is_made_in_secret(identity: Identity, tmp_path: Path) -> None:
    identity.keys.revoke(identity.keys.first().access_key_id)
    again = _open(tmp_path)
    with pytest.raises(UnknownAccessKey, match="all access keys were revoked") as raised:
        again.keys.first()
    assert raised.value.hint == "Make one: restframe keys create NAME"
    again.keys._journal.close()


@pytest.mark.parametrize("unknown", ["", "AKIAAAAAAAAAAAAAAAAA", "'; --", "\ud800", "A" * 100_000])
def test_unknown_keys(identity: Identity, unknown: str) -> None:
    with pytest.raises(UnknownAccessKey, match=r"^The security token included in the request is invalid\.$"):
        identity.credentials(unknown)


def test_the_last_use_is_remembered_but_not_written_at_each_request(identity: Identity) -> None:
    key = identity.keys.first().access_key_id
    assert identity.keys.list()[0].last_used is None
    identity.credentials(key)
    noted = identity.keys.list()[0].last_used
    assert noted is not None
    assert abs(noted.timestamp() - time.time()) < 60
    identity.credentials(key)
    assert identity.keys.list()[0].last_used == noted


def test_a_full_disk_keeps_nobody_out(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise errors.DiskFull("the service journal: database or disk is full")

    monkeypatch.setattr(identity.keys._journal, "transaction", full)
    assert identity.credentials(identity.keys.first().access_key_id)
    assert "the last use of an access key was not noted" in caplog.text


def test_requests_cost_no_query_each(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    key = identity.keys.first().access_key_id
    asked: list[str] = []
    rows = identity.keys._journal.rows
    monkeypatch.setattr(identity.keys._journal, "rows", lambda sql: asked.append(sql) or rows(sql))
    for _ in range(2000):
        identity.credentials(key)
    assert len(asked) < 20


def test_many_threads_make_use_and_revoke_keys(identity: Identity) -> None:
    def live_and_die(number: int) -> None:
        created = identity.keys.create(f"thread-{number}")
        assert identity.credentials(created.access_key_id) == created
        issued = identity.issue(created.principal, 900)
        assert identity.credentials(issued.access_key_id, issued.session_token) == issued
        identity.keys.revoke(created.access_key_id)
        with pytest.raises(UnknownAccessKey):
            identity.credentials(created.access_key_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live_and_die, range(40)))
    assert len([key for key in identity.keys.list() if key.revoked is None]) == 1


def test_what_another_process_makes_and_revokes_is_noticed(identity: Identity, tmp_path: Path) -> None:
    key = _elsewhere(tmp_path, "print(identity.keys.create('kim', 'kim').access_key_id)")
    assert identity.credentials(key).principal.database_user == "kim"
    _elsewhere(tmp_path, "identity.keys.revoke(sys.argv[2])", key)
    deadline = time.monotonic() + 60
    with pytest.raises(UnknownAccessKey):
        while time.monotonic() < deadline:
            identity.credentials(key)
            time.sleep(0.05)


def test_processes_that_start_at_once_share_one_first_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(lambda _: _elsewhere(tmp_path, "print(identity.keys.first().access_key_id)"), range(4)))
    assert len(set(printed)) == 1


def test_a_key_that_was_handed_out_survives_a_kill(tmp_path: Path) -> None:
    printed = _elsewhere(
        tmp_path,
        "made = identity.keys.create('kim')\n"
        "print(made.access_key_id, made.secret_access_key, identity.master_password, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)",
    )
    key, secret, master = printed.split()
    identity = _open(tmp_path)
    assert identity.credentials(key).secret_access_key == secret
    assert identity.master_password == master
    identity.keys._journal.close()


def test_secrets_stand_in_no_file_and_in_no_repr(identity: Identity, tmp_path: Path) -> None:
    created = identity.keys.create("kim")
    assert created.secret_access_key not in repr(created)
    hidden = [created.secret_access_key.encode(), identity.master_password.encode()]
    for path in tmp_path.iterdir():
        assert not [one for one in hidden if one in path.read_bytes()], path.name


def test_a_secret_that_changed_places_with_another_is_refused(identity: Identity, tmp_path: Path) -> None:
    identity.keys.create("kim")
    with identity.keys._journal.transaction() as connection:
        connection.execute(
            "UPDATE access_keys SET secret = (SELECT secret FROM access_keys WHERE name = 'kim') WHERE name = 'default'"
        )
    journal = Journal(tmp_path / "service.sqlite")
    with pytest.raises(errors.InternalError, match="belongs elsewhere"):
        Identity(journal, settings.load(tmp_path))
    journal.close()
