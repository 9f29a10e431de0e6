import pytest
from sqlalchemy import update

from runtime.jira.permission_keys import ALL_PERMISSIONS
from runtime.jira.schema import comment_table
from tests.jira.worlds import World

API = "/rest/api/3/"


def held(world: World, query: str, who: str | None, *keys: str) -> list[bool]:
    path = f"{API}mypermissions?permissions={','.join(keys)}{query}"
    permissions = world.get(path, as_=who).json["permissions"]
    return [permissions[key]["havePermission"] for key in keys]


def test_all_permissions_are_listed_for_anybody(world: World) -> None:
    permissions = world.get(API + "permissions").json["permissions"]
    assert permissions.keys() == ALL_PERMISSIONS.keys()
    assert permissions["EDIT_ISSUES"]["id"] == "12"
    assert permissions["ADMINISTER"]["type"] == "GLOBAL"
    assert "havePermission" not in permissions["ADMINISTER"]


def test_without_a_context_a_project_permission_is_held_in_any_project(world: World) -> None:
    assert held(world, "", "vera", "BROWSE_PROJECTS", "ADMINISTER") == [True, False]
    assert held(world, "", "amy", "ADMINISTER", "SYSTEM_ADMIN") == [True, True]
    assert held(world, "", None, "BROWSE_PROJECTS", "EDIT_ISSUES") == [True, False]


def test_in_a_project_and_on_an_issue(world: World) -> None:
    keys = ("EDIT_ISSUES", "DELETE_ISSUES")
    assert held(world, "&projectKey=TEAM", "dana", *keys) == [True, True]
    assert held(world, "&projectId=10001", "vera", *keys) == [False, True]
    assert held(world, "&issueKey=TEAM-3", "dana", *keys) == [True, True]
    assert held(world, "&issueKey=TEAM-1", "vera", *keys) == [False, False]
    assert held(world, "&issueKey=PUB-3", "vera", *keys) == [True, False]
    assert held(world, "&issueKey=PUB-1", "vera", *keys) == [False, False]


def test_on_a_comment_only_browsing_can_be_asked_for(world: World) -> None:
    assert held(world, "&commentId=10000", None, "BROWSE_PROJECTS") == [True]
    path = f"{API}mypermissions?permissions=EDIT_ISSUES&commentId=10000"
    assert world.get(path).status == 400


def test_a_comment_kept_for_a_role_is_missing_for_others(world: World) -> None:
    path = f"{API}mypermissions?permissions=BROWSE_PROJECTS&commentId="
    assert world.get(path + "10007", as_="paul").status == 200
    hidden = world.get(path + "10007", as_="dana")
    assert hidden.status == 404
    missing = world.get(path + "19999", as_="dana")
    assert hidden.body.replace(b"10007", b"19999") == missing.body
    of_hidden_issue = world.get(path + "10011", as_="vera")
    assert of_hidden_issue.body.replace(b"10011", b"19999") == missing.body
    assert world.get(path + "x", as_="dana").status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?permissions=", 400),
        ("?permissions=FLY", 400),
        ("?permissions=BROWSE_PROJECTS&projectKey=TEAM", 404),
        ("?permissions=BROWSE_PROJECTS&issueKey=TEAM-1", 404),
        ("?permissions=BROWSE_PROJECTS&issueId=10016", 404),
    ],
)
def test_what_is_unknown_or_unseen_is_refused(world: World, query: str, status: int) -> None:
    assert world.get(API + "mypermissions" + query, as_="otto").status == status


def test_a_check_answers_for_many_projects_and_issues(world: World) -> None:
    body = {
        "globalPermissions": ["ADMINISTER", "USER_PICKER", None],
        "projectPermissions": [
            {
                "permissions": ["EDIT_ISSUES", ""],
                "projects": [10000, 10001, 7],
                "issues": [10002, 10016, 99999],
            },
            None,
        ],
    }
    vera = world.post(API + "permissions/check", body, as_="vera").json
    assert vera["globalPermissions"] == ["USER_PICKER"]
    assert vera["projectPermissions"] == [
        {"permission": "EDIT_ISSUES", "projects": [10000], "issues": [10002]}
    ]
    body["accountId"] = world.account("vera").account_id
    assert world.post(API + "permissions/check", body, as_="amy").json == vera


