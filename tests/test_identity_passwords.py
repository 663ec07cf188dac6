"""Passwords of the database: the superuser's, and temporary ones."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import settings
from restframe.identity import Identity
from restframe.journal import Journal


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identity]:
    directory = tmp_path_factory.mktemp("warehouse")
    journal = Journal(directory / "service.sqlite")
    yield Identity(journal, settings.load(directory))
    journal.close()


def test_the_superuser_has_one_that_meets_redshift_s_rules(identity: Identity) -> None:
    password = identity.master_password
    assert 8 <= len(password) <= 64
    assert re.search("[a-z]", password)
    assert re.search("[A-Z]", password)
    assert re.search("[0-9]", password)
    assert identity.check_database_password("awsuser", password)
    assert not identity.check_database_password("kim", password)
    assert not identity.check_temporary_password("awsuser", password)


def test_a_temporary_one_lets_one_user_in_until_it_ends(identity: Identity) -> None:
    password, expires = identity.database_password("kim", 900)
    assert expires.timestamp() == pytest.approx(time.time() + 900, abs=60)
    assert re.fullmatch("[A-Za-z0-9_-]{54}", password)
    assert identity.check_temporary_password("kim", password)
    assert identity.check_database_password("kim", password)
    assert not identity.check_database_password("awsuser", password)
    assert not identity.check_database_password("kim", identity.database_password("kim", -1)[0])


def test_its_end_cannot_be_moved(identity: Identity) -> None:
    import base64

    password, _ = identity.database_password("kim", -1)
    content = bytearray(base64.urlsafe_b64decode(password + "=="))
    content[:8] = int(time.time() + 900).to_bytes(8, "big")
    assert not identity.check_database_password("kim", base64.urlsafe_b64encode(content).decode())


@given(st.text(st.characters()), st.text(st.characters()) | st.just("A" * 1_000_000) | st.just("AAAA"))
def test_nonsense_lets_nobody_in(identity: Identity, user: str, password: str) -> None:
    assert not identity.check_database_password(user, password)
    assert not identity.check_database_password("awsuser", password)
