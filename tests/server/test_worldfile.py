"""World files: read, held against their rules, laid over what a site begins with."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.jira.world_model import SiteWorld
from runtime.server.world.changes import with_changes
from runtime.server.world.file import WorldReport, parse_world, read_world, require_world
from runtime.server.world.model import SiteFile
from runtime.server.world.schema import schema_text, world_schema

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "sample_apps" / "worlds").glob("*.yml"))
SCHEMA = ROOT / "manifests" / "firebrick.schema.json"


def parse(text: str) -> WorldReport:
    return parse_world(text.encode(), "firebrick.yml", ROOT / "sample_apps" / "worlds", {})


def site(text: str, number: int = 0) -> SiteFile:
    report = parse(text)
    assert report.world is not None, [problem.text() for problem in report.problems]
    return report.world.file.sites[number]


def findings(text: str) -> list[str]:
    return [
        f"{one.line}:{one.column} {one.level} {one.rule.removeprefix('firebrick/')} {one.message}"
        for one in parse(text).problems
    ]


# ------------------------------------------------------------------------------------------ merging


def test_an_empty_file_is_the_default_world() -> None:
    for text in ("", "sites:\n  - name: acme\n", "{}"):
        world = site(text)
        assert [len(world.projects), len(world.issues), len(world.users)] == [3, 40, 6]


def test_a_known_key_changes_and_a_new_one_adds() -> None:
    text = """
users:
  - {handle: eve, name: Eve}
  - {handle: dora, active: true}
sites:
  - name: acme
    projects:
      - {key: TEAM, name: Renamed}
      - {key: OPS, name: Operations, lead: eve}
    issues:
      - {key: TEAM-3, assignee: null, labels: [a]}
      - {key: OPS-1, summary: New}
"""
    report = parse(text)
    assert report.world is not None, report.problems
    file = report.world.file
    assert [(one.handle, one.active) for one in file.users][-2:] == [("dora", True), ("eve", True)]
    world = file.sites[0]
    assert [(one.key, one.name) for one in world.projects][1::2] == [
        ("TEAM", "Renamed"),
        ("OPS", "Operations"),
    ]
    (changed,) = [one for one in world.issues if one.key == "TEAM-3"]
    assert (changed.summary, changed.assignee, changed.labels) == ("Move the database", None, ["a"])
    assert world.users[-1] == "eve"
    assert world.issues[-1].key == "OPS-1"


def test_an_empty_site_has_its_shape_and_nobody() -> None:
    text = "sites:\n  - {name: beta, begin: empty}\n"
    world = site(text)
    assert (world.users, world.projects, world.issues) == ([], [], [])
    assert [one.members for one in world.groups] == [[]] * 4
    assert len(world.permission_schemes) == 4
    assert findings(text) == [
        "2:5 warning world-no-admin Nobody on beta is active and holds ADMINISTER."
    ]


def test_a_bare_site_has_nothing() -> None:
    world = site("sites:\n  - {name: beta, begin: bare}\n")
    assert SiteWorld.model_validate(
        world.model_dump(include=set(SiteWorld.model_fields))
    ) == SiteWorld(name="beta", cloud_id=world.cloud_id, title="Beta")


def test_ids_are_the_same_everywhere() -> None:
    text = "users:\n  - {handle: eve, name: Eve}\nsites:\n  - {name: acme}\n  - {name: beta}\n"
    first, second = parse(text).world, parse(text).world
    assert first is not None
    assert second is not None
    assert first.file == second.file
    assert first.file.sites[0].cloud_id == "0acde000-0000-4000-8000-000000000001"
    assert first.file.sites[1].cloud_id != first.file.sites[0].cloud_id
    assert first.file.users[-1].email == "eve@acme.example"


def test_permissions_are_taken_and_given_at_the_end() -> None:
    text = """
