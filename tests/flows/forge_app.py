"""An app whose code runs outside of the sandbox, and a client that speaks the proxy's HTTP form."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import httpx

from runtime.server.forge.outside import OutsideInvocation, OutsideInvocations, OutsideOrder
from runtime.server.net.forge_edges import outside_invocations
from runtime.server.runtime import Firebrick
from tests.flows.conftest import Bench
from tests.flows.serving import served

NAME = "outsider"
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0a88
  runtime:
    name: nodejs22.x
modules:
  webtrigger:
    - key: hook
      function: main
  function:
    - key: main
      handler: index.main
permissions:
  scopes:
    "read:jira-work":
      allowImpersonation: {impersonation}
    "write:jira-work":
      allowImpersonation: false
  external:
    fetch:
      backend:
        - address: https://api.test.example
"""
SOURCE = "export const main = () => 'inside';\n"


@dataclass(frozen=True, slots=True)
class Outsider:
    """One open invocation, asked over HTTP as the wrapper of the platform asks."""

    http: httpx.Client
    opened: OutsideInvocation
    bench: Bench

    @property
    def token(self) -> str:
        return self.opened.token.get_secret_value()

    def again(
        self, as_: str | None = "dana", *, name: str = NAME, seconds: float = 900
    ) -> "Outsider":
        """Open another invocation."""
        return replace(self, opened=open_outside(self.bench, as_, name=name, seconds=seconds))

    def account(self, handle: str) -> str:
        return self.bench.firebrick.find_person(handle).account_id

    def last_rule(self) -> str:
        return self.bench.firebrick.audit.read(limit=1)[0].rule

    def ask(
        self,
        target: str,
        provider: str = "user",
        *,
        method: str = "GET",
        product: str = "jira",
        account: str = "",
        context: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> httpx.Response:
        path = f"/fpp/provider/{provider}/"
        path += f"remote/{product}" if context is None else f"contextAri/{quote(context, safe='')}"
        path += f"/account/{account}" if account else ""
        shown = {
            "forge-proxy-target": target,
            "forge-proxy-authorization": f"Bearer {token or self.token}",
            **(headers or {}),
        }
        return self.http.request(method, path, headers=shown, json=json)

    def contain(
        self, path: str, claims: str, *, method: str = "GET", json: object = None
    ) -> httpx.Response:
        """Ask in the form of a container."""
        url = f"/fpp/container/{self.token}{path}"
        shown = {"forge-proxy-authorization": f"Forge {claims}"}
        return self.http.request(method, url, headers=shown, json=json)

    def fetch(self, url: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        shown = {
            "forge-proxy-target": url,
            "forge-proxy-authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.http.request(method, "/egress", headers=shown)


def deploy(
    bench: Bench,
    folder: Path,
    *,
    name: str = NAME,
    impersonation: bool = False,
    user_consent: bool = False,
    manifest: str = MANIFEST,
) -> None:
    """Deploy and install the app."""
    home = folder / name
    (home / "src").mkdir(parents=True, exist_ok=True)
    text = manifest.replace("{impersonation}", str(impersonation).lower())
    if name != NAME:
        text = text.replace("4f0a88", "4f0a99")
    (home / "manifest.yml").write_text(text)
    (home / "src" / "index.js").write_text(SOURCE)
    firebrick = bench.firebrick
    version, _ = firebrick.apps.deploy(home)
    plan = firebrick.apps.plan(version, bench.cloud_id)
    amy = firebrick.find_person("amy")
    firebrick.apps.install(plan, bench.cloud_id, amy, user_consent=user_consent)


def invocations(firebrick: Firebrick) -> OutsideInvocations:
    return outside_invocations(firebrick)


def open_outside(
    bench: Bench,
    as_: str | None = "dana",
    *,
    name: str = NAME,
    function: str | None = "main",
    seconds: float = 900,
) -> OutsideInvocation:
    """Open an invocation of the app."""
    firebrick = bench.firebrick
    version = firebrick.find_app(name, "development")
    installation = firebrick.apps.find_installation(version, bench.cloud_id)
    return invocations(firebrick).open(
        OutsideOrder(
            version=firebrick.apps.running_version(installation),
            installation=installation,
            function=function,
            account_id=None if as_ is None else firebrick.find_person(as_).account_id,
            site_url=firebrick.site_url(bench.cloud_id),
            lifetime_s=seconds,
        )
    )


@contextmanager
def outside(
    bench: Bench,
    folder: Path,
    as_: str | None = "dana",
    *,
    impersonation: bool = False,
    user_consent: bool = False,
    manifest: str = MANIFEST,
) -> Iterator[Outsider]:
    """Deploy the app, serve the state, open an invocation."""
    deploy(bench, folder, impersonation=impersonation, user_consent=user_consent, manifest=manifest)
    with served(bench.firebrick) as url, httpx.Client(base_url=url, trust_env=False) as http:
        yield Outsider(http, open_outside(bench, as_), bench)
