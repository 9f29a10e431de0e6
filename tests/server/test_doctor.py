"""What doctor finds, and that it says how to mend it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from runtime.clock import ManualClock, SystemClock
from runtime.installation.store import app_version_table
from runtime.invocation.recording import recording_table
from runtime.jira.schema import membership_table, site_table
from runtime.server.doctor import examine
from runtime.server.finding import Finding
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.server.world.file import require_world
from runtime.server.worldmaking import make_world
from tests.flows.conftest import APPS, Bench

WORLDS = APPS / "worlds"


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def settings(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SCORE_TOKEN", "a secret score")
    return Settings(state=tmp_path / "state", cache=images)


@pytest.fixture
def used(settings: Settings) -> Settings:
    """A state with an app that has run."""
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        bench.install(APPS / "wat-hello")
        bench.invoke("wat-hello", "hello")
    return settings


def found(settings: Settings, what: str) -> Finding:
    findings = [one for one in examine(settings) if one.what == what]
    assert findings, what
    return next((one for one in findings if one.state != "ok"), findings[0])


def change(settings: Settings, how: Callable[[Firebrick], object]) -> None:
    with open_firebrick(settings) as firebrick:
        how(firebrick)


def execute(settings: Settings, statement: object) -> None:
    with open_firebrick(settings) as firebrick, firebrick.engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]  # any statement


def test_a_sound_state_has_nothing_to_mend(used: Settings) -> None:
    findings = examine(used)
    wrong = [one for one in findings if one.state != "ok" and not one.what.startswith("sandbox")]
    assert wrong == []
    shown = {one.what: one.finding for one in findings}
    assert shown["site"] == "acme: 7 users, 3 projects, 40 issues"
    assert shown["apps"] == "1 deployed, 1 installed"
    assert shown["recordings"].startswith("1 of at most 1000")
    assert shown["world"] == "the default world"
    assert "1 live, 0 expired" in shown["tokens"]


def test_everything_that_is_not_well_says_how_to_mend_it(used: Settings) -> None:
    execute(used, delete(membership_table))
    execute(used, update(recording_table).values(body="{}"))
    for one in examine(used):
        assert (one.state == "ok") or one.mend, one


def test_looking_makes_no_state(tmp_path: Path) -> None:
    examine(Settings(state=tmp_path / "state"))
    assert not (tmp_path / "state").exists()


def test_a_site_without_an_administrator_is_said(used: Settings) -> None:
    execute(used, delete(membership_table))
    finding = found(used, "site")
    assert "no active administrator" in finding.finding
    assert "firebrick seed" in finding.mend


def test_a_state_without_a_site_is_said(used: Settings) -> None:
    change(used, _drop_sites)
    assert found(used, "sites").state == "failed"


def _drop_sites(firebrick: Firebrick) -> None:
    raw = firebrick.engine.raw_connection()
    raw.cursor().execute("PRAGMA foreign_keys=OFF")
    raw.cursor().execute(f"DELETE FROM {site_table.name}")
    raw.commit()
    raw.close()


def test_each_of_several_sites_is_counted(settings: Settings) -> None:
    make_world(settings, require_world(WORLDS / "two-sites.yml"))
    sites = [one.finding for one in examine(settings) if one.what == "site"]
    assert sorted(one.partition(":")[0] for one in sites) == ["acme", "globex"]
    clock = found(settings, "world clock")
    assert "days behind the host's" in clock.finding
    assert found(settings, "world").finding.endswith("two-sites.yml")


def test_a_world_file_that_is_gone_or_wrong_is_said(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "firebrick.yml"
    path.write_text("sites: [{name: beta}]\n")
    change(settings, lambda _: None)
    assert found(settings, "world file").state == "ok"
    path.write_text("sites: [{name: beta, users: [zed]}]\n")
    assert "zed" in found(settings, "world file").finding
    path.unlink()
    assert "export-world" in found(settings, "world").mend


def test_a_version_that_waits_and_one_that_is_gone_are_said(used: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "wat-hello"
    folder.mkdir()
    (folder / "src").mkdir()
    source = APPS / "wat-hello"
    (folder / "src" / "hello.wat").write_text((source / "src" / "hello.wat").read_text())
    manifest = (source / "manifest.yml").read_text()
    (folder / "manifest.yml").write_text(
        manifest.replace("- read:jira-user", "- read:jira-user\n    - read:jira-work")
    )
    change(used, lambda firebrick: firebrick.apps.deploy(folder))
    finding = found(used, "apps")
    assert finding.finding == "wat-hello 2.0.0 waits for approval on acme"
    assert finding.mend.startswith("'firebrick install --app wat-hello --site acme'")
    execute(used, delete(app_version_table))
    assert found(used, "apps").state == "failed"


def test_a_recording_that_cannot_be_read_and_none_at_all_are_said(used: Settings) -> None:
    nothing = used.model_copy(update={"recordings": 0})
    assert "FIREBRICK_RECORDINGS" in found(nothing, "recordings").mend
    execute(used, update(recording_table).values(body="{}"))
    assert "cannot be read" in found(used, "recordings").finding


def test_tokens_that_outlive_an_installation_are_said(used: Settings) -> None:
    change(used, _end_without_revoking)
    assert "1 live tokens of ended installations" in found(used, "tokens").finding


def _end_without_revoking(firebrick: Firebrick) -> None:
    with firebrick.engine.begin() as connection:
        for one in firebrick.installations.list_active():
            firebrick.installations.deactivate(connection, one.id)


def test_a_clock_that_went_back_is_said(used: Settings) -> None:
    past = ManualClock(SystemClock().now_s() - 86_400)
    (finding,) = [one for one in examine(used, past) if one.what == "clock"]
    assert (finding.state, "went back" in finding.finding) == ("warn", True)


def test_a_variable_that_fits_no_key_is_said(settings: Settings) -> None:
    make_world(settings, require_world(WORLDS / "outside.yml"))
    assert found(settings, "variables").finding == "1 encrypted, all can be decrypted"
    (settings.state / "secrets.key").unlink()
    finding = found(settings, "variables")
    assert finding.state == "failed"
    assert "SCORE_TOKEN" in finding.mend


@pytest.mark.hostile
def test_what_was_done_to_the_cache_and_to_keys_is_said(used: Settings, tmp_path: Path) -> None:
    own = used.model_copy(update={"cache": tmp_path / "cache"})
    with open_firebrick(own) as firebrick:
        Bench(firebrick).install(APPS / "issue-health")
    assert "all intact" in found(own, "cache").finding
    entry = next((tmp_path / "cache").glob("*.guest"))
    entry.write_bytes(entry.read_bytes()[:-1] + b"x")
    (tmp_path / "cache" / "left.tmp").write_bytes(b"")
    (tmp_path / "cache" / "cache.key").chmod(0o644)
    shown = [one.finding for one in examine(own) if one.what in ("cache", "key file")]
    assert any("is readable by others" in one for one in shown) or any(
        "entries fail" in one for one in shown
    )
    assert any("writers that died" in one for one in shown)
    assert entry.exists()
