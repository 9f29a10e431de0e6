"""Chromium at the platform's own addresses: by our proxy, with our certificate, nowhere else."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.chromium import Chromium, chromium
from conformance.emulator import Emulator, emulating
from conformance.tab import Tab

pytestmark = pytest.mark.chromium

AUTH = "https://auth.atlassian.com"


def pin(certificate: Path) -> str:
    """Return a certificate's key as Chromium is told to believe it, for want of a trust store."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("browser")
    with emulating(folder, "--tls-port", "0", "--proxy-port", "0") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def browser(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    variables = json.loads(emulator.say("tls", "env", "--shell", "json"))
    leaf = Path(variables["SSL_CERT_FILE"]).parent / "server.pem"
    options = (
        f"--proxy-server=https={variables['HTTPS_PROXY'].removeprefix('http://')}",
        f"--ignore-certificate-errors-spki-list={pin(leaf)}",
    )
    with chromium(tmp_path_factory.mktemp("chromium"), *options) as browser:
        yield browser


def test_a_person_consents_at_the_platforms_own_address(
    emulator: Emulator, browser: Chromium
) -> None:
    callback = f"{emulator.base}/nothing-is-here"
    made = emulator.tell(
        "oauth", "app", "create", "Notes", "--owner", "amy", "--callback", callback,
        "--scope", "read:jira-work",
    )  # fmt: skip
    asked = {
        "audience": "api.atlassian.com", "client_id": made["clientId"], "scope": "read:jira-work",
        "redirect_uri": callback, "state": "s1", "response_type": "code", "prompt": "consent",
    }  # fmt: skip
    tab = Tab(browser, "")
    tab.open(f"{AUTH}/authorize?{urlencode(asked)}")
    assert tab.address.startswith(f"{AUTH}/_firebrick/account/sign-in")
    tab.tab_to("Amy Admin")
    tab.press(" ")
    tab.activate("Sign in")
    assert "Notes asks for access" in tab.text
    tab.activate("Accept")
    answer = parse_qs(urlsplit(tab.address).query)
    assert tab.address.startswith(f"{callback}?")
    assert (answer["state"], answer["code"][0][:4]) == (["s1"], "fbk_")


def test_the_site_and_no_other_host_opens(emulator: Emulator, browser: Chromium) -> None:
    tab = Tab(browser, "")
    tab.open("https://acme.atlassian.net/_edge/tenant_info")
    assert json.loads(tab.text) == {"cloudId": emulator.cloud_id}
    tab.open("https://example.com/")
    assert "ERR_TUNNEL_CONNECTION_FAILED" in tab.text
    assert "egress.no-tunnel" in emulator.asked().rules
