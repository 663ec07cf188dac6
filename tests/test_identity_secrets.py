"""The store behind Secrets Manager: values at rest, versions with labels, deletion that can be undone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.identity.secret_records import (
    InvalidSecretName,
    Secret,
    SecretExists,
    SecretNotFound,
    SecretUnavailable,
)
from restframe.identity.secret_versions import TooManyLabels, Value, VersionExists
from restframe.identity.secrets import Secrets
from restframe.identity.vault import DecryptionFailed, Vault
from restframe.journal import Journal

PREFIX = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "service.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def secrets(journal: Journal, tmp_path: Path) -> Secrets:
    return Secrets(journal, Vault(journal, tmp_path / "master.key"))


def _create(secrets: Secrets, name: str = "login", value: Value | None = "first", version: str = "v1") -> Secret:
    return secrets.create(name, PREFIX, value, version)


def _labels(secrets: Secrets, secret_id: str = "login") -> dict[str, tuple[str, ...]]:
    return {version.id: version.stages for version in secrets.versions_of(secrets.find(secret_id))}


def _later(journal: Journal, days: float) -> None:
    """Let all that was written be older."""
    with journal.transaction() as connection:
        for column in ("created", "deleted"):
            connection.execute(f"UPDATE secrets SET {column} = {column} - ?", (days * 86_400,))
        connection.execute("UPDATE secret_versions SET created = created - ?", (days * 86_400,))


def test_a_secret_is_found_by_name_and_by_both_kinds_of_arn(secrets: Secrets) -> None:
    arn = _create(secrets, "team/login").arn
    assert arn.startswith(PREFIX + "team/login-")
    assert len(arn) == len(PREFIX + "team/login-") + 6
    for secret_id in ("team/login", arn, arn[:-7]):
        assert secrets.value(secret_id) == "first"


def test_a_name_that_looks_like_the_end_of_an_arn(secrets: Secrets) -> None:
    plain = _create(secrets, "login", "plain")
    odd = _create(secrets, plain.arn.removeprefix(PREFIX), "odd")
    assert odd.name.startswith("login-")
    assert secrets.value(plain.arn) == "plain"
    assert secrets.value(odd.arn) == secrets.value(odd.name) == "odd"


@pytest.mark.parametrize("secret_id", ["log", "login-", PREFIX + "login-aaaaaa", PREFIX + "log", "arn:aws:s3:::login"])
def test_what_is_not_there_is_not_found(secrets: Secrets, secret_id: str) -> None:
    _create(secrets)
    with pytest.raises(SecretNotFound, match=r"^Secrets Manager can't find the specified secret\.$"):
        secrets.value(secret_id)


@pytest.mark.parametrize("name", ["", "two words", "a" * 513, "naïve", "a:b", "a\n", "\ud800"])
def test_a_name_has_certain_characters(secrets: Secrets, name: str) -> None:
    with pytest.raises(InvalidSecretName):
        _create(secrets, name)


@given(value=st.text(min_size=1) | st.binary(min_size=1) | st.just("\ud800"))
def test_every_value_comes_back(tmp_path_factory: pytest.TempPathFactory, value: Value) -> None:
    directory = tmp_path_factory.mktemp("secrets")
    journal = Journal(directory / "service.sqlite")
    secrets = Secrets(journal, Vault(journal, directory / "master.key"))
    _create(secrets, value=value)
    assert secrets.read("login")[2] == value
    journal.close()


@pytest.mark.parametrize("value", ["", b"", "ü" * 32_769, b"\0" * 65_537])
def test_a_value_has_up_to_65536_bytes(secrets: Secrets, value: Value) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="a secret has 1 to 65536 bytes"):
        _create(secrets, value=value)
    _create(secrets, value="ü" * 32_768)


def test_the_text_of_a_binary_secret_is_refused(secrets: Secrets) -> None:
    _create(secrets, value=b"\0\1")
    with pytest.raises(errors.InvalidParameterValue, match="the secret is binary"):
        secrets.value("login")


def test_the_plaintext_is_in_no_file(secrets: Secrets, tmp_path: Path) -> None:
    _create(secrets, value="tulips and daffodils")
    secrets.update("login", b"hyacinths and crocuses", "v2")
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b"tulips" not in content, path.name
        assert b"hyacinths" not in content, path.name


def test_values_cannot_change_places(secrets: Secrets, journal: Journal) -> None:
    _create(secrets, "mine", "my value")
    _create(secrets, "theirs", "their value")
    with journal.transaction() as connection:
        connection.execute(
            "UPDATE secret_versions SET value = (SELECT value FROM secret_versions WHERE arn LIKE '%theirs%')"
        )
    with pytest.raises(DecryptionFailed):
        secrets.value("mine")
    with journal.transaction() as connection:
        connection.execute("UPDATE secret_versions SET binary = 1")
    with pytest.raises(DecryptionFailed):
        secrets.value("theirs")


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
from pathlib import Path
from restframe.identity.secrets import Secrets
from restframe.identity.vault import Vault
from restframe.journal import Journal
directory = Path(sys.argv[1])
journal = Journal(directory / "service.sqlite")
secrets = Secrets(journal, Vault(journal, directory / "master.key"))
secrets.create("login", {PREFIX!r}, "first", "v1")
secrets.update("login", "second", "v2")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    journal = Journal(tmp_path / "service.sqlite")
    secrets = Secrets(journal, Vault(journal, tmp_path / "master.key"))
    assert secrets.value("login") == "second"
    assert secrets.read("login", stage="AWSPREVIOUS")[2] == "first"
    journal.close()


# Making the same again


def test_the_same_again_changes_nothing(secrets: Secrets) -> None:
    first = _create(secrets)
    assert _create(secrets).arn == first.arn
    secrets.update("login", "second", "v2")
    assert secrets.update("login", "second", "v2").arn == first.arn
    assert _labels(secrets) == {"v1": ("AWSPREVIOUS",), "v2": ("AWSCURRENT",)}


def test_a_version_cannot_get_another_value(secrets: Secrets) -> None:
    arn = _create(secrets).arn
    expected = (
        f"You can't use ClientRequestToken v1 because that value is already in use for a version of secret {arn}."
    )
    for change in (
        lambda: secrets.create("login", PREFIX, "other", "v1"),
        lambda: secrets.update("login", "other", "v1"),
        lambda: secrets.update("login", b"first", "v1"),
    ):
        with pytest.raises(VersionExists) as raised:
            change()
        assert raised.value.message == expected
    assert secrets.value("login") == "first"


def test_a_name_that_is_taken(secrets: Secrets) -> None:
    _create(secrets)
    with pytest.raises(SecretExists, match=r"^The operation failed because the secret login already exists\.$"):
        _create(secrets, version="v2")


def test_of_two_that_make_it_at_once_one_does(secrets: Secrets) -> None:
    def make(number: int) -> bool:
        try:
            return bool(_create(secrets, value=str(number), version=f"v{number}"))
        except SecretExists:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [False] * 7 + [True]


# Labels


def test_the_current_one_becomes_the_previous_one(secrets: Secrets) -> None:
    _create(secrets)
    secrets.update("login", "second", "v2")
    secrets.update("login", "third", "v3")
    assert _labels(secrets) == {"v1": (), "v2": ("AWSPREVIOUS",), "v3": ("AWSCURRENT",)}
    assert secrets.value("login") == "third"
    assert secrets.read("login", stage="AWSPREVIOUS")[2] == "second"
    assert secrets.read("login", "v1")[2] == "first"


def test_a_version_with_other_labels_is_not_the_current_one(secrets: Secrets) -> None:
    _create(secrets)
    secrets.update("login", "second", "v2", ["AWSPENDING", "mine"])
    secrets.update("login", "third", "v3", ["mine"])
    assert _labels(secrets) == {"v1": ("AWSCURRENT",), "v2": ("AWSPENDING",), "v3": ("mine",)}


def test_the_first_version_is_the_current_one_in_any_case(secrets: Secrets) -> None:
    _create(secrets, value=None)
    with pytest.raises(SecretNotFound, match="can't find the specified secret value for staging label: AWSCURRENT"):
        secrets.value("login")
    secrets.update("login", "first", "v1", ["AWSPENDING"])
    assert _labels(secrets) == {"v1": ("AWSCURRENT", "AWSPENDING")}


def test_a_rotation_moves_the_current_label_and_the_previous_one_follows(secrets: Secrets) -> None:
    _create(secrets)
    secrets.update("login", "second", "v2", ["AWSPENDING"])
    secrets.move_label("login", "AWSCURRENT", "v1", "v2")
    assert _labels(secrets) == {"v1": ("AWSPREVIOUS",), "v2": ("AWSCURRENT", "AWSPENDING")}
    secrets.move_label("login", "AWSCURRENT", "v2", "v1")
    assert _labels(secrets) == {"v1": ("AWSCURRENT",), "v2": ("AWSPENDING", "AWSPREVIOUS")}


def test_other_labels_come_and_go(secrets: Secrets) -> None:
    _create(secrets)
    secrets.move_label("login", "mine", None, "v1")
    assert _labels(secrets) == {"v1": ("AWSCURRENT", "mine")}
    secrets.move_label("login", "mine", "v1", None)
    assert _labels(secrets) == {"v1": ("AWSCURRENT",)}


@pytest.mark.parametrize(
    ("stage", "source", "target", "message"),
    [
        ("AWSCURRENT", None, "v1", "Staging label AWSCURRENT is currently attached to version v2, so you must"),
        ("AWSCURRENT", "v1", "v2", "Version stage AWSCURRENT not found in version v1"),
        ("AWSCURRENT", "v2", None, "You can only move staging label AWSCURRENT to a different secret version"),
        ("mine", "v1", "v2", "Version stage mine not found in version v1"),
        ("mine", "v9", "v2", "Not a valid version: v9"),
        ("mine", None, "v9", "Not a valid version: v9"),
        ("mine", None, None, "MoveToVersionId or RemoveFromVersionId is needed"),
    ],
)
def test_moves_that_make_no_sense(
    secrets: Secrets, stage: str, source: str | None, target: str | None, message: str
) -> None:
    _create(secrets)
    secrets.update("login", "second", "v2")
    with pytest.raises(errors.InvalidParameterValue, match=message):
        secrets.move_label("login", stage, source, target)
    assert _labels(secrets) == {"v1": ("AWSPREVIOUS",), "v2": ("AWSCURRENT",)}


def test_a_secret_has_at_most_twenty_labels(secrets: Secrets) -> None:
    _create(secrets)
    secrets.update("login", "second", "v2", [f"label {number}" for number in range(19)])
    with pytest.raises(TooManyLabels):
        secrets.update("login", "third", "v3", ["one more"])
    assert "v3" not in _labels(secrets)


def test_a_version_and_a_label_that_do_not_belong_together(secrets: Secrets) -> None:
    _create(secrets)
    with pytest.raises(SecretUnavailable, match="VersionStage that is not associated to the provided VersionId"):
        secrets.read("login", "v1", "AWSPREVIOUS")
    with pytest.raises(SecretNotFound, match="can't find the specified secret value for VersionId: v9"):
        secrets.read("login", "v9")


def test_old_versions_without_labels_are_forgotten_beyond_a_hundred(secrets: Secrets, journal: Journal) -> None:
    _create(secrets)
    for number in range(2, 104):
        secrets.update("login", "next", f"v{number}")
    assert len(_labels(secrets)) == 103
    _later(journal, 2)
    secrets.update("login", "last", "last")
    labels = _labels(secrets)
    assert len(labels) == 100
    assert "v4" not in labels
    assert "v5" in labels


# Deletion


def test_a_deleted_secret_can_be_restored(secrets: Secrets) -> None:
    _create(secrets)
    _, due = secrets.delete("login", 7)
    assert due.timestamp() == pytest.approx(time.time() + 7 * 86_400, abs=60)
    assert secrets.find("login").deleted == due
    for use in (
        lambda: secrets.value("login"),
        lambda: secrets.update("login", "x", "v2"),
        lambda: secrets.tag("login", {"a": "b"}),
        lambda: secrets.move_label("login", "mine", None, "v1"),
        lambda: secrets.delete("login", 7),
    ):
        with pytest.raises(SecretUnavailable, match="because it was marked for deletion"):
            use()
    with pytest.raises(SecretUnavailable, match="a secret with this name is already scheduled for deletion"):
        _create(secrets)
    assert secrets.restore("login").deleted is None
    assert secrets.value("login") == "first"


def test_after_its_window_it_is_gone(secrets: Secrets, journal: Journal) -> None:
    old = _create(secrets)
    secrets.delete("login", 7)
    _later(journal, 8)
    for look in (lambda: secrets.find("login"), lambda: secrets.restore("login"), lambda: secrets.find(old.arn)):
        with pytest.raises(SecretNotFound):
            look()
    assert secrets.all() == []
    new = _create(secrets, value="new")
    assert new.arn != old.arn
    assert journal.row("SELECT count(*) FROM secret_versions")[0] == 1  # type: ignore[index]


def test_it_can_be_deleted_at_once_also_when_it_was_marked(secrets: Secrets) -> None:
    _create(secrets)
    secrets.delete("login", 30)
    secrets.delete("login", None)
    with pytest.raises(SecretNotFound):
        secrets.find("login")


# What stands beside the values


def test_tags_are_added_changed_and_taken_away(secrets: Secrets) -> None:
    _create(secrets)
    assert secrets.find("login").tags is None
    secrets.tag("login", {"a": "1", "b": "2"})
    secrets.tag("login", {"b": "3"}, without=["a", "z"])
    assert secrets.find("login").tags == {"b": "3"}
    with pytest.raises(errors.InvalidParameterValue, match="a secret can have 50 tags"):
        secrets.tag("login", {str(number): "" for number in range(50)})


def test_texts_change_one_by_one(secrets: Secrets) -> None:
    _create(secrets)
    secrets.update("login", None, "", texts={"description": "of the loader", "kms_key": "alias/mine"})
    secrets.update("login", None, "", texts={"kms_key": None})
    found = secrets.find("login")
    assert (found.description, found.kms_key) == ("of the loader", None)
    assert found.changed > found.created


def test_a_full_disk_keeps_nobody_from_reading(
    secrets: Secrets, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _create(secrets)

    def full(*_: object) -> None:
        raise errors.DiskFull("the service journal: database or disk is full")

    monkeypatch.setattr(Secrets, "_write_access", full)
    assert secrets.value("login") == "first"
    assert "the last access to a secret was not noted" in caplog.text


def test_the_day_of_the_last_access_is_remembered(secrets: Secrets) -> None:
    _create(secrets)
    assert secrets.find("login").accessed is None
    secrets.value("login")
    accessed = secrets.find("login").accessed
    assert accessed is not None
    assert accessed.timestamp() % 86_400 == 0
    assert time.time() - accessed.timestamp() < 2 * 86_400
