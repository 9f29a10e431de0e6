"""Certificates for the platform's names: an authority of this state, and a leaf that it signs.

Whoever trusts the authority trusts it for these names alone: its name constraints are critical, so
not even a stolen key of it can speak for any other host.

Source:
    RFC 5280 sections 4.2.1.9 and 4.2.1.10; the CA/Browser Forum's limits on the life of a leaf.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import SecretStr

from runtime.server.hosts import PLATFORM, SITES

AUTHORITY_DAYS = 3 * 365
LEAF_DAYS = 90
RENEW_DAYS = 30  # before its end a leaf is made anew
BEFORE = timedelta(hours=1)  # a client's clock may be slow
LOOPBACK_NAME = "localhost"
LOOPBACK = ("127.0.0.1", "::1")
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")

_NO_USE = {
    "digital_signature": False, "content_commitment": False, "key_encipherment": False,
    "data_encipherment": False, "key_agreement": False, "key_cert_sign": False,
    "crl_sign": False, "encipher_only": False, "decipher_only": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key.

    Attributes:
        certificate: PEM text.
        key: PEM text.
    """

    certificate: str
    key: SecretStr


def leaf_names(sites: Iterable[str]) -> tuple[str, ...]:
    """Return every name that the leaf speaks for: the platform's, the sites', this machine's."""
    return tuple(dict.fromkeys((*PLATFORM, f"*.{SITES}", *sites, LOOPBACK_NAME, *LOOPBACK)))


def make_authority(names: Iterable[str], now_s: float) -> Pair:
    """Make an authority that may speak for names and what is below them, and for nothing else.

    Args:
        names: As the leaf has them.
        now_s: Seconds since 1970-01-01 UTC.
    """
    hosts = {name.removeprefix("*.") for name in names if not _is_address(name)}
    hosts = {name for name in hosts if not _is_below(name, hosts - {name})}
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Firebrick test authority")
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in sorted(hosts)]
    permitted += [x509.IPAddress(ip_network(one)) for one in LOOPBACK_NETWORKS]
    builder = (
        _builder(name, name, key.public_key(), now_s, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(**{**_NO_USE, "key_cert_sign": True, "crl_sign": True}), critical=True
        )
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def make_leaf(authority: Pair, names: Iterable[str], now_s: float) -> Pair:
    """Make a certificate for names, signed by an authority that may speak for them."""
    signer, signing_key = _load(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(name)) if _is_address(name) else x509.DNSName(name)
        for name in names
    ]
    builder = (
        _builder(_name("Firebrick"), signer.subject, key.public_key(), now_s, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**_NO_USE, "digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(_issued_by(signer), critical=False)
    )
    return _pair(builder.sign(signing_key, hashes.SHA256()), key)


def is_whole(pair: Pair) -> bool:
    """Whether certificate and key can be read and belong together."""
    try:
        _load(pair)
    except ValueError:
        return False
    return True


def ends_at_s(pair: Pair) -> float:
    """Return when a certificate ends, in seconds since 1970-01-01 UTC."""
    return _read(pair).not_valid_after_utc.timestamp()


def uncovered(authority: Pair, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that an authority may not speak for; one without limits is none of ours."""
    try:
        extensions = _read(authority).extensions
        constraints = extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return tuple(names)
    permitted = {
        one.value for one in constraints.permitted_subtrees or () if isinstance(one, x509.DNSName)
    }
    return tuple(
        name
        for name in names
        if not _is_address(name) and not _is_below(name.removeprefix("*."), permitted)
    )


def is_current(leaf: Pair, authority: Pair, names: Iterable[str], now_s: float) -> bool:
    """Whether a leaf need not be made anew: whole, by this authority, for all names, not old."""
    if not is_whole(leaf):
        return False
    certificate = _read(leaf)
    try:
        certificate.verify_directly_issued_by(_read(authority))
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    spoken = {*held.get_values_for_type(x509.DNSName)}
    spoken |= {str(one) for one in held.get_values_for_type(x509.IPAddress)}
    left = certificate.not_valid_after_utc - datetime.fromtimestamp(now_s, UTC)
    return spoken >= set(names) and left > timedelta(days=RENEW_DAYS)


def fingerprint(pair: Pair) -> str:
    """Return the SHA-256 of a certificate as clients show it."""
    return _read(pair).fingerprint(hashes.SHA256()).hex(":").upper()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now_s: float, days: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(int(now_s), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _issued_by(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), SecretStr(private.decode()))


def _read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.encode())


def _load(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate = _read(pair)
    key = load_pem_private_key(pair.key.get_secret_value().encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not one of our keys")  # noqa: TRY004  # as an unreadable key
    if certificate.public_key() != key.public_key():
        raise ValueError("certificate and key do not belong together")
    return certificate, key


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_below(name: str, hosts: Iterable[str]) -> bool:
    return any(name == host or name.endswith(f".{host}") for host in hosts)
