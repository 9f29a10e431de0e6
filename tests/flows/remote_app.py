"""An app with a server of its own on a loopback port, which verifies what it is sent with PyJWT."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt

from runtime.invocation.deliveries import jump
from runtime.invocation.invoker import InvocationResult, Order
from runtime.sandbox.limits import Limits
from runtime.server.runtime import Firebrick

APP_A = "ari:cloud:ecosystem::app/5f1e0000-0000-4000-8000-0000000000a1"
APP_B = "ari:cloud:ecosystem::app/5f1e0000-0000-4000-8000-0000000000b2"
KEYS_PATH = "/forge/.well-known/jwks.json"
BASE = "https://backend.example.com"
MANIFEST = """
app:
  id: {app_id}
  runtime: {{name: nodejs22.x}}
modules:
  jira:issuePanel:
    - key: panel
      title: Panel
      icon: https://example.com/icon.png
      resource: main
      resolver: {{endpoint: page}}
  trigger:
    - key: on-created
      endpoint: created
      events: [avi:jira:created:issue]
  scheduledTrigger:
    - key: hourly
      endpoint: ticked
      interval: hour
  endpoint:
    - key: page
      remote: backend
      route: {{path: /page}}
      auth: {{appSystemToken: {{enabled: true}}, appUserToken: {{enabled: true}}}}
    - key: created
      remote: backend
      route: {{path: /events/created}}
    - key: ticked
      remote: backend
      route: {{path: events/ticked}}
      auth: {{appUserToken: {{enabled: true}}}}
    - key: bare
      remote: backend
  function:
    - key: ask
      handler: index.ask
    - key: quiet
      handler: index.quiet
  webtrigger:
    - {{key: silent, function: quiet}}
resources:
  - {{key: main, path: static}}
remotes:
  - key: backend
    baseUrl: {base}
    operations: [compute]
    auth: {{appSystemToken: {{enabled: true}}}}
permissions:
  scopes: [read:jira-work, read:jira-user, read:app-system-token, read:app-user-token]
"""
SOURCE = """
import { invokeRemote } from "@forge/api";

export const ask = async ({ remote = "backend", path = "/x", ...init }) => {
  try {
    const response = await invokeRemote(remote, { path, ...init });
    return { status: response.status, text: await response.text() };
  } catch ({ name, code, message, remoteKey }) {
    return { name, code, message, remoteKey };
  }
};
export const quiet = () => 1;
"""


def write_app(folder: Path, app_id: str = APP_A, base: str = BASE) -> Path:
    """Write the app into a folder of its name."""
    (folder / "src").mkdir(parents=True)
    (folder / "static").mkdir()
    (folder / "static" / "index.html").write_text("<p>panel</p>")
    (folder / "manifest.yml").write_text(MANIFEST.format(app_id=app_id, base=base))
    (folder / "src" / "index.js").write_text(SOURCE)
    return folder


@dataclass
class Received:
    """One request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    claims: dict[str, Any] | None

    def token(self, kind: str) -> str:
        """Return a token that went along."""
        return self.headers[f"x-forge-oauth-{kind}"]


@dataclass
class RemoteApp:
    """A server that takes calls for one app, and answers 401 to any other."""

    app_id: str
    keys_url: str
    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: tuple[int, Mapping[str, str], bytes] | None = None
    pause: Callable[[], object] = lambda: None

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token, as the documentation says to verify it."""
        key = jwt.PyJWKClient(self.keys_url).get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token, key, ["RS256"], audience=self.app_id, issuer="forge/invocation-token"
        )
        return claims

    def take(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Answer a request."""
        try:
            claims = self.verify(headers.get("authorization", "").removeprefix("Bearer "))
        except jwt.PyJWTError:
            claims = None
        self.pause()
        self.received.append(Received(method, path, headers, body, claims))
        if claims is None:
            return 401, {}, b"Forge Invocation Token verification was unsuccessful"
        if self.answer is not None:
            return self.answer
        told = {"path": path, "app": claims["app"]["appVersion"], "body": body.decode()}
        return 200, {"content-type": "application/json"}, json.dumps(told).encode()

    @property
    def last(self) -> Received:
        """The newest request."""
        return self.received[-1]


@contextmanager
def remote_served(app_id: str, emulator: str) -> Iterator[RemoteApp]:
    """Run the server of an app, for the length of a test."""
    app = RemoteApp(app_id, emulator + KEYS_PATH)

    class Handler(BaseHTTPRequestHandler):
        """Hands requests to the app."""

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            status, more, content = app.take(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in {**more, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815  # names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class RemoteBench:
    """An installed app, the emulator over HTTP, and the app's own server."""

    firebrick: Firebrick
    url: str
    server: RemoteApp
    name: str = "remote"

    def invoke(
        self,
        function: str,
        payload: object = None,
        as_: str | None = "dana",
        *,
        cloud_id: str | None = None,
        remotes: Mapping[str, str] | None = None,
        extension: Mapping[str, object] | None = None,
        limits: Limits | None = None,
        wait: Callable[[float], object] = jump,
    ) -> InvocationResult:
        """Invoke something of the app; its remote is the server, unless said otherwise."""
        firebrick = self.firebrick
        cloud_id = cloud_id or firebrick.find_site(None)
        version = firebrick.find_app(self.name, "development")
        installation = firebrick.apps.find_installation(version, cloud_id)
        named = {"backend": self.server.url} if remotes is None else remotes
        return firebrick.invoker.invoke(
            Order(
                version=firebrick.apps.running_version(installation),
                installation=installation,
                function=function,
                payload=payload,
                extension=extension or {},
                account_id=None if as_ is None else firebrick.find_person(as_).account_id,
                site_url=firebrick.site_url(cloud_id),
                egress=firebrick.egress((), named),
                limits=limits or firebrick.settings.limits,
                prove=True,
                wait=wait,
            )
        )

    def install(self, folder: Path, cloud_id: str | None = None) -> None:
        """Deploy and install an app."""
        cloud_id = cloud_id or self.firebrick.find_site(None)
        version, _ = self.firebrick.apps.deploy(folder)
        plan = self.firebrick.apps.plan(version, cloud_id)
        self.firebrick.apps.install(plan, cloud_id, self.firebrick.find_person("amy"))
