"""What a function is called with, by the kind of module that calls it.

Source:
    Forge documentation, "Function arguments" of each module; the packages' own use of
    ``__forge_runtime__``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runtime.errors import InvocationError
from runtime.installation.model import (
    AppVersion,
    Installation,
    app_uuid,
    environment_id,
    environment_type,
)
from runtime.manifest.model import Manifest, Module

Kind = Literal["resolver", "trigger", "scheduledTrigger", "webtrigger", "consumer", "function"]
EVENT_KINDS: Mapping[str, Kind] = {
    "trigger": "trigger",
    "scheduledTrigger": "scheduledTrigger",
    "webtrigger": "webtrigger",
    "consumer": "consumer",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be run.

    Attributes:
        function_key: Key of the function in the manifest.
        definition: A resolver's ``functionKey``; None for other functions.
        handler: ``module.export``.
        kind: What calls it.
        module: The module that calls it; None if none does.
    """

    function_key: str
    definition: str | None
    handler: str
    kind: Kind
    module: Module | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the host knows of one invocation, none of it from the guest.

    Attributes:
        invocation_id: The invocation.
        version: The version that runs.
        installation: Where it runs.
        site_url: Such as ``https://acme.atlassian.net``.
        account_id: Who invoked it; None if no user did.
        time_zone: Of the invoking user.
        locale: Of the invoking user.
    """

    invocation_id: str
    version: AppVersion
    installation: Installation
    site_url: str
    account_id: str | None
    time_zone: str = "Etc/UTC"
    locale: str = "en-US"

    @property
    def context_ari(self) -> str:
        """Return the ARI of the site."""
        return f"ari:cloud:jira::site/{self.installation.cloud_id}"

    @property
    def installation_ari(self) -> str:
        """Return the ARI of the installation."""
        return f"ari:cloud:ecosystem::installation/{self.installation.id}"


def find_target(manifest: Manifest, name: str) -> Target:
    """Return what a name on the command line means: ``function`` or ``function:definition``.

    Raises:
        InvocationError: ``UNKNOWN_FUNCTION`` with the functions there are.
    """
    function_key, _, definition = name.partition(":")
    function = manifest.functions.get(function_key)
    if function is None:
        endpoints = (module.key for module in manifest.modules_of("endpoint"))
        known = ", ".join(sorted({*manifest.functions, *endpoints})) or "none"
        raise InvocationError(
            "UNKNOWN_FUNCTION", f"The manifest has no function {function_key!r}; it has: {known}."
        )
    kind, module = _kind(manifest, function_key)
    if definition:
        kind = "resolver"
    return Target(function_key, definition or None, function.handler, kind, module)


def build_arguments(
    target: Target, facts: Facts, payload: object, extension: Mapping[str, object]
) -> tuple[object, ...]:
    """Return the handler's arguments.

    A resolver gets ``{call, context}`` and the request context; everything else gets its event and
    the request context. The payload and the extension are the caller's words; identity and site
    are the host's.

    Raises:
        InvocationError: ``RESOLVER_KEY_MISSING`` if a resolver is called without a definition.
    """
    context = _request_context(facts)
    if target.kind == "resolver":
        return (_resolver_request(target, facts, payload, extension), context)
    return (_event(target.kind, facts, target, payload), context)


def build_runtime(target: Target, facts: Facts, wall_ms: int) -> dict[str, object]:
    """Return the fields of ``__forge_runtime__``: ids and metadata, never a credential."""
    installation, version = facts.installation, facts.version
    licence = licence_of(installation)
    return {
        "contextAri": facts.context_ari,
        "aaid": facts.account_id,
        "appContext": {
            "appId": app_uuid(version.app_id),
            "appVersion": version.version,
            "environmentId": environment_id(version.app_id, version.environment),
            "environmentType": environment_type(version.environment),
            "invocationId": facts.invocation_id,
            "installationId": installation.id,
            "functionKey": target.function_key,
            "moduleType": target.module.type if target.module else "core:function",
            "moduleKey": target.module.key if target.module else target.function_key,
            "installation": {"ari": facts.installation_ari, "contexts": [facts.context_ari]},
            **({} if licence is None else {"license": licence}),
            "permissions": {"scopes": sorted(installation.granted), "external": {}},
        },
        "lambdaContext": {
            "awsRequestId": facts.invocation_id,
            "remainingTimeInMillis": wall_ms,
        },
        "proxy": {"token": "", "url": "", "host": ""},
        "tracing": {"traceId": facts.invocation_id.replace("-", ""), "spanId": "0" * 16},
        "container": {"runtime": "firebrick", "handler": target.handler, "region": "local"},
    }


def licence_of(installation: Installation) -> dict[str, object] | None:
    """Return what an app is told of its licence; None for an app without one."""
    if not installation.licence:
        return None
    active = installation.licence != "inactive"
    return {
        "active": active,
        "isActive": active,
        "isEvaluation": installation.licence == "trial",
        "type": "commercial",
    }


def _kind(manifest: Manifest, function_key: str) -> tuple[Kind, Module | None]:
    for module in manifest.modules:
        resolver = manifest.resolver_function(module)
        if resolver is not None and resolver.key == function_key:
            return "resolver", module
        if module.properties.get("function") == function_key and module.type != "function":
            return EVENT_KINDS.get(module.type, "function"), module
    return "function", None


def _request_context(facts: Facts) -> dict[str, object]:
    context: dict[str, object] = {
        "installContext": facts.context_ari,
        "installation": {"ari": facts.installation_ari, "contexts": [facts.context_ari]},
    }
    licence = licence_of(facts.installation)
    if licence is not None:
        context["license"] = licence
    if facts.account_id is not None:
        context["principal"] = {"accountId": facts.account_id}
    return context


def _resolver_request(
    target: Target, facts: Facts, payload: object, extension: Mapping[str, object]
) -> dict[str, object]:
    if target.definition is None:
        raise InvocationError(
            "RESOLVER_KEY_MISSING",
            f"{target.function_key!r} is a resolver: name the definition to call, "
            f"such as {target.function_key}:getText.",
        )
    module = target.module
    return {
        "call": {"functionKey": target.definition, "payload": {} if payload is None else payload},
        "context": {
            "accountId": facts.account_id,
            "cloudId": facts.installation.cloud_id,
            "localId": f"{facts.installation_ari}/{target.function_key}",
            "environmentId": environment_id(facts.version.app_id, facts.version.environment),
            "environmentType": environment_type(facts.version.environment),
            "moduleKey": module.key if module else target.function_key,
            "siteUrl": facts.site_url,
            "locale": facts.locale,
            "timezone": facts.time_zone,
            "extension": {"type": module.type if module else "core:function", **extension},
        },
    }


def _event(kind: Kind, facts: Facts, target: Target, payload: object) -> object:
    if kind == "webtrigger":
        return _web_request(payload)
    if kind == "scheduledTrigger":
        return {
            "context": {
                "cloudId": facts.installation.cloud_id,
                "moduleKey": target.module.key if target.module else target.function_key,
            },
            "contextToken": "",
        }
    return {} if payload is None else payload


def _web_request(payload: object) -> dict[str, object]:
    request: dict[str, object] = {
        "method": "POST",
        "path": "/",
        "userPath": "",
        "body": "",
        "headers": {},
        "queryParameters": {},
    }
    if isinstance(payload, dict):
        request.update(payload)
    return request
