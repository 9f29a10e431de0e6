"""One invocation: a function of an installed app, run in a fresh guest."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from pydantic import SecretStr
from sqlalchemy import Connection

from runtime import __version__
from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.gateway.gateway import Gateway
from runtime.gateway.outside import Outside
from runtime.gateway.remotes import Places, RemoteGateway
from runtime.gateway.values import Caller, CallReport
from runtime.hostfunctions.doors import Doors, HostFunction
from runtime.hostfunctions.fetch import Egress, Fetch
from runtime.hostfunctions.invoke_remote import InvokeRemote, places_of
from runtime.hostfunctions.request_jira import RequestJira
from runtime.ids import Ids
from runtime.installation.model import AppVersion, Installation
from runtime.invocation.context import (
    Facts,
    Target,
    build_arguments,
    build_runtime,
    find_target,
)
from runtime.invocation.deliveries import Attempt, deliver, jump
from runtime.invocation.endpoints import (
    Endpoint,
    errand_of,
    find_endpoint,
    outcome_of,
    start_of,
    tell_of_endpoint,
    tell_of_function,
)
from runtime.invocation.images import Images
from runtime.invocation.proof import Proof, search_memory
from runtime.invocation.recordfile import write_record
from runtime.invocation.recording import (
    Recording,
    RecordingStore,
    hash_of,
    scrubbed_text,
    secret_variables,
)
from runtime.invocation.records import InvocationRecord, InvocationRecords
from runtime.invocation.scrubbing import Scrubber
from runtime.manifest.model import Manifest
from runtime.policy.customer_approval import Approved, approved_by
from runtime.policy.customer_egress import Choices, is_configurable
from runtime.policy.customer_remotes import endpoint_of
from runtime.sandbox.journal import Journal, Recorder
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import RealTime, VirtualTime
from runtime.sandbox.timing import timed
from runtime.sandbox.values import Inspect, Outcome, Start

SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Order:
    """What a person, an event or a test wants to be run.

    Attributes:
        version: The version of the installation.
        installation: Where it runs.
        function: ``function`` or ``function:definition``.
        payload: JSON value handed to the function.
        extension: What the front-end would put into ``context.extension``.
        account_id: Who invokes; None if no user does.
        site_url: Such as ``https://acme.atlassian.net``.
        seed: 32 bytes; None for fresh randomness.
        now_s: The guest's clock at the start; None for the world's.
        env: The app's environment variables.
        limits: Budgets.
        prove: Search the guest's memory for live secrets after the run.
        egress: What stands outside: stubs, and hosts of the real network.
        virtual_time: Whether timers jump instead of waiting.
        wait: Is told how many seconds pass before an event is sent to its remote again.
    """

    version: AppVersion
    installation: Installation
    function: str
    payload: object = None
    extension: Mapping[str, object] = field(default_factory=dict)
    account_id: str | None = None
    site_url: str = ""
    seed: bytes | None = None
    now_s: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    prove: bool = False
    egress: Egress = field(default_factory=Egress)
    virtual_time: bool = False
    wait: Callable[[float], object] = jump


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What came of an invocation.

    Attributes:
        invocation_id: Names it in the audit trail and the logs.
        function: What ran.
        outcome: Result, fault, logs and budget use, from the sandbox.
        calls: Each product call with its verdict.
        proof: What the memory search came to; None if it was not asked for.
        seed: The seed in hex: with it and the clock the run can be repeated.
        now_s: The guest's clock at the start.
        attempts: Each time that an endpoint's remote was asked; none where a function ran.
    """

    invocation_id: str
    function: str
    outcome: Outcome
    calls: tuple[CallReport, ...]
    proof: Proof | None
    seed: str
    now_s: float
    attempts: tuple[Attempt, ...] = ()

    @property
    def value(self) -> object:
        """Return the parsed result; None on a fault or where the function returned undefined."""
        return None if self.outcome.result is None else json.loads(self.outcome.result)


class SecretSource:
    """What a memory search looks for.

    Args:
        held: Returns the secrets this process holds in the clear.
        digests: Returns the SHA-256 of every live secret.
        always: Whether to search after each run, asked for or not.
        note: Is told each proof.
    """

    def __init__(
        self,
        held: Callable[[], tuple[SecretStr, ...]],
        digests: Callable[[], frozenset[str]],
        *,
        always: bool = False,
        note: Callable[[Proof], None] | None = None,
    ) -> None:
        self._held = held
        self._digests = digests
        self.always = always
        self._note = note

    def search(self, memory: memoryview) -> Proof:
        """Search a guest's memory."""
        proof = search_memory(memory, self._held(), self._digests())
        if self._note is not None:
            self._note(proof)
        return proof


