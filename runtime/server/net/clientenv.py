"""What a client has to be told to reach this server under the platform's names.

Source:
    The documentation of Node, requests, httpx, curl, Java and Go for their trust stores; clients of
    both platforms as measured.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.server.hosts import KEYS_PREFIX, PLATFORM

Shell = Literal["sh", "json", "dotenv"]
NAMES = Path(__file__).parent / "clients" / "names.cjs"  # loaded into Node processes
NO_PROXY = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a server answers.

    Attributes:
        url: Of its plain listener.
        tls_port: Of its TLS listener on this machine; None without one.
        proxy_port: Of its proxy on this machine; None without one.
    """

    url: str
    tls_port: int | None = None
    proxy_port: int | None = None


def client_variables(
    reach: Reach, authority: Path, sites: Iterable[str], node_options: str = ""
) -> dict[str, str]:
    """Return the environment variables of a client.

    Args:
        reach: Where the server answers.
        authority: File with the certificate to trust.
        sites: Host names of the sites.
        node_options: The ``NODE_OPTIONS`` there are; they are kept.
    """
    variables = {
        "NODE_EXTRA_CA_CERTS": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
        "SSL_CERT_FILE": str(authority),
        "CURL_CA_BUNDLE": str(authority),
        "CONNECT_KEYS_CDN_URL": reach.url + KEYS_PREFIX.rstrip("/"),
    }
    if reach.proxy_port is not None:
        proxy = f"http://127.0.0.1:{reach.proxy_port}"
        variables |= {"HTTPS_PROXY": proxy, "NO_PROXY": NO_PROXY, "FIREBRICK_CLIENT_PROXY": proxy}
    if reach.tls_port is not None:
        variables |= {
            "FIREBRICK_CLIENT_TLS_PORT": str(reach.tls_port),
            "FIREBRICK_CLIENT_NAMES": ",".join((*PLATFORM, *sites)),
            "NODE_OPTIONS": _with_names(node_options),
        }
    return variables


def render(variables: Mapping[str, str], shell: Shell) -> str:
    """Return variables as a shell, a tool or a ``.env`` file reads them."""
    if shell == "json":
        return json.dumps(dict(variables), indent=2)
    if shell == "dotenv":
        return "\n".join(f"{name}={_quoted(value)}" for name, value in variables.items())
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def trust_hints(authority: Path) -> list[tuple[str, str]]:
    """Return for each kind of client how it is told to trust the authority."""
    quoted = shlex.quote(str(authority))
    return [
        ("Node", f"export NODE_EXTRA_CA_CERTS={quoted}"),
        ("Python requests", f"export REQUESTS_CA_BUNDLE={quoted}"),
        ("Python httpx, ssl; Ruby, OpenSSL", f"export SSL_CERT_FILE={quoted}"),
        ("curl", f"export CURL_CA_BUNDLE={quoted}"),
        ("Go", f"export SSL_CERT_FILE={quoted}  # Linux"),
        ("Deno", f"export DENO_CERT={quoted}"),
        (
            "Java",
            f"keytool -importcert -noprompt -alias firebrick -file {quoted} -keystore trust.p12 "
            "-storepass changeit; java -Djavax.net.ssl.trustStore=trust.p12 "
            "-Djavax.net.ssl.trustStorePassword=changeit ...",
        ),
        (
            "Chromium on Linux",
            f'certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n firebrick -i {quoted}',
        ),
        ("Firefox", f"Settings, Certificates, Authorities, Import: {authority}"),
        (
            "all of Debian or Ubuntu",
            f"sudo cp {quoted} /usr/local/share/ca-certificates/firebrick.crt && "
            "sudo update-ca-certificates",
        ),
        (
            "all of macOS",
            "sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain "
            f"{quoted}",
        ),
    ]  # fmt: skip


def _with_names(options: str) -> str:
    path = str(NAMES)
    wanted = f'--require "{path}"' if " " in path else f"--require {path}"
    return options if wanted in options else f"{options} {wanted}".strip()


def _quoted(value: str) -> str:
    plain = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{plain}"'
