"""An app that registers itself, by the calls that frameworks make when they start."""

import time
from collections.abc import Iterator

import httpx
import pytest

from runtime.identity.accounts import set_account_active
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

PLUGINS = "/rest/plugins/1.0/"


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    with served(bench.firebrick) as base, running(ConnectApp()) as app:
        yield Connected(bench, base, app)


def client(flow: Connected, handle: str = "amy") -> httpx.Client:
    owner = flow.bench.firebrick.find_person(handle)
    _, secret = flow.bench.firebrick.api_tokens.create(owner, "test")
    return httpx.Client(base_url=flow.base, auth=(str(owner.email), secret.get_secret_value()))


def finished(admin: httpx.Client, accepted: httpx.Response) -> httpx.Response:
    assert accepted.status_code == 202
    for _ in range(400):
        answer = admin.get(accepted.json()["links"]["self"])
        if answer.status_code == 303 or answer.json()["status"]["done"]:
            return answer
        time.sleep(0.05)
    raise AssertionError("the install never ended")


def register(admin: httpx.Client, url: str) -> httpx.Response:
    token = admin.get(PLUGINS).headers["upm-token"]
    return admin.post(
        f"{PLUGINS}?token={token}",
        json={"pluginUri": url},
        headers={"content-type": "application/vnd.atl.plugins.remote.install+json"},
    )


def test_an_app_registers_itself_and_goes(flow: Connected) -> None:
    with client(flow) as admin:
        settings = admin.get(f"{PLUGINS}settings").json()["settings"]
        assert settings == [{"key": "connectDeveloperListingsEnabled", "value": True}]
        done = finished(admin, register(admin, flow.app.descriptor_url))
        assert done.status_code == 303
        there = done.headers["location"]
        assert admin.get(there).json() == {"key": flow.app.key, "enabled": True}
        assert admin.get(PLUGINS).json()["plugins"] == [{"key": flow.app.key, "enabled": True}]
        assert flow.app.ask("GET", "/rest/api/3/myself").status_code == 200
        assert admin.delete(there).status_code == 204
        assert admin.get(there).status_code == 404
        assert flow.app.events == ["installed", "enabled", "disabled", "uninstalled"]


def test_an_install_that_fails_says_why(flow: Connected) -> None:
    flow.app.answers["/installed"] = [400]
    with client(flow) as admin:
        done = finished(admin, register(admin, flow.app.descriptor_url))
        assert "it answered 400" in done.json()["status"]["errorMessage"]
        assert register(admin, "/etc/passwd").status_code == 400
        assert admin.get(f"{PLUGINS}pending/99").status_code == 404
        assert admin.get(f"{PLUGINS}nothing").status_code == 404


@pytest.mark.hostile
def test_only_an_admin_with_the_token_of_the_page_registers(flow: Connected) -> None:
    assert httpx.get(flow.base + PLUGINS).status_code == 401
    wrong = httpx.get(flow.base + PLUGINS, auth=("amy@acme.example", "fbk_pat_" + "0" * 64))
    assert wrong.status_code == 401
    assert wrong.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
    for other in ("JWT x", "Basic !", "x"):
        refused = httpx.get(flow.base + PLUGINS, headers={"authorization": other})
        assert refused.status_code == 401
    bearer = httpx.get(flow.base + PLUGINS, headers={"authorization": "Bearer x"})
    assert bearer.status_code == 403
    assert bearer.json() == {"error": "Failed to parse Connect Session Auth Token"}
    password = httpx.get(flow.base + PLUGINS, auth=("amy@acme.example", "password"))
    assert password.text.startswith("Basic authentication with passwords is deprecated.")
    with client(flow, "paul") as paul:
        assert paul.get(PLUGINS).status_code == 403
    with client(flow) as admin:
        for token in ("", "?token=x", "?token=%C3%BC"):
            answer = admin.post(PLUGINS + token, json={"pluginUri": flow.app.descriptor_url})
            assert answer.status_code == 403
    assert flow.app.raw == []


@pytest.mark.hostile
def test_a_login_that_failed_or_is_locked_says_so(flow: Connected) -> None:
    reason = "x-seraph-loginreason"
    wrong = ("amy@acme.example", "fbk_pat_" + "0" * 64)
    assert reason not in httpx.get(flow.base + PLUGINS).headers
    with client(flow) as admin:
        assert reason not in admin.get(PLUGINS).headers
        for _ in range(flow.bench.firebrick.settings.login_failures):
            failed = httpx.get(flow.base + PLUGINS, auth=wrong)
            assert (failed.status_code, failed.headers[reason]) == (401, "AUTHENTICATED_FAILED")
        locked = admin.get(PLUGINS)
        assert (locked.status_code, locked.headers[reason]) == (401, "AUTHENTICATION_DENIED")
    amy = flow.bench.firebrick.find_person("amy").account_id
    assert flow.bench.firebrick.lockout.clear("amy@acme.example")
    with client(flow) as admin:
        with flow.bench.firebrick.engine.begin() as connection:
            set_account_active(connection, amy, active=False)
        gone = admin.get(PLUGINS)
    assert (gone.status_code, gone.headers[reason]) == (401, "AUTHENTICATED_FAILED")
