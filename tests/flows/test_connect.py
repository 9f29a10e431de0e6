"""A Connect app's whole life over real sockets: install, ask, act as a user, go, come back."""

from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from runtime.errors import ForgeError, InstallationError
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

ISSUE = "/rest/api/3/issue/TEAM-1"
PROPERTIES = "/rest/atlassian-connect/1/addons/com.example.helper/properties"
MODULES = "/rest/atlassian-connect/1/app/module/dynamic"


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    with served(bench.firebrick) as base, running(ConnectApp()) as app:
        yield Connected(bench, base, app)


def test_an_app_installs_asks_acts_and_goes(flow: Connected) -> None:
    flow.install()
    assert flow.app.events == ["installed", "enabled"]
    tenant = flow.app.tenant
    assert (tenant["productType"], tenant["baseUrl"]) == ("jira", flow.base)
    assert len(tenant["sharedSecret"]) >= 32

    me = flow.app.ask("GET", "/rest/api/3/myself").json()
    assert (me["accountType"], me["displayName"]) == ("app", "Helper")
    assert flow.app.ask("GET", ISSUE + "?fields=summary,status").status_code == 200
    comment = flow.app.ask("POST", "/rest/api/2/issue/TEAM-1/comment", {"body": "hello"})
    assert comment.json()["author"]["displayName"] == "Helper"

    as_dana = flow.bearer("dana")
    mine = httpx.get(f"{flow.base}/rest/api/3/myself", headers=as_dana).json()
    assert mine["emailAddress"] == "dana@acme.example"

    flow.uninstall()
    assert flow.app.events[2:] == ["disabled", "uninstalled"]
    assert flow.app.ask("GET", ISSUE).status_code == 401
    assert httpx.get(f"{flow.base}/rest/api/3/myself", headers=as_dana).status_code == 401


def test_every_lifecycle_message_has_the_documented_fields(flow: Connected) -> None:
    firebrick, cloud_id = flow.bench.firebrick, flow.bench.cloud_id
    plan, admin = (
        firebrick.connect_apps.plan(flow.app.descriptor_url, cloud_id),
        firebrick.find_person("amy"),
    )
    firebrick.connect_apps.install(plan, cloud_id, admin, flow.base, "active")
    flow.uninstall()
    common = {
        "key", "clientKey", "oauthClientId", "publicKey", "serverVersion", "pluginsVersion",
        "baseUrl", "displayUrl", "displayUrlServicedeskHelpCenter", "productType", "description",
        "eventType", "entitlementId", "entitlementNumber", "serviceEntitlementNumber",
    }  # fmt: skip
    assert flow.app.events == ["installed", "enabled", "disabled", "uninstalled"]
    for name, message, claims in flow.app.received:
        assert message.keys() == common | ({"sharedSecret"} if name == "installed" else set())
        assert message["eventType"] == name
        assert claims["sub"] == admin.account_id
    assert len({message["entitlementId"] for _, message, _ in flow.app.received}) == 1
    pem = httpx.get(f"{flow.base}/connect-keys/{_kid(flow.app)}").text
    assert flow.app.tenant["publicKey"] == "".join(pem.splitlines()[1:-1])


def _kid(app: ConnectApp) -> str:
    return str(jwt.get_unverified_header(app.raw[0][1].removeprefix("JWT "))["kid"])


class Unsigned(ConnectApp):
    """An app whose descriptor says that it asks nothing."""

    def descriptor(self) -> dict[str, Any]:
        return {**super().descriptor(), "authentication": {"type": "none"}}


@pytest.mark.hostile
def test_an_app_without_authentication_is_sent_no_secret_and_may_ask_nothing(
    flow: Connected,
) -> None:
    with running(Unsigned()) as app:
        installed = flow.install(app=app)
        assert "sharedSecret" not in app.raw[0][2].decode()
        app.tenant = {"baseUrl": flow.base}
        stolen = installed.shared_secret.get_secret_value()
        assert app.ask("GET", ISSUE, secret=stolen).status_code == 401


def test_an_app_without_a_licence_is_told_of_none(flow: Connected) -> None:
    flow.install()
    assert not any("ntitlement" in name for name in flow.app.tenant)


def test_the_account_of_an_app_has_the_name_of_its_descriptor(flow: Connected) -> None:
    flow.install()
    for name in ("Better helper", "N" * 300):
        flow.app.name = name
        flow.install()
        assert flow.app.ask("GET", "/rest/api/3/myself").json()["displayName"] == name[:254]
    flow.uninstall()
    flow.app.name = "Helper again"
    flow.install()
    assert flow.app.ask("GET", "/rest/api/3/myself").json()["displayName"] == "Helper again"


def test_an_app_that_is_switched_off_is_not_told_so_again_when_it_goes(flow: Connected) -> None:
    flow.install()
    apps, admin = flow.bench.firebrick.connect_apps, flow.bench.firebrick.find_person("amy")
    apps.set_enabled(flow.app.key, flow.bench.cloud_id, admin, enabled=False)
    flow.uninstall()
    assert flow.app.events == ["installed", "enabled", "disabled", "uninstalled"]