class Invoker:
    """Runs functions of installed apps.

    Args:
        gateway: The door to the product.
        remotes: The door to apps' own servers.
        images: Apps made ready to run.
        audit: The trail.
        records: Where invocations are kept.
        recordings: Where what a replay needs is kept.
        secrets: What a proof looks for.
        clock: The host's clock.
        world_clock: What a guest's clock begins with.
        ids: Makes invocation ids and seeds.
        outside: The real network, for hosts that an order allows.
        chosen: Returns what a customer chose for an installation.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        remotes: RemoteGateway,
        images: Images,
        audit: AuditTrail,
        records: InvocationRecords,
        recordings: RecordingStore,
        secrets: SecretSource,
        clock: Clock,
        world_clock: Clock,
        ids: Ids,
        outside: Outside,
        chosen: Callable[[str], Choices],
    ) -> None:
        self._gateway = gateway
        self._remotes = remotes
        self._images = images
        self._audit = audit
        self._records = records
        self._recordings = recordings
        self._secrets = secrets
        self._clock = clock
        self._world_clock = world_clock
        self._ids = ids
        self._outside = outside
        self._chosen = chosen

    def invoke(self, order: Order) -> InvocationResult:
        """Run one function in a fresh guest, or have a remote do what an endpoint stands for.

        Faults of the app are in the result.

        Raises:
            InvocationError: What was asked for does not exist (``UNKNOWN_FUNCTION``,
                ``RESOLVER_KEY_MISSING``), or is not emulated.
        """
        manifest = self._images.manifest(order.version)
        endpoint = find_endpoint(manifest, order.function)
        if endpoint is not None:
            return self._invoke_endpoint(order, endpoint, manifest)
        target = find_target(manifest, order.function)
        facts = self._facts(order)
        start = self._start(order, target, facts)
        door = RequestJira(self._gateway, _caller(facts))
        outcome, proof, recording = self._run(order, start, door, facts, manifest)
        result = InvocationResult(
            invocation_id=facts.invocation_id,
            function=order.function,
            outcome=outcome,
            calls=door.reports,
            proof=proof,
            seed=start.seed.hex(),
            now_s=start.now_s,
        )
        self._keep(order, result, recording)
        return result

    def _facts(self, order: Order) -> Facts:
        return Facts(
            invocation_id=self._ids.uuid(),
            version=order.version,
            installation=order.installation,
            site_url=order.site_url,
            account_id=order.account_id,
        )

    def _invoke_endpoint(
        self, order: Order, endpoint: Endpoint, manifest: Manifest
    ) -> InvocationResult:
        facts = self._facts(order)
        if endpoint.is_event:
            facts = replace(facts, account_id=None)
        now_s = self._world_clock.now_s() if order.now_s is None else order.now_s
        start = start_of(endpoint, order.payload, facts.installation.cloud_id, now_s)
        told = tell_of_endpoint(endpoint, facts, order.extension)
        places = self._places(order, facts, manifest)
        remote, tokens = manifest.remotes.get(endpoint.remote), endpoint.tokens
        began_at_s, started_s = self._clock.now_s(), self._clock.monotonic_s()
        delivery = deliver(
            errand_of(endpoint, facts.installation.cloud_id, order.payload),
            lambda call: self._remotes.send(_caller(facts), told, call, remote, tokens, places),
            order.wait,
        )
        outcome = outcome_of(delivery, (self._clock.monotonic_s() - started_s) * 1000)
        result = InvocationResult(
            invocation_id=facts.invocation_id,
            function=order.function,
            outcome=outcome,
            calls=(),
            proof=None,
            seed="",
            now_s=now_s,
            attempts=delivery.attempts,
        )
        journal = Journal(calls=delivery.calls)
        self._keep(order, result, _recording(order, facts, start, "", began_at_s, journal, outcome))
        return result

    def _start(self, order: Order, target: Target, facts: Facts) -> Start:
        return Start(
            handler=target.handler,
            args=build_arguments(target, facts, order.payload, order.extension),
            seed=order.seed or self._ids.random_bytes(SEED_BYTES),
            now_s=self._world_clock.now_s() if order.now_s is None else order.now_s,
            env=order.env,
            extra={"runtime": build_runtime(target, facts, order.limits.wall_ms)},
        )

    def _run(
        self, order: Order, start: Start, door: RequestJira, facts: Facts, manifest: Manifest
    ) -> tuple[Outcome, Proof | None, Recording]:
        image = self._images.image(order.version)
        fetch = Fetch(
            self._audit,
            _caller(facts),
            order.version.egress,
            clock=self._clock,
            egress=order.egress,
            outside=self._outside,
            approved=self._approved_for(facts, manifest),
        )
        remote = InvokeRemote(
            self._remotes,
            _caller(facts),
            tell_of_function(facts, order.function.partition(":")[0]),
            manifest.remotes,
            self._places(order, facts, manifest),
        )
        functions: dict[str, HostFunction] = {
            door.name: door,
            fetch.name: fetch,
            remote.name: remote,
        }
        doors = Doors(functions, prompt=_answers_at_once(order.version, manifest))
        proofs: list[Proof] = []

        def inspect(memory: memoryview) -> None:
            proofs.append(self._secrets.search(memory))

        wanted: Inspect | None = inspect if order.prove or self._secrets.always else None
        began_at_s = self._clock.now_s()
        recorder = Recorder(VirtualTime() if order.virtual_time else RealTime())
        outcome = timed(image, lambda: recorder).run(start, doors, order.limits, inspect=wanted)
        journal = recorder.journal(outcome)
        recording = _recording(order, facts, start, image.digest, began_at_s, journal, outcome)
        shown = self._images.translate(order.version, outcome)
        return shown, proofs[0] if proofs else None, recording

    def _keep(self, order: Order, result: InvocationResult, recording: Recording) -> None:
        outcome = result.outcome
        secrets = secret_variables(order.version, order.env)
        code = None if outcome.fault is None else outcome.fault.code
        self._records.append(
            InvocationRecord(
                id=result.invocation_id,
                app_id=order.version.app_id,
                app_name=order.version.name,
                environment=order.version.environment,
                function=order.function,
                installation_id=order.installation.id,
                account_id=order.account_id,
                seed=result.seed,
                started_at_s=result.now_s,
                succeeded=outcome.fault is None,
                code=code,
                logs=[asdict(line) for line in outcome.logs],
                usage=asdict(outcome.usage),
                began_at_s=recording.began_at_s,
            ),
            Scrubber(secrets),
            self._audit,
            AuditRecord(
                kind="invocation",
                allowed=outcome.fault is None,
                rule="invocation.done" if code is None else f"invocation.{code.lower()}",
                message="" if outcome.fault is None else outcome.fault.message,
                invocation_id=result.invocation_id,
                app_id=order.version.app_id,
                installation_id=order.installation.id,
                cloud_id=order.installation.cloud_id,
                account_id=order.account_id,
                path=order.function,
                duration_ms=outcome.usage.wall_ms,
            ),
            self._kept(order.version, recording, secrets),
        )

    def _approved_for(self, facts: Facts, manifest: Manifest) -> Callable[[], Iterable[Approved]]:
        if not is_configurable(manifest.sections):
            return tuple
        return lambda: approved_by(self._chosen(facts.installation.id), manifest.sections)

    def _places(self, order: Order, facts: Facts, manifest: Manifest) -> Places:
        def chosen(remote: str) -> str | None:
            return endpoint_of(self._chosen(facts.installation.id), manifest.sections, remote)

        places = places_of(order.egress)
        return replace(places, chosen=chosen) if is_configurable(manifest.sections) else places

    def _kept(
        self, version: AppVersion, recording: Recording, secrets: Mapping[str, str]
    ) -> Callable[[Connection], None] | None:
        """Return what writes a recording into a transaction; None if none is wanted."""
        if not self._recordings.wanted:
            return None
        text = scrubbed_text(recording, secrets, write_record)
        return lambda connection: self._recordings.append_in(
            connection, recording.invocation_id, version, text
        )


def _recording(  # noqa: PLR0917  # two call sites; what a recording is made of
    order: Order,
    facts: Facts,
    start: Start,
    image: str,
    began_at_s: float,
    journal: Journal,
    outcome: Outcome,
) -> Recording:
    version, secrets = order.version, secret_variables(order.version, order.env)
    return Recording(
        invocation_id=facts.invocation_id,
        function=order.function,
        app_name=version.name,
        app_id=version.app_id,
        environment=version.environment,
        version=version.version,
        digest=version.digest,
        image=image,
        firebrick=__version__,
        began_at_s=began_at_s,
        start=start,
        secrets={name: hash_of(value) for name, value in secrets.items()},
        limits=order.limits,
        journal=journal,
        outcome=outcome,
    )


def _answers_at_once(version: AppVersion, manifest: Manifest) -> bool:
    """Return whether no door of an app can take long."""
    return not (version.egress or manifest.remotes or is_configurable(manifest.sections))


def _caller(facts: Facts) -> Caller:
    return Caller(
        invocation_id=facts.invocation_id,
        app_id=facts.version.app_id,
        installation_id=facts.installation.id,
        cloud_id=facts.installation.cloud_id,
        app_account_id=facts.installation.app_account_id,
        account_id=facts.account_id,
    )
