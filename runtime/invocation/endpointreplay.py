"""Make the same of what an endpoint's remote answered, offline, and compare every byte.

Nothing of an endpoint runs here, but what it is sent and what its answers mean does: the requests,
how often, after which failures, and the result.
"""

from collections.abc import Mapping, Sequence

from runtime.errors import ForgeError, ManifestError
from runtime.gateway.outside import ExternalReply
from runtime.gateway.remotes import RemoteCall
from runtime.invocation.deliveries import deliver, jump, read_answer
from runtime.invocation.endpoints import RECORDED_AS, errand_of, find_endpoint, outcome_of
from runtime.invocation.recording import Recording
from runtime.invocation.replay import Replay, compare
from runtime.invocation.scrubbing import Scrubber
from runtime.manifest.model import Manifest
from runtime.sandbox.journal import Call


def is_of_endpoint(recording: Recording) -> bool:
    """Return whether a remote did the work, not a guest."""
    return recording.start.handler.startswith(RECORDED_AS)


def replay_endpoint(
    recording: Recording, manifest: Manifest, secrets: Mapping[str, str], firebrick: str
) -> Replay:
    """Send the recorded payload again, to nobody, and compare requests, result and error.

    The recorded answers come in the recorded order; nobody is asked, and nothing is waited for.

    Args:
        recording: What to make again.
        manifest: Of the version that ran.
        secrets: Values of the app's encrypted variables.
        firebrick: Version of this emulator.

    Raises:
        ManifestError: ``BAD_RECORD`` if the record holds no answers of an endpoint that there is.
    """
    start = recording.start
    endpoint = find_endpoint(manifest, start.handler.removeprefix(RECORDED_AS))
    named = find_endpoint(manifest, recording.function)
    if endpoint is None or named is None or named.key != endpoint.key or len(start.args) != 1:
        raise ManifestError("BAD_RECORD", "This is no record: its app has no such endpoint.")
    cloud_id = str(start.extra.get("cloudId"))
    answers = _Answers(recording.journal.calls)
    delivery = deliver(errand_of(named, cloud_id, start.args[0]), answers, jump)
    if answers.fault:
        raise ManifestError("BAD_RECORD", f"This is no record: {answers.fault}.")
    notes = () if recording.firebrick == firebrick else (f"Recorded by {recording.firebrick}.",)
    return compare(recording, outcome_of(delivery), delivery.calls, Scrubber(secrets), notes)


class _Answers:
    """Answers what was answered.

    Args:
        calls: What was asked, with its answers.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = iter(calls)
        self.fault = ""

    def __call__(self, _call: RemoteCall) -> ExternalReply:
        """Return the next answer, or raise what was raised."""
        call = next(self._calls, None)
        if call is None:
            raise ForgeError("BAD_RECORD", "The record holds no further answer.")
        try:
            return read_answer(call.reply)
        except (ValueError, RecursionError) as error:
            self.fault = str(error)
            raise ForgeError("BAD_RECORD", "The record's answer cannot be read.") from error
