"""Worlds made of files: whole or not at all, and written back as files that make them again."""

import json
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, select

from runtime.clock import ManualClock
from runtime.errors import ManifestError
from runtime.jira.schema import issue_table, project_table, site_table
from runtime.policy.customer_egress import Choices, EgressEntry
from runtime.server.customer_egress import choices_of
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.server.world.export import export_world
from runtime.server.world.file import require_world
from runtime.server.world.seed import Summary
from runtime.server.worldmaking import make_world
from runtime.wire import JiraRequest
from tests.flows.conftest import Bench
from tests.flows.test_customer_remotes import MANIFEST as ROAMING
from tests.flows.test_customer_remotes import SOURCE as ROAMING_SOURCE

WORLDS = Path(__file__).parents[2] / "sample_apps" / "worlds"
EXAMPLES = sorted(WORLDS.glob("*.yml"))
HEALTH = "resolver:getHealth"


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def settings(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SCORE_TOKEN", "a secret score")
    return Settings(state=tmp_path / "state", cache=images)


def write(folder: Path, text: str) -> Path:
    path = folder / "firebrick.yml"
    path.write_text(text, encoding="utf-8")
    return path


def make(settings: Settings, path: Path) -> Summary:
    return make_world(settings, require_world(path))


def exported(settings: Settings) -> str:
    with open_firebrick(settings) as firebrick:
        return export_world(firebrick.engine)


def keys(firebrick: Firebrick) -> set[str]:
    query = select(project_table.c.key, issue_table.c.number).join(
        issue_table, issue_table.c.project_id == project_table.c.id
    )
    with firebrick.engine.connect() as connection:
        return {f"{key}-{number}" for key, number in connection.execute(query)}


# ------------------------------------------------------------------------------------------- making


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_made_and_made_again_of_its_export(
    path: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = make(settings, path)
    assert summary.users > 0
    first = exported(settings)
    again = make(settings, write(tmp_path, first))
    assert again.issues == summary.issues
    assert exported(settings) == first


def test_the_default_world_comes_back_of_its_export(settings: Settings, tmp_path: Path) -> None:
    first = exported(settings)
    assert make(settings, write(tmp_path, first)) == Summary(("acme",), 6, 3, 40, 0)
    assert exported(settings) == first


def test_a_new_state_begins_with_the_file_beside_it(settings: Settings, tmp_path: Path) -> None:
    write(tmp_path, "sites:\n  - {name: beta, issues: [{key: TEAM-99, summary: x}]}\n")
    with open_firebrick(settings) as firebrick:
        assert firebrick.site_names() == ["beta.atlassian.net"]
        assert "TEAM-99" in keys(firebrick)


def test_a_new_state_begins_with_the_file_that_is_named(settings: Settings, tmp_path: Path) -> None:
    named = settings.model_copy(update={"world": WORLDS / "small.yml"})
    with open_firebrick(named) as firebrick:
        assert keys(firebrick) == {"TT-1", "TT-2"}
        assert [one.handle for one in firebrick.people()] == ["ann", "bob"]


def test_a_file_with_errors_makes_no_state(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path, "sites:\n  - {name: acme, users: [zed]}\n")
    with pytest.raises(ManifestError, match=r"firebrick.yml:2:\d+  error") as caught:
        open_firebrick(settings)
    assert caught.value.code == "BAD_WORLD"
    path.unlink()
    with open_firebrick(settings) as firebrick:
        assert len(keys(firebrick)) == 40


def test_a_small_world_works_as_it_says(settings: Settings) -> None:
    make(settings, WORLDS / "small.yml")
    with open_firebrick(settings) as firebrick:
        _, token = firebrick.api_tokens.create(firebrick.find_person("bob"), "test")
        (cloud_id,) = firebrick.sites_by_host().values()

        def ask(method: str, path: str, value: object = None) -> tuple[int, object]:
            import base64  # noqa: PLC0415

            pair = base64.b64encode(f"bob@acme.example:{token.get_secret_value()}".encode())
            headers = {
                "authorization": f"Basic {pair.decode()}",
                "content-type": "application/json",
            }
            body = b"" if value is None else json.dumps(value).encode()
            response = firebrick.jira.handle(
                JiraRequest(method, path, headers=headers, body=body, cloud_id=cloud_id)
            )
            return response.status, json.loads(response.body or b"null")

        _, issue = ask("GET", "/rest/api/3/issue/TT-1")
        assert isinstance(issue, dict)
        fields = issue["fields"]
        assert [fields[one]["name"] for one in ("status", "issuetype", "priority")] == [
            "Open",
            "Thing",
            "Normal",
        ]
        closing = {"transition": {"id": "11"}}
        assert ask("POST", "/rest/api/3/issue/TT-1/transitions", closing)[0] == 204
        _, closed = ask("GET", "/rest/api/3/issue/TT-2")
        assert isinstance(closed, dict)
        assert closed["fields"]["resolution"]["name"] == "Fixed"


# --------------------------------------------------------------------------------- whole or nothing


def test_a_world_that_cannot_be_made_leaves_the_one_that_is_there(
    settings: Settings, tmp_path: Path
) -> None:
    with open_firebrick(settings) as firebrick:
        before = export_world(firebrick.engine)
    for install in ("{app: nowhere}", "{app: APP, scopes: ['manage:jira-project']}"):
        text = f"sites:\n  - {{name: beta, installs: [{install}]}}\n"
        app = (WORLDS / ".." / "issue-health").resolve()
        with pytest.raises(ManifestError) as caught:
            make(settings, write(tmp_path, text.replace("APP", str(app))))
        assert caught.value.code == "BAD_WORLD"
        assert exported(settings) == before


def test_what_is_deployed_and_what_happened_outlives_a_world(settings: Settings) -> None:
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        bench.install(WORLDS / ".." / "issue-health")
        bench.invoke("issue-health", HEALTH, {"issueKey": "TEAM-3"}, as_="dana")
        firebrick.api_tokens.create(firebrick.find_person("dana"), "test")
        revision = _revision(firebrick)
        assert firebrick.live_digests()
    make(settings, WORLDS / "classroom.yml")
    with open_firebrick(settings) as firebrick:
        assert firebrick.live_digests() == frozenset()
        assert firebrick.installations.list_active() == ()
        assert [one.name for one in firebrick.installations.list_latest_versions()] == [
            "issue-health"
        ]
        assert len(firebrick.records.read()) == 1
        assert firebrick.recordings.newest() is not None
        rules = [one.rule for one in firebrick.audit.read()]
        assert (rules[0], rules[-1]) == ("app.deployed", "world.made")
        assert _revision(firebrick) > revision


def _revision(firebrick: Firebrick) -> int:
    with firebrick.engine.connect() as connection:
        return int(connection.execute(select(func.max(site_table.c.revision))).scalar_one())


def test_a_process_that_runs_sees_the_new_world(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path, "sites:\n  - {name: acme, projects: [{key: TEAM, name: Renamed}]}\n")
    text = path.read_text(encoding="utf-8")
    path.unlink()
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        request = JiraRequest("GET", "/rest/api/3/project/PUB", cloud_id=cloud_id)
        assert firebrick.jira.handle(request).status == 200
        changed = "sites:\n  - {name: acme, projects: [{key: PUB, name: Renamed}]}\n"
        make(settings, write(tmp_path, changed))
        assert json.loads(firebrick.jira.handle(request).body)["name"] == "Renamed"
    assert text


# --------------------------------------------------------------------------------------------- apps


def test_one_app_has_on_each_site_what_the_file_grants(settings: Settings) -> None:
    make(settings, WORLDS / "two-sites.yml")
    with open_firebrick(settings) as firebrick:
        one, two = firebrick.installations.list_active()
        by_site = {firebrick.site_url(at.cloud_id): at for at in (one, two)}
        acme = by_site["https://acme.atlassian.net"]
        globex = by_site["https://globex.atlassian.net"]
        assert (sorted(acme.granted), sorted(globex.granted)) == (
            ["read:jira-work", "write:jira-work"],
            ["read:jira-work"],
        )
        assert (globex.user_consent, globex.licence) == (True, "trial")
        ((account_id, scopes),) = firebrick.consents.list(globex.id)
        assert (firebrick.name_of(account_id), scopes) == ("dana", globex.granted)
        assert acme.app_account_id != globex.app_account_id


def test_an_app_runs_in_the_world_that_installed_it(settings: Settings) -> None:
    make(settings, WORLDS / "outside.yml")
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        result = bench.invoke("issue-health", HEALTH, {"issueKey": "TEAM-3"}, as_="dana")
        assert result.outcome.fault is None
        env = firebrick.env_of(firebrick.find_app("issue-health", "development"))
        assert env == {
            "SCORE_SERVICE": "https://scores.example.com",
            "SCORE_TOKEN": "a secret score",
        }
        assert [one.url for one in firebrick.stubs][-1] == "https://down.example.com/*"
        assert firebrick.egress().stubs == firebrick.stubs


def test_nothing_is_deployed_anew_where_nothing_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = []
    for token in ("one", "one", "two"):
        monkeypatch.setenv("SCORE_TOKEN", token)
        make(settings, WORLDS / "outside.yml")
        with open_firebrick(settings) as firebrick:
            versions.append(firebrick.find_app("issue-health", "development").version)
    assert versions == ["1.0.0", "1.0.0", "1.1.0"]


@pytest.mark.hostile
def test_an_encrypted_variable_stands_in_no_export(settings: Settings, tmp_path: Path) -> None:
    make(settings, WORLDS / "outside.yml")
    text = exported(settings)
    assert "a secret score" not in text
    assert "from_env: SCORE_TOKEN" in text
    database = b"".join(path.read_bytes() for path in (tmp_path / "state").glob("state.db*"))
    assert b"a secret score" not in database


RULES = f"""
sites:
  - name: acme
    installs:
      - app: {(WORLDS / ".." / "issue-health").resolve()}
    app_access:
      - project: TEAM
      - {{project: TEAM, app: {(WORLDS / ".." / "issue-health").resolve()}, access: allowed}}
      - {{project: TEAM, id: my-connect-app, access: allowed}}
      - {{project: PUB, id: my-connect-app}}
"""


def test_app_access_rules_come_back_of_their_export(settings: Settings, tmp_path: Path) -> None:
    make(settings, write(tmp_path, RULES))
    with open_firebrick(settings) as firebrick:
        cloud_id = firebrick.find_site(None)
        app_id = firebrick.find_app("issue-health", "development").app_id
        rules = {(key, one.app_id): one.blocked for key, one in firebrick.app_access.list(cloud_id)}
        assert rules == {
            ("TEAM", "*"): True,
            ("TEAM", app_id): False,
            ("TEAM", "my-connect-app"): False,
            ("PUB", "my-connect-app"): True,
        }
        firebrick.app_access.set(cloud_id, "VAULT", app_id, blocked=True)
    first = exported(settings)
    assert yaml.safe_load(first)["sites"][0]["app_access"] == [
        {"project": "PUB", "id": "my-connect-app"},
        {"project": "TEAM"},
        {"project": "TEAM", "app": "issue-health", "access": "allowed"},
        {"project": "TEAM", "id": "my-connect-app", "access": "allowed"},
        {"project": "VAULT", "app": "issue-health"},
    ]
    make(settings, write(tmp_path, first))
    assert exported(settings) == first


CHOSEN = """
sites:
  - name: acme
    installs:
      - app: {app}
        egress:
          - key: own
            description: Our own server
            configured: [{{domain: API.example.com}}, {{domain: "*.b.example", type: [IMAGES]}}]
        remotes: {{own: "https://a.customer.example"}}
"""


def test_what_a_customer_chose_comes_back_of_its_export(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "app" / "src").mkdir(parents=True)
    (tmp_path / "app" / "manifest.yml").write_text(ROAMING)
    (tmp_path / "app" / "src" / "index.js").write_text(ROAMING_SOURCE)
    make(settings, write(tmp_path, CHOSEN.format(app=tmp_path / "app")))
    with open_firebrick(settings) as firebrick:
        version = firebrick.find_app("app", "development")
        chosen = choices_of(firebrick, version, firebrick.find_site(None))
        assert dict(chosen.endpoints) == {"own": "https://a.customer.example/"}
        (group,) = chosen.groups
        assert group.entries == (
            EgressEntry("https://api.example.com"),
            EgressEntry("https://*.b.example", ("IMAGES",)),
        )
    first = exported(settings)
    (installed,) = yaml.safe_load(first)["sites"][0]["installs"]
    assert installed["remotes"] == {"own": "https://a.customer.example/"}
    make(settings, write(tmp_path, first))
    assert exported(settings) == first
    make(settings, write(tmp_path, CHOSEN.partition("        egress")[0].format(app="app")))
    with open_firebrick(settings) as firebrick:
        version = firebrick.find_app("app", "development")
        assert choices_of(firebrick, version, firebrick.find_site(None)) == Choices()


@pytest.mark.hostile
def test_41_a_rule_of_the_file_holds_from_the_first_call(
    settings: Settings, tmp_path: Path
) -> None:
    rules = RULES.replace(", access: allowed}", "}").replace("      - project: TEAM\n", "")
    make(settings, write(tmp_path, rules))
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        for key, rule in (("TEAM-3", "app-access.blocked"), ("PUB-1", "allowed")):
            result = bench.invoke("issue-health", HEALTH, {"issueKey": key}, as_="dana")
            assert result.calls[0].rule == rule


def test_one_app_has_one_rule_whatever_it_is_called(settings: Settings, tmp_path: Path) -> None:
    make(settings, WORLDS / "outside.yml")
    with open_firebrick(settings) as firebrick:
        app_id = firebrick.find_app("issue-health", "development").app_id
    before = exported(settings)
    text = f"""
sites:
  - name: acme
    installs: [{{app: issue-health}}]
    app_access: [{{project: TEAM, app: issue-health}}, {{project: TEAM, id: "{app_id}"}}]
"""
    with pytest.raises(ManifestError, match="has two app access rules in TEAM, by two names"):
        make(settings, write(tmp_path, text))
    assert exported(settings) == before


def test_an_account_that_the_file_describes_has_what_the_file_says(
    settings: Settings, tmp_path: Path
) -> None:
    app = (WORLDS / ".." / "issue-health").resolve()
    text = f"""
users:
  - {{handle: health, name: Health, type: app}}
sites:
  - name: acme
    users: [amy, dana, health]
    installs:
      - {{app: {app}, account: health}}
"""
    make(settings, write(tmp_path, text))
    with open_firebrick(settings) as firebrick:
        (installation,) = firebrick.installations.list_active()
        assert firebrick.name_of(installation.app_account_id) == "Health"
        bench = Bench(firebrick)
        note = {"issueKey": "TEAM-3"}
        result = bench.invoke("issue-health", "resolver:leaveNote", note, as_="dana")
        assert [call.rule for call in result.calls] == ["entity.hidden-or-missing"]


# ----------------------------------------------------------------------------------- clock and seed


def test_a_world_has_a_time_of_its_own(settings: Settings, tmp_path: Path) -> None:
    text = "clock: 2026-01-05T09:00:00Z\nsites:\n  - name: acme\n"
    write(tmp_path, text)
    clock = ManualClock(2_000_000_000.0)
    with open_firebrick(settings, clock) as firebrick:
        bench = Bench(firebrick)
        bench.install(WORLDS / ".." / "wat-hello")
        clock.advance(60)
        result = bench.invoke("wat-hello", "hello")
        assert result.now_s == 1_767_603_600 + 60
        assert firebrick.records.read()[0].began_at_s == 2_000_000_060
        with firebrick.engine.connect() as connection:
            newest = connection.execute(select(func.max(issue_table.c.created_ms))).scalar_one()
        assert newest == (1_767_603_600 - 86_400) * 1000


def test_the_same_file_with_a_seed_makes_the_same_world(
    settings: Settings, tmp_path: Path, images: Path
) -> None:
    app = (WORLDS / ".." / "issue-health").resolve()
    path = write(
        tmp_path,
        f"""
clock: 2026-01-05T09:00:00Z
seed: a
sites:
  - name: acme
    installs: [{{app: {app}}}]
""",
    )

    def world(name: str) -> tuple[str, list[object]]:
        at = Settings(state=tmp_path / name / "state", cache=images)
        at.state.parent.mkdir()
        make_world(at, require_world(path))
        with open_firebrick(at) as firebrick:
            seeds: list[object] = [firebrick.next_seed()]
            bench = Bench(firebrick)
            bench.invoke("issue-health", HEALTH, {"issueKey": "TEAM-3"}, as_="dana")
            seeds.append(firebrick.next_seed())
            return export_world(firebrick.engine), seeds

    first, second = world("one"), world("two")
    assert first == second
    assert len(set(first[1])) == 2


def test_a_world_without_a_seed_gives_none(settings: Settings) -> None:
    with open_firebrick(settings) as firebrick:
        assert firebrick.next_seed() is None
