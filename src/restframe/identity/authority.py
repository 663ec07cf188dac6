"""Our certificate authority: made once per directory, good for Amazon's names and this machine's own, no others.

Clients that ignore AWS_ENDPOINT_URL speak TLS to `sts.us-east-1.amazonaws.com`; through our proxy it is we who answer
them, with a certificate that this authority has signed. Its name constraints (RFC 5280, 4.2.1.10) make it useless for
any other site, so that trusting it costs little, even when its key is stolen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import re
import ssl
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from restframe import errors

logger = logging.getLogger(__name__)

CERTIFICATE = "ca.pem"
_KEY = "ca.key"

_DOMAINS = ("amazonaws.com", "localhost")
_NETWORKS = ("127.0.0.0/8", "::1/128")
_LIFE = timedelta(days=3650)
_RENEWAL = timedelta(days=90)  # an authority with less life left is replaced at the next start
_LEAF_LIFE = timedelta(days=30)  # clients refuse more than 398 days
_LEAF_RENEWAL = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(days=1)
_DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_MAX_KEPT = 256  # any number of names can be asked for: bucket.s3.amazonaws.com


class _Issuer(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Certified(NamedTuple):
    """A server's side of TLS.

    fingerprint : SHA-256 of the certificate, to which clients may bind what they prove (RFC 5929, 4)
    """

    context: ssl.SSLContext
    fingerprint: bytes


class _Kept(NamedTuple):
    certified: Certified
    renewal: datetime


class Authority:
    """The authority in a directory, which is made when it is not there. Usable from any thread.

    names : DNS names and addresses of this server that it may certify too; one that is new makes a new authority
    """

    def __init__(self, directory: Path, names: Sequence[str] = ()) -> None:
        self._directory = directory
        self._names = {name.lower(): _parsed(name.lower()) for name in names}
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._issuer = self._load() or self._make()
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def certificate(self) -> Path:
        """What a client has to trust, as PEM."""
        return self._directory / CERTIFICATE

    def write_bundle(self, path: Path, others: Iterable[Path]) -> None:
        """Put our certificate and those of the PEM files `others` into one file; what cannot be read is left out.

        AWS_CA_BUNDLE replaces a client's list, and a client may also speak to servers that are not ours.
        """
        pieces = [self.certificate.read_bytes()]
        for other in others:
            with contextlib.suppress(OSError):
                pieces.append(other.read_bytes())
        _write(path, b"\n".join(piece.strip() for piece in pieces) + b"\n", 0o644)

    def context(self, host: str) -> ssl.SSLContext:
        """For a server that is to be known as `host`, a DNS name or an IP address; made once and kept.

        InterfaceError for a name beyond our constraints, which no client would accept from us.
        """
        return self.certified(host).context

    def certified(self, *hosts: str) -> Certified:
        """The same for a server that is known by several names."""
        names = tuple(host.lower() for host in hosts)
        now = datetime.now(UTC)
        with self._lock:
            kept = self._kept.get(names)
            if kept is None or kept.renewal <= now:
                kept = _Kept(self._certify(names, now), now + _LEAF_LIFE - _LEAF_RENEWAL)
                self._kept[names] = kept
                if len(self._kept) > _MAX_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(names)
            return kept.certified

    def _certify(self, hosts: tuple[str, ...], now: datetime) -> Certified:
        leaf = self._leaf([self._names.get(host) or _general_name(host) for host in hosts], now)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # ssl reads certificates from files only; this one is readable by us alone and gone at once.
        with tempfile.NamedTemporaryFile(dir=self._directory) as file:
            file.write(_pem(self._leaf_key))
            file.write(leaf.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return Certified(context, leaf.fingerprint(hashes.SHA256()))

    def _leaf(self, names: list[x509.GeneralName], now: datetime) -> x509.Certificate:
        public_key = self._leaf_key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name("restframe"))
            .issuer_name(self._issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCKS_DIFFER)
            .not_valid_after(now + _LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._issuer.key.public_key()), critical=False
            )
        )
        return builder.sign(self._issuer.key, hashes.SHA256())

    # The authority's own certificate

    def _load(self) -> _Issuer | None:
        """What an earlier start has made; None when it is missing, or near its end."""
        try:
            key_pem, certificate_pem = (self._directory / _KEY).read_bytes(), self.certificate.read_bytes()
        except FileNotFoundError:
            return None
        try:
            key = serialization.load_pem_private_key(key_pem, password=None)
            certificate = x509.load_pem_x509_certificate(certificate_pem)
        except ValueError as error:
            raise errors.OperationalError(
                "the certificate authority of this directory is damaged",
                hint=f"Remove {CERTIFICATE} and {_KEY} from its folder ca; the next start makes new ones.",
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            return None
        if certificate.not_valid_after_utc < datetime.now(UTC) + _RENEWAL:
            return None
        permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
        if any(_subtree(name) not in permitted for name in self._names.values()):
            logger.warning("the server has new names, and so a new authority for certificates, to be trusted anew")
            return None
        return _Issuer(certificate, key)

    def _make(self) -> _Issuer:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key, self._names.values())
        # A crash in between leaves a key that does not fit the certificate, which _load sees.
        _write(self._directory / _KEY, _pem(key), 0o600)
        _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return _Issuer(certificate, key)


def _self_signed(key: ec.EllipticCurvePrivateKey, names: Iterable[x509.GeneralName]) -> x509.Certificate:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # two authorities of one name confuse clients that trust both
    name = _name(f"restframe authority {identifier.digest.hex()[:8]}")
    now = datetime.now(UTC)
    permitted: list[x509.GeneralName] = [x509.DNSName(domain) for domain in _DOMAINS]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in _NETWORKS]
    permitted += map(_subtree, names)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _general_name(host: str) -> x509.GeneralName:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS) or not host.isascii():
            raise errors.InterfaceError(f'"{host[:100]}" is no name this authority certifies') from None
        return x509.DNSName(host)
    if not any(address in ipaddress.ip_network(network) for network in _NETWORKS):
        raise errors.InterfaceError(f'"{host[:100]}" is no address this authority certifies')
    return x509.IPAddress(address)


def _parsed(name: str) -> x509.GeneralName:
    """InterfaceError for what can be no name of a server."""
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    if not _DNS_NAME.fullmatch(name):
        raise errors.InterfaceError(f'"{name[:100]}" is no name of a server')
    return x509.DNSName(name)


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    """As a name constraint that permits it."""
    return x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, on the disk, and never readable by more than `mode` allows."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
