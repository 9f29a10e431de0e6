"""A Connect app in one file: installs signed, shows a page, asks Jira as itself and as a user.

python -m sample_apps.connect_hello --port 3000
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import jwt

KEY = "com.example.hello"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Hello</title>
<script src="{host}/all.js"></script>
<body><h1>Hello</h1><p id="me">Asking Jira who you are ...</p>
<script>AP.request("/rest/api/3/myself").then(({{ body }}) => {{
  document.getElementById("me").textContent = "You are " + JSON.parse(body).displayName;
}});</script>"""


def query_hash(method: str, url: str) -> str:
    """Return the hash that ties a token to one request."""
    parts = urlsplit(url)
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "jwt":
            values.setdefault(quote(name, safe="-._~"), []).append(quote(value, safe="-._~"))
    query = "&".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values))
    path = parts.path.rstrip("/") or "/"
    return hashlib.sha256(f"{method}&{path}&{query}".encode()).hexdigest()


class Hello(BaseHTTPRequestHandler):
    """The app; `tenant` is what it was told at install."""

    tenant: ClassVar[dict[str, str]] = {}
    url = ""

    def do_GET(self) -> None:
        """Serve the descriptor, the page, and three ways to ask Jira."""
        path = urlsplit(self.path).path
        if path == "/atlassian-connect.json":
            self._reply(200, json.dumps(self._descriptor()), "application/json")
        elif path == "/hello":
            self._reply(*self._page())
        elif path == "/whoami":
            self._reply(200, self._ask("/rest/api/3/myself", self._own_token))
        elif path == "/rename":
            self._reply(200, self._rename("/rest/api/3/project/TEAM", "Renamed by an app"))
        elif path.startswith("/whoami/"):
            account_id = path.removeprefix("/whoami/")
            self._reply(200, self._ask("/rest/api/3/myself", lambda _: self._bearer(account_id)))
        else:
            self._reply(404, "no such page")

    def do_POST(self) -> None:
        """Take a lifecycle message, if the site really sent it."""
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        token = self.headers.get("authorization", "").removeprefix("JWT ")
        try:
            claims = self._verified(token, message)
        except (jwt.PyJWTError, KeyError) as error:
            self._reply(401, f"refused: {error}")
            return
        if claims["qsh"] != query_hash("POST", self.path) or claims["iss"] != message["clientKey"]:
            self._reply(401, "refused: the token is for something else")
            return
        if self.path == "/installed":
            Hello.tenant = message
        self._reply(204)

    def _verified(self, token: str, message: dict[str, str]) -> dict[str, object]:
        if self.path in ("/installed", "/uninstalled"):
            kid = quote(jwt.get_unverified_header(token)["kid"], safe="")
            key = httpx.get(f"{message['baseUrl']}/connect-keys/{kid}")
            return jwt.decode(token, key.text, algorithms=["RS256"], audience=self.url)
        return jwt.decode(token, self.tenant["sharedSecret"], algorithms=["HS256"])

    def _page(self) -> tuple[int, str, str]:
        token = dict(parse_qsl(urlsplit(self.path).query)).get("jwt", "")
        try:
            claims = jwt.decode(token, self.tenant["sharedSecret"], algorithms=["HS256"])
        except (jwt.PyJWTError, KeyError) as error:
            return 401, f"refused: {error}", "text/plain"
        if claims["qsh"] != query_hash("GET", self.path):
            return 401, "refused: the token is for another page", "text/plain"
        return 200, PAGE.format(host=self.tenant["baseUrl"]), "text/html"

    def _ask(self, path: str, authorization: Callable[[str], str]) -> str:
        url = self.tenant["baseUrl"] + path
        answer = httpx.get(url, headers={"authorization": authorization(url)})
        if not answer.is_success:
            return f"Jira answered {answer.status_code}\n"
        who = answer.json()
        return f"{who['displayName']} ({who['accountType']})\n"

    def _rename(self, path: str, name: str) -> str:
        url = self.tenant["baseUrl"] + path
        headers = {"authorization": self._own_token(url, "PUT")}
        return f"Jira answered {httpx.put(url, json={'name': name}, headers=headers).status_code}\n"

    def _own_token(self, url: str, method: str = "GET") -> str:
        now = int(time.time())
        claims = {"iss": KEY, "iat": now, "exp": now + 180, "qsh": query_hash(method, url)}
        return "JWT " + jwt.encode(claims, self.tenant["sharedSecret"], algorithm="HS256")

    def _bearer(self, account_id: str) -> str:
        now, host = int(time.time()), self.tenant["baseUrl"]
        claims = {
            "iss": f"urn:atlassian:connect:clientid:{self.tenant['oauthClientId']}",
            "sub": f"urn:atlassian:connect:useraccountid:{account_id}",
            "tnt": host,
            "aud": "https://oauth-2-authorization-server.services.atlassian.com",
            "iat": now,
            "exp": now + 55,
        }
        assertion = jwt.encode(claims, self.tenant["sharedSecret"], algorithm="HS256")
        form = {"grant_type": GRANT, "assertion": assertion}
        answer = httpx.post(f"{host}/oauth2/token", data=form).json()
        return f"Bearer {answer.get('access_token')}"

    def _descriptor(self) -> dict[str, object]:
        return {
            "key": KEY,
            "name": "Hello",
            "baseUrl": self.url,
            "authentication": {"type": "jwt"},
            "lifecycle": {"installed": "/installed", "uninstalled": "/uninstalled"},
            "scopes": ["READ", "ACT_AS_USER"],
            "modules": {
                "generalPages": [{"key": "hello", "url": "/hello", "name": {"value": "Hello"}}]
            },
        }

    def _reply(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", f"{kind};charset=utf-8")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(port: int) -> ThreadingHTTPServer:
    """Return the app, bound to a port of this machine; 0 picks a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Hello)
    Hello.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    with serve(parser.parse_args().port) as running:
        print(f"Descriptor: {Hello.url}/atlassian-connect.json")  # noqa: T201  # its output
        running.serve_forever()