def test_a_returning_app_is_the_same_tenant_with_a_new_secret(flow: Connected) -> None:
    flow.install()
    before, me = dict(flow.app.tenant), flow.app.ask("GET", "/rest/api/3/myself").json()
    flow.uninstall()
    flow.install()
    after = flow.app.tenant
    assert after["clientKey"] == before["clientKey"]
    assert after["sharedSecret"] != before["sharedSecret"]
    again = flow.app.ask("GET", "/rest/api/3/myself")
    assert again.json()["accountId"] == me["accountId"]
    assert flow.app.ask("GET", ISSUE, secret=before["sharedSecret"]).status_code == 401


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_an_install_that_the_app_refuses_never_happened(flow: Connected, status: int) -> None:
    flow.app.answers["/installed"] = [status] * 3
    with pytest.raises(InstallationError) as caught:
        flow.install()
    assert caught.value.code == "LIFECYCLE_FAILED"
    assert flow.bench.firebrick.connect.installations.list() == ()
    assert "fbk_" not in caught.value.message


def test_an_app_that_is_busy_is_asked_again_with_a_new_token(flow: Connected) -> None:
    flow.app.answers["/installed"] = [503, 502]
    flow.install()
    assert [path for path, _, _ in flow.app.raw[:3]] == ["/installed"] * 3
    assert len({body for _, _, body in flow.app.raw[:3]}) == 1


def test_only_an_admin_installs(flow: Connected) -> None:
    with pytest.raises(InstallationError) as caught:
        flow.install(as_="paul")
    assert caught.value.code == "NOT_SITE_ADMIN"
    assert flow.app.raw == []


def test_scopes_and_permissions_bound_an_app_together(flow: Connected) -> None:
    flow.app.scopes = ["READ"]
    flow.install()
    refused = flow.app.ask("POST", f"{ISSUE}/comment", {"body": {}})
    assert refused.status_code == 403
    assert refused.json()["errorMessages"] == ["Request not in an authorized API scope"]
    assert flow.app.ask("GET", "/rest/api/3/announcementBanner").status_code == 403
    assert flow.app.ask("GET", "/rest/api/3/nothing/there").status_code == 403
    record = flow.bench.firebrick.audit.read()[-3]
    assert (record.model, record.app_id, record.rule) == (
        "connect", flow.app.key, "scope.undeclared",
    )  # fmt: skip


def test_more_scopes_wait_for_an_admin_and_fewer_do_not(flow: Connected) -> None:
    apps, cloud_id = flow.bench.firebrick.connect_apps, flow.bench.cloud_id
    admin = flow.bench.firebrick.find_person("amy")
    flow.app.scopes = ["READ"]
    flow.install()
    secret = flow.app.tenant["sharedSecret"]
    assert apps.update(flow.app.key, cloud_id, admin) is None
    flow.app.scopes = ["read", "write"]
    plan = apps.update(flow.app.key, cloud_id, admin)
    assert plan is not None
    assert plan.new_scopes == ("WRITE",)
    assert apps.get(flow.app.key, cloud_id).pending is not None
    assert flow.app.ask("POST", f"{ISSUE}/comment", {}).status_code == 403
    apps.install(plan, cloud_id, admin, flow.base)
    assert flow.app.tenant["sharedSecret"] == secret
    assert (
        flow.app.ask("POST", "/rest/api/2/issue/TEAM-1/comment", {"body": "x"}).status_code == 201
    )
    flow.app.scopes = []
    assert apps.update(flow.app.key, cloud_id, admin) is None
    assert flow.app.ask("GET", ISSUE).status_code == 403


def test_an_app_that_is_switched_off_may_do_nothing_until_it_is_on_again(flow: Connected) -> None:
    flow.install()
    apps, admin = flow.bench.firebrick.connect_apps, flow.bench.firebrick.find_person("amy")
    apps.set_enabled(flow.app.key, flow.bench.cloud_id, admin, enabled=False)
    assert flow.app.ask("GET", ISSUE).status_code == 401
    apps.set_enabled(flow.app.key, flow.bench.cloud_id, admin, enabled=True)
    assert flow.app.ask("GET", ISSUE).status_code == 200
    assert flow.app.events[1:] == ["enabled", "disabled", "enabled"]


def test_a_token_may_stand_in_the_query(flow: Connected) -> None:
    flow.install()
    token = flow.app.token("GET", flow.base + ISSUE + "?fields=summary")
    assert flow.get(f"{ISSUE}?fields=summary&jwt={token}").status_code == 200
    assert flow.get(f"{ISSUE}?fields=status&jwt={token}").status_code == 401


