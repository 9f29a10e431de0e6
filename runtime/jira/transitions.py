"""The operations on transitions: which there are, and taking one."""

from runtime.errors import JiraError
from runtime.jira.comments import add_comments_of_update
from runtime.jira.context import Context, operation
from runtime.jira.issue_draft import Draft
from runtime.jira.issue_setters import SCREEN_SETTERS
from runtime.jira.issue_transitions import get_transition, has_screen, offers, transition_bean
from runtime.jira.issue_writes import save_issue
from runtime.jira.issues_input import IssueUpdate, read_update
from runtime.jira.issues_store import get_issue
from runtime.jira.responses import Json, json_response, no_content
from runtime.jira.site import Transition
from runtime.wire import JiraResponse


@operation("getTransitions")
def get_transitions(context: Context) -> JiraResponse:
    """Return the transitions that the caller may take; none without *Transition issues*."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    wanted = context.text("transitionId")
    unavailable = context.flag("includeUnavailableTransitions", default=False)
    with_fields = "transitions.fields" in context.expands()
    beans = [
        transition_bean(context, offer, with_fields=with_fields)
        for offer in offers(context, issue)
        if (offer.available or unavailable) and wanted in (None, str(offer.transition.id))
    ]
    return json_response({"expand": "transitions", "transitions": beans})


@operation("doTransition")
def do_transition(context: Context) -> JiraResponse:
    """Take a transition: the status changes, and the resolution is set or cleared."""
    issue = get_issue(context, context.params["issueIdOrKey"])
    context.caller()
    body = context.json_object()
    transition = get_transition(context, issue, _transition_id(body.get("transition")))
    update = read_update(body)
    draft = Draft(context, issue.project(context), issue.issue_type(context), issue)
    _fill(draft, transition, update)
    add_comments_of_update(context, save_issue(draft, issue), update)
    return no_content()


def _fill(draft: Draft, transition: Transition, update: IssueUpdate) -> None:
    draft.columns["resolution_id"] = transition.resolution_id
    setters = SCREEN_SETTERS if has_screen(transition) else {}
    draft.set_all(setters, update.values(draft))
    draft.check()
    draft.columns["status_id"] = transition.to_status_id
    resolved = draft.columns["resolution_id"] is not None
    draft.columns["resolved_ms"] = draft.context.now_ms if resolved else None


def _transition_id(value: Json) -> str:
    """Return the id in ``{"id": …}``, which clients send as a text or as a number."""
    given = value.get("id") if isinstance(value, dict) else None
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise JiraError(400, "Missing 'transition' identifier")
    return str(given)
