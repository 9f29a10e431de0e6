"""The commands of Connect apps."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.cli.conftest import Firebrick
from tests.flows.connect_app import KEY, ConnectApp, running
from tests.flows.serving import served


@pytest.fixture
def app(
    firebrick: Firebrick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ConnectApp]:
    """An app, and the served site of the state that the commands work on."""
    settings = Settings(state=tmp_path / "state")
    with open_firebrick(settings) as state, served(state) as base, running(ConnectApp()) as app:
        monkeypatch.setenv("FIREBRICK_PUBLIC_URL", base)
        yield app


def test_an_app_is_shown_before_it_is_installed(firebrick: Firebrick, app: ConnectApp) -> None:
    declined = firebrick("connect", "install", app.descriptor_url, answer="n\n")
    assert declined.code == 1
    assert "ACT_AS_USER: act as any user of the site" in declined.out
    assert "Nothing was installed." in declined.out
    assert app.raw == []
    assert firebrick("connect", "install", app.descriptor_url, answer="y\n").code == 0
    assert app.events == ["installed", "enabled"]


def test_what_is_installed_is_listed_and_shown_without_its_secret(
    firebrick: Firebrick, app: ConnectApp
) -> None:
    empty = firebrick("connect", "list")
    assert "No Connect app is installed." in empty.out
    assert "end of its support" in empty.out
    made = firebrick("connect", "install", app.descriptor_url, "--yes", "--format", "json").json
    listed = firebrick("connect", "list", "--format", "json").json
    shown = firebrick("connect", "show", KEY)
    assert isinstance(made, dict)
    assert isinstance(listed, list)
    assert (made["key"], made["state"], made["hostUrl"]) == (KEY, "enabled", app.tenant["baseUrl"])
    assert listed[0]["scopes"] == "ACT_AS_USER READ WRITE"
    assert "modules: generalPages hello" in shown.out
    assert KEY in firebrick("connect", "list").out
    assert app.tenant["sharedSecret"] not in json.dumps(made) + shown.out


def test_an_app_is_switched_off_and_on_and_removed(firebrick: Firebrick, app: ConnectApp) -> None:
    firebrick("connect", "install", app.descriptor_url, "--yes")
    assert "Switched off" in firebrick("connect", "disable", KEY).out
    assert "Switched on" in firebrick("connect", "enable", KEY).out
    refused = firebrick("connect", "uninstall", KEY, "--as", "paul")
    assert (refused.code, "NOT_SITE_ADMIN" in refused.err) == (1, True)
    gone = firebrick("connect", "uninstall", KEY, "--format", "json").json
    assert gone == {"key": KEY, "state": "uninstalled"}
    again = firebrick("connect", "show", KEY)
    assert (again.code, "NOT_INSTALLED" in again.err) == (1, True)


def test_an_update_that_asks_for_more_waits(firebrick: Firebrick, app: ConnectApp) -> None:
    firebrick("connect", "install", app.descriptor_url, "--yes")
    assert "Up to date" in firebrick("connect", "update", KEY).out
    app.scopes = ["READ", "ADMIN"]
    declined = firebrick("connect", "update", KEY, answer="n\n")
    assert "ADMIN: administer Jira" in declined.out
    assert "It will lose: WRITE" in declined.out
    assert "an update that asks for more" in firebrick("connect", "show", KEY).out
    assert "ADMIN" not in firebrick("connect", "list").out
    approved = firebrick("connect", "update", KEY, "--yes", "--format", "json").json
    assert isinstance(approved, dict)
    assert approved["scopes"] == ["ADMIN", "READ"]


def test_a_descriptor_with_faults_is_no_way_in(
    firebrick: Firebrick, app: ConnectApp, tmp_path: Path
) -> None:
    file = tmp_path / "atlassian-connect.json"
    file.write_text('{\n  "key": "a b"\n}')
    said = firebrick("connect", "install", str(file), "--yes")
    assert said.code == 2
    assert "atlassian-connect.json:2:10: `key` is required" in said.err
    missing = firebrick("connect", "install", str(tmp_path / "none.json"), "--yes")
    assert (missing.code, "DESCRIPTOR_UNREACHABLE" in missing.err) == (1, True)
    app.answers["/installed"] = [500]
    failed = firebrick("connect", "install", app.descriptor_url, "--yes", "--format", "json")
    assert isinstance(failed.json, dict)
    assert failed.json["error"]["code"] == "LIFECYCLE_FAILED"


def test_a_frozen_platform_installs_nothing(
    firebrick: Firebrick, app: ConnectApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBRICK_CONNECT_FROZEN", "1")
    said = firebrick("connect", "install", app.descriptor_url, "--yes")
    assert (said.code, "CONNECT_FROZEN" in said.err) == (1, True)