def test_impersonation_is_bounded_by_the_user_and_by_the_scopes_asked_for(flow: Connected) -> None:
    flow.install()
    body = {"body": "as vera"}
    comments = f"{flow.base}/rest/api/2/issue/TEAM-1/comment"
    narrow = flow.bearer("dana", scope="READ")
    assert httpx.post(comments, json=body, headers=narrow).status_code == 403
    assert httpx.get(flow.base + ISSUE, headers=narrow).status_code == 200
    hidden = httpx.get(f"{flow.base}/rest/api/3/issue/VAULT-7", headers=flow.bearer("vera"))
    assert hidden.status_code == 404
    made = httpx.post(comments, json=body, headers=flow.bearer("dana", scope="READ+WRITE"))
    assert made.json()["author"]["accountId"] == flow.account_id("dana")


def test_a_token_of_impersonation_ends_with_the_right_to_it(flow: Connected) -> None:
    flow.install()
    headers = flow.bearer("dana")
    apps, admin = flow.bench.firebrick.connect_apps, flow.bench.firebrick.find_person("amy")
    flow.app.scopes = ["READ", "WRITE"]
    apps.update(flow.app.key, flow.bench.cloud_id, admin)
    assert httpx.get(flow.base + ISSUE, headers=headers).status_code == 401


def test_app_properties_are_the_apps_own(flow: Connected) -> None:
    flow.app.scopes = []
    flow.install()
    created = flow.app.ask("PUT", f"{PROPERTIES}/colour", {"name": "blue"})
    assert (created.status_code, created.json()["message"]) == (201, "Property created.")
    assert flow.app.ask("PUT", f"{PROPERTIES}/colour", "red").status_code == 200
    assert flow.app.ask("GET", f"{PROPERTIES}/colour").json()["value"] == "red"
    keys = flow.app.ask("GET", PROPERTIES).json()["keys"]
    assert [one["key"] for one in keys] == ["colour"]
    assert flow.app.ask("GET", f"{PROPERTIES}/none").status_code == 404
    other = PROPERTIES.replace("helper", "other")
    assert flow.app.ask("GET", other).status_code == 404
    assert flow.app.ask("PUT", f"{PROPERTIES}/{'k' * 128}", 1).status_code == 400
    assert flow.app.ask("PUT", f"{PROPERTIES}/big", "x" * 32_767).status_code == 400
    assert flow.get(f"{PROPERTIES}/colour").status_code == 401
    assert flow.app.ask("DELETE", f"{PROPERTIES}/colour").status_code == 204
    assert flow.app.ask("DELETE", f"{PROPERTIES}/colour").status_code == 404


def test_dynamic_modules_come_all_or_none_and_go_with_the_app(flow: Connected) -> None:
    flow.install()
    panel = {"key": "panel", "url": "/panel", "name": {"value": "Panel"}, "location": "a"}
    assert flow.app.ask("POST", MODULES, {"webPanels": [panel]}).status_code == 200
    assert flow.app.ask("GET", MODULES).json() == {"webPanels": [panel]}
    double = [panel | {"key": "new"}, panel | {"key": "hello"}]
    taken = flow.app.ask("POST", MODULES, {"webPanels": double})
    assert taken.status_code == 400
    assert "duplicate module keys: [hello]" in taken.json()["message"]
    wrong = flow.app.ask("POST", MODULES, {"webPanels": [panel | {"key": "new", "url": "/../x"}]})
    assert wrong.status_code == 400
    assert wrong.json()["message"].startswith("webPanels[0].url: `url` must have no")
    assert flow.app.ask("GET", MODULES).json() == {"webPanels": [panel]}
    assert flow.app.ask("DELETE", f"{MODULES}?moduleKey=panel").status_code == 204
    assert flow.app.ask("GET", MODULES).json() == {}
    flow.app.ask("POST", MODULES, {"modules": {"webPanels": [panel]}})
    flow.uninstall()
    flow.install()
    assert flow.app.ask("GET", MODULES).json() == {}


def test_the_freeze_stops_installs_and_updates(flow: Connected) -> None:
    flow.install()
    frozen = Settings(state=flow.bench.firebrick.settings.state, connect_frozen=True)
    with open_firebrick(frozen) as later:
        apps, amy, site = later.connect_apps, later.find_person("amy"), flow.bench.cloud_id
        for name in ("atlassian-connect.json", "other.json"):
            with pytest.raises(ForgeError) as caught:
                apps.plan(f"{flow.app.url}/{name}", site)
            assert caught.value.code == "CONNECT_FROZEN"
        assert flow.app.ask("GET", ISSUE).status_code == 200
        apps.set_enabled(flow.app.key, site, amy, enabled=False)
        assert flow.app.ask("GET", ISSUE).status_code == 401
        apps.set_enabled(flow.app.key, site, amy, enabled=True)
        assert flow.app.ask("GET", ISSUE).status_code == 200
        with served(later) as base:
            notice = httpx.get(f"{base}/apps").text
            assert "Here it behaves as the platform does" in notice
        apps.uninstall(flow.app.key, site, amy)
        with pytest.raises(ForgeError):
            apps.plan(flow.app.descriptor_url, site)
    told = ["installed", "enabled", "disabled", "enabled", "disabled", "uninstalled"]
    assert flow.app.events == told
