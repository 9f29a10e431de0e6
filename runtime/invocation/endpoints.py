"""Modules whose work is done by an app's own server: the invocation is one request to it.

Source:
    Forge documentation, "Forge Remote essentials" and the manifest's ``endpoint`` module.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.errors import InvocationError
from runtime.gateway.invocation_claims import BACKEND_MODULE, Invocation
from runtime.gateway.remotes import Tokens
from runtime.hostfunctions.invoke_remote import tokens_of
from runtime.installation.model import environment_id, environment_type
from runtime.invocation.context import Facts, licence_of
from runtime.invocation.deliveries import Delivery, Errand
from runtime.manifest.model import Manifest, Module
from runtime.sandbox.values import Outcome, Start, Usage

EVENT_MODULES = frozenset({"trigger", "scheduledTrigger"})
"""Module types that nobody waits for, and that no user invokes."""

RECORDED_AS = "endpoint:"  # before an endpoint's key, where a recording names a handler


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of the manifest, and the module whose work it does.

    Attributes:
        key: Key of the endpoint.
        remote: Key of its remote.
        path: What is appended to the remote's base URL.
        tokens: What it switches on, else its remote.
        module: The module that names it; None if none does.
    """

    key: str
    remote: str
    path: str
    tokens: Tokens
    module: Module | None

    @property
    def is_event(self) -> bool:
        """Whether an event leads here, not a page."""
        return self.module is not None and self.module.type in EVENT_MODULES


def find_endpoint(manifest: Manifest, name: str) -> Endpoint | None:
    """Return the endpoint of that key, or that of the module of that key; None if there is none.

    Raises:
        InvocationError: ``NOT_EMULATED`` if it belongs to a container instead of a remote.
    """
    endpoints = {module.key: module for module in manifest.modules_of("endpoint")}
    users = [(module, key) for module in manifest.modules for key in _named(module)]
    module = next((one for one, key in users if name in (one.key, key) and key in endpoints), None)
    key = name if module is None else next(k for one, k in users if one is module)
    found = endpoints.get(key)
    if found is None:
        return None
    remote = found.properties.get("remote")
    if not isinstance(remote, str):
        raise InvocationError(
            "NOT_EMULATED", f"Not emulated yet: containers (the endpoint {key!r} has a service)."
        )
    return Endpoint(key, remote, _path(found), _tokens(manifest, found, remote), module)


def tell_of_endpoint(
    endpoint: Endpoint, facts: Facts, extension: Mapping[str, object]
) -> Invocation:
    """Return what a remote is told when an endpoint is invoked.

    Behind a page it is told where the page was opened, and by whom; behind an event neither.
    """
    module = endpoint.module
    if endpoint.is_event or module is None:
        return _told(facts, BACKEND_MODULE, endpoint.key, principal=None)
    context: dict[str, object] = {
        "localId": f"{facts.installation_ari}/{module.key}",
        "cloudId": facts.installation.cloud_id,
        "moduleKey": module.key,
        "siteUrl": facts.site_url,
        "extension": {**extension, "type": module.type},
    }
    return _told(facts, module.type, module.key, principal=facts.account_id, context=context)


def tell_of_function(facts: Facts, key: str) -> Invocation:
    """Return what a remote is told when a function asks it."""
    return _told(facts, BACKEND_MODULE, key, principal=facts.account_id)


def errand_of(endpoint: Endpoint, cloud_id: str, payload: object) -> Errand:
    """Return what an endpoint is to do with a payload.

    Args:
        endpoint: The endpoint.
        cloud_id: The site of the installation.
        payload: JSON value; None for what the platform sends by itself.
    """
    body = {} if payload is None else payload
    if payload is None and endpoint.module and endpoint.module.type == "scheduledTrigger":
        context = {"cloudId": cloud_id, "moduleKey": endpoint.module.key}
        body = {"context": context, "contextToken": ""}
    return Errand(endpoint.remote, endpoint.path, body, endpoint.is_event)


def start_of(endpoint: Endpoint, payload: object, cloud_id: str, now_s: float) -> Start:
    """Return what a recording says an endpoint was given: no guest, so no seed and no variables."""
    return Start(
        handler=f"{RECORDED_AS}{endpoint.key}",
        args=(payload,),
        seed=bytes(32),
        now_s=now_s,
        extra={"cloudId": cloud_id},
    )


def outcome_of(delivery: Delivery, wall_ms: float = 0.0) -> Outcome:
    """Return what came of an invocation that no guest ran."""
    result = delivery.result
    usage = Usage(wall_ms=wall_ms, result_bytes=0 if result is None else len(result))
    return Outcome(result, delivery.fault, (), usage)


def _named(module: Module) -> Iterator[str]:
    """Yield the endpoints that do a module's work: its own, its resolver's."""
    for holder in (module.properties, module.properties.get("resolver")):
        key = holder.get("endpoint") if isinstance(holder, Mapping) else None
        if isinstance(key, str):
            yield key


def _path(endpoint: Module) -> str:
    route = endpoint.properties.get("route")
    path = route.get("path") if isinstance(route, Mapping) else None
    text = path if isinstance(path, str) else "/"
    return text if text.startswith("/") else f"/{text}"


def _tokens(manifest: Manifest, endpoint: Module, remote: str) -> Tokens:
    declared = manifest.remotes.get(remote)
    if "auth" in endpoint.properties or declared is None:
        return tokens_of(endpoint.properties)
    return tokens_of(declared.properties)


def _told(
    facts: Facts,
    module_type: str,
    module_key: str,
    *,
    principal: str | None,
    context: Mapping[str, object] | None = None,
) -> Invocation:
    version = facts.version
    environment = environment_id(version.app_id, version.environment)
    return Invocation(
        app_id=version.app_id,
        version=version.version,
        installation_ari=facts.installation_ari,
        environment_type=environment_type(version.environment),
        environment_ari=(
            f"ari:cloud:ecosystem::environment/{version.app_id.rpartition('app/')[2]}/{environment}"
        ),
        module_type=module_type,
        module_key=module_key,
        licence=licence_of(facts.installation),
        context=context,
        principal=principal,
    )
