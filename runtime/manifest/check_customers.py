"""What customers may configure: remotes that are configurable, and the switch that lets them."""

from collections.abc import Iterator

from runtime.manifest.building import module_nodes, text_at
from runtime.manifest.draft import APP_CONFIG, Draft
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, quoted


def check_customers(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with remotes that a customer says the address of.

    Source:
        Forge documentation, "Customer-managed egress and remotes"; measured on the platform's
        validators: a remote has a base URL or is configurable; one of Connect or of an
        authentication provider is not configurable.
    """
    section = draft.root.get("remotes")
    remotes = (*(section.items if section else ()), *module_nodes(draft.root, "remote"))
    configurable = [one for one in remotes if one.get("configurable") is not None]
    keys = {text_at(one, "key") for one in configurable}
    for remote in remotes:
        if remote.get("baseUrl") is None and remote.get("configurable") is None:
            message = f"The remote {quoted(text_at(remote, 'key'))} has no address."
            hint = "Add `baseUrl`, or `configurable` if each customer says where it is."
            yield draft.problem(remote.at("key"), APP_CONFIG, message, hint)
    yield from _fixed(draft, keys)
    switch = draft.root.get("permissions", "external", "configurable", "enabled")
    for remote in configurable:
        if switch is None or switch.value is not True:
            message = f"No customer can configure the remote {quoted(text_at(remote, 'key'))}."
            hint = "Add `permissions.external.configurable.enabled: true`."
            rule = OURS + "remote-not-configurable"
            yield draft.problem(remote.at("configurable"), rule, message, hint, level="warning")
        yield from _patterns(draft, remote)


def _fixed(draft: Draft, configurable: set[str]) -> Iterator[Problem]:
    """Yield the remotes of Connect and of providers that are configurable."""
    connect = draft.root.get("app", "connect", "remote")
    if connect is not None and connect.text in configurable:
        message = f"The remote {quoted(connect.text)} of Connect cannot be configurable."
        yield draft.problem(connect.position, APP_CONFIG, message, "Remove `configurable` there.")
    providers = draft.root.get("providers", "auth")
    for provider in providers.items if providers else ():
        named = provider.get("remotes")
        for remote in named.items if named else ():
            if remote.text is not None and remote.text in configurable:
                message = (
                    f"The remote {quoted(remote.text)} of the provider "
                    f"{quoted(text_at(provider, 'key'))} cannot be configurable."
                )
                hint = "Remove `configurable` there."
                yield draft.problem(remote.position, APP_CONFIG, message, hint)


def _patterns(draft: Draft, remote: Node) -> Iterator[Problem]:
    patterns = remote.get("configurable", "supportedPatterns")
    for one in patterns.items if patterns else ():
        text = one.text or ""
        host = text.partition("://")[2] if "://" in text else text
        if text.count("*") > 1 or not host or "/" in host:
            message = f"The pattern {quoted(text)} fits no address."
            hint = "Write a host, with one `*` at most, such as `*.example.com`."
            rule = OURS + "remote-pattern"
            yield draft.problem(one.position, rule, message, hint, level="warning")
