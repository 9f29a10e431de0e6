"""A served Firebrick with a small Connect app beside it."""

from dataclasses import dataclass

import httpx

from runtime.identity.connect.installations import ConnectInstallation
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp


@dataclass
class Connected:
    """A server, an app and the state between them."""

    bench: Bench
    base: str
    app: ConnectApp

    def install(self, as_: str = "amy", app: ConnectApp | None = None) -> ConnectInstallation:
        firebrick, cloud_id = self.bench.firebrick, self.bench.cloud_id
        plan = firebrick.connect_apps.plan((app or self.app).descriptor_url, cloud_id)
        admin = firebrick.find_person(as_)
        return firebrick.connect_apps.install(plan, cloud_id, admin, self.base)

    def uninstall(self) -> None:
        firebrick = self.bench.firebrick
        admin = firebrick.find_person("amy")
        firebrick.connect_apps.uninstall(self.app.key, self.bench.cloud_id, admin)

    def account_id(self, handle: str) -> str:
        return self.bench.firebrick.find_person(handle).account_id

    def bearer(self, handle: str, **form: str) -> dict[str, str]:
        """Headers of the app acting as someone."""
        answer = self.app.exchange(self.app.assertion(self.account_id(handle)), **form)
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str, authorization: str | None = None) -> httpx.Response:
        headers = {} if authorization is None else {"authorization": authorization}
        return httpx.get(self.base + path, headers=headers)
