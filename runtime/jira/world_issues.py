"""The forty issues of the default world and what was said about them."""

from typing import NamedTuple


class IssueData(NamedTuple):
    """An issue.

    Attributes:
        due_day: Days after the day on which the world is made; may be negative.
    """

    key: str
    type: str
    status: str
    priority: str
    reporter: str
    assignee: str | None
    labels: tuple[str, ...]
    summary: str
    level: str | None = None
    parent: str | None = None
    due_day: int | None = None

    @property
    def project(self) -> str:
        """Return the key of its project."""
        return self.key.partition("-")[0]


class CommentData(NamedTuple):
    """A comment, perhaps for a role only."""

    issue: str
    author: str
    text: str
    role: str | None = None


# key, type, status, priority, reporter, assignee, labels, summary, more; "-" for nothing
_ISSUES = """\
PUB-1   |Epic   |In Progress|High   |paul|paul|v2      |Version 2 of the shop
PUB-2   |Story  |In Progress|High   |paul|dana|v2      |Pay by invoice|in PUB-1
PUB-3   |Story  |To Do      |Medium |vera|-   |v2      |Save a basket for later|in PUB-1
PUB-4   |Bug    |In Review  |Highest|vera|dana|money   |Prices are rounded twice
PUB-5   |Task   |To Do      |Low    |paul|vera|-       |Write the release notes|due 7
PUB-6   |Bug    |Done       |Medium |dana|dana|search  |Search finds deleted articles
PUB-7   |Story  |To Do      |Lowest |vera|-   |design  |Dark colours at night
PUB-8   |Subtask|In Progress|Medium |dana|dana|-       |Invoice number format|in PUB-2
PUB-9   |Subtask|To Do      |Medium |dana|-   |-       |Invoice as PDF|in PUB-2
PUB-10  |Bug    |To Do      |Low    |vera|-   |design  |The page jumps while pictures load
PUB-11  |Task   |Done       |High   |paul|dana|ops     |Renew the certificate|due -20
PUB-12  |Story  |In Review  |Medium |paul|dana|v2      |Show delivery dates|in PUB-1, due 14
PUB-13  |Task   |In Progress|Medium |paul|vera|research|Ask ten customers
PUB-14  |Bug    |To Do      |High   |dora|dana|text    |Umlauts in names: Jürgen becomes J?rgen
PUB-15  |Story  |To Do      |Low    |amy |-   |v2      |Gift wrapping 🎁|in PUB-1
PUB-16  |Task   |To Do      |Medium |amy |paul|research|Count visitors without cookies
TEAM-1  |Epic   |In Progress|High   |paul|dana|ops     |Move to the new cluster
TEAM-2  |Task   |Done       |Highest|paul|dana|ops     |Back up before the move|in TEAM-1
TEAM-3  |Task   |In Progress|High   |dana|dana|ops     |Move the database|in TEAM-1, due 3
TEAM-4  |Task   |To Do      |Medium |dana|-   |ops     |Move the mail queue|in TEAM-1, due 10
TEAM-5  |Bug    |In Review  |High   |dana|dana|build   |Nightly build fails on Mondays
TEAM-6  |Story  |To Do      |Medium |dora|-   |tools   |One command sets up a laptop
TEAM-7  |Task   |To Do      |Low    |vera|paul|tools   |Retire the old wiki
TEAM-8  |Bug    |Done       |Highest|dana|dana|ops     |Log files fill the disk
TEAM-9  |Task   |To Do      |Lowest |paul|vera|-       |Plan the team day|due 30
TEAM-10 |Story  |In Progress|Medium |paul|dana|tools   |Dashboards for every service
TEAM-11 |Subtask|In Progress|Medium |dana|dana|-       |Dashboard for the shop|in TEAM-10
TEAM-12 |Subtask|To Do      |Low    |dana|-   |-       |Dashboard for the mail queue|in TEAM-10
TEAM-13 |Bug    |To Do      |Medium |dora|dora|build   |Tests depend on the time zone
TEAM-14 |Task   |In Review  |High   |amy |paul|security|Review who may deploy
VAULT-1 |Task   |In Progress|High   |paul|paul|audit   |Yearly penetration test|due 21
VAULT-2 |Bug    |In Review  |High   |dana|dana|web     |Session cookie lacks SameSite|level Staff
VAULT-3 |Bug    |In Progress|Highest|dana|dana|web     |Reset link never expires|level Staff
VAULT-4 |Task   |To Do      |Medium |vera|paul|audit   |Answer the auditors' questions
VAULT-5 |Bug    |To Do      |High   |vera|dana|web     |Order numbers can be guessed|level Staff
VAULT-6 |Story  |To Do      |Medium |paul|-   |login   |Second factor for administrators
VAULT-7 |Task   |In Progress|Highest|paul|paul|-       |Who read the payroll export?|level Lead only
VAULT-8 |Bug    |Done       |Highest|dana|paul|build   |A key stood in a build log|level Lead only
VAULT-9 |Task   |Done       |High   |paul|dana|ops     |Rotate the signing keys|level Staff
VAULT-10|Task   |To Do      |Low    |paul|vera|people  |Train new colleagues
"""

COMMENTS = (
    CommentData("PUB-1", "vera", "Customers ask for this every week."),
    CommentData("PUB-2", "dana", "The tax office wants the number to have no gaps."),
    CommentData("PUB-2", "paul", "Then let us not number drafts."),
    CommentData("PUB-4", "vera", "Seen with three articles at 0.335 each."),
    CommentData("PUB-4", "dana", "Mended; please approve."),
    CommentData("PUB-13", "vera", "Seven answers so far."),
    CommentData("TEAM-3", "dana", "A rehearsal took forty minutes."),
    CommentData("TEAM-3", "paul", "Budget for this is not settled yet.", "Administrators"),
    CommentData("TEAM-5", "dana", "The cleaner runs at the same hour.", "Developers"),
    CommentData("TEAM-9", "vera", "Boats or mountains?"),
    CommentData("VAULT-3", "dana", "Proof attached to the internal wiki.", "Developers"),
    CommentData("VAULT-8", "paul", "Key withdrawn, log removed."),
)


def default_issues() -> tuple[IssueData, ...]:
    """Return the issues, the oldest first."""
    return tuple(_issue(line) for line in _ISSUES.splitlines())


def _issue(line: str) -> IssueData:
    key, kind, status, priority, reporter, assignee, labels, summary, *more = (
        cell.strip() for cell in line.split("|")
    )
    extras = dict(part.strip().split(" ", 1) for part in ",".join(more).split(",") if part)
    return IssueData(
        key,
        kind,
        status,
        priority,
        reporter,
        assignee=None if assignee == "-" else assignee,
        labels=() if labels == "-" else tuple(labels.split()),
        summary=summary,
        level=extras.get("level"),
        parent=extras.get("in"),
        due_day=int(extras["due"]) if "due" in extras else None,
    )
