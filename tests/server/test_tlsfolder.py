"""The authority and the leaf of a state: what they speak for, how long, who may read the keys."""

import datetime
import os
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from runtime.errors import StateError
from runtime.server.hosts import PLATFORM
from runtime.server.net.certificates import (
    AUTHORITY_DAYS,
    LEAF_DAYS,
    Pair,
    leaf_names,
    make_authority,
    make_leaf,
)
from runtime.server.net.tlsfolder import TlsFolder

NOW = 1_700_000_000.0
DAY = 86_400.0
ACME = "acme.atlassian.net"


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def verify(leaf: x509.Certificate, authority: x509.Certificate, name: str) -> None:
    """Let another implementation than OpenSSL decide whether a leaf speaks for a name."""
    try:
        subject: x509.IPAddress | x509.DNSName = x509.IPAddress(ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    now = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    policy = PolicyBuilder().store(Store([authority])).time(now)
    policy.build_server_verifier(subject).verify(leaf, [])


@pytest.mark.parametrize("name", [*PLATFORM, ACME, "any.atlassian.net", "jira.example.test",
                                  "localhost", "127.0.0.1", "::1"])  # fmt: skip
def test_the_leaf_speaks_for_the_platform_the_sites_and_this_machine(
    tmp_path: Path, name: str
) -> None:
    files = TlsFolder(tmp_path).prepare([ACME, "jira.example.test"], NOW)
    verify(read(files.leaf), read(files.authority), name)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "name", ["evil.test", "atlassian.com", "trello.com", "www.atlassian.com", "10.0.0.1",
             "atlassian.net.evil.test", "notatlassian.net"]
)  # fmt: skip
def test_a_stolen_authority_speaks_for_nothing_else(name: str) -> None:
    authority = make_authority(leaf_names([ACME]), NOW)
    forged = make_leaf(authority, [name], NOW)
    with pytest.raises(VerificationError):
        verify(
            x509.load_pem_x509_certificate(forged.certificate.encode()),
            x509.load_pem_x509_certificate(authority.certificate.encode()),
            name,
        )


@pytest.mark.hostile
def test_private_keys_are_their_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = TlsFolder(tmp_path)
        folder.prepare([ACME], NOW)
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.folder.iterdir()}
    assert modes == {
        "ca.pem": 0o644, "ca-key.pem": 0o600, "server.pem": 0o644, "server-key.pem": 0o600,
    }  # fmt: skip
    assert folder.folder.stat().st_mode & 0o777 == 0o700


def test_the_certificates_are_what_strict_clients_ask_for(tmp_path: Path) -> None:
    files = TlsFolder(tmp_path).prepare([ACME], NOW)
    authority, leaf = read(files.authority), read(files.leaf)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    lives = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert lives < datetime.timedelta(days=398)
    assert files.ends_at_s == NOW + LEAF_DAYS * DAY
    assert files.authority_ends_at_s == NOW + AUTHORITY_DAYS * DAY
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.leaf, files.key)


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    first = folder.prepare([ACME], NOW)
    texts = [path.read_bytes() for path in sorted(folder.folder.iterdir())]
    second = folder.prepare([ACME], NOW + DAY)
    assert (first.change, second.change) == ("made", "kept")
    assert [path.read_bytes() for path in sorted(folder.folder.iterdir())] == texts
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 32 * 3 - 1


