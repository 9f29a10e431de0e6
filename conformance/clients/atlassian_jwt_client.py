"""The package ``atlassian-jwt``: hashes requests, signs them, and verifies what the site sends."""

import json
import sys

import atlassian_jwt
import requests
from atlassian_jwt.url_utils import hash_url

place = json.loads(sys.argv[1])


class Verifier(atlassian_jwt.Authenticator):
    """The package's own verification of what the site sends to an app."""

    def get_shared_secret(self, client_key: str) -> str:
        """Return the secret of the one tenant there is."""
        assert client_key == place["clientKey"]
        return place["secret"]


def signed(path: str, secret: str) -> int:
    """Ask as the app, and return the status of the answer."""
    token = atlassian_jwt.encode_token(
        "GET",
        path,
        clientKey=place["clientKey"],
        sharedSecret=secret,
        payload_kwargs={"iss": place["key"]},
    )
    headers = {"Authorization": f"JWT {token}"}
    return requests.get(place["site"] + path, headers=headers, timeout=60).status_code


said = {
    "hashes": [hash_url(method, url) for method, url in place["vectors"]],
    "statuses": [signed(path, place["secret"]) for path in place["paths"]],
    "forged": signed(place["paths"][0], "x" * 64),
    "frame": Verifier().authenticate("GET", place["frame"], {}).client_key,
}
try:
    Verifier().authenticate("GET", place["frame"].replace("/hello?", "/other?"), {})
except atlassian_jwt.DecodeError:
    said["moved"] = "refused"
sys.stdout.write(json.dumps(said))
