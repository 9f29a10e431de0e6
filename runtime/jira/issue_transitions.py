"""Which transitions an issue offers to the caller, and what taking one does.

A transition is offered to whoever holds *Transition issues* and meets all conditions of the
workflow. One that is not offered behaves as if the workflow did not have it.

Differs:
    There are no screens: a transition that resolves an issue has one with the field Resolution,
    others have none. Post functions other than setting or clearing the resolution do not exist.
"""

from dataclasses import dataclass

from runtime.errors import JiraError
from runtime.jira.beans import Bean, resolution_bean, status_bean
from runtime.jira.context import Context
from runtime.jira.issue_fields import ISSUE_FIELDS
from runtime.jira.issues_store import Issue
from runtime.jira.site import Condition, Transition


@dataclass(frozen=True, slots=True)
class Offer:
    """A transition out of an issue's status.

    Attributes:
        available: The caller may take it now.
    """

    transition: Transition
    available: bool


def offers(context: Context, issue: Issue) -> list[Offer]:
    """Return the transitions out of an issue's status, in the workflow's order."""
    workflow = context.site.workflow_of(issue.project(context), issue.issue_type_id)
    may = context.permissions.holds("TRANSITION_ISSUES", issue=issue)
    return [
        Offer(one, may and all(_meets(context, issue, it) for it in one.conditions))
        for one in workflow.transitions
        if one.from_status_id in (None, issue.status_id)
    ]


def get_transition(context: Context, issue: Issue, transition_id: str) -> Transition:
    """Return a transition that the caller may take.

    Raises:
        JiraError: 400 if the issue does not offer it to the caller.
    """
    for offer in offers(context, issue):
        if str(offer.transition.id) == transition_id and offer.available:
            return offer.transition
    rule = None
    if not context.permissions.holds("TRANSITION_ISSUES", issue=issue):
        rule = "permission.TRANSITION_ISSUES"
    message = f"Transition id '{transition_id}' is not valid for this issue."
    raise JiraError(400, message, rule=rule or "workflow.not-offered")


def transition_bean(context: Context, offer: Offer, *, with_fields: bool) -> Bean:
    """Return a transition with its target."""
    transition = offer.transition
    bean: Bean = {
        "id": str(transition.id),
        "name": transition.name,
        "to": status_bean(context, context.site.statuses[transition.to_status_id]),
        "hasScreen": has_screen(transition),
        "isGlobal": transition.from_status_id is None,
        "isInitial": False,
        "isAvailable": offer.available,
        "isConditional": bool(transition.conditions),
        "isLooped": transition.from_status_id == transition.to_status_id,
    }
    if with_fields:
        bean["fields"] = _screen(context) if has_screen(transition) else {}
    return bean


def has_screen(transition: Transition) -> bool:
    """Say whether a transition asks for fields on the way."""
    return transition.resolution_id is not None


def _meets(context: Context, issue: Issue, condition: Condition) -> bool:
    permissions = context.permissions
    match condition.type:
        case "role":
            return permissions.in_role(issue.project(context), int(condition.value))
        case "group":
            return condition.value in permissions.group_ids
        case "permission":
            return permissions.holds(condition.value, issue=issue)
        case _:
            return False


def _screen(context: Context) -> Bean:
    field = ISSUE_FIELDS["resolution"]
    values = [resolution_bean(context, one) for one in context.site.resolutions.values()]
    return {
        field.id: {
            "required": False,
            "schema": field.schema(),
            "name": field.name,
            "key": field.id,
            "operations": list(field.operations),
            "allowedValues": values,
            "hasDefaultValue": False,
        }
    }
