"""The certificate authority: what a TLS client that trusts it accepts from us, and what it does not."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from restframe import errors
from restframe.identity import authority as module
from restframe.identity.authority import Authority

STS = "sts.us-east-1.amazonaws.com"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def client_context(authority: Authority) -> ssl.SSLContext:
    """As strict as Python 3.13 makes its clients."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """The client's side of a connection in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=host)
    for side in (theirs, ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return theirs


@pytest.mark.parametrize(
    "host",
    [
        STS,
        "my.bucket.s3.eu-central-1.amazonaws.com",
        "b" * 60 + "." + "c" * 20 + ".s3.us-east-1.amazonaws.com",
        "localhost",
        "127.0.0.1",
        "::1",
    ],
)
def test_a_strict_client_accepts_us_by_every_name_that_is_ours(authority: Authority, host: str) -> None:
    connection = handshake(authority.context(host), client_context(authority), host)
    assert connection.version() == "TLSv1.3"


def test_a_client_that_expects_another_name_does_not(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(authority.context(STS), client_context(authority), "iam.amazonaws.com")


def test_a_client_that_does_not_know_us_does_not(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.context(STS), client_context(stranger), STS)


@pytest.mark.parametrize("host", ["example.com", "amazonaws.com.example.com", "notamazonaws.com", "8.8.8.8", "*.com"])
def test_it_certifies_nobody_else(authority: Authority, host: str) -> None:
    with pytest.raises(errors.InterfaceError, match="this authority certifies"):
        authority.context(host)


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8"])
def test_with_its_stolen_key_nobody_else_can_be_played_either(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(module, "_DOMAINS", ("com",))
    monkeypatch.setattr(module, "_NETWORKS", ("0.0.0.0/0",))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(authority.context(host), client_context(authority), host)


def test_certificates_are_valid_for_less_than_clients_bear_and_since_yesterday(authority: Authority) -> None:
    der = handshake(authority.context(STS), client_context(authority), STS).getpeercert(binary_form=True)
    assert der is not None
    leaf = x509.load_der_x509_certificate(der)
    assert leaf.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)


def test_a_certificate_is_made_once_and_again_before_it_ends(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = authority.context(STS)
    assert authority.context(STS.upper()) is first

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + timedelta(days=25)

    monkeypatch.setattr(module, "datetime", Later)
    assert authority.context(STS) is not first


def test_however_many_names_are_asked_for_few_are_kept(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 3)
    first = authority.context("a.amazonaws.com")
    for name in ("b", "c", "d"):
        authority.context(f"{name}.amazonaws.com")
    assert len(authority._kept) == 3
    assert authority.context("a.amazonaws.com") is not first


def test_it_is_made_once_per_directory(authority: Authority, tmp_path: Path) -> None:
    again = Authority(tmp_path / "ca")
    handshake(again.context(STS), client_context(authority), STS)


def test_its_key_is_for_us_alone_and_nothing_else_is_left_behind(authority: Authority, tmp_path: Path) -> None:
    authority.context(STS)
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "ca").iterdir()}
    assert modes == {"ca.pem": "0o644", "ca.key": "0o600"}


def test_one_that_ends_soon_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIFE", timedelta(days=80))
    before = Authority(tmp_path / "ca").certificate.read_bytes()
    monkeypatch.undo()
    after = Authority(tmp_path / "ca").certificate.read_bytes()
    assert before != after
    assert Authority(tmp_path / "ca").certificate.read_bytes() == after


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key"])
def test_one_of_which_half_is_lost_is_replaced(authority: Authority, tmp_path: Path, lost: str) -> None:
    (tmp_path / "ca" / lost).unlink()
    again = Authority(tmp_path / "ca")
    handshake(again.context(STS), client_context(again), STS)


def test_a_key_of_another_authority_is_not_used(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    (tmp_path / "other" / "ca.key").replace(tmp_path / "ca" / "ca.key")
    again = Authority(tmp_path / "ca")
    handshake(again.context(STS), client_context(again), STS)
    assert again.certificate.read_bytes() != stranger.certificate.read_bytes()


def test_a_damaged_one_says_what_to_do(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca" / "ca.key").write_text("-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----\n")
    with pytest.raises(errors.OperationalError, match="is damaged") as caught:
        Authority(tmp_path / "ca")
    assert "Remove ca.pem and ca.key" in (caught.value.hint or "")
    assert "rubbish" not in str(caught.value)


def test_a_bundle_adds_us_to_what_a_client_trusts_anyway(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    bundle = tmp_path / "bundle.pem"
    authority.write_bundle(bundle, [stranger.certificate, tmp_path / "missing.pem"])
    context = ssl.create_default_context(cafile=str(bundle))
    for one in (authority, stranger):
        handshake(one.context(STS), context, STS)
    found = x509.load_pem_x509_certificates(bundle.read_bytes())
    assert len(found) == 2
    assert found[0].public_bytes(serialization.Encoding.PEM) == authority.certificate.read_bytes()


@pytest.mark.parametrize("name", ["Warehouse.example.org", "10.1.2.3", "2001:db8::1"])
def test_a_server_that_others_reach_is_certified_by_its_own_names_too(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path / "ca", [name])
    handshake(authority.certified("localhost", name).context, client_context(authority), name)
    with pytest.raises(errors.InterfaceError):
        authority.context("example.com")


def test_a_new_name_makes_a_new_authority_and_an_old_one_does_not(tmp_path: Path) -> None:
    def made(*names: str) -> bytes:
        return Authority(tmp_path / "ca", names).certificate.read_bytes()

    first = made("a.example.org")
    assert made("A.example.org") == first
    assert made() == first
    second = made("a.example.org", "10.1.2.3")
    assert second != first
    assert made("10.1.2.3") == second


@pytest.mark.parametrize("name", ["*", "a..b", "-a.org", "a b", "a.org/", "x" * 300, "größe.de"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.InterfaceError, match="is no name of a server"):
        Authority(tmp_path / "ca", [name])
