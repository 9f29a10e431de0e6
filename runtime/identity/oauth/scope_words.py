"""Scopes in words, for people who are asked to agree to them."""

from collections.abc import Iterable

PRODUCTS = {
    "jira": "Jira",
    "jira-software": "Jira Software",
    "jira-service-management": "Jira Service Management",
    "user": "Your account",
}
WORDS = {
    "read:jira-work": "View projects, issues, comments, worklogs and attachments that you can see",
    "write:jira-work": "Create, edit and delete issues, comments, worklogs and attachments as you",
    "read:jira-user": "View the names, e-mail addresses and avatars of people you can see",
    "manage:jira-project": "Change project settings, versions and components where you may",
    "manage:jira-configuration": "Change Jira's global settings where you may",
    "manage:jira-webhook": "Register webhooks that tell the app what happens",
    "manage:jira-data-provider": "Send development and deployment data to Jira",
    "read:servicedesk-request": "View requests, queues and customers that you can see",
    "write:servicedesk-request": "Create and change requests as you",
    "manage:servicedesk-customer": "Create and change customers and organizations where you may",
    "read:me": "View your name, e-mail address, picture and time zone",
    "read:account": "View your name, e-mail address, picture and time zone",
    "report:personal-data": "Ask which stored accounts' personal data must be erased",
    "offline_access": "Go on doing so while you are not there, until you revoke it",
}
VERBS = {
    "read": "View", "write": "Create and change", "delete": "Delete", "manage": "Manage",
    "send": "Send", "validate": "Check", "redact": "Redact",
}  # fmt: skip
SERVICE = "servicedesk"


def describe_scope(scope: str) -> str:
    """Return a scope in words; an unknown one is told apart by its own name."""
    if scope in WORDS:
        return WORDS[scope]
    verb, _, rest = scope.partition(":")
    thing = rest.partition(":")[0].replace(".", " ").replace("-", " ")
    if verb not in VERBS or not thing:
        return scope
    return f"{VERBS[verb]}: {thing}"


def product_of(scope: str) -> str:
    """Return the name of the product that a scope is about."""
    if ":" not in scope or scope in ("read:me", "read:account", "report:personal-data"):
        return PRODUCTS["user"]
    if SERVICE in scope:
        return PRODUCTS["jira-service-management"]
    parts = scope.split(":")
    return PRODUCTS.get(parts[-1], PRODUCTS["jira"])


def by_product(scopes: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return scopes with their words under their product's name.

    They stay in the order they came, but what concerns the account itself stands last.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    unique = dict.fromkeys(scopes)
    for scope in sorted(
        unique, key=lambda one: (product_of(one) == PRODUCTS["user"], ":" not in one)
    ):
        found.setdefault(product_of(scope), []).append((scope, describe_scope(scope)))
    return found
