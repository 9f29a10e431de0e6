"""What the scripts say, and what they ask, whichever way they log in."""

from typing import Any  # JSON

FOUND = "searchAndReconsileIssuesUsingJql"
POSTED = "searchAndReconsileIssuesUsingJqlPost"
OLD_POSTED = "searchForIssuesUsingJqlPost"
ME = "Dana Developer"
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full "
    "migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def document(text: str, *marks: str) -> dict[str, Any]:
    """Return a document of one paragraph."""
    node: dict[str, Any] = {"type": "text", "text": text}
    if marks:
        node["marks"] = [{"type": mark} for mark in marks]
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [node]}]}


JIRA = {
    "me": ME,
    "issue": ["Changed by jira", "In Progress", "*bold*"],
    "comments": ["hello"],
    "found": True,
    "projects": ["PUB", "TEAM", "VAULT"],
    "hidden": 404,
}
JIRA_CALLS = [
    ("getServerInfo", 200),
    ("getProject", 200),
    ("createIssue", 201),
    ("getIssue", 200),
    ("addComment", 201),
    ("getTransitions", 200),
    ("doTransition", 204),
    ("editIssue", 204),
    ("getIssue", 200),
    ("getIssue", 200),
    ("getCurrentUser", 200),
    ("getComments", 200),
    ("getFields", 200),
    (FOUND, 200),
    ("getAllProjects", 200),
    ("getIssue", 404),
]
ATLASSIAN = {
    "me": ME,
    "issue": ["By atlassian", "In Progress"],
    "comments": ["hello"],
    "found": True,
    "enhanced": 2,
    "hidden": 404,
}
ATLASSIAN_CALLS = [
    ("createIssue", 201),
    ("addComment", 201),
    ("getTransitions", 200),
    ("doTransition", 204),
    ("getIssue", 200),
    ("getCurrentUser", 200),
    (FOUND, 200),
    (FOUND, 200),
    ("getIssue", 404),
]
_JIRA_JS = {"me": ME, "issue": ["By jira.js", "In Progress"], "hidden": 404}
JIRA_JS_5 = {
    "v2": {**_JIRA_JS, "found": [True, True], "description": "plain", "comments": ["hi"]},
    "v3": {
        **_JIRA_JS,
        "found": [True, True],
        "description": document("plain"),
        "comments": [document("hi")],
    },
}
JIRA_JS_5_CALLS = [
    ("getProject", 200),
    ("createIssue", 201),
    ("addComment", 201),
    ("getTransitions", 200),
    ("doTransition", 204),
    ("getIssue", 200),
    (FOUND, 200),
    (POSTED, 200),
    ("getIssue", 404),
    ("getCurrentUser", 200),
] * 2
JIRA_JS_6 = {**_JIRA_JS, "found": [True], "comments": [document("hi", "strong")]}
JIRA_JS_6_CALLS = [
    ("getProject", 200),
    ("createIssue", 201),
    ("addComment", 201),
    ("getComment", 200),
    ("getTransitions", 200),
    ("doTransition", 204),
    ("getIssue", 200),
    (FOUND, 200),
    ("getIssue", 404),
    ("getComments", 200),
    ("getCurrentUser", 200),
]


def jira_client(*, legacy: bool) -> dict[str, Any]:
    """Return what jira-client says where the old search is on, or off."""
    return {
        "me": ME,
        "issue": ["By jira-client", "In Progress", ["moved"]],
        "comments": ["hello"],
        "found": [1, True] if legacy else [REMOVED],
        "hidden": ["Issue does not exist or you do not have permission to see it."],
    }


def jira_client_calls(*, legacy: bool) -> list[tuple[str, int]]:
    """Return what jira-client asks."""
    return [
        ("createIssue", 201),
        ("addComment", 201),
        ("getTransitions", 200),
        ("doTransition", 204),
        ("editIssue", 204),
        ("getIssue", 200),
        (OLD_POSTED, 200 if legacy else 410),
        ("getIssue", 404),
        ("getCurrentUser", 200),
    ]