def test_the_leaf_is_renewed_when_it_grows_old_and_the_authority_stays(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    first = folder.prepare([ACME], NOW)
    later = NOW + (LEAF_DAYS - 30) * DAY
    second = folder.prepare([ACME], later)
    assert (second.change, second.fingerprint) == ("renewed", first.fingerprint)
    assert second.ends_at_s == later + LEAF_DAYS * DAY
    read(second.leaf).verify_directly_issued_by(read(second.authority))


def test_the_leaf_is_renewed_when_a_site_comes(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    folder.prepare([ACME], NOW)
    files = folder.prepare([ACME, "deep.second.atlassian.net"], NOW)
    assert files.change == "renewed"
    verify(read(files.leaf), read(files.authority), "deep.second.atlassian.net")


def test_a_site_of_another_domain_asks_for_a_new_authority(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    folder.prepare([ACME], NOW)
    with pytest.raises(StateError, match=r"jira\.example\.test.*tls init --force") as caught:
        folder.prepare([ACME, "jira.example.test"], NOW)
    assert caught.value.code == "TLS_OUTDATED"
    assert folder.prepare([ACME, "jira.example.test"], NOW, force=True).change == "made"


def test_an_authority_that_has_ended_says_so(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    first = folder.prepare([ACME], NOW)
    end = NOW + AUTHORITY_DAYS * DAY
    with pytest.raises(StateError, match="has ended") as caught:
        folder.prepare([ACME], end)
    assert caught.value.code == "TLS_OUTDATED"
    assert folder.prepare([ACME], end, force=True).fingerprint != first.fingerprint


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("ca-key.pem", None, "missing"),
        ("ca-key.pem", "no key", "not a pair"),
        ("ca.pem", "no certificate", "not a pair"),
        ("ca.pem", "é", "no text"),
    ],
)
def test_a_damaged_authority_is_never_replaced_in_silence(
    tmp_path: Path, name: str, text: str | None, why: str
) -> None:
    folder = TlsFolder(tmp_path)
    folder.prepare([ACME], NOW)
    path = folder.folder / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(StateError, match=why) as caught:
        folder.prepare([ACME], NOW)
    assert caught.value.code == "TLS_UNUSABLE"
    assert "--force" in caught.value.message
    assert folder.prepare([ACME], NOW, force=True).change == "made"


@pytest.mark.hostile
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    folder.prepare([ACME], NOW)
    (folder.folder / "ca-key.pem").chmod(0o640)
    with pytest.raises(StateError, match="read by others"):
        folder.prepare([ACME], NOW)
    assert folder.prepare([ACME], NOW, force=True).change == "made"
    leaf_key = folder.folder / "server-key.pem"
    leaf_key.chmod(0o644)
    assert folder.prepare([ACME], NOW).change == "renewed"
    assert leaf_key.stat().st_mode & 0o777 == 0o600


@pytest.mark.hostile
def test_a_link_or_a_pipe_in_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path / "state")
    folder.prepare([ACME], NOW)
    elsewhere = tmp_path / "elsewhere.pem"
    folder.authority.rename(elsewhere)
    folder.authority.symlink_to(elsewhere)
    with pytest.raises(StateError, match=r"ca\.pem"):
        folder.prepare([ACME], NOW)
    folder.authority.unlink()
    os.mkfifo(folder.authority)
    with pytest.raises(StateError, match="no plain file"):
        folder.prepare([ACME], NOW)


@pytest.mark.hostile
def test_an_authority_without_limits_is_none_of_ours(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    folder.prepare([ACME], NOW)
    own = read(folder.authority)
    key = load_pem_private_key((folder.folder / "ca-key.pem").read_bytes(), None)
    builder = x509.CertificateBuilder(
        own.issuer, own.subject, own.public_key(), own.serial_number, own.not_valid_before_utc,
        own.not_valid_after_utc,
    )  # fmt: skip
    unlimited = builder.sign(key, own.signature_hash_algorithm)  # type: ignore[arg-type]  # ours
    folder.authority.write_bytes(unlimited.public_bytes(Encoding.PEM))
    with pytest.raises(StateError, match="may not speak for"):
        folder.prepare([ACME], NOW)


@pytest.mark.parametrize("name", ["server.pem", "server-key.pem"])
def test_a_damaged_leaf_is_made_anew(tmp_path: Path, name: str) -> None:
    folder = TlsFolder(tmp_path)
    for text in ("", "é", None):
        folder.prepare([ACME], NOW)
        path = folder.folder / name
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
        assert folder.prepare([ACME], NOW).change == "renewed"


@pytest.mark.hostile
def test_a_leaf_of_another_authority_is_made_anew(tmp_path: Path) -> None:
    folder, other = TlsFolder(tmp_path / "one"), TlsFolder(tmp_path / "two")
    folder.prepare([ACME], NOW)
    other.prepare([ACME], NOW)
    for name in ("server.pem", "server-key.pem"):
        (folder.folder / name).write_bytes((other.folder / name).read_bytes())
    assert folder.prepare([ACME], NOW).change == "renewed"


def test_a_folder_that_cannot_be_written_is_an_error_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(StateError, match="tls") as caught:
        TlsFolder(tmp_path).prepare([ACME], NOW)
    assert caught.value.code == "TLS_UNUSABLE"


def test_no_key_shows_in_a_pair() -> None:
    pair = make_authority(leaf_names([ACME]), NOW)
    assert isinstance(pair, Pair)
    assert "PRIVATE" not in repr(pair)