sites:
  - name: acme
    permission_changes:
      - scheme: Team scheme
        revoke:
          - {to: projectRole Viewers, permissions: all}
          - {to: projectRole Developers, permissions: [BROWSE_PROJECTS]}
        grant:
          - {to: anyone, permissions: [BROWSE_PROJECTS]}
"""
    changed = with_changes(site(text))
    (scheme,) = [one for one in changed.permission_schemes if one.name == "Team scheme"]
    assert "projectRole Viewers" not in {one.to for one in scheme.grants}
    (developers,) = [one for one in scheme.grants if one.to == "projectRole Developers"]
    assert "BROWSE_PROJECTS" not in developers.permissions
    assert "EDIT_ISSUES" in developers.permissions
    assert scheme.grants[-1].to == "anyone"
    assert with_changes(changed) == changed


# ----------------------------------------------------------------------------------------- findings


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("- a", "1:1 error world-form The file must be a map."),
        ("site: x", "1:1 error world-form The file may not have `site`."),
        ("clock: noon", "1:1 error world-form clock: String should match pattern"),
        (
            "sites:\n  - name: acme\n    issues:\n      - {key: TEAM-99}",
            "4:9 error world-form sites[acme].issues[TEAM-99] lacks `summary`.",
        ),
        (
            "sites:\n  - name: acme\n    issues:\n      - key: TEAM-1\n        color: red",
            "5:9 error world-form sites[acme].issues[TEAM-1] may not have `color`.",
        ),
        (
            "sites:\n  - name: acme\n    issues: none",
            "3:5 error world-form sites[acme].issues: it must be a valid list",
        ),
        (
            "users:\n  - {handle: amy}\n  - {handle: amy}",
            "3:5 error world-form users has `amy` twice.",
        ),
        (
            "sites:\n  - name: acme\n    issues:\n      - {key: TEAM-1, due: 2026-02-30}",
            "4:23 error world-form There is no such time as `2026-02-30`.",
        ),
        (
            "egress:\n  - url: https://a.example.com/\n    reply: {status: 99}",
            "3:13 error world-egress egress.0.reply.status",
        ),
    ],
)
def test_what_has_the_wrong_form_is_said_at_its_place(text: str, finding: str) -> None:
    found = findings(text)
    assert any(one.startswith(finding) for one in found), found


REFERENCES = {
    "users: [zed]": "There is no user `zed`.",
    "user_properties: {zed: {k: 1}}": "There is no user `zed`.",
    "groups: [{name: g, members: [zed]}]": "There is no user `zed`.",
    "global_permissions: [{permission: FLY, groups: []}]": "There is no global permission `FLY`.",
    "global_permissions: [{permission: ADMINISTER, groups: [g]}]": "There is no group `g`.",
    "applications: [{key: jira-software, groups: [g]}]": "There is no group `g`.",
    "roles: [{name: r, default: [group g]}]": "There is no group `g`.",
    "issue_type_schemes: [{name: s, types: [Thing]}]": "There is no issue type `Thing`.",
    "workflows: [{name: w, initial: Begun}]": "There is no status `Begun`.",
    "workflow_schemes: [{name: s, workflow: w}]": "There is no workflow `w`.",
    "workflow_schemes: [{name: s, workflow: Reviewed work, types: {T: Reviewed work}}]": (
        "There is no issue type `T`."
    ),
    "permission_schemes: [{name: s, grants: [{to: nobody, permissions: []}]}]": (
        "There is no kind of holder `nobody`."
    ),
    "permission_schemes: [{name: s, grants: [{to: projectRole r, permissions: []}]}]": (
        "There is no role `r`."
    ),
    "permission_schemes: [{name: s, grants: [{to: group g, permissions: []}]}]": (
        "There is no group `g`."
    ),
    "permission_schemes: [{name: s, grants: [{to: user, permissions: []}]}]": (
        "`user` lacks a name."
    ),
    "permission_schemes: [{name: s, grants: [{to: anyone, permissions: [FLY]}]}]": (
        "There is no project permission `FLY`."
    ),
    "permission_changes: [{scheme: s}]": "There is no permission scheme `s`.",
    "permission_changes: [{scheme: Open scheme, grant: [{to: user zed, permissions: all}]}]": (
        "There is no user `zed`."
    ),
    "security_schemes: [{name: s, default: d}]": "There is no level `d`.",
    "security_schemes: [{name: s, levels: [{name: l, members: [group g]}]}]": (
        "There is no group `g`."
    ),
    "projects: [{key: TEAM, lead: zed}]": "There is no user `zed`.",
    "projects: [{key: TEAM, roles: {r: []}}]": "There is no role `r`.",
    "projects: [{key: TEAM, roles: {Viewers: [zed]}}]": "There is no user `zed`.",
    "projects: [{key: TEAM, permission_scheme: s}]": "There is no permission scheme `s`.",
    "projects: [{key: TEAM, security_scheme: s}]": "There is no security scheme `s`.",
    "projects: [{key: TEAM, category: c}]": "There is no category `c`.",
    "projects: [{key: TEAM, former_keys: [PUB]}]": "PUB has the key `PUB` too.",
    "issues: [{key: NONE-1, summary: x}]": "There is no project `NONE`.",
    "issues: [{key: TEAM-1, type: Thing}]": "There is no issue type in TEAM `Thing`.",
    "issues: [{key: TEAM-1, status: Begun}]": "There is no status `Begun`.",
    "issues: [{key: TEAM-1, priority: Urgent}]": "There is no priority `Urgent`.",
    "issues: [{key: TEAM-1, resolution: Mended}]": "There is no resolution `Mended`.",
    "issues: [{key: TEAM-1, assignee: zed}]": "There is no user `zed`.",
    "issues: [{key: TEAM-1, level: Staff}]": "There is no level in TEAM `Staff`.",
    "issues: [{key: TEAM-1, parent: TEAM-99}]": "There is no issue `TEAM-99`.",
    "issues: [{key: TEAM-1, parent: TEAM-2}]": "TEAM-1 stands below itself.",
    "issues: [{key: TEAM-1, type: Subtask}]": "TEAM-1 is a subtask and has no parent.",
    "issues: [{key: TEAM-1, comments: [{author: zed, body: x}]}]": "There is no user `zed`.",
    "issues: [{key: TEAM-1, comments: [{author: amy, body: x, role: r}]}]": "There is no role `r`.",
    "issues: [{key: TEAM-1, comments: [{author: amy, body: x, group: g}]}]": (
        "There is no group `g`."
    ),
    "issues: [{key: TEAM-1, comments: [{author: amy, body: x, role: Viewers, "
    "group: site-admins}]}]": "A comment is for a role or for a group, not for both.",
    "issues: [{key: TEAM-1, description: {type: none}}]": (
        "This is no document in Atlassian's format"
    ),
    "issues: [{key: TEAM-1, created: '2026-02-30T00:00:00Z'}]": (
        "There is no such time as `2026-02-30T00:00:00Z`."
    ),
    "installs: [{app: ./none}]": "There is no `manifest.yml` in `./none`.",
    "installs: [{app: x}, {app: x}]": "x (development) is installed twice.",
    "installs: [{app: x, by: zed}]": "There is no user `zed`.",
    "installs: [{app: x, by: otto}]": "otto does not hold ADMINISTER",
    "installs: [{app: x, account: amy}]": "There is no user of type app `amy`.",
    "installs: [{app: x, consents: [zed]}]": "There is no user `zed`.",
    "app_access: [{project: TAEM}]": "There is no project `TAEM`.",
    "app_access: [{project: TEAM, app: x}]": "There is no app `x`.",
    "app_access: [{project: TEAM}, {project: TEAM, access: allowed}]": (
        "TEAM has two rules for `every app`."
    ),
    "app_access: [{project: TEAM, access: allowed}]": (
        "The rule says nothing new: no rule blocks every app in TEAM."
    ),
    "app_access: [{project: TEAM}, {project: TEAM, id: my-key}]": (
        "The rule says nothing new: every app is blocked in TEAM."
    ),
}


CHOICES = {
    "egress: [{key: k, description: d, configured: [{domain: 10.0.0.1}]}]": (
        "'10.0.0.1' is no host behind https."
    ),
    "egress: [{key: a b, description: d, configured: [{domain: a.example}]}]": (
        "The key 'a b' is not 1 to 64"
    ),
    "egress: [{key: k, description: d, configured: []}]": "A group has 1 to 10 domains, not 0.",
    "egress: [{key: k, description: d, configured: [{domain: a.example, type: [ALL]}]}]": (
        "A domain has one or more of the types"
    ),
    "egress: [{key: k, description: d, configured: [{domain: a.example}]}, "
    "{key: k, description: d, configured: [{domain: b.example}]}]": "There are two groups k.",
    "remotes: {own: 'http://a.example'}": "The remote's base URL",
    "remotes: {own: 'https://127.0.0.1'}": "127.0.0.1 is no host by its name",
}
REFERENCES |= {f"installs: [{{app: x, {key}}}]": said for key, said in CHOICES.items()}


@pytest.mark.parametrize(("section", "message"), REFERENCES.items(), ids=range(len(REFERENCES)))
def test_what_names_nothing_is_said_at_its_place(section: str, message: str) -> None:
    found = parse(f"sites:\n  - name: acme\n    {section}\n").problems
    assert any(one.message.startswith(message) for one in found), found
    assert {one.line for one in found} == {3}
    assert all(one.column >= 5 for one in found)


def test_a_rule_of_app_access_names_one_app_that_is_there() -> None:
    text = """
