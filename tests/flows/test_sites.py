"""One app on two sites of one state: neither sees the other's data, accounts or grants."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from runtime.clock import Clock
from runtime.errors import InstallationError
from runtime.gateway.values import Caller, ProductCall
from runtime.ids import Ids
from runtime.invocation.invoker import InvocationResult, Order
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import APPS

ACME = "0acde000-0000-4000-8000-000000000001"
OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
ISSUE = {"issueKey": "TEAM-3"}


def seed(connection: Connection, ids: Ids, clock: Clock) -> None:
    seed_default_world(connection, ids, clock)
    seed_default_world(connection, ids, clock, OTHER)


@pytest.fixture
def both(tmp_path: Path, cache: Path) -> Iterator[Firebrick]:
    settings = Settings(state=tmp_path / "state", cache=cache)
    with open_firebrick(settings, seed=seed) as firebrick:
        version, _ = firebrick.apps.deploy(APPS / "issue-health")
        for cloud_id in (ACME, OTHER.cloud_id):
            plan = firebrick.apps.plan(version, cloud_id)
            firebrick.apps.install(plan, cloud_id, firebrick.find_person("amy"))
        yield firebrick


def invoke(firebrick: Firebrick, cloud_id: str, definition: str) -> InvocationResult:
    version = firebrick.find_app("issue-health", "development")
    installation = firebrick.apps.find_installation(version, cloud_id)
    return firebrick.invoker.invoke(
        Order(
            version=version,
            installation=installation,
            function=f"resolver:{definition}",
            payload=ISSUE,
            account_id=firebrick.find_person("dana").account_id,
            site_url=firebrick.site_url(cloud_id),
            prove=True,
        )
    )


def remarks(firebrick: Firebrick, cloud_id: str) -> int:
    """Return how many comments TEAM-3 of a site has, as the app counts them."""
    (call,) = [
        call
        for call in invoke(firebrick, cloud_id, "getHealth").calls
        if call.operation == "getComments"
    ]
    assert call.status == 200
    with firebrick.engine.connect() as connection:
        return len(
            connection.exec_driver_sql(
                "select 1 from comment join issue on issue.id = comment.issue_id "
                "join project on project.id = issue.project_id where project.cloud_id = ?",
                (cloud_id,),
            ).all()
        )


def test_with_two_sites_the_site_must_be_named(both: Firebrick) -> None:
    with pytest.raises(InstallationError) as caught:
        both.find_site(None)
    assert caught.value.code == "UNKNOWN_SITE"
    assert both.find_site("other") == OTHER.cloud_id
    assert both.find_site("https://acme.atlassian.net/") == ACME


@pytest.mark.hostile
def test_what_the_app_writes_on_one_site_is_not_on_the_other(both: Firebrick) -> None:
    before = remarks(both, ACME), remarks(both, OTHER.cloud_id)
    result = invoke(both, OTHER.cloud_id, "leaveNote")
    assert isinstance(result.value, dict)
    assert result.value["status"] == 201
    assert (remarks(both, ACME), remarks(both, OTHER.cloud_id)) == (before[0], before[1] + 1)


@pytest.mark.hostile
def test_each_installation_has_its_own_account_and_tokens(both: Firebrick) -> None:
    here, there = both.installations.list_active()
    assert here.app_account_id != there.app_account_id
    invoke(both, ACME, "leaveNote")
    (token,) = both.broker.live_tokens()
    grant = both.broker.verify(token)
    assert grant is not None
    assert (grant.cloud_id, grant.account_id) == (ACME, here.app_account_id)


@pytest.mark.hostile
def test_a_caller_that_mixes_two_sites_reaches_neither(both: Firebrick) -> None:
    here, there = both.installations.list_active()
    for installation_id, cloud_id in ((here.id, there.cloud_id), (there.id, here.cloud_id)):
        caller = Caller("x", here.app_id, installation_id, cloud_id, here.app_account_id, None)
        _, report = both.gateway.send(caller, ProductCall("/rest/api/3/myself", act_as="app"))
        assert report.rule == "installation.ended"


@pytest.mark.hostile
def test_uninstalling_and_narrowing_on_one_site_leaves_the_other(both: Firebrick) -> None:
    here, there = both.installations.list_active()
    both.installations.set_granted(here.id, frozenset())
    assert invoke(both, ACME, "getHealth").calls[0].rule == "scope.ungranted"
    assert invoke(both, OTHER.cloud_id, "getHealth").outcome.fault is None
    both.apps.uninstall(there, both.find_person("amy"))
    with pytest.raises(InstallationError):
        invoke(both, OTHER.cloud_id, "getHealth")
    both.installations.set_granted(here.id, frozenset({"read:jira-work", "write:jira-work"}))
    assert invoke(both, ACME, "getHealth").outcome.fault is None