def test_a_check_of_another_account_is_for_administrators(world: World) -> None:
    body = {"accountId": world.account("vera").account_id}
    refused = world.post(API + "permissions/check", body, as_="dana")
    assert refused.errors == ["Only Jira administrators can perform this operation."]
    assert refused.rule == "permission.ADMINISTER"
    unknown = world.post(API + "permissions/check", {"accountId": "nobody"}, as_="amy")
    assert unknown.status == 400
    assert world.post(API + "permissions/check", {}).json["globalPermissions"] == []


def test_a_deactivated_account_holds_nothing(world: World) -> None:
    body = {
        "accountId": world.account("dora").account_id,
        "globalPermissions": ["USER_PICKER"],
        "projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10001]}],
    }
    answer = world.post(API + "permissions/check", body, as_="amy").json
    assert answer["globalPermissions"] == []
    assert answer["projectPermissions"][0]["projects"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"globalPermissions": ["EDIT_ISSUES"]},
        {"projectPermissions": [{"permissions": ["ADMINISTER"]}]},
        {"projectPermissions": [{"permissions": []}]},
        {"projectPermissions": [{"projects": [1]}]},
        {"projectPermissions": [{"permissions": ["EDIT_ISSUES"], "issues": list(range(1001))}]},
        {"projectPermissions": [7]},
        {"globalPermissions": [7]},
    ],
)
def test_a_check_of_unknown_or_too_many_things_is_refused(world: World, body: object) -> None:
    assert world.post(API + "permissions/check", body, as_="amy").status == 400


def test_an_unknown_permission_is_named(world: World) -> None:
    answer = world.post(API + "permissions/check", {"globalPermissions": ["X"]}, as_="dana")
    assert answer.json == {"errorMessages": [], "errors": {"X": "Unrecognized permission"}}


def test_permitted_projects_need_every_permission(world: World) -> None:
    def keys(who: str | None, *permissions: str) -> list[str]:
        body = {"permissions": list(permissions)}
        answer = world.post(API + "permissions/project", body, as_=who)
        return [project["key"] for project in answer.json["projects"]]

    assert keys("vera", "BROWSE_PROJECTS") == ["PUB", "TEAM", "VAULT"]
    assert keys("vera", "BROWSE_PROJECTS", "ADD_COMMENTS") == ["PUB", "VAULT"]
    assert keys(None, "BROWSE_PROJECTS") == ["PUB"]
    assert world.post(API + "permissions/project", {"permissions": []}).status == 400
    assert world.post(API + "permissions/project", {"permissions": ["X"]}).status == 400


def test_a_comment_kept_for_a_group_is_read_by_its_members(world: World) -> None:
    group = world.site().find_group("site-admins")
    assert group is not None
    with world.engine.begin() as connection:
        connection.execute(
            update(comment_table)
            .where(comment_table.c.id == 10000)
            .values(visibility_type="group", visibility_id=group.group_id)
        )
    assert held(world, "&commentId=10000", "amy", "BROWSE_PROJECTS") == [True]
    path = f"{API}mypermissions?permissions=BROWSE_PROJECTS&commentId=10000"
    assert world.get(path, as_="paul").status == 404


def test_a_permission_on_an_issue_that_one_does_not_see_is_not_told(world: World) -> None:
    body = {
        "projectPermissions": [
            {"permissions": ["EDIT_ISSUES"], "issues": [10002], "projects": [10000]}
        ]
    }
    before = world.post(API + "permissions/check", body, as_="vera").json
    assert before["projectPermissions"][0]["issues"] == [10002]  # as its reporter
    browse = next(
        grant
        for grant in world.site().permission_schemes[10001].grants
        if grant.holder.type == "anyone"
    )
    world.delete(f"{API}permissionscheme/10001/permission/{browse.id}", as_="amy")
    after = world.post(API + "permissions/check", body, as_="vera").json
    (answer,) = after["projectPermissions"]
    assert (answer["issues"], answer["projects"]) == ([], [])
