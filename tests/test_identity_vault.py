"""The master key and what is encrypted with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from restframe import errors
from restframe.identity.vault import DecryptionFailed, Vault
from restframe.journal import Journal


def _open(directory: Path) -> Vault:
    journal = Journal(directory / "service.sqlite")
    try:
        return Vault(journal, directory / "master.key")
    finally:
        journal.close()


def test_the_key_is_made_once_and_its_owner_s_alone(tmp_path: Path) -> None:
    sealed = _open(tmp_path).encrypt(b"tulip", "flower")
    path = tmp_path / "master.key"
    assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o600, 32)
    assert sorted(one.name for one in tmp_path.iterdir() if "key" in one.name) == ["master.key"]
    assert _open(tmp_path).decrypt(sealed, "flower") == b"tulip"


def test_the_plaintext_shows_nowhere_and_no_ciphertext_comes_twice(tmp_path: Path) -> None:
    vault = _open(tmp_path)
    first, second = vault.encrypt(b"tulip", "flower"), vault.encrypt(b"tulip", "flower")
    assert b"tulip" not in first
    assert first != second


def test_a_ciphertext_is_readable_under_its_own_name_only(tmp_path: Path) -> None:
    vault = _open(tmp_path)
    with pytest.raises(DecryptionFailed):
        vault.decrypt(vault.encrypt(b"tulip", "flower"), "tree")


def test_every_damaged_byte_is_noticed(tmp_path: Path) -> None:
    vault = _open(tmp_path)
    sealed = vault.encrypt(b"tulip", "flower")
    for place in range(len(sealed)):
        damaged = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(DecryptionFailed):
            vault.decrypt(damaged, "flower")
        with pytest.raises(DecryptionFailed):
            vault.decrypt(sealed[:place], "flower")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    _open(tmp_path)
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(errors.OperationalError, match=r"master\.key can be read by others") as raised:
        _open(tmp_path)
    assert raised.value.hint == "Make it its owner's alone: chmod 600 master.key"


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, content: bytes) -> None:
    _open(tmp_path)
    (tmp_path / "master.key").write_bytes(content)
    with pytest.raises(errors.OperationalError, match=r"master\.key is damaged"):
        _open(tmp_path)


def test_another_key_is_refused(tmp_path: Path) -> None:
    _open(tmp_path)
    (tmp_path / "master.key").write_bytes(b"k" * 32)
    with pytest.raises(errors.OperationalError, match="is not the key that this directory's secrets were encrypted"):
        _open(tmp_path)


def test_a_missing_key_is_not_replaced(tmp_path: Path) -> None:
    _open(tmp_path)
    (tmp_path / "master.key").unlink()
    with pytest.raises(errors.OperationalError, match=r"master\.key is missing"):
        _open(tmp_path)
    assert not (tmp_path / "master.key").exists()


def test_a_first_start_that_was_cut_short_goes_on_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(b"k" * 32)
    (tmp_path / "master.key").chmod(0o600)
    _open(tmp_path)
    assert (tmp_path / "master.key").read_bytes() == b"k" * 32