sites:
  - name: acme
    installs:
      - app: issue-health
    app_access:
      - project: TAEM
      - project: TEAM
        app: isue-health
      - {project: TEAM, app: issue-health, id: some-key}
"""
    found = parse(text).problems
    assert [(one.line, one.column, one.message, one.hint) for one in found] == [
        (7, 9, "There is no project `TAEM`.", "Did you mean `TEAM`?"),
        (9, 9, "There is no app `isue-health`.", "Did you mean `issue-health`?"),
        (10, 44, "The rule names two apps.", "Keep one of `app` and `id`."),
    ]
    assert {one.level for one in found} == {"error"}


@pytest.mark.parametrize(
    ("transition", "message"),
    [
        ("{id: 1, name: t, from: A, to: Done}", "There is no status `A`."),
        ("{id: 1, name: t, to: B}", "There is no status `B`."),
        ("{id: 1, name: t, to: Done, resolution: R}", "There is no resolution `R`."),
        ("{id: 1, name: t, to: Done}, {id: 1, name: u, to: Done}", "two transitions with the id 1"),
        ("{id: 1, name: t, to: Done, conditions: [role r]}", "There is no role `r`."),
        ("{id: 1, name: t, to: Done, conditions: [group g]}", "There is no group `g`."),
        ("{id: 1, name: t, to: Done, conditions: [permission P]}", "There is no permission `P`."),
        ("{id: 1, name: t, to: Done, conditions: [moon full]}", "no kind of condition `moon`"),
    ],
)
def test_a_transition_leads_somewhere(transition: str, message: str) -> None:
    text = f"workflows: [{{name: w, initial: To Do, transitions: [{transition}]}}]"
    (found,) = parse(f"sites:\n  - name: acme\n    {text}\n").problems
    assert message in found.message


def test_hints_name_what_is_near() -> None:
    problems = parse("sites:\n  - {name: acme, isues: []}\nvariabels: []\n").problems
    assert [one.hint for one in problems] == ["Did you mean `issues`?", "Did you mean `variables`?"]


def test_accounts_and_sites_share_no_id() -> None:
    text = """
