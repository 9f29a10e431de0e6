"""A served Firebrick on a clock that a test moves, one OAuth app, and a receiver of webhooks."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from runtime.clock import ManualClock
from runtime.identity.oauth.values import AuthorizeFault, OAuthClient
from runtime.jira.webhook_queue import Delivery
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.fidelity.shapes import assert_shape
from tests.flows.serving import served
from tests.flows.webhook_app import Receiver, receiving

CALLBACK = "http://localhost:9999/callback"
SCOPES = frozenset({"read:jira-work", "manage:jira-webhook", "read:me"})
DAY_S = 86_400.0
OPERATIONS = {
    ("GET", "webhook"): "getDynamicWebhooksForApp",
    ("POST", "webhook"): "registerDynamicWebhooks",
    ("DELETE", "webhook"): "deleteWebhookById",
    ("PUT", "webhook/refresh"): "refreshWebhooks",
    ("GET", "webhook/failed"): "getFailedWebhooks",
}


@dataclass
class HookPlace:
    """One state behind a server."""

    firebrick: Firebrick
    clock: ManualClock
    base: str
    receiver: Receiver
    client: OAuthClient
    secret: str

    @property
    def cloud_id(self) -> str:
        return self.firebrick.find_site(None)

    @property
    def gateway(self) -> str:
        return f"{self.base}/ex/jira/{self.cloud_id}"

    @property
    def url(self) -> str:
        return f"{self.receiver.url}/hook"

    # --- who asks --------------------------------------------------------------------------------

    def log_in(self, handle: str = "dana", scopes: frozenset[str] = SCOPES) -> dict[str, str]:
        """Consent as somebody, and return the headers of a token."""
        flow, person = self.firebrick.oauth.flow, self.firebrick.find_person(handle)
        asked = {
            "audience": "api.atlassian.com",
            "client_id": self.client.client_id,
            "scope": " ".join(sorted(scopes)),
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "s",
        }
        request = flow.prepare_authorize(list(asked.items()), person)
        assert not isinstance(request, AuthorizeFault), request
        target = flow.approve(request, person, {self.cloud_id})
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(target).query)["code"][0],
            "redirect_uri": CALLBACK,
            "client_id": self.client.client_id,
            "client_secret": self.secret,
        }
        answer = httpx.post(f"{self.base}/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    def script(self, handle: str) -> httpx.Client:
        """A client with basic auth."""
        person = self.firebrick.find_person(handle)
        _, secret = self.firebrick.api_tokens.create(person, "test")
        auth = (str(person.email), secret.get_secret_value())
        return httpx.Client(base_url=self.base, auth=auth)

    # --- what is asked ---------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, version: int = 3
    ) -> httpx.Response:
        """Send a request for webhooks to the gateway and check the shape of its answer."""
        answer = httpx.request(
            method, f"{self.gateway}/rest/api/{version}/{path}", json=body, headers=headers
        )
        key = OPERATIONS[method, path.partition("?")[0]]
        assert_shape(key, answer.status_code, answer.content)
        return answer

    def register(self, headers: dict[str, str], *hooks: Any, url: str | None = None) -> Any:
        answer = self.ask("POST", "webhook", headers, {"url": url or self.url, "webhooks": hooks})
        assert answer.status_code == 200, answer.text
        return answer.json()["webhookRegistrationResult"]

    def number(self, headers: dict[str, str], jql: str, *events: str, **more: Any) -> int:
        (made,) = self.register(headers, {"jqlFilter": jql, "events": events, **more})
        number: int = made["createdWebhookId"]
        return number

    # --- what comes of it ------------------------------------------------------------------------

    def told(self, count: int) -> list[dict[str, Any]]:
        """Return the bodies that came, once there are that many."""
        return [json.loads(body) for _, _, body in self.receiver.wait(count)]

    def waiting(self, retries: int) -> Delivery:
        """Return the only delivery that waits, once it was tried that often."""
        for _ in range(600):
            found = self.firebrick.webhooks.deliveries.queue.list(failed=False)
            if len(found) == 1 and found[0].retries == retries and found[0].claim is None:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(found)

    def quiet(self) -> list[str]:
        """Wait until nothing is on its way any more; return the rules of what was tried."""
        for _ in range(600):
            if not self.firebrick.webhooks.deliveries.queue.count():
                break
            time.sleep(0.05)
        records = self.firebrick.audit.read(limit=1000)
        return [one.rule for one in records if one.kind == "webhook"]


@contextmanager
def hook_place(folder: Path, **settings: Any) -> Iterator[HookPlace]:
    """Serve a fresh state."""
    clock = ManualClock(float(int(time.time())))
    made = Settings(state=folder / "state", cache=folder / "cache", **settings)
    with open_firebrick(made, clock=clock) as firebrick, receiving() as receiver:
        owner = firebrick.find_person("dana").account_id
        client, secret = firebrick.oauth.clients.create(
            "Sync", owner, scopes=SCOPES, callback_urls=(CALLBACK,)
        )
        with served(firebrick) as base:
            yield HookPlace(firebrick, clock, base, receiver, client, secret.get_secret_value())
