"""A small Connect app on a loopback port: it verifies what it is sent, as a real one does.

Signatures are verified with PyJWT here and hashes are written down by hand: nothing of the
emulator's own code vouches for itself.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import jwt

KEY = "com.example.helper"


@dataclass
class ConnectApp:
    """What the app is, and what it remembers."""

    url: str = ""
    scopes: list[str] = field(default_factory=lambda: ["READ", "WRITE", "ACT_AS_USER"])
    answers: dict[str, list[int]] = field(default_factory=dict)  # status codes by path, used up
    redirect_to: str = ""
    page: str = "<!doctype html><title>app</title>"
    key: str = KEY
    name: str = "Helper"
    modules: dict[str, Any] = field(
        default_factory=lambda: {
            "generalPages": [
                {"key": "hello", "url": "/hello?issue={issue.key}", "name": {"value": "Hello"}}
            ]
        }
    )
    received: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    raw: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # of each POST
    stop: Callable[[], object] = lambda: None
    tenant: dict[str, Any] = field(default_factory=dict)

    @property
    def events(self) -> list[str]:
        return [name for name, _, _ in self.received]

    def descriptor(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "name": self.name,
            "baseUrl": self.url,
            "authentication": {"type": "jwt"},
            "lifecycle": {
                name: f"/{name}" for name in ("installed", "enabled", "disabled", "uninstalled")
            },
            "scopes": self.scopes,
            "modules": self.modules,
            "apiMigrations": {"signed-install": True},
        }

    @property
    def descriptor_url(self) -> str:
        return f"{self.url}/atlassian-connect.json"

    # --- what it is sent -------------------------------------------------------------------------

    def take(self, path: str, authorization: str, body: bytes) -> int:
        self.raw.append((path, authorization, body))
        planned = self.answers.get(path)
        if planned:
            return planned.pop(0)
        scheme, _, token = authorization.partition(" ")
        assert scheme == "JWT"
        message = json.loads(body)
        claims = self.verify(path, token, message)
        if path == "/installed":
            self.tenant = message
        self.received.append((path[1:], message, claims))
        return 204

    def verify(self, path: str, token: str, message: dict[str, Any]) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if path in ("/installed", "/uninstalled"):
            pem = httpx.get(f"{message['baseUrl']}/connect-keys/{header['kid']}").text
            claims = jwt.decode(token, pem, algorithms=["RS256"], audience=self.url)
        else:
            claims = jwt.decode(token, self.tenant["sharedSecret"], algorithms=["HS256"])
        assert claims["iss"] == message["clientKey"]
        assert claims["qsh"] == hashlib.sha256(f"POST&{path}&".encode()).hexdigest()
        return claims

    # --- what it sends ---------------------------------------------------------------------------

    def token(self, method: str, url: str, secret: str | None = None, **claims: Any) -> str:
        """A token for one request of this app to its host."""
        parts = urlsplit(url)
        pairs = sorted(
            (quote(name, safe="-._~"), quote(value, safe="-._~"))
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        )
        text = f"{method}&{parts.path}&{'&'.join('='.join(pair) for pair in pairs)}"
        now = int(time.time())
        payload = {
            "iss": self.key,
            "iat": now,
            "exp": now + 180,
            "qsh": hashlib.sha256(text.encode()).hexdigest(),
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, secret or self.tenant["sharedSecret"], algorithm="HS256")

    def ask(self, method: str, path: str, json: Any = None, **claims: Any) -> httpx.Response:
        url = self.tenant["baseUrl"] + path
        headers = {"authorization": f"JWT {self.token(method, url, **claims)}"}
        return httpx.request(method, url, json=json, headers=headers)

    def assertion(self, account_id: str, secret: str | None = None, **claims: Any) -> str:
        now = int(time.time())
        payload = {
            "iss": f"urn:atlassian:connect:clientid:{self.tenant['oauthClientId']}",
            "sub": f"urn:atlassian:connect:useraccountid:{account_id}",
            "tnt": self.tenant["baseUrl"],
            "aud": "https://oauth-2-authorization-server.services.atlassian.com",
            "iat": now,
            "exp": now + 55,
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, secret or self.tenant["sharedSecret"], algorithm="HS256")

    def exchange(self, assertion: str, **form: str) -> httpx.Response:
        fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
            **form,
        }
        return httpx.post(
            f"{self.tenant['baseUrl']}/oauth2/token",
            content=urlencode(fields),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )


class Handler(BaseHTTPRequestHandler):
    app: ConnectApp

    def do_GET(self) -> None:
        if self.app.redirect_to:
            self.reply(302, b"", "text/plain", ("location", self.app.redirect_to))
        elif self.path == "/atlassian-connect.json":
            self.reply(200, json.dumps(self.app.descriptor()).encode(), "application/json")
        else:
            self.app.raw.append((self.path, self.headers.get("authorization", ""), b""))
            self.reply(200, self.app.page.encode(), "text/html")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        authorization = self.headers.get("authorization", "")
        sent = {name.lower(): value for name, value in self.headers.items()}
        self.app.headers.append((self.path, sent))
        if self.app.redirect_to:
            self.app.raw.append((self.path, authorization, body))
            self.reply(307, b"", "text/plain", ("location", self.app.redirect_to))
            return
        try:
            status = self.app.take(self.path, authorization, body)
        except Exception as error:  # what it could not verify it refuses, and says why
            self.reply(401, repr(error).encode(), "text/plain")
            return
        self.reply(status, b"", "text/plain")

    def reply(self, status: int, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("content-type", kind), *headers):
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(app: ConnectApp) -> Iterator[ConnectApp]:
    """Serve an app on a free port."""
    handler = type("Served", (Handler,), {"app": app})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        app.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        app.stop = server.server_close
        try:
            yield app
        finally:
            server.shutdown()
            thread.join()
