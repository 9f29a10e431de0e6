"""Remotes that are never asked as their author means it: by ``http``, or without their tokens."""

from collections.abc import Iterator

from runtime.manifest.building import module_nodes, text_at
from runtime.manifest.draft import Draft
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, quoted

TOKEN_SCOPES = {"appSystemToken": "read:app-system-token", "appUserToken": "read:app-user-token"}
"""Which scope each token that goes along to a remote needs.

Source:
    Forge documentation, "Forge Remote essentials", request headers.
"""


def check_remotes(draft: Draft) -> Iterator[Problem]:
    """Yield what keeps a remote from being asked, and tokens from going along."""
    section = draft.root.get("remotes")
    remotes = (*(section.items if section else ()), *module_nodes(draft.root, "remote"))
    for remote in remotes:
        yield from _base_urls(draft, remote)
    for holder in (*remotes, *module_nodes(draft.root, "endpoint")):
        yield from _tokens(draft, holder)


def _base_urls(draft: Draft, remote: Node) -> Iterator[Problem]:
    base = remote.get("baseUrl")
    for url in (base, *base.entries.values()) if base else ():
        if url.text is not None and not url.text.lower().startswith("https://"):
            message = f"The remote {quoted(text_at(remote, 'key'))} is not asked by https."
            hint = "Begin its base URL with https://; for a test name another: --remote KEY=URL."
            rule = OURS + "remote-base-url"
            yield draft.problem(url.position, rule, message, hint, level="warning")


def _tokens(draft: Draft, holder: Node) -> Iterator[Problem]:
    for switch, scope in TOKEN_SCOPES.items():
        enabled = holder.get("auth", switch, "enabled")
        if enabled is None or enabled.value is not True:
            continue
        if scope not in draft.manifest.declared_scopes:
            message = f"`auth.{switch}` of {quoted(text_at(holder, 'key'))} gives no token."
            hint = f"Declare the scope `{scope}`."
            rule = OURS + "remote-token-scope"
            yield draft.problem(enabled.position, rule, message, hint, level="warning")
