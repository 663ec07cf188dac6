"""Temporary credentials: sealed, limited in time, and gone with the key they came from."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors, settings
from restframe.identity import ExpiredToken, Identity, InvalidToken
from restframe.journal import Journal


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identity]:
    directory = tmp_path_factory.mktemp("warehouse")
    journal = Journal(directory / "service.sqlite")
    yield Identity(journal, settings.load(directory))
    journal.close()


def test_they_let_their_holder_in(identity: Identity) -> None:
    issued = identity.issue(identity.keys.first().principal, 900)
    assert re.fullmatch("ASIA[A-Z2-7]{16}", issued.access_key_id)
    assert issued.expires is not None
    assert issued.expires.timestamp() == pytest.approx(time.time() + 900, abs=60)
    assert identity.credentials(issued.access_key_id, issued.session_token) == issued
    assert issued.principal == identity.keys.first().principal
    assert issued.secret_access_key not in repr(issued)


def test_a_role_can_be_taken_and_keeps_the_database_user(identity: Identity) -> None:
    key = identity.keys.create("kim", "kim")
    issued = identity.issue(key.principal, 900, role="etl", session_name="night", account="123456789012")
    found = identity.credentials(issued.access_key_id, issued.session_token).principal
    assert found.arn == "arn:aws:sts::123456789012:assumed-role/etl/night"
    assert (found.account, found.role, found.database_user) == ("123456789012", "etl", "kim")


def test_the_longest_names_fit_in_a_kilobyte(identity: Identity) -> None:
    key = identity.keys.create("n" * 64, "u" * 127)
    issued = identity.issue(key.principal, 900, role="r" * 64, session_name="s" * 64)
    assert issued.session_token is not None
    assert len(issued.session_token) <= 1024
    assert identity.credentials(issued.access_key_id, issued.session_token) == issued


@pytest.mark.parametrize("wrong", [{"role": "a/b"}, {"session_name": "x"}, {"account": "1"}, {"session_name": "a:b"}])
def test_names_that_fit_in_no_arn_are_refused(identity: Identity, wrong: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="cannot stand in an ARN"):
        identity.issue(identity.keys.first().principal, 900, **wrong)


def test_they_outlive_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    identity = Identity(journal, settings.load(tmp_path))
    issued = identity.issue(identity.keys.first().principal, 900)
    journal.close()
    journal = Journal(tmp_path / "service.sqlite")
    assert Identity(journal, settings.load(tmp_path)).credentials(issued.access_key_id, issued.session_token) == issued
    journal.close()


def test_they_expire(identity: Identity) -> None:
    issued = identity.issue(identity.keys.first().principal, -1)
    with pytest.raises(ExpiredToken, match=r"^The security token included in the request is expired$"):
        identity.credentials(issued.access_key_id, issued.session_token)


def test_they_go_with_the_key_they_came_from(identity: Identity) -> None:
    key = identity.keys.create("kim")
    issued = identity.issue(key.principal, 900)
    further = identity.issue(issued.principal, 900, role="etl", session_name="night")
    identity.keys.revoke(key.access_key_id)
    for one in (issued, further):
        with pytest.raises(InvalidToken):
            identity.credentials(one.access_key_id, one.session_token)


def test_a_token_belongs_to_its_access_key(identity: Identity) -> None:
    first = identity.keys.first()
    issued, other = identity.issue(first.principal, 900), identity.issue(first.principal, 900)
    for access_key_id in (other.access_key_id, first.access_key_id):
        with pytest.raises(InvalidToken):
            identity.credentials(access_key_id, issued.session_token)


def test_another_warehouse_s_tokens_are_not_ours(identity: Identity, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    theirs = Identity(journal, settings.load(tmp_path))
    issued = theirs.issue(theirs.keys.first().principal, 900)
    journal.close()
    with pytest.raises(InvalidToken):
        identity.credentials(issued.access_key_id, issued.session_token)


def test_nothing_else_that_was_encrypted_is_a_token(identity: Identity) -> None:
    import base64

    sealed = identity.vault.encrypt(b'["ASIA","secret",9999999999,"","","","",""]', "secret ASIA")
    with pytest.raises(InvalidToken):
        identity.credentials("ASIA", base64.urlsafe_b64encode(sealed).decode())


def test_a_changed_token_is_refused(identity: Identity) -> None:
    issued = identity.issue(identity.keys.first().principal, 900)
    assert issued.session_token is not None
    for place in range(0, len(issued.session_token) - 1, 7):  # the last character has bits that mean nothing
        other = "A" if issued.session_token[place] != "A" else "B"
        with pytest.raises(InvalidToken):
            identity.credentials(
                issued.access_key_id, issued.session_token[:place] + other + issued.session_token[place + 1 :]
            )


@given(st.text(min_size=1) | st.text("abcAB01-_=+/", min_size=1) | st.just("A" * 1_000_000) | st.just("\ud800"))
def test_nonsense_is_refused(identity: Identity, token: str) -> None:
    with pytest.raises(InvalidToken, match=r"^The security token included in the request is invalid\.$"):
        identity.credentials("ASIAAAAAAAAAAAAAAAAA", token)
