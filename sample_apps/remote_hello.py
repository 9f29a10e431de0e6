"""The server of the app remote-hello: believes the platform alone, and asks Jira back.

python -m sample_apps.remote_hello --port 9000
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import jwt

APP_ID = "ari:cloud:ecosystem::app/9c7d0f6e-52b1-4e0c-9a57-6c2f7d4b1a05"
KEYS = "http://127.0.0.1:8080/forge/.well-known/jwks.json"


class RemoteHello(BaseHTTPRequestHandler):
    """The server; `keys` is the platform's set of public keys."""

    keys: ClassVar[jwt.PyJWKClient] = jwt.PyJWKClient(KEYS)

    def do_POST(self) -> None:
        """Answer a call of the platform; refuse any other."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            claims = self._verified()
        except jwt.PyJWTError as error:
            self._reply(401, {"refused": str(error)})
            return
        api = claims["app"]["apiBaseUrl"]
        told = {
            "path": self.path,
            "body": json.loads(body or b"null"),
            "module": claims["app"]["module"]["key"],
            "invoked by a user": "principal" in claims,
            "the app is": who(api, self.headers.get("x-forge-oauth-system")),
            "the user is": who(api, self.headers.get("x-forge-oauth-user")),
        }
        self._reply(200, told)

    def _verified(self) -> dict[str, Any]:  # JSON
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        key = self.keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token, key, algorithms=["RS256"], audience=APP_ID, issuer="forge/invocation-token"
        )

    def _reply(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a log is no place for tokens."""


def who(api: str, token: str | None) -> str:
    """Return whom a token stands for at the gateway."""
    if token is None:
        return "not told"
    url = f"{api}/rest/api/3/myself"
    answer = httpx.get(url, headers={"authorization": f"Bearer {token}"})
    return str(answer.json()["displayName"]) if answer.is_success else f"{answer.status_code}"


def serve(port: int, keys: str = KEYS) -> ThreadingHTTPServer:
    """Return the server, bound to a port of this machine; 0 picks a free one."""
    RemoteHello.keys = jwt.PyJWKClient(keys)
    return ThreadingHTTPServer(("127.0.0.1", port), RemoteHello)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--keys", default=KEYS)
    options = parser.parse_args()
    with serve(options.port, options.keys) as running:
        running.serve_forever()
