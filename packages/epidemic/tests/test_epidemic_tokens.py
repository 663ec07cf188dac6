"""Patient tokens and their key."""

from __future__ import annotations

import hmac
from pathlib import Path

import pyarrow as pa
import pytest

from restframe_epidemic import errors
from restframe_epidemic.privacy import tokens

KEY = tokens.Key(bytes(range(32)))


@pytest.fixture(autouse=True)
def no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(tokens.KEY, raising=False)
    monkeypatch.delenv(tokens.KEY_FILE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))


def expected(text: str) -> str:
    return hmac.digest(KEY.secret, text.encode(), "sha256").hex()[:32]


def test_a_token_is_the_beginning_of_an_hmac_whatever_the_length() -> None:
    # 55 and 56 bytes: whether the padding fits into the same block
    texts = ["4711", "Ä-1", "x" * 55, "x" * 56, "x" * 64, "x" * 500, *(f"P{i:09d}" for i in range(100))]
    assert tokens.tokenise(pa.array(texts), KEY).to_pylist() == [expected(text) for text in texts]


def test_a_token_of_known_identifiers() -> None:
    # openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f
    assert tokens.tokenise(pa.array(["MRN0001"]), KEY).to_pylist() == ["299d586c78cd979229768973f4c78696"]


def test_no_identifier_has_no_token() -> None:
    assert tokens.tokenise(pa.array([None, "", "  ", "7"]), KEY).to_pylist() == [None, None, None, expected("7")]
    assert tokens.tokenise(pa.array([], pa.string()), KEY).to_pylist() == []
    assert tokens.tokenise(pa.array([None], pa.string()), KEY).to_pylist() == [None]


def test_equal_identifiers_have_equal_tokens_however_they_are_stored() -> None:
    chunks = pa.chunked_array([["8", "7"], ["7"]])
    assert tokens.tokenise(chunks, KEY).to_pylist() == [expected("8"), expected("7"), expected("7")]
    assert tokens.tokenise(pa.array([7, 8]), KEY).to_pylist() == [expected("7"), expected("8")]
    assert tokens.tokenise(pa.array([" 7 "]).dictionary_encode(), KEY).to_pylist() == [expected("7")]
    assert tokens.tokenise(pa.array(["a", "7", "b"])[1:2], KEY).to_pylist() == [expected("7")]


def test_another_key_makes_other_tokens() -> None:
    assert tokens.tokenise(pa.array(["7"]), tokens.Key(b"k" * 32)).to_pylist() != [expected("7")]


def test_the_key_is_made_at_first_use_for_its_owner_alone(tmp_path: Path) -> None:
    key = tokens.load_key(tmp_path / "warehouse")
    path = tmp_path / "configuration" / "restframe-epidemic" / "token.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(path.read_text()) == key.secret
    assert tokens.load_key(tmp_path / "warehouse") == key
    assert list(path.parent.iterdir()) == [path]


def test_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(tokens.KEY, KEY.secret.hex())
    assert tokens.load_key() == KEY
    monkeypatch.delenv(tokens.KEY)
    monkeypatch.setenv(tokens.KEY_FILE, str(tmp_path / "elsewhere.key"))
    assert tokens.load_key().secret.hex() == (tmp_path / "elsewhere.key").read_text().strip()


def test_the_key_does_not_lie_in_the_warehouse(tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match="inside the warehouse"):
        tokens.load_key(tmp_path, tmp_path / "spool" / "token.key")
    assert not (tmp_path / "spool").exists()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    path.write_text(KEY.secret.hex())
    path.chmod(0o640)
    with pytest.raises(errors.UsageError, match="others can read the token key"):
        tokens.load_key(path=path)


@pytest.mark.parametrize("text", ["", "00112233", "g" * 64, "ab" * 31])
def test_what_is_no_key_is_refused_and_not_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tokens.KEY, text)
    with pytest.raises(errors.UsageError, match="holds no token key") as refused:
        tokens.load_key()
    assert not text or text not in str(refused.value)


def test_a_key_does_not_show_itself() -> None:
    assert repr(KEY) == "Key()"
