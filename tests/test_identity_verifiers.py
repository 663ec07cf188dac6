"""Verifiers of passwords: against the RFCs' own examples, and what PostgreSQL and Redshift's manual print."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.identity.saslprep import saslprep
from restframe.identity.verifiers import Digest, Scram, Verifiers


def test_scram_keys_prove_the_exchange_of_rfc_7677() -> None:
    # user "user", password "pencil": https://www.rfc-editor.org/rfc/rfc7677, section 3
    import hashlib
    import hmac

    scram = Scram.of("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.digest(scram.server_key, message, "sha256")
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_signature = hmac.digest(scram.stored_key, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert hashlib.sha256(client_key).digest() == scram.stored_key


def test_a_password_in_clear_gets_every_verifier() -> None:
    verifiers = Verifiers.of("reporter", "Secret-99")
    assert verifiers.scram and verifiers.digest and verifiers.md5
    assert verifiers.check("reporter", "Secret-99")
    assert not verifiers.check("reporter", "Secret-98")


def test_md5_is_of_the_password_and_the_name() -> None:
    # select md5('xyzzyjoe') in PostgreSQL
    assert Verifiers.of("joe", "xyzzy").md5 == "b5f5ba1a423792b526f799ae4eb3d59e"


def test_a_hash_is_taken_as_it_is() -> None:
    verifiers = Verifiers.of("joe", "md5B5F5BA1A423792B526F799AE4EB3D59E")
    assert verifiers == Verifiers(md5="b5f5ba1a423792b526f799ae4eb3d59e")
    assert verifiers.check("joe", "xyzzy")
    assert not verifiers.check("jane", "xyzzy")
    assert not verifiers.check("joe", "md5b5f5ba1a423792b526f799ae4eb3d59e")


def test_a_digest_with_its_salt_is_taken_as_it_is() -> None:
    salt = bytes(range(32))
    digest = Digest.of("Secret-99", salt).digest
    verifiers = Verifiers.of("joe", f"sha256|{digest.hex()}|{salt.hex()}")
    assert verifiers == Verifiers(digest=Digest(salt, digest))
    assert verifiers.check("joe", "Secret-99")
    assert not verifiers.check("joe", digest.hex())


def test_sha256_before_a_password_keeps_md5_away() -> None:
    verifiers = Verifiers.of("joe", "sha256|Secret-99")
    assert verifiers.md5 is None
    assert verifiers.check("joe", "Secret-99")


def test_another_name_ends_what_md5_is_good_for() -> None:
    kept = Verifiers.of("joe", "Secret-99").renamed()
    assert kept is not None
    assert kept.md5 is None
    assert kept.check("jane", "Secret-99")
    assert Verifiers.of("joe", "md5b5f5ba1a423792b526f799ae4eb3d59e").renamed() is None


def test_two_users_with_one_password_have_nothing_in_common() -> None:
    one, other = Verifiers.of("joe", "Secret-99"), Verifiers.of("jane", "Secret-99")
    assert not set(one.text.split()) & set(other.text.split())


def test_nothing_of_a_password_is_shown() -> None:
    verifiers = Verifiers.of("joe", "Secret-99")
    assert verifiers.scram and verifiers.digest and verifiers.md5
    shown = repr(verifiers)
    assert verifiers.md5 not in shown
    assert repr(verifiers.scram.stored_key) not in shown
    assert repr(verifiers.digest.digest) not in shown


@settings(max_examples=30, deadline=None)
@given(user=st.text(max_size=20), password=st.text(max_size=80))
def test_what_is_stored_is_read_again(user: str, password: str) -> None:
    verifiers = Verifiers.of(user, password)
    assert Verifiers.read(verifiers.text) == verifiers


@pytest.mark.parametrize("text", ["nonsense", "SCRAM-SHA-256$x:y$z", "SHA-256$00", "md5abc", "SHA-256$zz$00"])
def test_another_text_is_no_verifier(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Verifiers.read(text)


@pytest.mark.parametrize(
    ("given_", "prepared"),
    [
        # https://www.rfc-editor.org/rfc/rfc4013, section 3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007", "\u0007"),  # prohibited: stays as it is
        ("\u0627\u0031", "\u0627\u0031"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_saslprep(given_: str, prepared: str) -> None:
    assert saslprep(given_) == prepared