users:
  - {handle: eve, name: Eve, email: DANA@acme.example}
sites:
  - {name: acme}
  - {name: beta, cloud_id: 0acde000-0000-4000-8000-000000000001}
"""
    assert [one.partition(" world-")[2] for one in findings(text)] == [
        "reference eve has the email of dana.",
        "reference beta has the cloud id of acme.",
    ]


def test_a_project_needs_schemes_to_have() -> None:
    text = """
users: [{handle: ann, name: Ann}]
sites:
  - {name: beta, begin: bare, projects: [{key: AA, name: A, lead: ann}]}
"""
    messages = [one.message for one in parse(text).problems]
    assert messages[1:] == [
        f"AA needs a {one} scheme, and the site has none."
        for one in ("issue type", "permission", "workflow")
    ]


def test_variables_have_one_value() -> None:
    text = """
variables:
  - {app: x, key: NONE}
  - {app: x, key: BOTH, value: a, from_env: B}
  - {app: x, key: AWAY, from_env: NOT_THERE}
"""
    assert [one.message for one in parse(text).problems] == [
        "`NONE` has no one value.",
        "`BOTH` has no one value.",
        "The environment has no `NOT_THERE`.",
    ]
    looked = parse_world(text.encode(), "firebrick.yml", ROOT, None).problems
    assert len(looked) == 2


# ------------------------------------------------------------------------------- hostile and random


@pytest.mark.hostile
@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\x00",
        b"sites: [" * 500,
        b"a: &a [*a]\n",
        b"a: &x [1, 2]\nb: &y [" + b"*x, " * 100 + b"]\n" + b"c: [" + b"*y, " * 20_000 + b"]\n",
        b"sites: !!python/object/apply:os.system [id]\n",
        b"sites:\n\t- name: acme\n",
        b"sites: [{name: acme, issues: [1, null, [], {key: 3}]}]\n",
        b"users: {a: b}\nsites: 7\negress: x\nvariables: 9\n",
        b"users: false\nsites:\n  - name: acme\n",
        b"users: [{handle: [a]}, {handle: {b: c}}]\nsites:\n  - name: acme\n",
        b"sites:\n  - name: '../../etc'\n",
        b"---\na: 1\n---\nb: 2\n",
    ],
)
def test_no_file_does_harm(raw: bytes) -> None:
    report = parse_world(raw, "firebrick.yml", ROOT, {})
    assert report.world is None
    assert report.problems
    assert all(one.line >= 1 for one in report.problems)


@pytest.mark.hostile
def test_an_escape_sequence_in_a_name_is_shown_not_sent() -> None:
    text = 'sites:\n  - {name: acme, users: ["\\e[31mzed"]}\n'
    assert all("\x1b" not in one.text() for one in parse(text).problems)


yamlish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "key", "users", "sites", "issues", "groups", "handle", "x"]),
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(yamlish)
def test_any_value_gives_a_world_or_problems(value: object) -> None:
    report = parse_world(yaml.safe_dump(value).encode(), "firebrick.yml", ROOT, {})
    assert (report.world is None) == any(one.level == "error" for one in report.problems)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert read_world(tmp_path / "firebrick.yml").problems[0].message.startswith("There is no")


# --------------------------------------------------------------------------------- schema, examples


def test_the_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(world_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_clean_and_fits_the_schema(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORE_TOKEN", "x")
    assert read_world(path).problems == ()
    assert require_world(path).file.sites
    value = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    plain = json.loads(json.dumps(value), object_hook=_typed)
    errors = list(jsonschema.Draft202012Validator(world_schema()).iter_errors(plain))
    assert not errors, errors[0].message


def _typed(entry: dict[str, object]) -> dict[str, object]:
    """Give the few numbers and truths of the examples their types, which the base loader drops."""
    words = {"true": True, "false": False}
    numbers = {"id", "status", "score", "delay_ms"}
    return {
        key: int(value)
        if key in numbers and isinstance(value, str) and value.isdigit()
        else words.get(value, value)
        if isinstance(value, str)
        else value
        for key, value in entry.items()
    }


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
